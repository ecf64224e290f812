/* /v1/intelligence/hunts: stored events searched for indicators, by itself and on request. */
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "intel/formats/feed_reader.h"
#include "picket/base/time.h"

enum { HUNT_INDICATORS_MAX = 10000, HUNT_CONFIDENCE = 50 };

/* ---- values ---- */

static json_t *hunt_json(const struct picket_hunt_status *hunt)
{
    json_t *object = json_pack(
        "{s:I, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "id", (json_int_t)hunt->id, "state",
        picket_hunt_state_name(hunt->state), "automatic", hunt->automatic, "alert", hunt->alert,
        "what", api_json_text(hunt->what), "device", api_json_known(hunt->device), "since",
        api_json_time(hunt->since_ms), "until", api_json_time(hunt->until_ms));
    json_t *progress = json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "asked",
        api_json_time(hunt->asked_ms), "started", api_json_time(hunt->started_ms), "ended",
        api_json_time(hunt->ended_ms), "indicators", (json_int_t)hunt->indicators, "first_event",
        (json_int_t)hunt->first_event, "next_event", (json_int_t)hunt->next_event, "end_event",
        (json_int_t)hunt->end_event, "events", (json_int_t)hunt->events, "flows",
        (json_int_t)hunt->flows, "hits", (json_int_t)hunt->hits, "found", (json_int_t)hunt->found,
        "left_out", (json_int_t)hunt->left_out, "damaged", (json_int_t)hunt->damaged, "alerts",
        (json_int_t)hunt->alerts, "problem", api_json_known(hunt->problem));
    json_object_update(object, progress);
    json_decref(progress);
    return object;
}

static json_t *examples_json(const struct picket_hunt_found *found)
{
    json_t *array = json_array();
    for (size_t i = 0; i < found->example_count; i++) {
        json_t *flow = api_json_flow(&found->examples[i]);
        json_object_set_new(flow, "time", api_json_time(found->example_ms[i]));
        json_object_set_new(flow, "event_id", json_integer(found->example_events[i]));
        json_array_append_new(array, flow);
    }
    return array;
}

static void append_found(void *context, const struct picket_hunt_found *found)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    const char *severity = found->severity ? picket_severity_name(found->severity) : NULL;
    json_array_append_new(
        context,
        json_pack("{s:o, s:s, s:o, s:i, s:s?, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "device",
                  api_json_text(found->device), "indicator",
                  picket_prefix_format(&found->prefix, prefix), "feed", api_json_known(found->feed),
                  "confidence", found->confidence, "severity", severity, "tags",
                  api_json_known(found->tags), "first_seen", api_json_time(found->first_ms),
                  "last_seen", api_json_time(found->last_ms), "events", (json_int_t)found->events,
                  "flows", (json_int_t)found->flows, "bytes_in", (json_int_t)found->bytes_in,
                  "bytes_out", (json_int_t)found->bytes_out, "examples", examples_json(found)));
}

/* ---- asking ---- */

/* What is to be searched for, as it is given. */
struct asked {
    struct picket_hunt_request request;
    struct feed_reading reading;
    char *joined; /* the array's texts, a line each */
};

static int join_lines(const json_t *array, char **out, struct picket_error *error)
{
    size_t index, used = 0, size = 1;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)array, index, item)
    {
        const char *text = json_string_value(item);
        if (!text || !*text || strpbrk(text, "\r\n#;"))
            return picket_fail(error, PICKET_INVALID,
                               "indicators[%zu] is no address, prefix or range", index);
        size += strlen(text) + 1;
    }
    char *joined = malloc(size);
    if (!joined)
        return picket_fail(error, PICKET_NO_MEMORY, "out of memory");
    json_array_foreach((json_t *)(uintptr_t)array, index, item)
    {
        size_t length = json_string_length(item);
        memcpy(joined + used, json_string_value(item), length);
        joined[used + length] = '\n';
        used += length + 1;
    }
    joined[used] = 0;
    *out = joined;
    return PICKET_OK;
}

static int read_array(struct asked *asked, const json_t *array, struct picket_error *error)
{
    const struct feed_options options = {.format = FEED_PLAIN, .confidence = HUNT_CONFIDENCE};
    if (!json_is_array(array) || json_array_size(array) == 0 ||
        json_array_size(array) > HUNT_INDICATORS_MAX)
        return picket_fail(error, PICKET_INVALID, "indicators: expected an array of 1 to %d texts",
                           HUNT_INDICATORS_MAX);
    int status = join_lines(array, &asked->joined, error);
    if (status == PICKET_OK)
        status = feed_read(&asked->reading, asked->joined, strlen(asked->joined), &options, error);
    if (status == PICKET_OK && asked->reading.skipped > 0)
        status = picket_fail(error, PICKET_INVALID, "indicators[%u]: \"%.60s\": %s",
                             asked->reading.problems[0].line - 1, asked->reading.problems[0].text,
                             asked->reading.problems[0].reason);
    return status;
}

static int read_text(struct asked *asked, const json_t *text, struct picket_error *error)
{
    const struct feed_options options = {.confidence = HUNT_CONFIDENCE};
    if (!json_is_string(text))
        return picket_fail(error, PICKET_INVALID, "text: expected a string");
    int status = feed_read(&asked->reading, json_string_value(text), json_string_length(text),
                           &options, error);
    if (status == PICKET_OK && asked->reading.indicators.count == 0)
        status = picket_fail(error, PICKET_INVALID, "text: holds no indicator");
    return status;
}

static int parse_time(const json_t *body, const char *name, int64_t *unix_ms,
                      struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, name, false, &text, error);
    return status == PICKET_OK && text ? api_parse_time(name, text, unix_ms, error) : status;
}

static int parse_range(const json_t *body, struct picket_hunt_request *request,
                       struct picket_error *error)
{
    int status = parse_time(body, "since", &request->since_ms, error);
    if (status == PICKET_OK)
        status = parse_time(body, "until", &request->until_ms, error);
    if (status == PICKET_OK && request->since_ms && request->until_ms &&
        request->until_ms <= request->since_ms)
        status = picket_fail(error, PICKET_INVALID, "until is not after since");
    if (status == PICKET_OK)
        status = api_member_text(body, "device", false, &request->device, error);
    if (status == PICKET_OK)
        status = api_member_flag(body, "alert", &request->alert, error);
    return status;
}

static int parse_what(const json_t *body, struct asked *asked, struct picket_error *error)
{
    const json_t *array = json_object_get(body, "indicators"),
                 *text = json_object_get(body, "text");
    int status = api_member_text(body, "feed", false, &asked->request.feed, error);
    if (status != PICKET_OK)
        return status;
    if ((array != NULL) + (text != NULL) + (*asked->request.feed != 0) > 1)
        return picket_fail(error, PICKET_INVALID,
                           "one of indicators, text and feed is expected, or none for all");
    if (array)
        status = read_array(asked, array, error);
    else if (text)
        status = read_text(asked, text, error);
    asked->request.indicators = asked->reading.indicators.items;
    asked->request.count = asked->reading.indicators.count;
    return status;
}

void api_hunts_start(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct asked asked = {.request = {.feed = "", .device = ""}};
    int64_t id = 0;
    int status = parse_range(request->body, &asked.request, &error);
    if (status == PICKET_OK)
        status = parse_what(request->body, &asked, &error);
    if (status == PICKET_OK)
        status = picket_hunter_ask(api_config(request->api)->hunter, &asked.request, &id, &error);
    if (status == PICKET_OK)
        api_answer_json(answer, 202,
                        json_pack("{s:I, s:I, s:I}", "id", (json_int_t)id, "indicators",
                                  (json_int_t)asked.request.count, "skipped",
                                  (json_int_t)asked.reading.skipped));
    else
        api_answer_error(answer, &error);
    feed_reading_free(&asked.reading);
    free(asked.joined);
}

/* ---- looking on ---- */

static void append_hunt(void *context, const struct picket_hunt_status *hunt)
{
    json_array_append_new(context, hunt_json(hunt));
}

void api_hunts_list(struct api_request *request, struct api_answer *answer)
{
    json_t *array = json_array();
    picket_hunter_status(api_config(request->api)->hunter, 0, append_hunt, array, NULL);
    api_answer_json(answer, 200, json_pack("{s:o}", "hunts", array));
}

static int parse_id(const struct api_request *request, int64_t *id, struct picket_error *error)
{
    char *end;
    *id = strtoll(request->argument, &end, 10);
    return *end == 0 && *id > 0 && strspn(request->argument, "0123456789") > 0
               ? PICKET_OK
               : picket_fail(error, PICKET_NOT_FOUND, "there is no hunt %.40s", request->argument);
}

static void take_hunt(void *context, const struct picket_hunt_status *hunt)
{
    *(json_t **)context = hunt_json(hunt);
}

void api_hunts_show(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    json_t *object = NULL;
    int64_t id;
    if (parse_id(request, &id, &error) == PICKET_OK &&
        picket_hunter_status(api_config(request->api)->hunter, id, take_hunt, &object, &error) ==
            PICKET_OK)
        api_answer_json(answer, 200, object);
    else
        api_answer_error(answer, &error);
}

void api_hunts_found(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    json_t *array = json_array();
    int64_t id, after = 0, limit = API_LIMIT_DEFAULT;
    int status = parse_id(request, &id, &error);
    if (status == PICKET_OK)
        status = api_query_number(request, "after", 1, PICKET_HUNT_FOUND_MAX, &after, &error);
    if (status == PICKET_OK)
        status = api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, &error);
    if (status == PICKET_OK)
        status = picket_hunter_found(api_config(request->api)->hunter, id, (size_t)after,
                                     (size_t)limit, append_found, array, &error);
    bool is_full = json_array_size(array) == (size_t)limit;
    if (status == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:O, s:o}", "found", array, "next_after",
                                  is_full ? json_integer(after + limit) : json_null()));
    else
        api_answer_error(answer, &error);
    json_decref(array);
}

void api_hunts_cancel(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    int64_t id;
    if (parse_id(request, &id, &error) == PICKET_OK &&
        picket_hunter_cancel(api_config(request->api)->hunter, id, &error) == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:I}", "ended", (json_int_t)id));
    else
        api_answer_error(answer, &error);
}

/* ---- for the status ---- */

static void append_running(void *context, const struct picket_hunt_status *hunt)
{
    if (hunt->state == PICKET_HUNT_RUNNING || hunt->state == PICKET_HUNT_WAITING)
        json_array_append_new(context, hunt_json(hunt));
}

json_t *api_hunts_running(struct picket_hunter *hunter)
{
    json_t *array = json_array();
    if (hunter)
        picket_hunter_status(hunter, 0, append_running, array, NULL);
    return array;
}
