/* Kept lists by the time until which their indicators are valid. */
#include <stdlib.h>
#include <string.h>

#include "kept_indicators.h"

enum { FORGET_AT_ONCE = 1000 };

/* ---- what expires ---- */

static int find_next(struct sqlite_store *store, int64_t feed, int64_t until_ms, int64_t *next_ms,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_NEXT_EXPIRY,
                "select valid_until_ms from kept_indicators indexed by kept_indicators_expiry "
                "where feed = ? and valid_until_ms > ? and valid_until_ms > 0 order by "
                "valid_until_ms limit 1",
                "reading indicators");
    query_int(&query, feed);
    query_int(&query, until_ms);
    *next_ms = query_row(&query) ? query_take_int(&query) : INT64_MAX;
    return query_end(&query, error);
}

int sqlite_kept_expiring(struct picket_store *base, const char *name, int64_t after_ms,
                         int64_t until_ms, picket_indicator_visit visit, void *context,
                         int64_t *next_ms, struct picket_error *error)
{
    struct kept_change list = {.store = sqlite_of(base), .name = name};
    int status = kept_find_list(&list, error);
    if (status != PICKET_OK)
        return status;
    struct query query;
    query_begin(
        &query, &list.store->intelligence, STATEMENT_KEPT_EXPIRING,
        "select " KEPT_COLUMNS "from kept_indicators indexed by kept_indicators_expiry "
        "where feed = ? and valid_until_ms > ? and valid_until_ms <= ? and valid_until_ms > 0",
        "reading indicators");
    query_int(&query, list.feed);
    query_int(&query, after_ms);
    query_int(&query, until_ms);
    while (query_row(&query)) {
        struct picket_indicator indicator = kept_take_row(&query);
        visit(context, name, &indicator);
    }
    status = query_end(&query, error);
    return status == PICKET_OK ? find_next(list.store, list.feed, until_ms, next_ms, error)
                               : status;
}

/* ---- what expired long ago ---- */

/* One to be removed; its texts are not kept. */
struct old_row {
    int64_t feed;
    char name[65];
    struct picket_indicator indicator;
};

static int read_oldest(struct sqlite_store *store, int64_t before_ms, struct old_row *rows,
                       size_t *count, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_OLDEST,
                "select feed, (select name from feeds where number = feed), " KEPT_COLUMNS
                "from kept_indicators indexed by kept_indicators_expiry "
                "where valid_until_ms > 0 and valid_until_ms <= ? "
                "order by valid_until_ms limit ?",
                "reading indicators");
    query_int(&query, before_ms);
    query_int(&query, FORGET_AT_ONCE);
    for (*count = 0; query_row(&query); ++*count) {
        struct old_row *row = &rows[*count];
        row->feed = query_take_int(&query);
        query_take_string(&query, row->name, sizeof row->name);
        row->indicator = kept_take_row(&query);
        row->indicator.tags = row->indicator.malware = row->indicator.reference = "";
    }
    return query_end(&query, error);
}

static int forget_row(struct sqlite_store *store, const struct old_row *row,
                      struct picket_error *error)
{
    struct kept_change change = {
        .store = store, .name = row->name, .feed = row->feed, .delta.removed = 1};
    int status = kept_remove_row(&change, &row->indicator, error);
    return status == PICKET_OK ? kept_note_count(&change, error) : status;
}

static int forget(struct sqlite_store *store, int64_t before_ms, struct old_row *rows,
                  size_t *count, struct picket_error *error)
{
    int status = intelligence_begin(store, error);
    if (status != PICKET_OK)
        return status;
    status = read_oldest(store, before_ms, rows, count, error);
    for (size_t i = 0; i < *count && status == PICKET_OK; i++)
        status = forget_row(store, &rows[i], error);
    return intelligence_end(store, status, error);
}

int sqlite_kept_forget(struct picket_store *base, int64_t before_ms, picket_indicator_visit visit,
                       void *context, bool *more, struct picket_error *error)
{
    size_t count = 0;
    struct old_row *rows = calloc(FORGET_AT_ONCE, sizeof *rows);
    *more = false;
    if (rows == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for %d indicators", FORGET_AT_ONCE);
    int status = forget(sqlite_of(base), before_ms, rows, &count, error);
    for (size_t i = 0; i < count && status == PICKET_OK && visit != NULL; i++)
        visit(context, rows[i].name, &rows[i].indicator);
    *more = status == PICKET_OK && count == FORGET_AT_ONCE;
    free(rows);
    return status;
}
