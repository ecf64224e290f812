/* Alerts are raised: findings folded by type, device and subject. */
#include "picket/base/time.h"
#include "store.h"

/* An alert that a finding may fold into. */
struct found {
    int64_t id; /* 0: there is none */
    int severity;
    struct picket_standing standing;
};

#define FIND                                                                                       \
    "select id, severity, count, first_seen_ms, last_seen_ms from alerts "                         \
    "where device = ? and type = ? and subject = ? and "

/* An open one, or of what is suppressed a suppressed one. */
static int find(struct sqlite_store *store, const struct picket_finding *finding, int64_t device,
                bool suppressed, struct found *found, struct picket_error *error)
{
    struct query query;
    *found = (struct found){0};
    if (suppressed)
        query_begin(&query, &store->picket, STATEMENT_ALERT_FIND_SUPPRESSED, FIND "status = 5",
                    "looking for a suppressed alert");
    else
        query_begin(&query, &store->picket, STATEMENT_ALERT_FIND, FIND "status <= 2",
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

/* Whether an alert tells already what a finding about the past does: open, closed, or kept back as
 * the finding would be. */
static int find_known(struct sqlite_store *store, const struct picket_finding *finding,
                      int64_t device, bool suppressed, int64_t *alert_id,
                      struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_FIND_PAST,
                "select id from alerts where subject = ? and type = ? and device = ? "
                "and first_seen_ms <= ? and last_seen_ms >= ? and (status <> 5 or ?) limit 1",
                "looking for an alert");
    query_text(&query, finding->subject);
    query_text(&query, finding->type);
    query_int(&query, device);
    query_int(&query, finding->past_since_ms);
    query_int(&query, finding->seen_ms);
    query_int(&query, suppressed);
    *alert_id = query_row(&query) ? query_take_int(&query) : 0;
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

static int64_t first_seen_ms(const struct picket_finding *finding)
{
    return finding->past_count > 0 ? finding->past_since_ms : finding->seen_ms;
}

/* Findings may come out of the order of their times: the first evidence is that of the earliest,
 * the last that of the latest. The reasons are those of the highest severity. */
static int fold(struct sqlite_store *store, const struct picket_finding *finding, int64_t alert_id,
                struct picket_error *error)
{
    struct query query;
    query_begin(
        &query, &store->picket, STATEMENT_ALERT_FOLD,
        "update alerts set count = case when ?6 > 0 then max(count, ?6) else count + 1 end, "
        "reasons = case when ?2 >= severity and ?5 <> '' then ?5 else reasons end, "
        "severity = max(severity, ?2), "
        "first_evidence = case when ?7 < first_seen_ms then ?4 else first_evidence end, "
        "last_evidence = case when ?3 >= last_seen_ms then ?4 else last_evidence end, "
        "first_seen_ms = min(first_seen_ms, ?7), last_seen_ms = max(last_seen_ms, ?3) "
        "where id = ?1",
        "folding a finding into its alert");
    query_int(&query, alert_id);
    query_int(&query, finding->severity);
    query_int(&query, finding->seen_ms);
    query_text(&query, finding->evidence);
    query_text(&query, finding->reasons != NULL ? finding->reasons : "");
    query_int(&query, finding->past_count);
    query_int(&query, first_seen_ms(finding));
    return query_run(&query, error);
}

static int write_new(struct sqlite_store *store, const struct picket_finding *finding,
                     int64_t device, int status_number, int64_t raised_ms, int64_t *alert_id,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_NEW,
                "insert into alerts (type, device, subject, severity, status, first_seen_ms, "
                "last_seen_ms, raised_ms, count, title, description, remediation, technique, "
                "first_evidence, last_evidence, reasons) "
                "values (?1, ?2, ?3, ?4, ?5, ?14, ?6, ?7, max(1, ?15), ?8, ?9, ?10, ?11, ?12, ?12, "
                "?13)",
                "writing an alert");
    query_text(&query, finding->type);
    query_int(&query, device);
    query_text(&query, finding->subject);
    query_int(&query, finding->severity);
    query_int(&query, status_number);
    query_int(&query, finding->seen_ms);
    query_int(&query, raised_ms);
    query_text(&query, finding->title);
    query_text(&query, finding->description);
    query_text(&query, finding->remediation);
    query_text(&query, finding->technique);
    query_text(&query, finding->evidence);
    query_text(&query, finding->reasons != NULL ? finding->reasons : "");
    query_int(&query, first_seen_ms(finding));
    query_int(&query, finding->past_count);
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

/* Its row tells by what it is kept back, and is kept for as long as one closed now. */
static int note_suppressed(struct sqlite_store *store, int64_t alert_id, int64_t suppression,
                           int64_t now_ms, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERT_SUPPRESS,
                "update alerts set suppression = ?, decided_ms = ? where id = ?",
                "suppressing an alert");
    query_int(&query, suppression);
    query_int(&query, now_ms);
    query_int(&query, alert_id);
    int status = query_run(&query, error);
    return status == PICKET_OK ? suppression_hit(store, suppression, now_ms, error) : status;
}

/* A finding that is on its way to its alert. */
struct raising {
    struct picket_finding finding; /* as weighed */
    int64_t device, now_ms;
    int64_t suppression; /* 0: none */
    int64_t known;       /* the alert that tells it already; 0: none */
    struct found found;
};

static int prepare(struct sqlite_store *store, struct raising *raising, struct picket_error *error)
{
    struct picket_finding *finding = &raising->finding;
    int status = device_number_of(store, finding->device, &raising->device, error);
    if (status == PICKET_OK)
        status = suppression_of(store, finding, raising->now_ms, &raising->suppression, error);
    if (status == PICKET_OK && finding->past_count > 0)
        status = find_known(store, finding, raising->device, raising->suppression != 0,
                            &raising->known, error);
    if (raising->known != 0)
        return status;
    if (status == PICKET_OK)
        status = find(store, finding, raising->device, raising->suppression != 0, &raising->found,
                      error);
    return status == PICKET_OK ? weigh(store, finding, raising->device, &raising->found, error)
                               : status;
}

static int write_alert(struct sqlite_store *store, const struct raising *raising, int64_t *alert_id,
                       struct picket_error *error)
{
    int alert_status = raising->suppression != 0 ? PICKET_ALERT_SUPPRESSED : PICKET_ALERT_NEW;
    *alert_id = raising->found.id;
    return *alert_id != 0 ? fold(store, &raising->finding, *alert_id, error)
                          : write_new(store, &raising->finding, raising->device, alert_status,
                                      raising->now_ms, alert_id, error);
}

static int raise_finding(struct sqlite_store *store, struct raising *raising,
                         const char *const *targets, int64_t *alert_id, bool *is_told,
                         struct picket_error *error)
{
    int status = prepare(store, raising, error);
    if (status == PICKET_OK && raising->known != 0) {
        *alert_id = raising->known;
        *is_told = false;
        return PICKET_OK;
    }
    if (status == PICKET_OK)
        status = write_alert(store, raising, alert_id, error);
    if (status != PICKET_OK)
        return status;
    *is_told = raising->suppression == 0 && raising->finding.severity > raising->found.severity;
    if (raising->suppression != 0)
        return note_suppressed(store, *alert_id, raising->suppression, raising->now_ms, error);
    return *is_told ? announce(store, &raising->finding, targets, *alert_id, raising->now_ms, error)
                    : PICKET_OK;
}

int sqlite_raise(struct picket_store *base, const struct picket_finding *finding,
                 const char *const *targets, int64_t *alert_id, bool *is_told,
                 struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct raising raising = {.finding = *finding, .now_ms = picket_unix_ms()};
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = raise_finding(store, &raising, targets, alert_id, is_told, error);
    return batch_note(store, status);
}
