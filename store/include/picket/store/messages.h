/* Messages from owners to devices, each device's in a queue of its own: in order, bounded,
 * expiring, and removed when the device has acknowledged them.
 *
 *     put ─▶ waiting ─▶ taken (deliveries + 1) ─▶ done
 *               │  ▲        │ the connection went
 *               │  └────────┘
 *               └─▶ expired, undeliverable (delivered too often), purged
 *
 * Each change is its own transaction, or a part of a group's (picket/store/twins.h). What expires
 * or is undeliverable is counted: store_messages_expired, store_messages_undeliverable.
 */
#ifndef PICKET_STORE_MESSAGES_H
#define PICKET_STORE_MESSAGES_H

#include "picket/store/store.h"

enum {
    PICKET_MESSAGES_MAX = 50, /* of a device */
    PICKET_MESSAGE_BYTES_MAX = 65536,
    PICKET_MESSAGE_BAG_BYTES_MAX = 1024,
    PICKET_MESSAGE_DELIVERIES_MAX = 10
};

struct picket_message {
    int64_t id; /* set by the store; grows */
    const char *device;
    const char *bag; /* properties as they stand in the topic */
    const uint8_t *payload;
    size_t payload_bytes;
    int64_t queued_ms; /* Unix time */
    int64_t expires_ms;
    int deliveries;
};

/* *id: the message's. PICKET_INVALID: too large; PICKET_NOT_FOUND: the device is not registered;
 * PICKET_BUSY: PICKET_MESSAGES_MAX wait for it. */
int picket_store_message_put(struct picket_store *store, const struct picket_message *message,
                             int64_t *id, struct picket_error *error);

/* Messages that were removed though their device did not take them. */
enum picket_message_loss { PICKET_MESSAGES_EXPIRED, PICKET_MESSAGES_UNDELIVERABLE };
typedef void (*picket_messages_lost)(void *context, const char *device,
                                     enum picket_message_loss loss, int64_t count);
/* From now on tells what this handle removes so, before it is committed: what is rolled back was
 * not lost. lost NULL: no more. */
void picket_store_on_messages_lost(struct picket_store *store, picket_messages_lost lost,
                                   void *context);

/* What waits for a device and has not expired by now_ms, the oldest first. PICKET_NOT_FOUND. */
typedef void (*picket_message_visit)(void *context, const struct picket_message *message);
int picket_store_messages(struct picket_store *store, const char *device, int64_t now_ms,
                          picket_message_visit visit, void *context, struct picket_error *error);

/* Removes all that waits for a device. PICKET_NOT_FOUND: it is not registered. */
int picket_store_messages_purge(struct picket_store *store, const char *device, int64_t *count,
                                struct picket_error *error);

struct picket_message_claim {
    const char *device;
    int64_t after_id; /* those behind it */
    int count_max;    /* > 0 */
    size_t bytes_max; /* of payloads, but at least one message */
    int64_t now_ms;
};
/* For delivery: visits the next ones and counts a delivery of each. Removes those that have expired
 * or were delivered PICKET_MESSAGE_DELIVERIES_MAX times. *more: there are further ones. */
int picket_store_messages_take(struct picket_store *store, const struct picket_message_claim *claim,
                               picket_message_visit visit, void *context, bool *more,
                               struct picket_error *error);

/* The device has acknowledged it; one that is no longer there is done. */
int picket_store_message_done(struct picket_store *store, const char *device, int64_t id,
                              struct picket_error *error);

/* Removes what has expired, of some devices. */
int picket_store_messages_expire(struct picket_store *store, int64_t now_ms, int64_t *count,
                                 struct picket_error *error);

#endif
