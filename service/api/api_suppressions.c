/* /v1/suppressions: findings that nobody is told of until a certain day. */
#include <string.h>

#include "api_internal.h"
#include "picket/base/time.h"

/* ---- as JSON ---- */

json_t *api_json_suppression(const struct picket_suppression *suppression)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES] = "";
    if (suppression->has_prefix)
        picket_prefix_format(&suppression->prefix, prefix);
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:I, s:o}", "id", (json_int_t)suppression->id,
        "type", api_json_known(suppression->type), "device", api_json_known(suppression->device),
        "indicator", api_json_known(prefix), "created", api_json_time(suppression->created_ms),
        "until", api_json_time(suppression->until_ms), "ended",
        suppression->until_ms <= picket_unix_ms(), "reason", api_json_text(suppression->reason),
        "hits", (json_int_t)suppression->hits, "last_hit", api_json_time(suppression->last_hit_ms));
}

static void append_suppression(void *context, const struct picket_suppression *suppression)
{
    json_array_append_new(context, api_json_suppression(suppression));
}

/* ---- what is asked for ---- */

/* A time, or a span from now on. */
static int parse_until(const char *text, int64_t now_ms, int64_t *until_ms,
                       struct picket_error *error)
{
    int64_t span_s;
    if (picket_span_parse(text, &span_s)) {
        bool fits = span_s <= (int64_t)PICKET_SUPPRESSION_DAYS_MAX * 24 * 3600;
        *until_ms = fits ? now_ms + span_s * 1000 : INT64_MAX / 2;
        return PICKET_OK;
    }
    if (picket_time_parse(text, until_ms))
        return PICKET_OK;
    return picket_fail(error, PICKET_INVALID,
                       "until: \"%.60s\" is neither a time (2026-11-20T23:51:17Z, a date) nor a "
                       "span from now on (24h, 7d)",
                       text);
}

static int copy_text(const char *name, const char *text, char *out, size_t capacity,
                     struct picket_error *error)
{
    if (strlen(text) >= capacity)
        return picket_fail(error, PICKET_INVALID, "%s: longer than %zu characters", name,
                           capacity - 1);
    strcpy(out, text);
    return PICKET_OK;
}

static int parse_indicator(const char *text, struct picket_suppression *suppression,
                           struct picket_error *error)
{
    suppression->has_prefix = text[0] != '\0';
    return suppression->has_prefix ? api_parse_prefix(text, &suppression->prefix, error)
                                   : PICKET_OK;
}

int api_parse_suppression(const json_t *body, int64_t now_ms,
                          struct picket_suppression *suppression, struct picket_error *error)
{
    const char *type = "", *device = "", *indicator = "", *until = "";
    memset(suppression, 0, sizeof *suppression);
    suppression->reason = "";
    suppression->created_ms = now_ms;
    int status = api_member_text(body, "type", false, &type, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "device", false, &device, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "indicator", false, &indicator, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "until", true, &until, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "reason", true, &suppression->reason, error);
    if (status == PICKET_OK)
        status = copy_text("type", type, suppression->type, sizeof suppression->type, error);
    if (status == PICKET_OK)
        status =
            copy_text("device", device, suppression->device, sizeof suppression->device, error);
    if (status == PICKET_OK)
        status = parse_indicator(indicator, suppression, error);
    return status == PICKET_OK ? parse_until(until, now_ms, &suppression->until_ms, error) : status;
}

/* ---- answers ---- */

void api_suppressions_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    json_t *array = json_array();
    int status =
        store ? picket_store_suppressions(store, append_suppression, array, &error) : error.status;
    if (store)
        api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:O}", "suppressions", array));
    else
        api_answer_error(answer, &error);
    json_decref(array);
}

struct covered {
    const struct picket_suppression *suppression;
    int64_t count;
};

static void count_covered(void *context, const struct picket_alert *alert)
{
    struct covered *covered = context;
    covered->count +=
        picket_suppression_covers(covered->suppression, alert->type, alert->device, alert->subject);
}

/* Those that are open stay so: who suppresses should know of them. */
static int64_t count_open(struct picket_store *store, const struct picket_suppression *suppression)
{
    struct covered covered = {suppression, 0};
    const struct picket_alert_query query = {
        .device = suppression->device[0] ? suppression->device : NULL,
        .type = suppression->type[0] ? suppression->type : NULL,
        .statuses = 1U << PICKET_ALERT_NEW | 1U << PICKET_ALERT_ACKNOWLEDGED,
        .limit = INT32_MAX};
    return picket_store_alerts(store, &query, count_covered, &covered, NULL) == PICKET_OK
               ? covered.count
               : 0;
}

static json_t *add(struct picket_store *store, struct picket_suppression *suppression,
                   struct picket_error *error)
{
    if (picket_store_suppression_add(store, suppression, &suppression->id, error) != PICKET_OK)
        return NULL;
    json_t *added = api_json_suppression(suppression);
    json_object_set_new(added, "open_alerts", json_integer(count_open(store, suppression)));
    return added;
}

void api_suppressions_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_suppression suppression;
    struct picket_store *store = NULL;
    json_t *added = NULL;
    if (api_parse_suppression(request->body, picket_unix_ms(), &suppression, &error) == PICKET_OK)
        store = api_store_borrow(request->api, &error);
    if (store) {
        added = add(store, &suppression, &error);
        api_store_return(request->api, store);
    }
    if (added)
        api_answer_json(answer, 201, added);
    else
        api_answer_error(answer, &error);
}

void api_suppressions_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    int64_t id;
    if (!api_path_id(request, "suppression", &id, answer))
        return;
    struct picket_store *store = api_store_borrow(request->api, &error);
    int status = store ? picket_store_suppression_remove(store, id, &error) : error.status;
    if (store)
        api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:I}", "removed", (json_int_t)id));
    else
        api_answer_error(answer, &error);
}
