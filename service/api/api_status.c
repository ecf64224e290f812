/* /v1/status: every part in one object, and all counters. */
#include <string.h>

#include "api_internal.h"
#include "authority.h"
#include "picket/base/counter.h"
#include "picket/base/time.h"
#include "picket/store/administration.h"

static json_t *log_json(struct picket_log *log)
{
    struct picket_log_statistics statistics = {0};
    picket_log_statistics(log, &statistics);
    return json_pack("{s:I, s:I, s:I}", "messages_held", (json_int_t)statistics.messages_held,
                     "bytes_held", (json_int_t)statistics.bytes_held, "refused",
                     (json_int_t)statistics.refused);
}

static json_t *service_json(struct picket_service *service)
{
    struct picket_service_status status = {0};
    picket_service_status(service, &status);
    return json_pack("{s:s, s:o, s:o}", "state", status.stalled_since_ms ? "stalled" : "running",
                     "stalled_since", api_json_time(status.stalled_since_ms), "problem",
                     api_json_known(status.problem));
}

static json_t *totals_json(const struct picket_store_totals *totals)
{
    return json_pack(
        "{s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "devices",
        (json_int_t)totals->devices, "events", (json_int_t)totals->events, "flows",
        (json_int_t)totals->flows, "oldest_event", api_json_time(totals->oldest_event_ms),
        "events_aged", (json_int_t)totals->events_aged, "alerts_open",
        (json_int_t)totals->alerts_open, "alerts", (json_int_t)totals->alerts, "alerts_aged",
        (json_int_t)totals->alerts_aged, "dead_letters", (json_int_t)totals->dead_letters,
        "dead_letter_bytes", (json_int_t)totals->dead_letter_bytes, "dead_letters_dropped",
        (json_int_t)totals->dead_letters_dropped, "outbox", (json_int_t)totals->outbox, "feeds",
        (json_int_t)totals->feeds, "indicators", (json_int_t)totals->indicators, "size_bytes",
        (json_int_t)totals->size_bytes);
}

/* ---- outputs ---- */

static void add_target(void *context, const struct picket_target *target)
{
    json_object_set_new(
        context, target->name,
        json_pack("{s:I, s:I, s:I, s:o, s:I}", "waiting", (json_int_t)target->waiting,
                  "waiting_bytes", (json_int_t)target->waiting_bytes, "set_aside",
                  (json_int_t)target->aside, "last_refusal", api_json_known(target->refusal),
                  "dropped", (json_int_t)target->dropped));
}

/* Appends a target with its numbers, taken out of `targets`; before its first item it has none. */
static void append_output(json_t *array, json_t *targets, struct picket_service *service,
                          const char *name, const char *takes, const char *kind)
{
    struct picket_output_status status = {0};
    picket_service_output_status(service, name, &status);
    json_t *numbers = json_object_get(targets, name);
    json_t *output =
        json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:i, s:i, s:i, s:n, s:i}", "name", name, "takes",
                  takes, "kind", kind, "failing_since", api_json_time(status.failing_since_ms),
                  "problem", api_json_known(status.problem), "waiting", 0, "waiting_bytes", 0,
                  "set_aside", 0, "last_refusal", "dropped", 0);
    if (numbers)
        json_object_update(output, numbers);
    json_array_append_new(array, output);
    json_object_del(targets, name);
}

/* The location stays out: a webhook's address often holds a secret. */
static void append_outputs(json_t *array, json_t *targets, struct picket_service *service,
                           const char *takes, const struct picket_output_config *outputs,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        append_output(array, targets, service, outputs[i].name, takes,
                      picket_output_kind_name(outputs[i].kind));
}

/* What waits for an output that the configuration has no more. */
static void append_forgotten(json_t *array, json_t *targets, struct picket_service *service)
{
    const char *name;
    json_t *numbers;
    void *next;
    json_object_foreach_safe(targets, next, name, numbers)
    {
        if (json_integer_value(json_object_get(numbers, "waiting")) > 0 ||
            json_integer_value(json_object_get(numbers, "set_aside")) > 0)
            append_output(array, targets, service, name, NULL, NULL);
    }
}

static int add_outputs(json_t *object, struct picket_store *store,
                       const struct picket_api_config *config, struct picket_error *error)
{
    json_t *outputs = json_array(), *targets = json_object();
    int status = picket_store_targets(store, add_target, targets, error);
    append_outputs(outputs, targets, config->service, "alerts", config->outputs,
                   config->output_count);
    append_outputs(outputs, targets, config->service, "telemetry", config->routes,
                   config->route_count);
    append_forgotten(outputs, targets, config->service);
    json_decref(targets);
    json_object_set_new(object, "outputs", outputs);
    return status;
}

/* ---- what is stored ---- */

static void append_feed_problem(void *context, const struct picket_feed *feed)
{
    if (feed->problem[0])
        json_array_append_new(context,
                              json_pack("{s:o, s:o, s:o}", "name", api_json_text(feed->name),
                                        "problem", api_json_text(feed->problem), "loaded",
                                        api_json_time(feed->loaded_ms)));
}

struct ending_search {
    json_t *array;
    int64_t before_ms;
};

static void append_ending(void *context, const struct picket_authority *row)
{
    const struct ending_search *search = context;
    struct authority authority;
    if (!authority_describe(row->certificate, row->certificate_bytes, &authority) ||
        authority.until_s * 1000 > search->before_ms)
        return;
    json_array_append_new(search->array,
                          json_pack("{s:s, s:o, s:o, s:b}", "of", "ca", "name",
                                    api_json_text(row->name), "until",
                                    api_json_time(authority.until_s * 1000), "expired",
                                    authority.until_s * 1000 <= picket_unix_ms()));
}

/* CAs whose devices cannot come any more, or soon. */
static int add_ending(json_t *object, struct picket_store *store,
                      const struct picket_api_config *config, struct picket_error *error)
{
    const struct ending_search search = {.array = json_object_get(object, "certificates_ending"),
                                         .before_ms = picket_unix_ms() +
                                                      config->certificate_warning_s * 1000};
    return picket_store_authorities(store, append_ending, (void *)(uintptr_t)&search, error);
}

static int add_stored(json_t *object, struct picket_store *store,
                      const struct picket_api_config *config, struct picket_error *error)
{
    struct picket_store_totals totals = {0};
    json_t *problems = json_array();
    int status = add_outputs(object, store, config, error);
    if (status == PICKET_OK)
        status = picket_store_totals(store, &totals, error);
    if (status == PICKET_OK)
        status = picket_store_feeds(store, append_feed_problem, problems, error);
    if (status == PICKET_OK)
        status = add_ending(object, store, config, error);
    json_t *stored = totals_json(&totals);
    json_object_set_new(stored, "retention_s",
                        config->event_age_s > 0 ? json_integer(config->event_age_s) : json_null());
    json_object_set_new(stored, "max_bytes",
                        config->bytes > 0 ? json_integer(config->bytes) : json_null());
    json_object_set_new(object, "store", stored);
    json_object_set_new(object, "feeds_with_problems", problems);
    return status;
}

static void append_counter(const struct picket_counter *counter, void *context)
{
    uint64_t value = atomic_load_explicit(&counter->value, memory_order_relaxed);
    json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:I}", "name", counter->name, "kind",
                                             counter->is_work ? "work" : "loss", "help",
                                             counter->help, "value", (json_int_t)value));
}

static json_t *own_json(const struct picket_api *api)
{
    const struct picket_api_config *config = api_config(api);
    int64_t now_ms = picket_unix_ms(), started_ms = api_started_ms(api);
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:{s:I}, s:o}", "version", PICKET_VERSION,
                     "time", api_json_time(now_ms), "started", api_json_time(started_ms),
                     "uptime_s", (json_int_t)((now_ms - started_ms) / 1000), "log",
                     log_json(config->log), "service", service_json(config->service),
                     "intelligence", "indicators",
                     (json_int_t)picket_intel_indicator_count(config->intel), "hunts",
                     api_hunts_running(config->hunter));
}

void api_status_get(struct api_request *request, struct api_answer *answer)
{
    const struct picket_api_config *config = api_config(request->api);
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    json_t *object = own_json(request->api);
    json_object_set_new(object, "certificates_ending", json_array());
    int status = store ? add_stored(object, store, config, &error) : error.status;
    if (store)
        api_store_return(request->api, store);
    if (config->add_status)
        config->add_status(config->context, object);
    json_t *counters = json_array();
    picket_counters_each(append_counter, counters);
    json_object_set_new(object, "counters", counters);
    /* What can be told is told even when the store cannot be read: that is when people ask. */
    if (status != PICKET_OK)
        json_object_set_new(object, "store_problem", api_json_text(error.text));
    api_answer_json(answer, 200, object);
}
