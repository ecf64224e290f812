#include "engine.h"

void picket_log_destroy(struct picket_log *log)
{
    if (log != NULL)
        log->engine->destroy(log);
}

int picket_log_append(struct picket_log *log, const struct picket_log_message *message,
                      uint64_t *position)
{
    return log->engine->append(log, message, position);
}

void picket_log_on_durable(struct picket_log *log, picket_log_durable durable, void *context)
{
    log->engine->on_durable(log, durable, context);
}

int picket_log_read(struct picket_log *log, const struct picket_log_message **messages, int max,
                    int timeout_ms)
{
    return log->engine->read(log, messages, max, timeout_ms);
}

void picket_log_gather(struct picket_log *log, int at_least)
{
    log->engine->gather(log, at_least);
}

void picket_log_commit(struct picket_log *log, uint64_t position)
{
    log->engine->commit(log, position);
}

void picket_log_close(struct picket_log *log)
{
    log->engine->close(log);
}

void picket_log_statistics(struct picket_log *log, struct picket_log_statistics *out)
{
    log->engine->statistics(log, out);
}
