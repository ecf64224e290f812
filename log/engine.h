/* What an engine gives to be a log. Internal to log/.
 *
 * An engine's own structure begins with struct picket_log; its open function allocates it and sets
 * engine, and destroy frees it. The functions are those of picket/log/log.h, with the same
 * contract.
 */
#ifndef PICKET_LOG_ENGINE_H
#define PICKET_LOG_ENGINE_H

#include "picket/log/log.h"

struct log_engine {
    void (*destroy)(struct picket_log *log);
    int (*append)(struct picket_log *log, const struct picket_log_message *message,
                  uint64_t *position);
    void (*on_durable)(struct picket_log *log, picket_log_durable durable, void *context);
    int (*read)(struct picket_log *log, const struct picket_log_message **messages, int max,
                int timeout_ms);
    void (*gather)(struct picket_log *log, int at_least);
    void (*commit)(struct picket_log *log, uint64_t position);
    void (*close)(struct picket_log *log);
    void (*statistics)(struct picket_log *log, struct picket_log_statistics *out);
};

struct picket_log {
    const struct log_engine *engine;
};

#endif
