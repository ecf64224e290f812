/* What outputs still have to send, in order per target. */
#include "store.h"

/* What came to a target, or went. */
struct change {
    int64_t items, bytes, aside, dropped;
};

static int count_target(struct sqlite_store *store, const char *target, struct change change,
                        struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TARGET_COUNT,
                "insert into targets (target, waiting, waiting_bytes, aside, dropped) "
                "values (?1, ?2, ?3, ?4, ?5) on conflict (target) do update set "
                "waiting = waiting + ?2, waiting_bytes = waiting_bytes + ?3, "
                "aside = aside + ?4, dropped = dropped + ?5",
                "counting what waits");
    query_text(&query, target);
    query_int(&query, change.items);
    query_int(&query, change.bytes);
    query_int(&query, change.aside);
    query_int(&query, change.dropped);
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
                "insert into outbox (target, alert, device, module, properties, received_ms, "
                "payload) values (?, ?, ?, ?, ?, ?, ?)",
                "writing to the outbox");
    query_text(&query, target);
    query_int(&query, item->alert_id);
    query_int(&query, device);
    query_text(&query, item->module != NULL ? item->module : "");
    query_text(&query, item->properties != NULL ? item->properties : "");
    query_int(&query, item->received_ms);
    query_blob(&query, item->payload, item->payload_bytes);
    status = query_run(&query, error);
    if (status == PICKET_OK)
        status =
            count_target(store, target,
                         (struct change){.items = 1, .bytes = (int64_t)item->payload_bytes}, error);
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

/* Returns the bytes of its payload. */
static int64_t visit_item(struct query *query, picket_outbox_visit visit, void *context)
{
    struct picket_outbox_item item;
    item.id = query_take_int(query);
    item.alert_id = query_take_int(query);
    item.device = query_take_text(query);
    item.module = query_take_text(query);
    item.properties = query_take_text(query);
    item.received_ms = query_take_int(query);
    item.refusals = (int)query_take_int(query);
    item.payload = query_take_blob(query, &item.payload_bytes);
    visit(context, &item);
    return (int64_t)item.payload_bytes;
}

int sqlite_outbox(struct picket_store *base, const char *target, int limit, int64_t bytes_max,
                  picket_outbox_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_OUTBOX,
                "select o.id, o.alert, d.id, o.module, o.properties, o.received_ms, o.refusals, "
                "o.payload from outbox o cross join devices d on d.number = o.device "
                "where o.target = ? and o.aside = 0 order by o.id limit ?",
                "reading the outbox");
    query_text(&query, target);
    query_int(&query, limit);
    for (int64_t bytes = 0; bytes < bytes_max && query_row(&query);)
        bytes += visit_item(&query, visit, context);
    return query_end(&query, error);
}

/* ---- removing ---- */

/* Which of a target's items, and the statements that count and delete them. */
struct range {
    int measure, remove;
    const char *measure_sql, *remove_sql;
};

#define MEASURE "select count(*), coalesce(sum(length(payload)), 0), coalesce(sum(aside), 0) "
#define SENT    "from outbox where target = ? and id <= ? and aside = 0"
#define ALL     "from outbox where target = ? and id <= ?"
#define ONE     "from outbox where target = ? and id = ?"

static const struct range sent_through = {STATEMENT_OUTBOX_THROUGH, STATEMENT_OUTBOX_DONE,
                                          MEASURE SENT, "delete " SENT};
static const struct range all_through = {STATEMENT_OUTBOX_ALL_THROUGH, STATEMENT_OUTBOX_DROP,
                                         MEASURE ALL, "delete " ALL};
static const struct range one = {STATEMENT_OUTBOX_ONE, STATEMENT_OUTBOX_DONE_ONE, MEASURE ONE,
                                 "delete " ONE};

static int measure(struct sqlite_store *store, const struct range *range, const char *target,
                   int64_t id, struct change *change, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, range->measure, range->measure_sql, "emptying the outbox");
    query_text(&query, target);
    query_int(&query, id);
    *change = (struct change){0};
    if (query_row(&query)) {
        change->items = -query_take_int(&query);
        change->bytes = -query_take_int(&query);
        change->aside = -query_take_int(&query);
    }
    return query_end(&query, error);
}

static int remove_items(struct sqlite_store *store, const struct range *range, const char *target,
                        int64_t id, bool dropped, int64_t *count, struct picket_error *error)
{
    struct change change;
    int status = measure(store, range, target, id, &change, error);
    *count = -change.items;
    if (status != PICKET_OK || *count == 0)
        return status;
    struct query query;
    query_begin(&query, &store->picket, range->remove, range->remove_sql, "emptying the outbox");
    query_text(&query, target);
    query_int(&query, id);
    status = query_run(&query, error);
    change.dropped = dropped ? *count : 0;
    if (status == PICKET_OK)
        status = count_target(store, target, change, error);
    return status;
}

int outbox_drop(struct sqlite_store *store, const char *target, int64_t id, int64_t *count,
                struct picket_error *error)
{
    return remove_items(store, &all_through, target, id, true, count, error);
}

static int remove_done(struct sqlite_store *store, const struct range *range, const char *target,
                       int64_t id, struct picket_error *error)
{
    int64_t count;
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(
            store, remove_items(store, range, target, id, false, &count, error), error);
    return status;
}

int sqlite_outbox_done(struct picket_store *base, const char *target, int64_t id,
                       struct picket_error *error)
{
    return remove_done(sqlite_of(base), &sent_through, target, id, error);
}

int sqlite_outbox_done_one(struct picket_store *base, const char *target, int64_t id,
                           struct picket_error *error)
{
    return remove_done(sqlite_of(base), &one, target, id, error);
}

/* ---- setting aside ---- */

static int set_aside(struct sqlite_store *store, const char *target, int64_t id, const char *reason,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_ASIDE,
                "update outbox set aside = 1, refusals = refusals + 1 "
                "where target = ? and id = ? and aside = 0",
                "setting an item aside");
    query_text(&query, target);
    query_int(&query, id);
    int status = query_run(&query, error);
    if (status != PICKET_OK || sqlite3_changes(store->picket.handle) == 0)
        return status;
    query_begin(&query, &store->picket, STATEMENT_TARGET_ASIDE,
                "update targets set aside = aside + 1, refusal = ? where target = ?",
                "setting an item aside");
    query_text(&query, reason);
    query_text(&query, target);
    return query_run(&query, error);
}

int sqlite_outbox_set_aside(struct picket_store *base, const char *target, int64_t id,
                            const char *reason, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, set_aside(store, target, id, reason, error), error);
    return status;
}

static int put_back(struct sqlite_store *store, const char *target, int64_t *count,
                    struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_BACK,
                "update outbox set aside = 0 where target = ? and aside = 1",
                "putting items back that were set aside");
    query_text(&query, target);
    int status = query_run_counting(&query, count, error);
    if (status != PICKET_OK || *count == 0)
        return status;
    query_begin(&query, &store->picket, STATEMENT_TARGET_BACK,
                "update targets set aside = 0 where target = ?",
                "putting items back that were set aside");
    query_text(&query, target);
    return query_run(&query, error);
}

int sqlite_outbox_put_back(struct picket_store *base, const char *target, int64_t *count,
                           struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    *count = 0;
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, put_back(store, target, count, error), error);
    return status;
}

/* ---- how many ---- */

int sqlite_outbox_depth(struct picket_store *base, const char *target, int64_t *depth,
                        struct picket_error *error)
{
    struct database *picket = &sqlite_of(base)->picket;
    struct query query;
    if (target != NULL) {
        query_begin(&query, picket, STATEMENT_OUTBOX_DEPTH_OF,
                    "select waiting - aside from targets where target = ?", "counting the outbox");
        query_text(&query, target);
    } else {
        query_begin(&query, picket, STATEMENT_OUTBOX_DEPTH,
                    "select coalesce(sum(waiting - aside), 0) from targets", "counting the outbox");
    }
    *depth = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

int sqlite_targets(struct picket_store *base, picket_target_visit visit, void *context,
                   struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_TARGETS,
                "select target, waiting - aside, waiting_bytes, aside, refusal, dropped "
                "from targets order by target",
                "reading the outbox's targets");
    while (query_row(&query)) {
        struct picket_target target;
        target.name = query_take_text(&query);
        target.waiting = query_take_int(&query);
        target.waiting_bytes = query_take_int(&query);
        target.aside = query_take_int(&query);
        target.refusal = query_take_text(&query);
        target.dropped = query_take_int(&query);
        visit(context, &target);
    }
    return query_end(&query, error);
}
