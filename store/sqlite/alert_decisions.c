/* What people make of alerts: acknowledged, closed, opened again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* Nobody else writes for as long as it takes to decide on so many. */
enum { DECIDED_TOGETHER = 500 };

static bool is_closed(int status)
{
    return status == PICKET_ALERT_DISMISSED || status == PICKET_ALERT_RESOLVED;
}

/* 0: nobody can decide that. */
static int status_number(const char *name)
{
    for (int number = PICKET_ALERT_NEW; number <= PICKET_ALERT_RESOLVED; number++)
        if (strcmp(picket_alert_status_name(number), name) == 0)
            return number;
    return 0;
}

static int status_of(struct sqlite_store *store, int64_t id, int *alert_status,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_STATUS,
                "select status from alerts where id = ?", "looking up an alert");
    query_int(&query, id);
    bool found = query_row(&query);
    *alert_status = found ? (int)query_take_int(&query) : 0;
    int status = query_end(&query, error);
    if (status == PICKET_OK && !found)
        return picket_fail(error, PICKET_NOT_FOUND, "there is no alert %lld", (long long)id);
    return status;
}

/* Two open ones of a kind would share its findings. */
static int check_none_is_open(struct sqlite_store *store, int64_t id, struct picket_error *error)
{
    struct query query;
    query_begin(
        &query, &store->picket, STATEMENT_ALERT_OPEN_ALIKE,
        "select o.id from alerts a join alerts o on o.device = a.device and o.type = a.type "
        "and o.subject = a.subject and o.status <= 2 where a.id = ?",
        "looking for an open alert");
    query_int(&query, id);
    int64_t other = query_row(&query) ? query_take_int(&query) : 0;
    int status = query_end(&query, error);
    if (status == PICKET_OK && other != 0)
        return picket_fail(error, PICKET_EXISTS,
                           "alert %lld cannot be opened: alert %lld is of the same kind, and open",
                           (long long)id, (long long)other);
    return status;
}

static int check_change(struct sqlite_store *store, const struct picket_alert_decision *decision,
                        int from, int to, struct picket_error *error)
{
    if (from == PICKET_ALERT_SUPPRESSED)
        return picket_fail(error, PICKET_EXISTS,
                           "alert %lld is suppressed: remove the suppression, and it comes anew",
                           (long long)decision->id);
    if (to == PICKET_ALERT_NEW && !is_closed(from))
        return picket_fail(error, PICKET_EXISTS, "alert %lld is open", (long long)decision->id);
    if (to == PICKET_ALERT_NEW)
        return check_none_is_open(store, decision->id, error);
    if (is_closed(from) && !(is_closed(to) && decision->change))
        return picket_fail(error, PICKET_EXISTS, "alert %lld is closed already: %s",
                           (long long)decision->id, picket_alert_status_name(from));
    return PICKET_OK;
}

static void bind_decision(struct query *query, const struct picket_alert_decision *decision,
                          int number, int64_t id)
{
    query_int(query, number);
    query_text(query, decision->verdict);
    query_text(query, decision->reason);
    query_int(query, decision->decided_ms);
    query_int(query, decision->uid);
    query_int(query, id);
}

static int write_decision(struct sqlite_store *store, const struct picket_alert_decision *decision,
                          int number, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_DECIDE,
                "update alerts set status = ?, verdict = ?, reason = ?, decided_ms = ?, "
                "decided_uid = ? where id = ?",
                "deciding on an alert");
    bind_decision(&query, decision, number, decision->id);
    return query_run(&query, error);
}

static int decide(struct sqlite_store *store, const struct picket_alert_decision *decision,
                  int number, struct picket_error *error)
{
    int from;
    int status = status_of(store, decision->id, &from, error);
    if (status == PICKET_OK)
        status = check_change(store, decision, from, number, error);
    return status == PICKET_OK ? write_decision(store, decision, number, error) : status;
}

static int refuse_status(const char *name, struct picket_error *error)
{
    return picket_fail(error, PICKET_INVALID,
                       "status \"%.40s\" is none of acknowledged, dismissed, resolved, new", name);
}

int sqlite_alert_decide(struct picket_store *base, const struct picket_alert_decision *decision,
                        struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int number = status_number(decision->status);
    if (number == 0)
        return refuse_status(decision->status, error);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, decide(store, decision, number, error), error);
    return status;
}

/* ---- many ---- */

/* Ids of alerts, gathered before any of them is changed. */
struct ids {
    int64_t *items;
    size_t count, capacity;
    bool lacks;
};

static void append_id(struct ids *ids, int64_t id)
{
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity > 0 ? 2 * ids->capacity : DECIDED_TOGETHER;
        int64_t *items = realloc(ids->items, capacity * sizeof *items);
        if (items == NULL) {
            ids->lacks = true;
            return;
        }
        ids->items = items;
        ids->capacity = capacity;
    }
    ids->items[ids->count++] = id;
}

static int gather(struct sqlite_store *store, const struct picket_alert_query *asked,
                  struct ids *ids, struct picket_error *error)
{
    struct query query;
    char where[ALERT_FILTER_BYTES], sql[ALERT_FILTER_BYTES + 200];
    alert_filter_where(asked, where);
    snprintf(sql, sizeof sql, "select i.id from alerts i %s %s and i.status <= 2",
             alert_filter_index(asked), where);
    query_begin_once(&query, &store->picket, sql, "looking for open alerts");
    alert_filter_bind(&query, asked);
    while (query_row(&query))
        append_id(ids, query_take_int(&query));
    int status = query_end(&query, error);
    if (status == PICKET_OK && ids->lacks)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for the alerts to decide on",
                           store->folder);
    return status;
}

/* Those of them that are still open. */
static int decide_together(struct sqlite_store *store, const int64_t *ids, size_t id_count,
                           const struct picket_alert_decision *decision, int number,
                           int64_t *decided, struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < id_count && status == PICKET_OK; i++) {
        struct query query;
        int64_t rows;
        query_begin(&query, &store->picket, STATEMENT_ALERT_DECIDE_OPEN,
                    "update alerts set status = ?, verdict = ?, reason = ?, decided_ms = ?, "
                    "decided_uid = ? where id = ? and status <= 2",
                    "deciding on alerts");
        bind_decision(&query, decision, number, ids[i]);
        status = query_run_counting(&query, &rows, error);
        *decided += rows;
    }
    return status;
}

static int decide_slice(struct sqlite_store *store, const int64_t *ids, size_t id_count,
                        const struct picket_alert_decision *decision, int number, int64_t *count,
                        struct picket_error *error)
{
    int64_t decided = 0;
    int status = own_transaction_begin(store, error);
    if (status != PICKET_OK)
        return status;
    status = decide_together(store, ids, id_count, decision, number, &decided, error);
    status = own_transaction_end(store, status, error);
    *count += status == PICKET_OK ? decided : 0;
    return status;
}

int sqlite_alerts_decide(struct picket_store *base, const struct picket_alert_query *asked,
                         const struct picket_alert_decision *decision, int64_t *count,
                         struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct ids ids = {0};
    int number = status_number(decision->status);
    *count = 0;
    if (number == 0 || number == PICKET_ALERT_NEW)
        return refuse_status(decision->status, error);
    int status = gather(store, asked, &ids, error);
    for (size_t at = 0; at < ids.count && status == PICKET_OK; at += DECIDED_TOGETHER) {
        size_t left = ids.count - at;
        status =
            decide_slice(store, ids.items + at, left < DECIDED_TOGETHER ? left : DECIDED_TOGETHER,
                         decision, number, count, error);
    }
    free(ids.items);
    return status;
}
