/* Twins: a row for each device or module that has ever been patched. */
#include "store.h"

#include "picket/store/twins.h"

#define EMPTY_DOCUMENT "'{}', 1, '{}'"

static void take_document(struct query *query, struct picket_twin_document *document)
{
    document->json = query_take_text(query);
    document->version = query_take_int(query);
    document->times = query_take_text(query);
}

int sqlite_twin_get(struct picket_store *base, const char *device, const char *module,
                    picket_twin_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_TWIN_GET,
                "select coalesce(t.desired, '{}'), coalesce(t.desired_version, 1), "
                "coalesce(t.desired_times, '{}'), coalesce(t.reported, '{}'), "
                "coalesce(t.reported_version, 1), coalesce(t.reported_times, '{}') "
                "from devices d left join twins t on t.device = d.number and t.module = ? "
                "where d.id = ? and d.registered = 1",
                "reading a twin");
    query_text(&query, module);
    query_text(&query, device);
    bool found = query_row(&query);
    if (found) {
        struct picket_twin twin;
        take_document(&query, &twin.desired);
        take_document(&query, &twin.reported);
        visit(context, &twin);
    }
    int status = query_end(&query, error);
    if (status == PICKET_OK && !found)
        return picket_fail(error, PICKET_NOT_FOUND, "device %s: is not registered", device);
    return status;
}

static const char insert_row[] =
    "insert or ignore into twins select number, ?2, " EMPTY_DOCUMENT ", " EMPTY_DOCUMENT
    " from devices where id = ?1 and (?2 = '' or "
    "exists (select 1 from twins where device = number and module = ?2) or "
    "(select count(*) from twins where device = number and module != '') < ?3)";

/* There is one after it, unless the device has all the modules it may have. */
static int make_row(struct sqlite_store *store, const char *device, const char *module,
                    struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TWIN_NEW, insert_row, "making a twin");
    query_text(&query, device);
    query_text(&query, module);
    query_int(&query, PICKET_TWIN_MODULES_MAX);
    return query_run(&query, error);
}

#define PUT(part)                                                                                  \
    "update twins set " part " = ?, " part "_version = ?, " part "_times = ? "                     \
    "where module = ? and device = (select number from devices where id = ? and registered = 1)"

int sqlite_twin_put(struct picket_store *base, const char *device, const char *module,
                    enum picket_twin_part part, const struct picket_twin_document *document,
                    struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct query query;
    int status = make_row(store, device, module, error);
    if (status != PICKET_OK)
        return status;
    if (part == PICKET_TWIN_DESIRED)
        query_begin(&query, &store->picket, STATEMENT_TWIN_DESIRED, PUT("desired"),
                    "writing a twin");
    else
        query_begin(&query, &store->picket, STATEMENT_TWIN_REPORTED, PUT("reported"),
                    "writing a twin");
    query_text(&query, document->json);
    query_int(&query, document->version);
    query_text(&query, document->times);
    query_text(&query, module);
    query_text(&query, device);
    status = query_run(&query, error);
    if (status == PICKET_OK && sqlite3_changes(store->picket.handle) == 0)
        return picket_fail(error, PICKET_BUSY,
                           "device %s: has %d modules with a twin, as many as "
                           "it may have",
                           device, PICKET_TWIN_MODULES_MAX);
    return status;
}

int twins_remove(struct sqlite_store *store, const char *device, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TWINS_REMOVE,
                "delete from twins where device = (select number from devices where id = ?)",
                "removing twins");
    query_text(&query, device);
    return query_run(&query, error);
}

int sqlite_change_begin(struct picket_store *store, struct picket_error *error)
{
    return own_transaction_begin(sqlite_of(store), error);
}

int sqlite_change_end(struct picket_store *store, int status, struct picket_error *error)
{
    return own_transaction_end(sqlite_of(store), status, error);
}
