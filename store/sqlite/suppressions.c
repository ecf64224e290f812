/* Suppressions: their rows, and those of them that a batch asks. */
#include <stdlib.h>
#include <string.h>

#include "picket/base/time.h"
#include "store.h"

/* ---- rows ---- */

static int count_and_make_room(struct sqlite_store *store, int64_t now_ms,
                               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_SUPPRESSIONS_ROOM,
                "delete from suppressions where id in (select id from suppressions "
                "where until_ms <= ? order by until_ms limit max(0, "
                "(select count(*) from suppressions) - ?))",
                "making room for a suppression");
    query_int(&query, now_ms);
    query_int(&query, PICKET_SUPPRESSIONS_MAX - 1);
    int status = query_run(&query, error);
    if (status != PICKET_OK)
        return status;
    query_begin(&query, &store->picket, STATEMENT_SUPPRESSIONS_COUNT,
                "select count(*) from suppressions", "counting suppressions");
    bool is_full = query_row(&query) && query_take_int(&query) >= PICKET_SUPPRESSIONS_MAX;
    status = query_end(&query, error);
    if (status == PICKET_OK && is_full)
        return picket_fail(error, PICKET_FULL, "there are %d suppressions, none of which has ended",
                           PICKET_SUPPRESSIONS_MAX);
    return status;
}

static int put(struct sqlite_store *store, const struct picket_suppression *suppression,
               int64_t *id, struct picket_error *error)
{
    struct query query;
    char prefix[PICKET_PREFIX_TEXT_BYTES] = "";
    if (suppression->has_prefix)
        picket_prefix_format(&suppression->prefix, prefix);
    query_begin(&query, &store->picket, STATEMENT_SUPPRESSION_PUT,
                "insert into suppressions (type, device, prefix, created_ms, until_ms, reason) "
                "values (?, ?, ?, ?, ?, ?)",
                "adding a suppression");
    query_text(&query, suppression->type);
    query_text(&query, suppression->device);
    query_text(&query, prefix);
    query_int(&query, suppression->created_ms);
    query_int(&query, suppression->until_ms);
    query_text(&query, suppression->reason);
    int status = query_run(&query, error);
    *id = sqlite3_last_insert_rowid(store->picket.handle);
    return status;
}

int sqlite_suppression_add(struct picket_store *base, const struct picket_suppression *suppression,
                           int64_t *id, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status != PICKET_OK)
        return status;
    status = count_and_make_room(store, suppression->created_ms, error);
    if (status == PICKET_OK)
        status = put(store, suppression, id, error);
    return own_transaction_end(store, status, error);
}

static int take_away(struct sqlite_store *store, int64_t id, struct picket_error *error)
{
    struct query query;
    int64_t rows;
    query_begin(&query, &store->picket, STATEMENT_SUPPRESSION_REMOVE,
                "delete from suppressions where id = ?", "removing a suppression");
    query_int(&query, id);
    int status = query_run_counting(&query, &rows, error);
    if (status == PICKET_OK && rows == 0)
        return picket_fail(error, PICKET_NOT_FOUND, "there is no suppression %lld", (long long)id);
    return status;
}

int sqlite_suppression_remove(struct picket_store *base, int64_t id, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, take_away(store, id, error), error);
    return status;
}

/* False: what should be a prefix is none. */
static bool take_suppression(struct query *query, struct picket_suppression *suppression)
{
    suppression->id = query_take_int(query);
    query_take_string(query, suppression->type, sizeof suppression->type);
    query_take_string(query, suppression->device, sizeof suppression->device);
    const char *prefix = query_take_text(query);
    suppression->has_prefix = prefix[0] != '\0';
    bool good = !suppression->has_prefix ||
                picket_prefix_parse(&suppression->prefix, prefix, strlen(prefix));
    suppression->created_ms = query_take_int(query);
    suppression->until_ms = query_take_int(query);
    suppression->reason = query_take_text(query);
    suppression->hits = query_take_int(query);
    suppression->last_hit_ms = query_take_int(query);
    return good;
}

/* One that cannot be read must not keep everything back, nor nothing: it is an error. */
static int visit_since(struct sqlite_store *store, int64_t since_ms, picket_suppression_visit visit,
                       void *context, struct picket_error *error)
{
    struct query query;
    bool good = true;
    query_begin(&query, &store->picket, STATEMENT_SUPPRESSIONS,
                "select id, type, device, prefix, created_ms, until_ms, reason, hits, last_hit_ms "
                "from suppressions where until_ms > ? order by id",
                "reading suppressions");
    query_int(&query, since_ms);
    while (query_row(&query)) {
        struct picket_suppression suppression = {0};
        if (take_suppression(&query, &suppression))
            visit(context, &suppression);
        else
            good = false;
    }
    int status = query_end(&query, error);
    if (status == PICKET_OK && !good)
        return picket_fail(error, PICKET_IO, "%s: a suppression's prefix cannot be read",
                           store->picket.path);
    return status;
}

int sqlite_suppressions(struct picket_store *base, picket_suppression_visit visit, void *context,
                        struct picket_error *error)
{
    return visit_since(sqlite_of(base), 0, visit, context, error);
}

/* ---- of a batch ---- */

void suppressions_forget(struct suppressions *suppressions)
{
    suppressions->count = 0;
    suppressions->loaded = suppressions->lacks = false;
}

void suppressions_free(struct suppressions *suppressions)
{
    free(suppressions->items);
}

static void keep(void *context, const struct picket_suppression *suppression)
{
    struct suppressions *kept = context;
    if (kept->items == NULL)
        kept->items = calloc(PICKET_SUPPRESSIONS_MAX, sizeof *kept->items);
    if (kept->items == NULL || kept->count == PICKET_SUPPRESSIONS_MAX) {
        kept->lacks = true;
        return;
    }
    kept->items[kept->count] = *suppression;
    kept->items[kept->count++].reason = NULL;
}

static int load(struct sqlite_store *store, int64_t now_ms, struct picket_error *error)
{
    struct suppressions *kept = &store->suppressions;
    if (kept->loaded)
        return PICKET_OK;
    suppressions_forget(kept);
    int status = visit_since(store, now_ms, keep, kept, error);
    if (status == PICKET_OK && kept->lacks)
        status =
            picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for suppressions", store->folder);
    kept->loaded = status == PICKET_OK;
    return status;
}

int suppression_of(struct sqlite_store *store, const struct picket_finding *finding, int64_t now_ms,
                   int64_t *id, struct picket_error *error)
{
    *id = 0;
    int status = load(store, now_ms, error);
    const struct suppressions *kept = &store->suppressions;
    for (int i = 0; status == PICKET_OK && i < kept->count && *id == 0; i++)
        if (kept->items[i].until_ms > now_ms &&
            picket_suppression_covers(&kept->items[i], finding->type, finding->device,
                                      finding->subject))
            *id = kept->items[i].id;
    return status;
}

int suppression_hit(struct sqlite_store *store, int64_t id, int64_t now_ms,
                    struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_SUPPRESSION_HIT,
                "update suppressions set hits = hits + 1, last_hit_ms = max(last_hit_ms, ?) "
                "where id = ?",
                "counting a suppressed finding");
    query_int(&query, now_ms);
    query_int(&query, id);
    int status = query_run(&query, error);
    store->findings_suppressed += status == PICKET_OK;
    return status;
}
