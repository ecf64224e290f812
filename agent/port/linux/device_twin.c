#include "device_twin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/diagnostics.h"

int device_twin_init(struct device_twin *twin, struct picket_agent *agent,
                     struct picket_error *error)
{
    *twin = (struct device_twin){.agent = agent, .answers = json_object()};
    if (twin->answers == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the device twin");
    picket_properties_init(&twin->properties, agent);
    return PICKET_OK;
}

void device_twin_free(struct device_twin *twin)
{
    json_decref(twin->answers);
    twin->answers = NULL;
}

void device_twin_connected(struct device_twin *twin)
{
    twin->version = 0;
}

/* ---- one property ---- */

static enum picket_property_kind kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return PICKET_PROPERTY_NULL;
    case JSON_TRUE:
        return PICKET_PROPERTY_TRUE;
    case JSON_FALSE:
        return PICKET_PROPERTY_FALSE;
    case JSON_STRING:
        return PICKET_PROPERTY_STRING;
    default:
        return PICKET_PROPERTY_OTHER;
    }
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

/* Of a name that is the agent's. */
static const char *expected_of(const char *name)
{
    if (ends_with(name, "_Disabled"))
        return "expected true or false";
    if (ends_with(name, "_MessageFrequency"))
        return "expected High, Medium or Low";
    if (ends_with(name, "_PriorityIntervals"))
        return "expected three times for high, medium and low: 30,60,1440 in minutes, 10s,30s,60s "
               "in seconds";
    return "expected a text of at most 31 printable ASCII characters";
}

static enum picket_property_result apply(struct device_twin *twin, const char *name,
                                         const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    return picket_properties_apply(&twin->properties, name, strlen(name), kind_of(value), text,
                                   json_string_length(value));
}

static json_t *make_answer(const char *name, json_t *value, bool applied, int64_t version)
{
    if (json_is_null(value))
        return json_null();
    return json_pack("{s:O, s:i, s:I, s:s*}", "value", value, "ac", applied ? 200 : 400, "av",
                     (json_int_t)version, "ad", applied ? NULL : expected_of(name));
}

static bool is_same_value(const json_t *answer, const json_t *value)
{
    return json_equal(json_object_get(answer, "value"), value) != 0;
}

/* A set of changes under way. */
struct changes {
    struct device_twin *twin;
    json_t *report;
    int64_t version;
    bool flushed;
};

/* What is unsent goes out as it was collected, before the first change. */
static void flush_once(struct changes *changes)
{
    if (!changes->flushed)
        picket_agent_flush(changes->twin->agent);
    changes->flushed = true;
}

static void say(const char *name, const json_t *value, bool applied)
{
    picket_say(applied ? PICKET_NOTICE : PICKET_WARNING, "agent", "twin: %.60s: %s", name,
               !applied              ? "the value cannot be"
               : json_is_null(value) ? "as at the start again"
                                     : "applied");
}

/* Applies a value that is not the one that stands, and keeps the answer; one that is not the
 * agent's is kept without a code. */
static void decide(struct changes *changes, const char *name, json_t *value)
{
    flush_once(changes);
    enum picket_property_result result = apply(changes->twin, name, value);
    bool applied = result == PICKET_PROPERTY_APPLIED;
    bool ours = result != PICKET_PROPERTY_UNKNOWN;
    if (ours)
        say(name, value, applied);
    json_object_set_new(changes->twin->answers, name,
                        json_pack("{s:O, s:o*}", "value", value, "ac",
                                  ours ? json_integer(applied ? 200 : 400) : NULL));
}

/* The answer to a property, as a new reference; NULL: it is not the agent's. */
static json_t *answer_to(struct changes *changes, const char *name, json_t *value)
{
    json_t *answers = changes->twin->answers;
    if (!is_same_value(json_object_get(answers, name), value))
        decide(changes, name, value);
    const json_t *code = json_object_get(json_object_get(answers, name), "ac");
    json_t *answer =
        code == NULL ? NULL
                     : make_answer(name, value, json_integer_value(code) == 200, changes->version);
    if (json_is_null(value))
        json_object_del(answers, name);
    return answer;
}

static bool is_property(const char *name)
{
    return name[0] != '$';
}

/* ---- sets of them ---- */

static int64_t version_in(const json_t *document)
{
    return json_integer_value(json_object_get(document, "$version"));
}

/* reported: what the hub has; answers that are there already are not given again. */
static void take_desired(struct changes *changes, json_t *desired, const json_t *reported)
{
    const char *name;
    json_t *value;
    json_object_foreach(desired, name, value)
    {
        json_t *answer = is_property(name) ? answer_to(changes, name, value) : NULL;
        if (answer != NULL && !json_equal(answer, json_object_get(reported, name)))
            json_object_set(changes->report, name, answer);
        json_decref(answer);
    }
}

/* What is no longer desired is as at the start again, and no longer answered. */
static void take_away(struct changes *changes, const json_t *desired, json_t *answered)
{
    const char *name;
    json_t *value;
    json_t *copy = json_copy(answered); /* what is gone through may itself change */
    json_object_foreach(copy, name, value)
    {
        bool answered_by_us = json_object_get(value, "ac") != NULL;
        if (!is_property(name) || !answered_by_us || json_object_get(desired, name) != NULL)
            continue;
        json_t *answer = answer_to(changes, name, json_null());
        if (answer != NULL)
            json_object_set_new(changes->report, name, answer);
    }
    json_decref(copy);
}

static char *finish(struct changes *changes)
{
    char *text = json_object_size(changes->report) > 0
                     ? json_dumps(changes->report, JSON_COMPACT | JSON_REAL_PRECISION(15))
                     : NULL;
    json_decref(changes->report);
    return text;
}

static void take_change(struct device_twin *twin, json_t *desired,
                        struct device_twin_orders *orders)
{
    struct changes changes = {twin, json_object(), version_in(desired), false};
    if (changes.version > twin->version)
        twin->version = changes.version;
    take_desired(&changes, desired, NULL);
    orders->report = finish(&changes);
}

/* A change may have overtaken it: then it is out of date. */
static void take_whole(struct device_twin *twin, json_t *whole, struct device_twin_orders *orders)
{
    json_t *desired = json_object_get(whole, "desired");
    json_t *reported = json_object_get(whole, "reported");
    struct changes changes = {twin, json_object(), version_in(desired), false};
    if (changes.version < twin->version) {
        orders->ask_in_s = 0;
    } else {
        twin->version = changes.version;
        take_desired(&changes, desired, reported);
        take_away(&changes, desired, twin->answers);
        take_away(&changes, desired, reported);
    }
    orders->report = finish(&changes);
}

static void take_error(int status, const char *payload, size_t payload_bytes,
                       struct device_twin_orders *orders)
{
    static struct picket_say_limit limit;
    bool may_pass = status == 429 || status >= 500;
    orders->ask_in_s = may_pass ? DEVICE_TWIN_AGAIN_S : DEVICE_TWIN_NEVER;
    picket_say_limited(&limit, PICKET_WARNING, "agent", "twin: the hub answers %d: %.*s", status,
                       (int)(payload_bytes < 200 ? payload_bytes : 200), payload);
}

/* ---- topics ---- */

static const char *after(const char *topic, const char *begin)
{
    size_t length = strlen(begin);
    return strncmp(topic, begin, length) == 0 ? topic + length : NULL;
}

void device_twin_take(struct device_twin *twin, const char *topic, const char *payload,
                      size_t payload_bytes, struct device_twin_orders *orders)
{
    const char *result = after(topic, "$iothub/twin/res/");
    int status = result != NULL ? atoi(result) : 0;
    *orders = (struct device_twin_orders){.ask_in_s = DEVICE_TWIN_NEVER};
    if (status >= 300) {
        take_error(status, payload, payload_bytes, orders);
        return;
    }
    bool is_change = after(topic, "$iothub/twin/PATCH/properties/desired/") != NULL;
    if (!is_change && status != 200)
        return;
    json_t *document = json_loadb(payload, payload_bytes, 0, NULL);
    if (!json_is_object(document))
        picket_say(PICKET_WARNING, "agent", "twin: what the hub sent is not a JSON object");
    else if (is_change)
        take_change(twin, document, orders);
    else
        take_whole(twin, document, orders);
    json_decref(document);
}
