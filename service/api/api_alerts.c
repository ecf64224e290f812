/* /v1/alerts: what was found. Newest first, or, after an id, in the order they were raised; then a
 * request may wait for the next one, which is how `picket alert list --follow` follows. */
#include <string.h>

#include "alert_json.h"
#include "api_internal.h"
#include "picket/base/time.h"

enum { LOOK_EVERY_MS = 200 };

static void append_alert(void *context, const struct picket_alert *alert)
{
    json_array_append_new(context, picket_alert_json(alert));
}

/* The alerts of the query as an array; NULL with *error. */
static json_t *alerts_json(struct picket_api *api, const struct picket_alert_query *query,
                           struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return NULL;
    json_t *array = json_array();
    int status = picket_store_alerts(store, query, append_alert, array, error);
    api_store_return(api, store);
    if (status == PICKET_OK)
        return array;
    json_decref(array);
    return NULL;
}

/* Asks again until there is one, the time is over, or the server stops. */
static json_t *wait_for_alerts(struct picket_api *api, const struct picket_alert_query *query,
                               int64_t wait_s, struct picket_error *error)
{
    int64_t until_ms = picket_monotonic_ms() + wait_s * 1000;
    json_t *alerts = alerts_json(api, query, error);
    while (alerts && json_array_size(alerts) == 0 && picket_monotonic_ms() < until_ms &&
           api_pause(api, LOOK_EVERY_MS)) {
        json_decref(alerts);
        alerts = alerts_json(api, query, error);
    }
    return alerts;
}

static int parse_query(const struct api_request *request, struct alert_asked *asked,
                       int64_t *wait_s, struct picket_error *error)
{
    struct picket_alert_query *query = &asked->query;
    int64_t limit = API_LIMIT_DEFAULT, after = -1;
    int status = api_query_alerts(request, asked, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "before", 1, INT64_MAX, &query->before_id, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "after", 0, INT64_MAX, &after, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "wait", 0, API_WAIT_S_MAX, wait_s, error);
    query->limit = (int)limit;
    query->oldest_first = after >= 0;
    query->after_id = after >= 0 ? after : 0;
    if (status == PICKET_OK && after < 0 && *wait_s > 0)
        status = picket_fail(error, PICKET_INVALID, "query parameter wait: needs after");
    if (status == PICKET_OK && after >= 0 && query->before_id)
        status = picket_fail(error, PICKET_INVALID,
                             "query parameters after and before exclude each other");
    return status;
}

void api_alerts_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct alert_asked asked;
    const struct picket_alert_query *query = &asked.query;
    int64_t wait_s = 0;
    json_t *alerts = NULL;
    if (parse_query(request, &asked, &wait_s, &error) == PICKET_OK)
        alerts = wait_for_alerts(request->api, query, wait_s, &error);
    if (!alerts) {
        api_answer_error(answer, &error);
        return;
    }
    json_t *next = api_json_next(alerts, (size_t)query->limit);
    api_answer_json(answer, 200,
                    json_pack("{s:o, s:o}", "alerts", alerts,
                              query->oldest_first ? "next_after" : "next_before", next));
}

/* ---- by indicator ---- */

static json_t *group_json(const struct picket_alert_group *group)
{
    return json_pack("{s:o, s:o, s:s, s:I, s:o, s:I, s:I, s:I, s:o, s:o}", "type",
                     api_json_text(group->type), "subject", api_json_text(group->subject),
                     "severity", picket_severity_name(group->severity), "devices",
                     (json_int_t)group->devices, "device", api_json_text(group->device), "alerts",
                     (json_int_t)group->alerts, "open", (json_int_t)group->open, "count",
                     (json_int_t)group->count, "first_seen", api_json_time(group->first_seen_ms),
                     "last_seen", api_json_time(group->last_seen_ms));
}

static void append_group(void *context, const struct picket_alert_group *group)
{
    json_array_append_new(context, group_json(group));
}

/* NULL with *error. */
static json_t *groups_json(struct picket_api *api, const struct picket_alert_query *query,
                           struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return NULL;
    json_t *array = json_array();
    int status = picket_store_alert_groups(store, query, append_group, array, error);
    api_store_return(api, store);
    if (status == PICKET_OK)
        return array;
    json_decref(array);
    return NULL;
}

void api_alerts_groups(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct alert_asked asked;
    int64_t limit = API_LIMIT_DEFAULT;
    json_t *groups = NULL;
    int status = api_query_alerts(request, &asked, &error);
    if (status == PICKET_OK)
        status = api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, &error);
    asked.query.limit = (int)limit;
    if (status == PICKET_OK)
        groups = groups_json(request->api, &asked.query, &error);
    if (groups)
        api_answer_json(answer, 200, json_pack("{s:o}", "groups", groups));
    else
        api_answer_error(answer, &error);
}

/* ---- one of them ---- */

/* All of its type and subject, whatever their status: does it concern one device or many? */
static void add_alike(struct picket_api *api, json_t *alert)
{
    struct picket_error error = {0};
    const struct picket_alert_query query = {
        .type = json_string_value(json_object_get(alert, "type")),
        .subject = json_string_value(json_object_get(alert, "subject")),
        .limit = 1};
    json_t *groups = groups_json(api, &query, &error);
    json_t *group = json_array_get(groups, 0);
    if (group)
        json_object_set_new(alert, "alike",
                            json_pack("{s:O, s:O, s:O, s:O, s:O}", "devices",
                                      json_object_get(group, "devices"), "alerts",
                                      json_object_get(group, "alerts"), "count",
                                      json_object_get(group, "count"), "first_seen",
                                      json_object_get(group, "first_seen"), "last_seen",
                                      json_object_get(group, "last_seen")));
    json_decref(groups);
}

void api_answer_alert(const struct api_request *request, int64_t id, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_alert_query query = {.id = id, .limit = 1};
    json_t *alerts = alerts_json(request->api, &query, &error);
    if (!alerts)
        api_answer_error(answer, &error);
    else if (json_array_size(alerts) == 0)
        api_answer_refuse(answer, 404, "there is no alert %lld", (long long)id);
    else {
        json_t *alert = json_array_get(alerts, 0);
        add_alike(request->api, alert);
        api_answer_json(answer, 200, json_incref(alert));
    }
    json_decref(alerts);
}

void api_alerts_show(struct api_request *request, struct api_answer *answer)
{
    int64_t id;
    if (api_path_id(request, "alert", &id, answer))
        api_answer_alert(request, id, answer);
}
