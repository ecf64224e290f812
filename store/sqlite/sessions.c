/* What is kept of devices between connections. */
#include "store.h"

#include "picket/store/sessions.h"

int sqlite_session_get(struct picket_store *base, const char *device, const char *module,
                       uint32_t *subscriptions, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_SESSION_GET,
                "select s.subscriptions from devices d join sessions s on s.device = d.number "
                "where d.id = ? and d.registered = 1 and s.module = ?",
                "reading a session");
    query_text(&query, device);
    query_text(&query, module);
    *subscriptions = query_row(&query) ? (uint32_t)query_take_int(&query) : 0;
    return query_end(&query, error);
}

static int forget(struct sqlite_store *store, const char *device, const char *module,
                  struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_SESSION_FORGET,
                "delete from sessions where module = ? and "
                "device = (select number from devices where id = ?)",
                "forgetting a session");
    query_text(&query, module);
    query_text(&query, device);
    return query_run(&query, error);
}

int sqlite_session_put(struct picket_store *base, const char *device, const char *module,
                       uint32_t subscriptions, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct query query;
    if (subscriptions == 0)
        return forget(store, device, module, error);
    query_begin(&query, &store->picket, STATEMENT_SESSION_PUT,
                "insert into sessions select number, ?2, ?3 from devices "
                "where id = ?1 and registered = 1 and (?2 = '' or "
                "exists (select 1 from sessions where device = number and module = ?2) or "
                "(select count(*) from sessions where device = number and module != '') < ?4) "
                "on conflict do update set subscriptions = ?3",
                "keeping a session");
    query_text(&query, device);
    query_text(&query, module);
    query_int(&query, subscriptions);
    query_int(&query, PICKET_SESSION_MODULES_MAX);
    int status = query_run(&query, error);
    if (status == PICKET_OK && sqlite3_changes(store->picket.handle) == 0)
        return picket_fail(error, PICKET_BUSY,
                           "device %s: is not registered, or has %d modules with a session, as "
                           "many as it may have",
                           device, PICKET_SESSION_MODULES_MAX);
    return status;
}

int sessions_remove(struct sqlite_store *store, const char *device, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_SESSIONS_REMOVE,
                "delete from sessions where device = (select number from devices where id = ?)",
                "removing sessions");
    query_text(&query, device);
    return query_run(&query, error);
}
