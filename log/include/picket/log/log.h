/* The ordered log between hub and service.
 *
 *     hub ── append() ──▶ log ── read() ──▶ service
 *      ▲                   │                   │
 *      └── durable(position) ◀── commit(position)
 *
 * Messages of one device stay in order. A message is the device's to forget (PUBACK) once the log
 * calls it durable. The direct log is a hand-over in memory within one process: it is durable when
 * the service has committed its results. PostgreSQL and Kafka logs are durable by themselves and
 * know the service's position; they stand behind the same functions.
 *
 * Bounded: append() answers PICKET_BUSY when the log holds as much as it may; the durable callback
 * then tells of progress.
 */
#ifndef PICKET_LOG_LOG_H
#define PICKET_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"

enum { PICKET_DEVICE_ID_BYTES = 129 }; /* 128 characters and a NUL; Azure IoT Hub's limit */

enum picket_log_kind {
    PICKET_LOG_OF_DEVICE = 0, /* what a device has sent */
    PICKET_LOG_OF_HUB = 1     /* what the hub, or its owner, has to say of the device; no device can
                                 send such: properties are a JSON object, and there is no payload */
};

struct picket_log_message {
    const char *device;     /* NUL-terminated; "" of the hub itself */
    const char *module;     /* NUL-terminated, "" for the device itself */
    int64_t received_ms;    /* Unix time */
    const char *properties; /* the topic's property bag as received, NUL-terminated */
    const uint8_t *payload;
    size_t payload_bytes;
    uint64_t position; /* set by the log; grows by 1 from 1 in a direct log */
    enum picket_log_kind kind;
};

struct picket_log;

/* Everything up to and including position is durable. Called on the thread that commits; must only
 * note it down and wake its own thread. */
typedef void (*picket_log_durable)(void *context, uint64_t position);

struct picket_log_limits {
    size_t messages; /* held and not yet committed; 0: 65,536 */
    size_t bytes;    /* likewise; 0: 64 MiB */
};

/* A direct log: one or more producer threads; a consumer, of one thread that reads and one that
 * commits, which may be the same. */
int picket_log_open_direct(struct picket_log **log, const struct picket_log_limits *limits,
                           struct picket_error *error);
void picket_log_destroy(struct picket_log *log); /* after both sides have stopped */

/* Producer. The message is copied. PICKET_BUSY: full, nothing was taken. PICKET_INVALID: it is
 * larger than the log may ever hold. PICKET_CLOSED. *position may be NULL. Messages that one thread
 * appends keep its order. */
int picket_log_append(struct picket_log *log, const struct picket_log_message *message,
                      uint64_t *position);
/* Set before the first append; one per log. */
void picket_log_on_durable(struct picket_log *log, picket_log_durable durable, void *context);

/* Consumer, one thread at a time. Waits until there are as many messages as are to be gathered
 * (see below), at most timeout_ms (negative: without end), then points *messages to up to max of
 * those that are there, in order, following those read before, and returns their number: 0 if there
 * is none at time-out, PICKET_CLOSED when the log was closed and all has been read. The messages
 * are the log's and valid until they are committed. */
int picket_log_read(struct picket_log *log, const struct picket_log_message **messages, int max,
                    int timeout_ms);

/* Any thread: from now on a reader is left waiting until there are so many messages, or the time is
 * out; also one that waits already. 1 at first. For a reader that is not in a hurry: it is woken
 * once for many messages. 0: it is not left waiting at all. */
void picket_log_gather(struct picket_log *log, int at_least);

/* Consumer, the thread that reads or another: the results of everything up to and including
 * position are committed. A position at or before the last one changes nothing; one that was not
 * read yet counts as the last that was. */
void picket_log_commit(struct picket_log *log, uint64_t position);

/* No more appends; the consumer reads to the end. */
void picket_log_close(struct picket_log *log);

struct picket_log_statistics {
    uint64_t messages_held;
    uint64_t bytes_held;
    uint64_t refused; /* appends answered PICKET_BUSY */
};
void picket_log_statistics(struct picket_log *log, struct picket_log_statistics *out);

#endif
