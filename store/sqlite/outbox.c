/* What outputs still have to send, in order per target. */
#include "store.h"

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
    return query_run(&query, error);
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

static int remove_done(struct sqlite_store *store, const char *target, int64_t id,
                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_DONE,
                "delete from outbox where target = ? and id <= ?", "emptying the outbox");
    query_text(&query, target);
    query_int(&query, id);
    return query_run(&query, error);
}

int sqlite_outbox_done(struct picket_store *base, const char *target, int64_t id,
                       struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, remove_done(store, target, id, error), error);
    return status;
}

int sqlite_outbox_depth(struct picket_store *base, const char *target, int64_t *depth,
                        struct picket_error *error)
{
    struct database *picket = &sqlite_of(base)->picket;
    struct query query;
    if (target != NULL) {
        query_begin(&query, picket, STATEMENT_OUTBOX_DEPTH_OF,
                    "select count(*) from outbox where target = ?", "counting the outbox");
        query_text(&query, target);
    } else {
        query_begin(&query, picket, STATEMENT_OUTBOX_DEPTH, "select count(*) from outbox",
                    "counting the outbox");
    }
    *depth = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}
