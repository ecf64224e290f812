/* /v1/alerts: what was found. Newest first, or, after an id, in the order they were raised; then a
 * request may wait for the next one, which is how `picket alert list --follow` follows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert_json.h"
#include "api_internal.h"
#include "picket/base/time.h"

enum { LOOK_EVERY_MS = 200, REASON_BYTES_MAX = 1000 };

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

static int parse_query(const struct api_request *request, struct picket_alert_query *query,
                       int64_t *wait_s, struct picket_error *error)
{
    int64_t limit = API_LIMIT_DEFAULT, after = -1;
    query->device = api_query_text(request, "device");
    int status = api_query_time(request, "since", &query->since_ms, error);
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
    struct picket_alert_query query = {0};
    int64_t wait_s = 0;
    json_t *alerts = NULL;
    if (parse_query(request, &query, &wait_s, &error) == PICKET_OK)
        alerts = wait_for_alerts(request->api, &query, wait_s, &error);
    if (!alerts) {
        api_answer_error(answer, &error);
        return;
    }
    json_t *next = api_json_next(alerts, (size_t)query.limit);
    api_answer_json(answer, 200,
                    json_pack("{s:o, s:o}", "alerts", alerts,
                              query.oldest_first ? "next_after" : "next_before", next));
}

/* ---- one of them ---- */

/* False: it was refused. */
static bool parse_id(const struct api_request *request, int64_t *id, struct api_answer *answer)
{
    char *end;
    errno = 0;
    long long number = strtoll(request->argument, &end, 10);
    *id = number;
    if (!*end && end != request->argument && number > 0 && !errno)
        return true;
    api_answer_refuse(answer, 400, "alert \"%s\": an alert's id is a positive number",
                      request->argument);
    return false;
}

static void answer_alert(const struct api_request *request, int64_t id, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_alert_query query = {.id = id, .limit = 1};
    json_t *alerts = alerts_json(request->api, &query, &error);
    if (!alerts)
        api_answer_error(answer, &error);
    else if (json_array_size(alerts) == 0)
        api_answer_refuse(answer, 404, "there is no alert %lld", (long long)id);
    else
        api_answer_json(answer, 200, json_incref(json_array_get(alerts, 0)));
    json_decref(alerts);
}

void api_alerts_show(struct api_request *request, struct api_answer *answer)
{
    int64_t id;
    if (parse_id(request, &id, answer))
        answer_alert(request, id, answer);
}

/* ---- decisions ---- */

/* Closing takes a verdict, and only closing does. */
static int check_verdict(const struct picket_alert_decision *decision, struct picket_error *error)
{
    static const char verdicts[] = "true-positive benign-positive false-positive unknown";
    bool closes = !api_listed("acknowledged new", decision->status);
    if (closes && !api_listed(verdicts, decision->verdict))
        return picket_fail(error, PICKET_INVALID,
                           "verdict: \"%.40s\" is none of true-positive, benign-positive, "
                           "false-positive, unknown",
                           decision->verdict);
    if (!closes && decision->verdict[0])
        return picket_fail(error, PICKET_INVALID, "verdict: goes with dismissed or resolved");
    return PICKET_OK;
}

static int parse_decision(const json_t *body, struct picket_alert_decision *decision,
                          struct picket_error *error)
{
    int status = api_member_text(body, "status", true, &decision->status, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "verdict", false, &decision->verdict, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "reason", false, &decision->reason, error);
    if (status == PICKET_OK && strlen(decision->reason) > REASON_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "reason: longer than %d bytes", REASON_BYTES_MAX);
    return status == PICKET_OK ? check_verdict(decision, error) : status;
}

static int decide(struct picket_api *api, const struct picket_alert_decision *decision,
                  struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_alert_decide(store, decision, error);
    api_store_return(api, store);
    return status;
}

void api_alerts_decide(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_alert_decision decision = {
        .verdict = "", .reason = "", .decided_ms = picket_unix_ms()};
    if (!parse_id(request, &decision.id, answer))
        return;
    if (parse_decision(request->body, &decision, &error) != PICKET_OK ||
        decide(request->api, &decision, &error) != PICKET_OK)
        api_answer_error(answer, &error);
    else
        answer_alert(request, decision.id, answer);
}
