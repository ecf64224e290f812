/* Messages to devices. */
#include <stdio.h>

#include "store.h"

#include "picket/store/messages.h"

#define OF_DEVICE "device = (select number from devices where id = ? and registered = 1)"

int sqlite_message_put(struct picket_store *base, const struct picket_message *message, int64_t *id,
                       struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_MESSAGE_PUT,
                "insert into messages (device, bag, payload, queued_ms, expires_ms, deliveries) "
                "select number, ?, ?, ?, ?, 0 from devices where id = ? and registered = 1",
                "queueing a message");
    query_text(&query, message->bag);
    query_blob(&query, message->payload, message->payload_bytes);
    query_int(&query, message->queued_ms);
    query_int(&query, message->expires_ms);
    query_text(&query, message->device);
    int status = query_run(&query, error);
    *id = sqlite3_last_insert_rowid(store->picket.handle);
    return status;
}

int sqlite_messages_count(struct picket_store *base, const char *device, int64_t *count,
                          struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_COUNT,
                "select (select count(*) from messages where device = number) from devices "
                "where id = ? and registered = 1",
                "counting a device's messages");
    query_text(&query, device);
    bool found = query_row(&query);
    *count = found ? query_take_int(&query) : 0;
    int status = query_end(&query, error);
    if (status == PICKET_OK && !found)
        return picket_fail(error, PICKET_NOT_FOUND, "device %s: is not registered", device);
    return status;
}

int sqlite_messages_each(struct picket_store *base, const char *device, int64_t after_id, int limit,
                         picket_message_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_EACH,
                "select id, bag, queued_ms, expires_ms, deliveries, payload from messages "
                "where " OF_DEVICE " and id > ? order by id limit ?",
                "reading a device's messages");
    query_text(&query, device);
    query_int(&query, after_id);
    query_int(&query, limit);
    while (query_row(&query)) {
        struct picket_message message = {.device = device};
        message.id = query_take_int(&query);
        message.bag = query_take_text(&query);
        message.queued_ms = query_take_int(&query);
        message.expires_ms = query_take_int(&query);
        message.deliveries = (int)query_take_int(&query);
        message.payload = query_take_blob(&query, &message.payload_bytes);
        visit(context, &message);
    }
    return query_end(&query, error);
}

int sqlite_messages_delivered(struct picket_store *base, const char *device, int64_t after_id,
                              int64_t last_id, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_DELIVERED,
                "update messages set deliveries = deliveries + 1 "
                "where " OF_DEVICE " and id > ? and id <= ?",
                "counting deliveries");
    query_text(&query, device);
    query_int(&query, after_id);
    query_int(&query, last_id);
    return query_run(&query, error);
}

int sqlite_message_done(struct picket_store *base, const char *device, int64_t id,
                        struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGE_DONE,
                "delete from messages where id = ? and " OF_DEVICE, "completing a message");
    query_int(&query, id);
    query_text(&query, device);
    return query_run(&query, error);
}

int sqlite_messages_expired(struct picket_store *base, int64_t now_ms, struct device_name *devices,
                            int capacity, int *count, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_EXPIRED,
                "select id from devices where number in "
                "(select device from messages where expires_ms <= ?) and registered = 1 limit ?",
                "looking for expired messages");
    query_int(&query, now_ms);
    query_int(&query, capacity);
    for (*count = 0; query_row(&query); ++*count)
        snprintf(devices[*count].id, sizeof devices[*count].id, "%s", query_take_text(&query));
    return query_end(&query, error);
}

int sqlite_messages_drop_expired(struct picket_store *base, const char *device, int64_t now_ms,
                                 int64_t *count, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_EXPIRED_OF,
                "delete from messages where expires_ms <= ? and " OF_DEVICE,
                "removing expired messages");
    query_int(&query, now_ms);
    query_text(&query, device);
    return query_run_counting(&query, count, error);
}

int sqlite_messages_drop_undeliverable(struct picket_store *base, const char *device,
                                       int deliveries, int64_t after_id, int64_t *count,
                                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_UNDELIVERABLE,
                "delete from messages where deliveries >= ? and id > ? and " OF_DEVICE,
                "removing undeliverable messages");
    query_int(&query, deliveries);
    query_int(&query, after_id);
    query_text(&query, device);
    return query_run_counting(&query, count, error);
}

int sqlite_messages_purge(struct picket_store *base, const char *device, int64_t *count,
                          struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_MESSAGES_PURGE,
                "delete from messages where device = (select number from devices where id = ?)",
                "purging messages");
    query_text(&query, device);
    return query_run_counting(&query, count, error);
}
