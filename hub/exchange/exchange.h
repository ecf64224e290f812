/* Requests of devices that have to wait for the disk, on a thread of their own, so that the loop
 * never does.
 *
 *     loop:      exchange_put() ──▶ todo ─┐            ┌─▶ exchange_run(): answers, in their order
 *                                         ▼            │
 *     exchange's thread:               a group ─▶ commit, then wakes the loop
 *
 * The thread takes what has come meanwhile as one group, one transaction: the more there is to do,
 * the more requests a sync of the disk serves. Bounded are the requests that wait, of a connection
 * and in all, and the answers that the loop has not taken yet: beyond the first the device is told
 * to come later, at the second the thread waits. A request that fails for what is kept of its
 * device (damaged, or on a page that cannot be read) fails alone: the group is done again without
 * it.
 *
 * Thread: the hub's, but for what the exchange's own thread does inside.
 */
#ifndef PICKET_HUB_EXCHANGE_H
#define PICKET_HUB_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "keeper.h"
#include "mqtt/slice.h"
#include "picket/base/error.h"
#include "picket/log/log.h"

struct picket_hub;
struct connection;

enum {
    EXCHANGE_REQUESTS_MAX = 8192,  /* in all, that are not answered */
    EXCHANGE_BYTES_MAX = 16 << 20, /* of these */
    EXCHANGE_ANSWER_BYTES_MAX = 8 << 20,
    EXCHANGE_OF_CONNECTION_MAX = 10,
    EXCHANGE_BAG_BYTES_MAX = 1024, /* of a message to a device */
    EXCHANGE_EXPIRY_MS = 60000
};

enum exchange_kind {
    EXCHANGE_TWIN_GET,
    EXCHANGE_TWIN_REPORT,
    EXCHANGE_SESSION,      /* keeps what the device subscribes to */
    EXCHANGE_MESSAGES,     /* takes some for a device */
    EXCHANGE_MESSAGE_DONE, /* the device has acknowledged one */
    EXCHANGE_EXPIRY        /* of messages, of nobody's connection */
};

/* A message to a device. */
struct exchange_message {
    STAILQ_ENTRY(exchange_message) next;
    int64_t id;
    struct slice payload;
    char content[]; /* the property bag, NUL, the payload */
};
STAILQ_HEAD(exchange_messages, exchange_message);

struct exchange_request {
    STAILQ_ENTRY(exchange_request) next;
    enum exchange_kind kind;
    uint32_t slot; /* of the connection that asked, and its generation */
    uint32_t generation;
    const char *device; /* these point into content */
    const char *module;
    const char *rid;
    const char *payload;
    size_t payload_bytes;
    int64_t number; /* of messages: after which, or which; of a session: its subscriptions */
    int count;      /* at most so many */

    int status;                        /* enum picket_status */
    bool failed;                       /* by itself, and is not tried again */
    char *answer;                      /* of EXCHANGE_TWIN_GET */
    int64_t version;                   /* of EXCHANGE_TWIN_REPORT */
    struct exchange_messages messages; /* of EXCHANGE_MESSAGES */
    bool more;                         /* the same: there are further ones */
    size_t answer_bytes;
    char problem[300];

    char content[];
};
STAILQ_HEAD(exchange_queue, exchange_request);

/* Messages to a device that were removed though it did not take them. */
struct message_loss {
    STAILQ_ENTRY(message_loss) next;
    bool expired; /* else sent too often */
    int64_t count;
    char device[PICKET_DEVICE_ID_BYTES];
};
STAILQ_HEAD(message_losses, message_loss);

struct exchange {
    struct hub_keeper keeper; /* begin NULL: there is none */
    bool started;
    pthread_t thread;
    uint32_t count; /* the loop's: put and not yet answered, of those that are bounded */
    size_t bytes;
    int64_t expiry_ms; /* monotonic: of the last */

    struct message_losses losing; /* its thread's: of the group at hand */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t change;
    struct exchange_queue todo;
    struct exchange_queue done;
    struct message_losses lost; /* committed, and not counted yet */
    size_t answer_bytes;        /* of done */
    uv_async_t *wake;           /* NULL: nobody takes answers any more */
    bool stopping;
};

void exchange_register_counters(void);

/* keeper NULL: there is none, and every request fails. exchange_close() closes it. */
void exchange_open(struct exchange *exchange, const struct hub_keeper *keeper);
int exchange_start(struct exchange *exchange, uv_async_t *wake, struct picket_error *error);
/* Answers go to nobody from now on: before the loop's handles are closed. */
void exchange_silence(struct exchange *exchange);
/* Does what is still to do, then ends the thread. Thread: any but its own; the loop has ended. */
void exchange_stop(struct exchange *exchange);
void exchange_close(struct exchange *exchange);

/* Does a group of what is to do here and now: for who runs an exchange without its thread. */
void exchange_perform(struct exchange *exchange);

/* Takes copies. PICKET_BUSY: too much waits, of this connection or in all; PICKET_CLOSED: there is
 * no keeper; PICKET_NO_MEMORY. */
int exchange_put(struct connection *connection, enum exchange_kind kind, struct slice rid,
                 struct slice payload);

/* The same, of what the device subscribes to; answer: a packet that it gets afterwards. */
int exchange_put_session(struct connection *connection, uint32_t subscriptions,
                         struct slice answer);

/* Messages to devices. A connection asks for one lot at a time and completes no more than it got:
 * so these are bounded by the connections, and are never refused for what others ask.
 * PICKET_CLOSED, PICKET_NO_MEMORY. */
int exchange_take_messages(struct connection *connection, int64_t after_id, int count);
void exchange_message_done(struct connection *connection, int64_t id);

/* Has what expired removed, once in EXCHANGE_EXPIRY_MS. */
void exchange_check(struct picket_hub *hub, int64_t now_ms);

/* Hands a bounded number of answers to who asked. */
void exchange_run(struct picket_hub *hub);
/* Counts for their devices what the last groups removed. */
void exchange_count_losses(struct picket_hub *hub);
bool exchange_is_due(struct exchange *exchange);

#endif
