/* Messages to devices, for every engine. */
#include "picket/store/messages.h"

#include <string.h>

#include "engine.h"
#include "group.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"

enum { EXPIRE_DEVICES_A_CALL = 100 };

static struct picket_counter expired = {
    .name = "store_messages_expired",
    .help = "messages to devices removed because they expired before their devices took them"};
static struct picket_counter undeliverable = {
    .name = "store_messages_undeliverable",
    .help = "messages to devices removed because they were sent 10 times and never acknowledged"};

static struct picket_counter damaged = {
    .name = "store_messages_damaged",
    .help = "messages to devices removed because what was stored of them is no message"};

void picket_store_on_messages_lost(struct picket_store *store, picket_messages_lost lost,
                                   void *context)
{
    store->messages_lost = lost;
    store->messages_lost_context = context;
}

static void tell_lost(const struct picket_store *store, const char *device,
                      enum picket_message_loss loss, int64_t count)
{
    picket_count(loss == PICKET_MESSAGES_EXPIRED ? &expired : &undeliverable, (uint64_t)count);
    if (store->messages_lost != NULL)
        store->messages_lost(store->messages_lost_context, device, loss, count);
}

static int drop_expired(struct picket_store *store, const char *device, int64_t now_ms,
                        int64_t *count, struct picket_error *error)
{
    int status = store->engine->messages_drop_expired(store, device, now_ms, count, error);
    if (status == PICKET_OK && *count > 0)
        tell_lost(store, device, PICKET_MESSAGES_EXPIRED, *count);
    return status;
}

static int check_message(const struct picket_message *message, struct picket_error *error)
{
    size_t bag_bytes = strlen(message->bag);
    if (message->payload_bytes > PICKET_MESSAGE_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "a message of %zu bytes exceeds %d",
                           message->payload_bytes, PICKET_MESSAGE_BYTES_MAX);
    if (bag_bytes > PICKET_MESSAGE_BAG_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID,
                           "a message's properties take %zu bytes of its topic, more than %d",
                           bag_bytes, PICKET_MESSAGE_BAG_BYTES_MAX);
    return PICKET_OK;
}

static int put(struct picket_store *store, const struct picket_message *message, int64_t *id,
               struct picket_error *error)
{
    int64_t gone, waiting;
    int status = drop_expired(store, message->device, message->queued_ms, &gone, error);
    if (status == PICKET_OK)
        status = store->engine->messages_count(store, message->device, &waiting, error);
    if (status == PICKET_OK && waiting >= PICKET_MESSAGES_MAX)
        return picket_fail(error, PICKET_BUSY, "device %s: %d messages wait for it already",
                           message->device, PICKET_MESSAGES_MAX);
    return status == PICKET_OK ? store->engine->message_put(store, message, id, error) : status;
}

int picket_store_message_put(struct picket_store *store, const struct picket_message *message,
                             int64_t *id, struct picket_error *error)
{
    int status = check_message(message, error);
    if (status == PICKET_OK)
        status = group_enter(store, error);
    return status == PICKET_OK ? group_leave(store, put(store, message, id, error), error) : status;
}

/* ---- for people ---- */

struct unexpired {
    int64_t now_ms;
    picket_message_visit visit;
    void *context;
};

static void visit_unexpired(void *context, const struct picket_message *message)
{
    const struct unexpired *unexpired = context;
    if (message->expires_ms > unexpired->now_ms)
        unexpired->visit(unexpired->context, message);
}

int picket_store_messages(struct picket_store *store, const char *device, int64_t now_ms,
                          picket_message_visit visit, void *context, struct picket_error *error)
{
    struct unexpired unexpired = {now_ms, visit, context};
    int64_t waiting;
    int status = store->engine->messages_count(store, device, &waiting, error);
    return status == PICKET_OK ? store->engine->messages_each(store, device, 0, PICKET_MESSAGES_MAX,
                                                              visit_unexpired, &unexpired, error)
                               : status;
}

int picket_store_messages_purge(struct picket_store *store, const char *device, int64_t *count,
                                struct picket_error *error)
{
    int64_t waiting;
    int status = group_enter(store, error);
    if (status != PICKET_OK)
        return status;
    status = store->engine->messages_count(store, device, &waiting, error);
    if (status == PICKET_OK)
        status = store->engine->messages_purge(store, device, count, error);
    return group_leave(store, status, error);
}

/* ---- delivery ---- */

/* Visits as many as fit. */
struct taking {
    const struct picket_message_claim *claim;
    picket_message_visit visit;
    void *context;
    int count;
    size_t bytes;
    int64_t last_id;
    bool more;
    int64_t damaged_id; /* of the last such; 0: none */
};

/* A bag that is no part of a topic would make the device end its connection, again and again. */
static bool is_sound(const struct picket_message *message)
{
    size_t bag_bytes = 0;
    for (const char *at = message->bag; *at != '\0'; at++, bag_bytes++)
        if (*at <= 0x20 || *at >= 0x7f || *at == '+' || *at == '#')
            return false;
    return bag_bytes <= PICKET_MESSAGE_BAG_BYTES_MAX &&
           message->payload_bytes <= PICKET_MESSAGE_BYTES_MAX;
}

/* What stands behind one that is damaged is taken once that is gone. */
static void take_one(void *context, const struct picket_message *message)
{
    struct taking *taking = context;
    if (taking->more)
        return;
    if (!is_sound(message)) {
        taking->damaged_id = message->id;
        taking->more = true;
        return;
    }
    bool fits =
        taking->count < taking->claim->count_max &&
        (taking->count == 0 || taking->bytes + message->payload_bytes <= taking->claim->bytes_max);
    if (!fits) {
        taking->more = true;
        return;
    }
    taking->count++;
    taking->bytes += message->payload_bytes;
    taking->last_id = message->id;
    taking->visit(taking->context, message);
}

static int remove_damaged(struct picket_store *store, const char *device, int64_t id,
                          struct picket_error *error)
{
    static struct picket_say_limit limit;
    int status = store->engine->message_done(store, device, id, error);
    if (status != PICKET_OK)
        return status;
    picket_count(&damaged, 1);
    picket_say_limited(&limit, PICKET_ERROR, "store",
                       "device %s: message %lld to it is damaged, and removed", device,
                       (long long)id);
    return PICKET_OK;
}

static int take(struct picket_store *store, struct taking *taking, struct picket_error *error)
{
    const struct picket_message_claim *claim = taking->claim;
    int64_t gone, failed;
    int status = drop_expired(store, claim->device, claim->now_ms, &gone, error);
    if (status == PICKET_OK)
        status = store->engine->messages_drop_undeliverable(
            store, claim->device, PICKET_MESSAGE_DELIVERIES_MAX, claim->after_id, &failed, error);
    if (status == PICKET_OK && failed > 0)
        tell_lost(store, claim->device, PICKET_MESSAGES_UNDELIVERABLE, failed);
    if (status == PICKET_OK)
        status = store->engine->messages_each(store, claim->device, claim->after_id,
                                              claim->count_max + 1, take_one, taking, error);
    if (status == PICKET_OK && taking->count > 0)
        status = store->engine->messages_delivered(store, claim->device, claim->after_id,
                                                   taking->last_id, error);
    if (status == PICKET_OK && taking->damaged_id > 0)
        status = remove_damaged(store, claim->device, taking->damaged_id, error);
    return status;
}

int picket_store_messages_take(struct picket_store *store, const struct picket_message_claim *claim,
                               picket_message_visit visit, void *context, bool *more,
                               struct picket_error *error)
{
    struct taking taking = {.claim = claim, .visit = visit, .context = context};
    int status = group_enter(store, error);
    if (status != PICKET_OK)
        return status;
    status = take(store, &taking, error);
    *more = taking.more;
    return group_leave(store, status, error);
}

int picket_store_message_done(struct picket_store *store, const char *device, int64_t id,
                              struct picket_error *error)
{
    int status = group_enter(store, error);
    return status == PICKET_OK
               ? group_leave(store, store->engine->message_done(store, device, id, error), error)
               : status;
}

/* No transaction is to take long: some devices a call, with 50 messages each at most. */
static int expire(struct picket_store *store, int64_t now_ms, int64_t *count,
                  struct picket_error *error)
{
    struct device_name devices[EXPIRE_DEVICES_A_CALL];
    int64_t gone;
    int found;
    *count = 0;
    int status = store->engine->messages_expired(store, now_ms, devices, EXPIRE_DEVICES_A_CALL,
                                                 &found, error);
    for (int i = 0; i < found && status == PICKET_OK; i++) {
        status = drop_expired(store, devices[i].id, now_ms, &gone, error);
        *count += gone;
    }
    return status;
}

int picket_store_messages_expire(struct picket_store *store, int64_t now_ms, int64_t *count,
                                 struct picket_error *error)
{
    picket_counter_register(&expired);
    picket_counter_register(&undeliverable);
    picket_counter_register(&damaged);
    int status = group_enter(store, error);
    return status == PICKET_OK ? group_leave(store, expire(store, now_ms, count, error), error)
                               : status;
}
