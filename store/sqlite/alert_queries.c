/* Alerts are asked for. */
#include <stdio.h>
#include <string.h>

#include "store.h"

#define ALERT_COLUMNS                                                                              \
    "select a.id, a.type, d.id, a.subject, a.severity, a.status, a.first_seen_ms, "                \
    "a.last_seen_ms, a.raised_ms, a.count, a.title, a.description, a.remediation, a.technique, "   \
    "a.first_evidence, a.last_evidence, a.verdict, a.reason, a.decided_ms, a.reasons, "            \
    "a.suppression, a.decided_uid from alerts a cross join devices d on d.number = a.device "
#define OF_DEVICE "a.device = (select number from devices where id = ?) "

static void visit_alert(struct query *query, picket_alert_visit visit, void *context)
{
    struct picket_alert alert;
    alert.id = query_take_int(query);
    alert.type = query_take_text(query);
    alert.device = query_take_text(query);
    alert.subject = query_take_text(query);
    alert.severity = (int)query_take_int(query);
    alert.status = picket_alert_status_name((int)query_take_int(query));
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
    alert.suppression = query_take_int(query);
    alert.decided_uid = query_take_int(query);
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

static bool is_ascending(const struct picket_alert_query *asked)
{
    return asked->before_id <= 0 && (asked->after_id > 0 || asked->oldest_first);
}

static void begin_alerts(struct query *query, struct database *database,
                         const struct picket_alert_query *asked)
{
    static const char doing[] = "reading alerts";
    bool ascending = is_ascending(asked);
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

/* ---- by what has no statement of its own ---- */

enum { OPEN = 1 << PICKET_ALERT_NEW | 1 << PICKET_ALERT_ACKNOWLEDGED };
enum { ALL = OPEN | 1 << PICKET_ALERT_DISMISSED | 1 << PICKET_ALERT_RESOLVED };

static bool is_filtered(const struct picket_alert_query *asked)
{
    return asked->type != NULL || asked->subject != NULL || asked->severity > 0 ||
           asked->statuses != 0;
}

/* The one that leaves the fewest to be looked at; the newest of all need none. */
const char *alert_filter_index(const struct picket_alert_query *asked)
{
    bool any_closed = asked->statuses == 0 || (asked->statuses & ALL & ~(unsigned)OPEN) != 0;
    if (asked->subject != NULL)
        return "indexed by alerts_subject";
    if (asked->device != NULL)
        return "indexed by alerts_device";
    if (asked->since_ms > 0)
        return "indexed by alerts_last_seen";
    if (!any_closed || asked->severity > PICKET_SEVERITY_LOW || asked->type != NULL)
        return "indexed by alerts_state";
    return "not indexed";
}

static const char *status_text(unsigned statuses, char out[32])
{
    size_t used = 0;
    out[0] = '\0';
    for (int status = PICKET_ALERT_NEW; status <= PICKET_ALERT_SUPPRESSED; status++)
        if (statuses == 0 || (statuses & 1U << status) != 0)
            used += (size_t)snprintf(out + used, 32 - used, "%s%d", used > 0 ? "," : "", status);
    return used > 0 ? out : "-1";
}

void alert_filter_where(const struct picket_alert_query *asked, char out[ALERT_FILTER_BYTES])
{
    char statuses[32];
    snprintf(out, ALERT_FILTER_BYTES, "where i.status in (%s)%s%s%s%s%s",
             status_text(asked->statuses, statuses),
             asked->device != NULL ? " and i.device = (select number from devices where id = ?)"
                                   : "",
             asked->subject != NULL ? " and i.subject = ?" : "",
             asked->type != NULL ? " and i.type = ?" : "",
             asked->severity > 0 ? " and i.severity >= ?" : "",
             asked->since_ms > 0 ? " and i.last_seen_ms >= ?" : "");
}

void alert_filter_bind(struct query *query, const struct picket_alert_query *asked)
{
    if (asked->device != NULL)
        query_text(query, asked->device);
    if (asked->subject != NULL)
        query_text(query, asked->subject);
    if (asked->type != NULL)
        query_text(query, asked->type);
    if (asked->severity > 0)
        query_int(query, asked->severity);
    if (asked->since_ms > 0)
        query_int(query, asked->since_ms);
}

static int filtered_alerts(struct sqlite_store *store, const struct picket_alert_query *asked,
                           picket_alert_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    char where[ALERT_FILTER_BYTES], sql[ALERT_FILTER_BYTES + 800];
    const char *order = is_ascending(asked) ? "" : "desc";
    alert_filter_where(asked, where);
    snprintf(sql, sizeof sql,
             ALERT_COLUMNS
             "where a.id in (select i.id from alerts i %s %s and i.id > ? and i.id < ? "
             "order by i.id %s limit ?) order by a.id %s",
             alert_filter_index(asked), where, order, order);
    query_begin_once(&query, &store->picket, sql, "reading alerts");
    alert_filter_bind(&query, asked);
    query_int(&query, asked->id > 0 ? asked->id - 1 : asked->after_id);
    query_int(&query, end_of(asked));
    query_int(&query, asked->limit);
    while (query_row(&query))
        visit_alert(&query, visit, context);
    return query_end(&query, error);
}

int sqlite_alerts(struct picket_store *base, const struct picket_alert_query *asked,
                  picket_alert_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    if (is_filtered(asked))
        return filtered_alerts(sqlite_of(base), asked, visit, context, error);
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

/* ---- groups ---- */

static void visit_group(struct query *query, picket_alert_group_visit visit, void *context)
{
    struct picket_alert_group group;
    group.type = query_take_text(query);
    group.subject = query_take_text(query);
    group.device = query_take_text(query);
    group.devices = query_take_int(query);
    group.alerts = query_take_int(query);
    group.open = query_take_int(query);
    group.count = query_take_int(query);
    group.severity = (int)query_take_int(query);
    group.first_seen_ms = query_take_int(query);
    group.last_seen_ms = query_take_int(query);
    visit(context, &group);
}

/* But for those of one subject or device, from the index that has all that is needed. */
int sqlite_alert_groups(struct picket_store *base, const struct picket_alert_query *asked,
                        picket_alert_group_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    const char *index = asked->subject != NULL || asked->device != NULL
                            ? alert_filter_index(asked)
                            : "indexed by alerts_last_seen";
    char where[ALERT_FILTER_BYTES], sql[ALERT_FILTER_BYTES + 800];
    alert_filter_where(asked, where);
    snprintf(sql, sizeof sql,
             "select g.type, g.subject, (select id from devices where number = g.device), "
             "g.devices, g.alerts, g.open, g.count, g.severity, g.first_seen, g.last_seen from "
             "(select type, subject, min(device) as device, count(distinct device) as devices, "
             "count(*) as alerts, sum(status <= 2) as open, sum(count) as count, "
             "max(severity) as severity, min(first_seen_ms) as first_seen, "
             "max(last_seen_ms) as last_seen from alerts i %s %s group by type, subject "
             "order by last_seen desc, type, subject limit ?) g "
             "order by g.last_seen desc, g.type, g.subject",
             index, where);
    query_begin_once(&query, &sqlite_of(base)->picket, sql, "grouping alerts");
    alert_filter_bind(&query, asked);
    query_int(&query, asked->limit);
    while (query_row(&query))
        visit_group(&query, visit, context);
    return query_end(&query, error);
}
