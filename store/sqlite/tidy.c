/* Removing what exceeds a bound, oldest first; what is aged, in aging.c. */
#include <stdio.h>

#include "store.h"

enum { OLD_ITEMS_A_CALL = 1000, TARGET_BYTES = 128 };

/* How much has to go, and how far that reaches. */
struct excess {
    int64_t items, bytes; /* over the bound; what is not positive is none */
    int64_t last_id;      /* of the last that has to go; 0: none */
    int64_t gone, gone_bytes;
};

static int64_t over(int64_t held, int64_t bound)
{
    return bound > 0 && held > bound ? held - bound : 0;
}

/* The query yields id and bytes, oldest first. */
static int measure(struct query *query, struct excess *excess, struct picket_error *error)
{
    while ((excess->items > excess->gone || excess->bytes > excess->gone_bytes) &&
           query_row(query)) {
        excess->last_id = query_take_int(query);
        excess->gone_bytes += query_take_int(query);
        excess->gone++;
    }
    return query_end(query, error);
}

/* ---- dead letters ---- */

static int find_excess_letters(struct sqlite_store *store, const struct picket_store_bounds *bounds,
                               struct excess *excess, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEAD_LETTERS_HELD,
                "select dead_letters, dead_letter_bytes from totals", "counting dead letters");
    *excess = (struct excess){0};
    if (query_row(&query)) {
        excess->items = over(query_take_int(&query), bounds->dead_letters);
        excess->bytes = over(query_take_int(&query), bounds->dead_letter_bytes);
    }
    return query_end(&query, error);
}

static int remove_letters(struct sqlite_store *store, const struct excess *excess,
                          struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEAD_LETTERS_REMOVE,
                "delete from dead_letters where id <= ?", "removing dead letters");
    query_int(&query, excess->last_id);
    int status = query_run(&query, error);
    if (status != PICKET_OK)
        return status;
    query_begin(&query, &store->picket, STATEMENT_DEAD_LETTERS_DROPPED,
                "update totals set dead_letters = dead_letters - ?1, "
                "dead_letter_bytes = dead_letter_bytes - ?2, "
                "dead_letters_dropped = dead_letters_dropped + ?1",
                "counting dead letters");
    query_int(&query, excess->gone);
    query_int(&query, excess->gone_bytes);
    return query_run(&query, error);
}

static int tidy_dead_letters(struct sqlite_store *store, const struct picket_store_bounds *bounds,
                             int64_t *removed, struct picket_error *error)
{
    struct excess excess;
    int status = find_excess_letters(store, bounds, &excess, error);
    if (status != PICKET_OK || (excess.items == 0 && excess.bytes == 0))
        return status;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEAD_LETTER_SIZES,
                "select id, length(payload) + length(cast(properties as blob)) from dead_letters "
                "order by id",
                "measuring dead letters");
    status = measure(&query, &excess, error);
    if (status == PICKET_OK && excess.gone > 0)
        status = remove_letters(store, &excess, error);
    *removed += excess.gone;
    return status;
}

/* ---- the outbox, by number and bytes ---- */

/* One target that holds too much; an empty name: there is none. */
static int find_excess_target(struct sqlite_store *store, const struct picket_store_bounds *bounds,
                              char *target, struct excess *excess, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TARGET_OVER,
                "select target, waiting, waiting_bytes from targets "
                "where waiting > ? or waiting_bytes > ? limit 1",
                "counting what waits");
    query_int(&query, bounds->outbox_items > 0 ? bounds->outbox_items : INT64_MAX);
    query_int(&query, bounds->outbox_bytes > 0 ? bounds->outbox_bytes : INT64_MAX);
    target[0] = '\0';
    *excess = (struct excess){0};
    if (query_row(&query)) {
        query_take_string(&query, target, TARGET_BYTES);
        excess->items = over(query_take_int(&query), bounds->outbox_items);
        excess->bytes = over(query_take_int(&query), bounds->outbox_bytes);
    }
    return query_end(&query, error);
}

static int tidy_target(struct sqlite_store *store, const char *target, struct excess *excess,
                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_SIZES,
                "select id, length(payload) from outbox where target = ? order by id",
                "measuring what waits");
    query_text(&query, target);
    int status = measure(&query, excess, error);
    if (status == PICKET_OK)
        status = outbox_drop(store, target, excess->last_id, &excess->gone, error);
    return status;
}

static int tidy_outbox(struct sqlite_store *store, const struct picket_store_bounds *bounds,
                       int64_t *removed, struct picket_error *error)
{
    char target[TARGET_BYTES];
    struct excess excess;
    do {
        int status = find_excess_target(store, bounds, target, &excess, error);
        if (status == PICKET_OK && target[0] != '\0')
            status = tidy_target(store, target, &excess, error);
        if (status != PICKET_OK)
            return status;
        *removed += excess.gone;
    } while (excess.gone > 0);
    return PICKET_OK;
}

/* ---- the outbox, by age ---- */

/* The oldest item of all, if it is too old; an empty name otherwise. Ids grow with time, for all
 * targets together. */
static int find_old_item(struct sqlite_store *store, int64_t since_ms, char *target, int64_t *id,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_OUTBOX_OLD,
                "select target, id from outbox where id = (select min(id) from outbox) "
                "and received_ms < ?",
                "looking for old items");
    query_int(&query, since_ms);
    target[0] = '\0';
    if (query_row(&query)) {
        query_take_string(&query, target, TARGET_BYTES);
        *id = query_take_int(&query);
    }
    return query_end(&query, error);
}

static int tidy_old_items(struct sqlite_store *store, int64_t since_ms, int64_t *removed,
                          struct picket_error *error)
{
    for (int i = 0; i < OLD_ITEMS_A_CALL; i++) {
        char target[TARGET_BYTES];
        int64_t id = 0, gone = 0;
        int status = find_old_item(store, since_ms, target, &id, error);
        if (status == PICKET_OK && target[0] != '\0')
            status = outbox_drop(store, target, id, &gone, error);
        if (status != PICKET_OK || gone == 0)
            return status;
        *removed += gone;
    }
    return PICKET_OK;
}

/* ---- all ---- */

static int tidy(struct sqlite_store *store, const struct picket_store_bounds *bounds,
                int64_t now_ms, struct picket_store_tidied *tidied, struct picket_error *error)
{
    int64_t events_put = store->batch_totals.events;
    int status = batch_flush(store, error);
    if (status == PICKET_OK)
        status = tidy_dead_letters(store, bounds, &tidied->dead_letters, error);
    if (status == PICKET_OK)
        status = tidy_outbox(store, bounds, &tidied->outbox_items, error);
    if (status == PICKET_OK && bounds->outbox_age_s > 0)
        status = tidy_old_items(store, now_ms - bounds->outbox_age_s * 1000, &tidied->outbox_items,
                                error);
    if (status == PICKET_OK && bounds->event_age_s > 0)
        status = age_events(store, bounds->event_age_s, now_ms, events_put, tidied, error);
    if (status == PICKET_OK && bounds->bytes > 0)
        status = make_room(store, bounds->bytes, events_put, tidied, error);
    if (status == PICKET_OK && bounds->closed_alert_age_s > 0)
        status = age_alerts(store, bounds->closed_alert_age_s, now_ms, tidied, error);
    return status;
}

int sqlite_tidy(struct picket_store *base, const struct picket_store_bounds *bounds, int64_t now_ms,
                struct picket_store_tidied *tidied, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    *tidied = (struct picket_store_tidied){0};
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = tidy(store, bounds, now_ms, tidied, error);
    return batch_note(store, status);
}
