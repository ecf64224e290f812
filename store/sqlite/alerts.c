/* Alerts: findings folded by type, device and subject. */
#include <string.h>

#include "picket/base/time.h"
#include "store.h"

enum { STATUS_NEW = 1 };

static const char *const status_names[] = {"unknown", "new", "acknowledged", "dismissed",
                                           "resolved"};

static const char *status_name(int64_t number)
{
    bool known = number > 0 && number < (int64_t)(sizeof status_names / sizeof status_names[0]);
    return status_names[known ? number : 0];
}

/* ---- writing ---- */

/* An alert that a finding may fold into. */
struct found {
    int64_t id; /* 0: there is none */
    int severity;
    struct picket_standing standing;
};

static int find_open(struct sqlite_store *store, const struct picket_finding *finding,
                     int64_t device, struct found *found, struct picket_error *error)
{
    struct query query;
    *found = (struct found){0};
    query_begin(&query, &store->picket, STATEMENT_ALERT_FIND,
                "select id, severity, count, first_seen_ms, last_seen_ms from alerts "
                "where device = ? and type = ? and subject = ? and status <= 2",
                "looking for an open alert");
    query_int(&query, device);
    query_text(&query, finding->type);
    query_text(&query, finding->subject);
    if (query_row(&query)) {
        found->id = query_take_int(&query);
        found->severity = (int)query_take_int(&query);
        found->standing.count = query_take_int(&query);
        found->standing.first_seen_ms = query_take_int(&query);
        found->standing.last_seen_ms = query_take_int(&query);
    }
    return query_end(&query, error);
}

/* Of low severity are those whom somebody tried to reach; they say nothing of others. */
static int count_alike(struct sqlite_store *store, const struct picket_finding *finding,
                       int64_t device, int64_t *count, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_ALIKE,
                "select min(count(*), ?) from (select device, severity, last_seen_ms from alerts "
                "indexed by alerts_alike where type = ? and subject = ? and status <= 2 "
                "order by id desc limit ?) "
                "where device <> ? and severity > ? and last_seen_ms >= ?",
                "counting alerts alike");
    query_int(&query, PICKET_STANDING_DEVICES);
    query_text(&query, finding->type);
    query_text(&query, finding->subject);
    query_int(&query, 2 * PICKET_STANDING_DEVICES);
    query_int(&query, device);
    query_int(&query, PICKET_SEVERITY_LOW);
    query_int(&query, finding->seen_ms - PICKET_STANDING_MS);
    *count = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

static int weigh(struct sqlite_store *store, struct picket_finding *finding, int64_t device,
                 struct found *found, struct picket_error *error)
{
    if (finding->weigh == NULL)
        return PICKET_OK;
    int status = count_alike(store, finding, device, &found->standing.devices, error);
    if (status == PICKET_OK)
        finding->weigh(finding->weigh_context, &found->standing, finding);
    return status;
}

/* Findings may come out of the order of their times: the first evidence is that of the earliest,
 * the last that of the latest. The reasons are those of the highest severity. */
static int fold(struct sqlite_store *store, const struct picket_finding *finding, int64_t alert_id,
                struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_FOLD,
                "update alerts set count = count + 1, "
                "reasons = case when ?2 >= severity and ?5 <> '' then ?5 else reasons end, "
                "severity = max(severity, ?2), "
                "first_evidence = case when ?3 < first_seen_ms then ?4 else first_evidence end, "
                "last_evidence = case when ?3 >= last_seen_ms then ?4 else last_evidence end, "
                "first_seen_ms = min(first_seen_ms, ?3), last_seen_ms = max(last_seen_ms, ?3) "
                "where id = ?1",
                "folding a finding into its alert");
    query_int(&query, alert_id);
    query_int(&query, finding->severity);
    query_int(&query, finding->seen_ms);
    query_text(&query, finding->evidence);
    query_text(&query, finding->reasons != NULL ? finding->reasons : "");
    return query_run(&query, error);
}

static int write_new(struct sqlite_store *store, const struct picket_finding *finding,
                     int64_t device, int64_t raised_ms, int64_t *alert_id,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_NEW,
                "insert into alerts (type, device, subject, severity, status, first_seen_ms, "
                "last_seen_ms, raised_ms, count, title, description, remediation, technique, "
                "first_evidence, last_evidence, reasons) "
                "values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?12, ?13)",
                "writing an alert");
    query_text(&query, finding->type);
    query_int(&query, device);
    query_text(&query, finding->subject);
    query_int(&query, finding->severity);
    query_int(&query, STATUS_NEW);
    query_int(&query, finding->seen_ms);
    query_int(&query, raised_ms);
    query_text(&query, finding->title);
    query_text(&query, finding->description);
    query_text(&query, finding->remediation);
    query_text(&query, finding->technique);
    query_text(&query, finding->evidence);
    query_text(&query, finding->reasons != NULL ? finding->reasons : "");
    int status = query_run(&query, error);
    *alert_id = sqlite3_last_insert_rowid(store->picket.handle);
    return status;
}

static int announce(struct sqlite_store *store, const struct picket_finding *finding,
                    const char *const *targets, int64_t alert_id, int64_t raised_ms,
                    struct picket_error *error)
{
    struct picket_outbox_item item = {
        .alert_id = alert_id,
        .device = finding->device,
        .properties = "",
        .received_ms = raised_ms,
    };
    int status = PICKET_OK;
    for (; targets != NULL && *targets != NULL && status == PICKET_OK; targets++)
        status = outbox_put(store, *targets, &item, error);
    return status;
}

static int raise_finding(struct sqlite_store *store, struct picket_finding *finding,
                         const char *const *targets, int64_t *alert_id, bool *is_told,
                         struct picket_error *error)
{
    int64_t device, now_ms = picket_unix_ms();
    struct found found;
    int status = device_number_of(store, finding->device, &device, error);
    if (status == PICKET_OK)
        status = find_open(store, finding, device, &found, error);
    if (status == PICKET_OK)
        status = weigh(store, finding, device, &found, error);
    if (status != PICKET_OK)
        return status;
    *alert_id = found.id;
    *is_told = finding->severity > found.severity;
    if (found.id != 0)
        status = fold(store, finding, found.id, error);
    else
        status = write_new(store, finding, device, now_ms, alert_id, error);
    if (status == PICKET_OK && *is_told)
        status = announce(store, finding, targets, *alert_id, now_ms, error);
    return status;
}

int sqlite_raise(struct picket_store *base, const struct picket_finding *finding,
                 const char *const *targets, int64_t *alert_id, bool *is_told,
                 struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct picket_finding weighed = *finding;
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = raise_finding(store, &weighed, targets, alert_id, is_told, error);
    return batch_note(store, status);
}

/* ---- decisions ---- */

static int status_number(const char *name)
{
    int count = sizeof status_names / sizeof status_names[0];
    for (int number = STATUS_NEW + 1; number < count; number++)
        if (strcmp(status_names[number], name) == 0)
            return number;
    return 0;
}

/* Why nothing was changed. */
static int explain_refusal(struct sqlite_store *store, int64_t id, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_STATUS,
                "select status from alerts where id = ?", "looking up an alert");
    query_int(&query, id);
    const char *name = query_row(&query) ? status_name(query_take_int(&query)) : NULL;
    int status = query_end(&query, error);
    if (status != PICKET_OK)
        return status;
    if (name == NULL)
        return picket_fail(error, PICKET_NOT_FOUND, "there is no alert %lld", (long long)id);
    return picket_fail(error, PICKET_EXISTS, "alert %lld is closed already: %s", (long long)id,
                       name);
}

static int decide(struct sqlite_store *store, const struct picket_alert_decision *decision,
                  int number, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_DECIDE,
                "update alerts set status = ?, verdict = ?, reason = ?, decided_ms = ? "
                "where id = ? and status <= 2",
                "deciding on an alert");
    query_int(&query, number);
    query_text(&query, decision->verdict);
    query_text(&query, decision->reason);
    query_int(&query, decision->decided_ms);
    query_int(&query, decision->id);
    int status = query_run(&query, error);
    if (status == PICKET_OK && sqlite3_changes(store->picket.handle) == 0)
        return explain_refusal(store, decision->id, error);
    return status;
}

int sqlite_alert_decide(struct picket_store *base, const struct picket_alert_decision *decision,
                        struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int number = status_number(decision->status);
    if (number == 0)
        return picket_fail(error, PICKET_INVALID,
                           "status \"%.40s\" is none of acknowledged, dismissed, resolved",
                           decision->status);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, decide(store, decision, number, error), error);
    return status;
}

/* ---- reading ---- */

#define ALERT_COLUMNS                                                                              \
    "select a.id, a.type, d.id, a.subject, a.severity, a.status, a.first_seen_ms, "                \
    "a.last_seen_ms, a.raised_ms, a.count, a.title, a.description, a.remediation, a.technique, "   \
    "a.first_evidence, a.last_evidence, a.verdict, a.reason, a.decided_ms, a.reasons from alerts " \
    "a cross "                                                                                     \
    "join devices d "                                                                              \
    "on d.number = a.device "
#define OF_DEVICE "a.device = (select number from devices where id = ?) "

static void visit_alert(struct query *query, picket_alert_visit visit, void *context)
{
    struct picket_alert alert;
    alert.id = query_take_int(query);
    alert.type = query_take_text(query);
    alert.device = query_take_text(query);
    alert.subject = query_take_text(query);
    alert.severity = (int)query_take_int(query);
    alert.status = status_name(query_take_int(query));
    alert.first_seen_ms = query_take_int(query);
    alert.last_seen_ms = query_take_int(query);
    alert.raised_ms = query_take_int(query);
    alert.count = query_take_int(query);
    alert.title = query_take_text(query);
    alert.description = query_take_text(query);
    alert.remediation = query_take_text(query);
    alert.technique = query_take_text(query);
    alert.first_evidence = query_take_text(query);
    alert.last_evidence = query_take_text(query);
    alert.verdict = query_take_text(query);
    alert.reason = query_take_text(query);
    alert.decided_ms = query_take_int(query);
    alert.reasons = query_take_text(query);
    visit(context, &alert);
}

/* One statement for each way to ask, so that each finds its index. Bound are the device, if any;
 * then the ids between which, the time, the limit. */
#define BETWEEN    "a.id > ? and a.id < ? and a.last_seen_ms >= ? "
#define ASCENDING  "order by a.id limit ?"
#define DESCENDING "order by a.id desc limit ?"
/* Looks at those alone that were seen since, in their index, which has their ids. */
#define SINCE                                                                                      \
    "where a.id in (select i.id from alerts i indexed by alerts_last_seen "                        \
    "where i.id > ? and i.id < ? and i.last_seen_ms >= ? "

static void begin_alerts(struct query *query, struct database *database,
                         const struct picket_alert_query *asked)
{
    static const char doing[] = "reading alerts";
    bool ascending = asked->before_id <= 0 && (asked->after_id > 0 || asked->oldest_first);
    if (asked->device != NULL && ascending)
        query_begin(query, database, STATEMENT_ALERTS_AFTER_OF,
                    ALERT_COLUMNS "where " OF_DEVICE "and " BETWEEN ASCENDING, doing);
    else if (asked->device != NULL)
        query_begin(query, database, STATEMENT_ALERTS_NEWEST_OF,
                    ALERT_COLUMNS "where " OF_DEVICE "and " BETWEEN DESCENDING, doing);
    else if (asked->since_ms > 0 && ascending)
        query_begin(query, database, STATEMENT_ALERTS_AFTER_SINCE,
                    ALERT_COLUMNS SINCE "order by i.id limit ?) order by a.id", doing);
    else if (asked->since_ms > 0)
        query_begin(query, database, STATEMENT_ALERTS_NEWEST_SINCE,
                    ALERT_COLUMNS SINCE "order by i.id desc limit ?) order by a.id desc", doing);
    else if (ascending)
        query_begin(query, database, STATEMENT_ALERTS_AFTER,
                    ALERT_COLUMNS "where " BETWEEN ASCENDING, doing);
    else
        query_begin(query, database, STATEMENT_ALERTS_NEWEST,
                    ALERT_COLUMNS "where " BETWEEN DESCENDING, doing);
}

/* The first id that is not wanted any more. */
static int64_t end_of(const struct picket_alert_query *asked)
{
    if (asked->id > 0 && asked->id < INT64_MAX)
        return asked->id + 1;
    return asked->before_id > 0 ? asked->before_id : INT64_MAX;
}

int sqlite_alerts(struct picket_store *base, const struct picket_alert_query *asked,
                  picket_alert_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    begin_alerts(&query, &sqlite_of(base)->picket, asked);
    if (asked->device != NULL)
        query_text(&query, asked->device);
    query_int(&query, asked->id > 0 ? asked->id - 1 : asked->after_id);
    query_int(&query, end_of(asked));
    query_int(&query, asked->since_ms);
    query_int(&query, asked->limit);
    while (query_row(&query))
        visit_alert(&query, visit, context);
    return query_end(&query, error);
}
