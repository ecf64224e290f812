/* The audit log: appended to at its end, aged from its low end. */
#include <string.h>

#include "picket/store/audit.h"
#include "store.h"

enum { AGED_AT_ONCE = 100 };

/* *id: of the newest, 0 if there is none. */
static int last(struct sqlite_store *store, int64_t *id, uint8_t seal[PICKET_SEAL_BYTES],
                struct picket_error *error)
{
    struct query query;
    *id = 0;
    memset(seal, 0, PICKET_SEAL_BYTES);
    query_begin(&query, &store->picket, STATEMENT_AUDIT_LAST,
                "select id, seal from audit order by id desc limit 1", "reading the audit log");
    if (query_row(&query)) {
        *id = query_take_int(&query);
        query_take_bytes(&query, seal, PICKET_SEAL_BYTES);
    }
    return query_end(&query, error);
}

static int put(struct sqlite_store *store, const struct picket_audit_entry *entry,
               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_AUDIT_PUT,
                "insert into audit (id, time_ms, uid, pid, of, status, act, thing, detail, "
                "previous, seal) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "writing the audit log");
    query_int(&query, entry->id);
    query_int(&query, entry->time_ms);
    query_int(&query, entry->uid);
    query_int(&query, entry->pid);
    query_int(&query, entry->of);
    query_int(&query, entry->status);
    query_text(&query, entry->act);
    query_text(&query, entry->thing);
    query_text(&query, entry->detail);
    query_blob(&query, entry->previous, PICKET_SEAL_BYTES);
    query_blob(&query, entry->seal, PICKET_SEAL_BYTES);
    return query_run(&query, error);
}

/* Of the oldest, those before the first that is to stay: there are no holes. */
static int age(struct sqlite_store *store, int64_t before_ms, int64_t newest_id,
               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_AUDIT_AGED,
                "delete from audit where id < min(?1, (select coalesce(min(case when time_ms >= ?2 "
                "then id end), max(id) + 1) from (select id, time_ms from audit order by id "
                "limit ?3)))",
                "aging the audit log");
    query_int(&query, newest_id);
    query_int(&query, before_ms);
    query_int(&query, AGED_AT_ONCE);
    return query_run(&query, error);
}

static int append(struct sqlite_store *store, struct picket_audit_entry *entry, int64_t age_s,
                  struct picket_error *error)
{
    int status = last(store, &entry->id, entry->previous, error);
    if (status != PICKET_OK)
        return status;
    entry->id++;
    picket_audit_seal(entry, entry->previous, entry->seal);
    status = put(store, entry, error);
    if (status == PICKET_OK && age_s > 0)
        status = age(store, entry->time_ms - age_s * 1000, entry->id, error);
    return status;
}

int sqlite_audit_append(struct picket_store *base, struct picket_audit_entry *entry, int64_t age_s,
                        struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, append(store, entry, age_s, error), error);
    return status;
}

static void visit_entry(struct query *query, picket_audit_visit visit, void *context)
{
    struct picket_audit_entry entry;
    entry.id = query_take_int(query);
    entry.time_ms = query_take_int(query);
    entry.uid = query_take_int(query);
    entry.pid = query_take_int(query);
    entry.of = query_take_int(query);
    entry.status = query_take_int(query);
    entry.act = query_take_text(query);
    entry.thing = query_take_text(query);
    entry.detail = query_take_text(query);
    query_take_bytes(query, entry.previous, sizeof entry.previous);
    query_take_bytes(query, entry.seal, sizeof entry.seal);
    visit(context, &entry);
}

#define ENTRY                                                                                      \
    "select id, time_ms, uid, pid, of, status, act, thing, detail, previous, seal from audit "

int sqlite_audit(struct picket_store *base, const struct picket_audit_query *asked,
                 picket_audit_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    struct database *picket = &sqlite_of(base)->picket;
    if (asked->after_id > 0 || asked->oldest_first) {
        query_begin(&query, picket, STATEMENT_AUDIT_AFTER,
                    ENTRY "where id > ? and time_ms >= ? order by id limit ?",
                    "reading the audit log");
        query_int(&query, asked->after_id);
    } else {
        query_begin(&query, picket, STATEMENT_AUDIT_BEFORE,
                    ENTRY "where id < ? and time_ms >= ? order by id desc limit ?",
                    "reading the audit log");
        query_int(&query, asked->before_id > 0 ? asked->before_id : INT64_MAX);
    }
    query_int(&query, asked->since_ms);
    query_int(&query, asked->limit);
    while (query_row(&query))
        visit_entry(&query, visit, context);
    return query_end(&query, error);
}
