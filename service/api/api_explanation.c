/* /v1/alerts/{id}/explanation: which rule, which feed, which line, since when; who else; and what
 * would silence it. */
#include <string.h>

#include "alert_json.h"
#include "api_internal.h"
#include "picket/base/time.h"
#include "picket/service/intel.h"
#include "silence.h"
#include "techniques.h"
#include "text.h"

enum { OTHERS_SHOWN = 20, EARLIER_SHOWN = 10 };

/* An alert on its way to being explained. */
struct explaining {
    struct picket_store *store;
    struct picket_intel *intel;
    json_t *alert; /* whole, as the API gives it */
    int64_t id;
    int64_t last_seen_ms;
    struct picket_error *error;
};

/* 0 for null and what is no time. */
static int64_t time_of(const json_t *object, const char *name)
{
    int64_t unix_ms = 0;
    const char *text = text_member(object, name);
    return *text && picket_time_parse(text, &unix_ms) ? unix_ms : 0;
}

/* ---- the rule ---- */

static json_t *techniques_json(const json_t *ids)
{
    json_t *array = json_array();
    size_t index;
    const json_t *id;
    json_array_foreach(ids, index, id)
    {
        const struct technique *technique = technique_of(json_string_value(id));
        json_array_append_new(array, json_pack("{s:O, s:s?, s:s?}", "id", id, "name",
                                               technique ? technique->name : NULL, "matrix",
                                               technique ? technique->matrix : NULL));
    }
    return array;
}

static bool is_of_intelligence(const json_t *alert)
{
    return picket_is_intelligence(text_member(alert, "type"));
}

static json_t *rule_json(const json_t *alert)
{
    bool of_intelligence = is_of_intelligence(alert);
    json_t *rule = json_pack(
        "{s:s, s:O, s:s, s:O, s:o}", "detector", of_intelligence ? "intelligence" : "hub", "type",
        json_object_get(alert, "type"), "what",
        of_intelligence ? "the remote address of a flow is covered by an indicator of a feed"
                        : "what the hub saw of the device, or an owner did",
        "severity", json_object_get(alert, "severity"), "techniques",
        techniques_json(json_object_get(alert, "technique")));
    json_t *reasons = json_object_get(alert, "severity_reasons");
    json_object_set_new(rule, "severity_reasons", reasons ? json_incref(reasons) : json_array());
    return rule;
}

/* ---- the indicators, then and now ---- */

struct now {
    json_t *object;
    int64_t at_ms;
};

static void note_now(void *context, const char *feed, const struct picket_indicator *indicator)
{
    struct now *now = context;
    bool has_expired = indicator->valid_until_ms > 0 && indicator->valid_until_ms <= now->at_ms;
    (void)feed;
    json_object_set_new(now->object, "state", json_string(has_expired ? "expired" : "listed"));
    json_object_set_new(now->object, "confidence", json_integer(indicator->confidence));
    json_object_set_new(now->object, "line",
                        indicator->line ? json_integer(indicator->line) : json_null());
    json_object_set_new(now->object, "valid_until", api_json_time(indicator->valid_until_ms));
}

struct feed_search {
    const char *name;
    bool found, is_kept;
};

static void look_for_feed(void *context, const struct picket_feed *feed)
{
    struct feed_search *search = context;
    if (strcmp(feed->name, search->name) != 0)
        return;
    search->found = true;
    search->is_kept = picket_feed_is_kept(feed);
}

/* 0 for none. */
static uint8_t protocol_of(const json_t *object)
{
    uint8_t protocol = 0;
    api_parse_protocol(text_member(object, "protocol"), &protocol, NULL);
    return protocol;
}

/* What the feed says of it today: "listed", "expired", "gone", "feed removed". */
static json_t *now_json(struct explaining *explaining, const json_t *match,
                        const struct feed_search *feed)
{
    struct now now = {json_object(), picket_unix_ms()};
    const char *prefix = text_member(match, "indicator");
    struct picket_indicator which = {
        .port = (uint16_t)json_integer_value(json_object_get(match, "port")),
        .protocol = protocol_of(match)};
    json_object_set_new(now.object, "state", json_string(feed->found ? "gone" : "feed removed"));
    if (picket_prefix_parse(&which.prefix, prefix, strlen(prefix)))
        picket_store_indicator(explaining->store, feed->name, &which, note_now, &now, NULL);
    return now.object;
}

static json_t *indicators_json(struct explaining *explaining)
{
    json_t *array = json_array();
    size_t index;
    json_t *match;
    json_array_foreach(json_object_get(json_object_get(explaining->alert, "evidence"), "matches"),
                       index, match)
    {
        json_t *indicator = json_deep_copy(match);
        struct feed_search feed = {.name = text_member(match, "feed")};
        picket_store_feeds(explaining->store, look_for_feed, &feed, NULL);
        int64_t since_ms = time_of(match, "since");
        /* Devices tell times in whole seconds. */
        bool was_listed = since_ms / 1000 <= explaining->last_seen_ms / 1000;
        json_object_set_new(indicator, "was_listed",
                            since_ms ? json_boolean(was_listed) : json_null());
        json_object_set_new(indicator, "now", now_json(explaining, match, &feed));
        json_object_set_new(indicator, "kept", json_boolean(feed.is_kept));
        json_array_append_new(array, indicator);
    }
    return array;
}

/* ---- others ---- */

static void append_brief(void *context, const struct picket_alert *alert)
{
    json_array_append_new(
        context,
        json_pack("{s:I, s:o, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "id",
                  (json_int_t)alert->id, "device", api_json_text(alert->device), "status",
                  alert->status, "severity", picket_severity_name(alert->severity), "verdict",
                  api_json_known(alert->verdict), "reason", api_json_known(alert->reason), "count",
                  (json_int_t)alert->count, "first_seen", api_json_time(alert->first_seen_ms),
                  "last_seen", api_json_time(alert->last_seen_ms), "decided",
                  api_json_time(alert->decided_ms), "decided_uid",
                  alert->decided_uid >= 0 ? json_integer(alert->decided_uid) : json_null()));
}

/* NULL with *error. */
static json_t *alike_json(struct explaining *explaining, const char *device, int64_t before_id,
                          int limit)
{
    json_t *array = json_array();
    const struct picket_alert_query query = {.type = text_member(explaining->alert, "type"),
                                             .subject = text_member(explaining->alert, "subject"),
                                             .device = device,
                                             .before_id = before_id,
                                             .limit = limit};
    if (picket_store_alerts(explaining->store, &query, append_brief, array, explaining->error) ==
        PICKET_OK)
        return array;
    json_decref(array);
    return NULL;
}

/* The last alert of each other device, of the newest. */
static json_t *others_json(struct explaining *explaining)
{
    json_t *alerts = alike_json(explaining, NULL, 0, 10 * OTHERS_SHOWN), *seen = json_object();
    json_t *others = alerts ? json_array() : NULL, *alert;
    size_t index;
    json_object_set_new(seen, text_member(explaining->alert, "device"), json_true());
    json_array_foreach(alerts, index, alert)
    {
        const char *device = text_member(alert, "device");
        if (json_object_get(seen, device) || json_array_size(others) == OTHERS_SHOWN)
            continue;
        json_object_set_new(seen, device, json_true());
        json_array_append(others, alert);
    }
    json_decref(alerts);
    json_decref(seen);
    return others;
}

struct covering {
    const json_t *alert;
    int64_t now_ms;
    json_t *found;
};

static void append_covering(void *context, const struct picket_suppression *suppression)
{
    struct covering *covering = context;
    const json_t *alert = covering->alert;
    if (suppression->until_ms > covering->now_ms &&
        picket_suppression_covers(suppression, text_member(alert, "type"),
                                  text_member(alert, "device"), text_member(alert, "subject")))
        json_array_append_new(covering->found, api_json_suppression(suppression));
}

static json_t *suppressions_json(struct explaining *explaining)
{
    struct covering covering = {explaining->alert, picket_unix_ms(), json_array()};
    picket_store_suppressions(explaining->store, append_covering, &covering, NULL);
    return covering.found;
}

/* What would become of the first of the flows today; null when there is none. */
static json_t *today_json(struct picket_intel *intel, const json_t *alert)
{
    const json_t *flow =
        json_array_get(json_object_get(json_object_get(alert, "evidence"), "flows"), 0);
    const char *remote = text_member(flow, "remote_address");
    struct picket_address address;
    if (!picket_address_parse(&address, remote, strlen(remote)))
        return json_null();
    return api_json_looked_up(intel, &address,
                              (uint16_t)json_integer_value(json_object_get(flow, "remote_port")),
                              protocol_of(flow));
}

/* ---- the answer ---- */

/* What the flows were, and what was weighed of them. */
static json_t *flows_json(const json_t *alert)
{
    const json_t *evidence = json_object_get(alert, "evidence");
    json_t *flows = json_object();
    for (const char *const *name =
             (const char *const[]){"flow_count", "bytes_in", "bytes_out", "flows", "retrospective",
                                   "shared_by", NULL};
         *name; name++)
        if (json_object_get(evidence, *name))
            json_object_set(flows, *name, json_object_get(evidence, *name));
    return flows;
}

static json_t *explanation_json(struct explaining *explaining)
{
    json_t *others = others_json(explaining);
    json_t *earlier = others ? alike_json(explaining, text_member(explaining->alert, "device"),
                                          explaining->id, EARLIER_SHOWN)
                             : NULL;
    if (!earlier) {
        json_decref(others);
        return NULL;
    }
    json_t *indicators = indicators_json(explaining);
    json_t *silence = silence_json(explaining->alert, indicators);
    return json_pack("{s:O, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "alert", explaining->alert,
                     "rule", rule_json(explaining->alert), "indicators", indicators, "traffic",
                     flows_json(explaining->alert), "today",
                     today_json(explaining->intel, explaining->alert), "other_devices", others,
                     "earlier", earlier, "suppressed_by", suppressions_json(explaining), "silence",
                     silence);
}

void api_alerts_explain(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct explaining explaining = {.intel = api_config(request->api)->intel, .error = &error};
    struct api_answer shown = {0};
    if (!api_path_id(request, "alert", &explaining.id, answer))
        return;
    api_answer_alert(request, explaining.id, &shown);
    if (shown.status != 200) {
        *answer = shown;
        return;
    }
    explaining.alert = shown.body;
    explaining.last_seen_ms = time_of(shown.body, "last_seen");
    explaining.store = api_store_borrow(request->api, &error);
    json_t *explanation = explaining.store ? explanation_json(&explaining) : NULL;
    if (explaining.store)
        api_store_return(request->api, explaining.store);
    if (explanation)
        api_answer_json(answer, 200, explanation);
    else
        api_answer_error(answer, &error);
    json_decref(shown.body);
}
