/* What outputs still have to send, in order per target. */
#include "store.h"

/* What came to the target, and what went. */
static int count_target(struct sqlite_store *store, const char *target, int64_t items,
                        int64_t bytes, int64_t dropped, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TARGET_COUNT,
                "insert into targets (target, waiting, waiting_bytes, dropped) "
                "values (?1, ?2, ?3, ?4) on conflict (target) do update set "
                "waiting = waiting + ?2, waiting_bytes = waiting_bytes + ?3, "
                "dropped = dropped + ?4",
                "counting what waits");
    query_text(&query, target);
    query_int(&query, items);
    query_int(&query, bytes);
    query_int(&query, dropped);
    return query_run(&query, error);
}

int outbox_put(struct sqlite_store *store, const char *target,
               const struct picket_outbox_item *item, struct picket_error *error)
{
    int64_t device;
    int status = device_number_of(store, item->device, &device, error);
    if (status != PICKET_OK)
        return status;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_PUT,
                "insert into outbox (target, alert, device, properties, received_ms, payload) "
                "values (?, ?, ?, ?, ?, ?)",
                "writing to the outbox");
    query_text(&query, target);
    query_int(&query, item->alert_id);
    query_int(&query, device);
    query_text(&query, item->properties != NULL ? item->properties : "");
    query_int(&query, item->received_ms);
    query_blob(&query, item->payload, item->payload_bytes);
    status = query_run(&query, error);
    if (status == PICKET_OK)
        status = count_target(store, target, 1, (int64_t)item->payload_bytes, 0, error);
    return status;
}

int sqlite_enqueue(struct picket_store *base, const char *target,
                   const struct picket_outbox_item *item, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = outbox_put(store, target, item, error);
    return batch_note(store, status);
}

static void visit_item(struct query *query, picket_outbox_visit visit, void *context)
{
    struct picket_outbox_item item;
    item.id = query_take_int(query);
    item.alert_id = query_take_int(query);
    item.device = query_take_text(query);
    item.properties = query_take_text(query);
    item.received_ms = query_take_int(query);
    item.payload = query_take_blob(query, &item.payload_bytes);
    visit(context, &item);
}

int sqlite_outbox(struct picket_store *base, const char *target, int limit,
                  picket_outbox_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_OUTBOX,
                "select o.id, o.alert, d.id, o.properties, o.received_ms, o.payload from outbox o "
                "cross join devices d on d.number = o.device where o.target = ? "
                "order by o.id limit ?",
                "reading the outbox");
    query_text(&query, target);
    query_int(&query, limit);
    while (query_row(&query))
        visit_item(&query, visit, context);
    return query_end(&query, error);
}

static int count_through(struct sqlite_store *store, const char *target, int64_t id, int64_t *items,
                         int64_t *bytes, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_THROUGH,
                "select count(*), coalesce(sum(length(payload)), 0) from outbox "
                "where target = ? and id <= ?",
                "emptying the outbox");
    query_text(&query, target);
    query_int(&query, id);
    *items = *bytes = 0;
    if (query_row(&query)) {
        *items = query_take_int(&query);
        *bytes = query_take_int(&query);
    }
    return query_end(&query, error);
}

int outbox_remove(struct sqlite_store *store, const char *target, int64_t id, bool dropped,
                  int64_t *count, struct picket_error *error)
{
    int64_t bytes;
    int status = count_through(store, target, id, count, &bytes, error);
    if (status != PICKET_OK || *count == 0)
        return status;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_DONE,
                "delete from outbox where target = ? and id <= ?", "emptying the outbox");
    query_text(&query, target);
    query_int(&query, id);
    status = query_run(&query, error);
    if (status == PICKET_OK)
        status = count_target(store, target, -*count, -bytes, dropped ? *count : 0, error);
    return status;
}

int sqlite_outbox_done(struct picket_store *base, const char *target, int64_t id,
                       struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int64_t count;
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, outbox_remove(store, target, id, false, &count, error),
                                     error);
    return status;
}

int sqlite_outbox_depth(struct picket_store *base, const char *target, int64_t *depth,
                        struct picket_error *error)
{
    struct database *picket = &sqlite_of(base)->picket;
    struct query query;
    if (target != NULL) {
        query_begin(&query, picket, STATEMENT_OUTBOX_DEPTH_OF,
                    "select waiting from targets where target = ?", "counting the outbox");
        query_text(&query, target);
    } else {
        query_begin(&query, picket, STATEMENT_OUTBOX_DEPTH,
                    "select coalesce(sum(waiting), 0) from targets", "counting the outbox");
    }
    *depth = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

int sqlite_targets(struct picket_store *base, picket_target_visit visit, void *context,
                   struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_TARGETS,
                "select target, waiting, waiting_bytes, dropped from targets order by target",
                "reading the outbox's targets");
    while (query_row(&query)) {
        struct picket_target target;
        target.name = query_take_text(&query);
        target.waiting = query_take_int(&query);
        target.waiting_bytes = query_take_int(&query);
        target.dropped = query_take_int(&query);
        visit(context, &target);
    }
    return query_end(&query, error);
}
