#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "route.h"

/* Added up per batch, and counted once it is committed: a batch done again must not count twice. */
enum {
    MESSAGES,
    EVENTS,
    EVENTS_KNOWN,
    EVENTS_OF_HUB,
    EVENT_TIMES_REPLACED,
    FLOWS,
    FINDINGS,
    DEAD_LETTERS,
    TELEMETRY_ROUTED,
    TELEMETRY_DROPPED,
    DEAD_LETTERS_DROPPED,
    OUTBOX_DROPPED,
    EVENTS_AGED,
    EVENTS_FOR_ROOM,
    ALERTS_AGED,
    COUNTERS
};

static struct picket_counter counters[COUNTERS] = {
    [MESSAGES] = {.name = "service_messages",
                  .help = "security messages committed",
                  .is_work = true},
    [EVENTS] = {.name = "service_events", .help = "events committed", .is_work = true},
    [EVENTS_KNOWN] = {.name = "service_events_known",
                      .help = "events delivered again, which changed nothing"},
    [EVENTS_OF_HUB] = {.name = "service_hub_events",
                       .help = "events of the hub itself committed",
                       .is_work = true},
    [EVENT_TIMES_REPLACED] = {.name = "service_event_times_replaced",
                              .help = "events whose own time was unknown or absurd"},
    [FLOWS] = {.name = "service_flows", .help = "flows committed", .is_work = true},
    [FINDINGS] = {.name = "service_findings", .help = "findings of all detectors", .is_work = true},
    [DEAD_LETTERS] = {.name = "service_dead_letters",
                      .help = "messages that could not be read, kept with the reason"},
    [TELEMETRY_ROUTED] = {.name = "service_telemetry_routed",
                          .help = "messages that are no security messages, put out to routes",
                          .is_work = true},
    [TELEMETRY_DROPPED] =
        {.name = "service_telemetry_dropped",
         .help = "messages that are no security messages, dropped: no route takes them"},
    [DEAD_LETTERS_DROPPED] = {.name = "service_dead_letters_dropped",
                              .help = "the oldest dead letters, dropped: too many or too large"},
    [OUTBOX_DROPPED] = {.name = "service_output_dropped",
                        .help = "the oldest items that waited for an output or a route, dropped: "
                                "too many, too large or too old"},
    [EVENTS_AGED] = {.name = "service_events_aged",
                     .help = "events removed for their age, with their flows",
                     .is_work = true},
    [EVENTS_FOR_ROOM] = {.name = "service_events_for_room",
                         .help = "the oldest events, with their flows, removed before their time: "
                                 "the store holds store.max_bytes"},
    [ALERTS_AGED] = {.name = "service_alerts_aged",
                     .help = "alerts removed that were closed long ago",
                     .is_work = true},
};

enum { ARENA_BYTES = 1 << 20 };

/* One attempt at a batch. */
struct batch {
    struct pipeline *pipeline;
    const struct picket_log_message *message; /* the one at hand */
    uint64_t tally[COUNTERS];
    struct pipeline_result *result;
    struct picket_error *error;
};

void pipeline_register_counters(void)
{
    for (int i = 0; i < COUNTERS; i++)
        picket_counter_register(&counters[i]);
}

/* ---- events ---- */

static int raise_finding(void *context, const struct picket_finding *finding)
{
    struct batch *batch = context;
    bool is_told = false;
    int status = picket_store_raise(batch->pipeline->store, finding, batch->pipeline->alert_targets,
                                    NULL, &is_told, batch->error);
    batch->tally[FINDINGS]++;
    batch->result->alerts |= is_told;
    batch->result->told += is_told;
    return status;
}

/* Whether a detector has looked ahead, and what it saw still holds. */
static bool finds_nothing(const struct picket_detector *detector, const uint64_t *clear, size_t i)
{
    return clear != NULL && clear[i] != 0 && clear[i] == detector->stamp(detector->state);
}

/* clear: by detector, what it said when it looked ahead; NULL: it has not. */
static int ask_detectors(struct batch *batch, const struct decoded_event *decoded,
                         const uint64_t *clear, int64_t event_id)
{
    const struct pipeline *pipeline = batch->pipeline;
    struct picket_event event = prepared_event(batch->message, decoded, event_id);
    int status = PICKET_OK;
    for (size_t i = 0; i < pipeline->detector_count && status == PICKET_OK; i++) {
        const struct picket_detector *detector = &pipeline->detectors[i];
        if (detector->approach != NULL)
            detector->approach(detector->state, event_id);
        if (finds_nothing(detector, clear, i))
            continue;
        status = detector->inspect(detector->state, &event, raise_finding, batch);
        if (status != PICKET_OK && batch->error->text[0] == '\0')
            picket_fail(batch->error, status, "detector %s cannot inspect an event of device %s",
                        detector->name, event.device);
    }
    return status;
}

static int put_event(struct batch *batch, const struct decoded_event *decoded, int64_t *event_id)
{
    struct picket_event_row row = {
        .device = batch->message->device,
        .module = batch->message->module,
        .received_ms = batch->message->received_ms,
        .time_s = decoded->time_s,
        .collection_interval_s = decoded->collection_interval_s,
        .duration_s = decoded->duration_s,
        .type = decoded->type,
        .lost_flows = decoded->lost_flows,
        .lost_bytes_in = decoded->lost_bytes_in,
        .lost_bytes_out = decoded->lost_bytes_out,
        .content = decoded->content,
    };
    memcpy(row.id, decoded->id, sizeof row.id);
    memcpy(row.key, decoded->key, sizeof row.key);
    return picket_store_put_event(batch->pipeline->store, &row, event_id, batch->error);
}

/* Writes what is new; what is known already changes nothing. */
static int take_event(struct batch *batch, const struct decoded_event *decoded,
                      const uint64_t *clear, struct picket_device_state *state)
{
    int64_t event_id = 0;
    int status = put_event(batch, decoded, &event_id);
    if (status != PICKET_OK)
        return status;
    if (event_id == 0) {
        batch->tally[EVENTS_KNOWN]++;
        return PICKET_OK;
    }
    batch->tally[EVENTS]++;
    batch->tally[FLOWS] += decoded->flow_count;
    batch->tally[EVENT_TIMES_REPLACED] += (uint64_t)decoded->time_replaced;
    state->new_events++;
    state->flows_lost += decoded->lost_flows;
    state->bytes_lost += (uint64_t)decoded->lost_bytes_in + decoded->lost_bytes_out;
    state->os_info = decoded->os_info;
    state->kernel_info = decoded->kernel_info;
    state->hw_info = decoded->hw_info;
    if (decoded->flow_count > 0)
        status = picket_store_put_flows(batch->pipeline->store, event_id, decoded->flows,
                                        decoded->flow_count, batch->error);
    return status == PICKET_OK ? ask_detectors(batch, decoded, clear, event_id) : status;
}

/* Of a message that was too large to be prepared: an event at a time. */
static int decode_now(struct batch *batch, const struct picket_wire_message_view *view,
                      uint32_t index, struct decoded_event *event)
{
    struct arena *arena = &batch->pipeline->arena;
    int status = PICKET_FULL;
    arena->used = 0;
    if (arena->capacity > 0)
        status = decode_event(arena, view, index, batch->message->received_ms, event);
    while (status == PICKET_FULL)
        status = arena_resize(arena, arena->capacity > 0 ? 2 * arena->capacity : ARENA_BYTES)
                     ? decode_event(arena, view, index, batch->message->received_ms, event)
                     : PICKET_NO_MEMORY;
    return status == PICKET_OK ? PICKET_OK
                               : picket_fail(batch->error, status, "no memory to decode an event");
}

/* The device's state takes over what an event brings, event by event: an event decoded now is gone
 * with the next. */
static int take_event_at(struct batch *batch, const struct prepared_message *prepared,
                         uint32_t index)
{
    struct decoded_event decoded;
    const struct decoded_event *event = &decoded;
    const uint64_t *clear = prepared->clear;
    struct picket_device_state state = {
        .device = batch->message->device,
        .seen_ms = batch->message->received_ms,
        .security_module_id = prepared->security_module_id,
        .security_module_version = prepared->view.security_module_version,
    };
    int status = PICKET_OK;
    if (prepared->events != NULL)
        event = &prepared->events[index];
    else
        status = decode_now(batch, &prepared->view, index, &decoded);
    if (status == PICKET_OK)
        status = take_event(batch, event,
                            clear != NULL ? clear + index * batch->pipeline->detector_count : NULL,
                            &state);
    return status == PICKET_OK && state.new_events > 0
               ? picket_store_update_device(batch->pipeline->store, &state, batch->error)
               : status;
}

static int take_events(struct batch *batch, const struct prepared_message *prepared)
{
    int status = PICKET_OK;
    for (uint32_t i = 0; i < prepared->view.event_count && status == PICKET_OK; i++)
        status = take_event_at(batch, prepared, i);
    arena_free(&batch->pipeline->arena);
    return status;
}

/* The device did not send it: it changes nothing of what is known of the device itself. What
 * concerns no device is for detectors alone. */
static int take_event_of_hub(struct batch *batch)
{
    const struct picket_log_message *message = batch->message;
    struct decoded_event event;
    int64_t event_id = 0;
    int status = PICKET_OK;
    decode_of_hub(message->properties, message->received_ms, &event);
    if (message->device[0] != '\0')
        status = put_event(batch, &event, &event_id);
    bool is_known = message->device[0] != '\0' && event_id == 0;
    if (status != PICKET_OK || is_known)
        return status;
    batch->tally[EVENTS_OF_HUB]++;
    return ask_detectors(batch, &event, NULL, event_id);
}

/* ---- messages ---- */

static int put_dead_letter(struct batch *batch, const char *reason, uint32_t offset)
{
    const struct picket_log_message *message = batch->message;
    struct picket_dead_letter letter = {
        .device = message->device,
        .module = message->module,
        .received_ms = message->received_ms,
        .reason = reason,
        .offset = offset,
        .properties = message->properties,
        .payload = message->payload,
        .payload_bytes = message->payload_bytes,
    };
    static struct picket_say_limit limit;
    picket_say_limited(&limit, PICKET_WARNING, "service",
                       "device %s: message kept as a dead letter: byte %u: %s", message->device,
                       offset, reason);
    batch->tally[DEAD_LETTERS]++;
    return picket_store_put_dead_letter(batch->pipeline->store, &letter, batch->error);
}

static int take_telemetry(struct batch *batch)
{
    const struct pipeline *pipeline = batch->pipeline;
    const struct picket_log_message *message = batch->message;
    struct picket_outbox_item item = {
        .device = message->device,
        .module = message->module,
        .properties = message->properties,
        .received_ms = message->received_ms,
        .payload = message->payload,
        .payload_bytes = message->payload_bytes,
    };
    bool is_taken = false;
    for (size_t i = 0; i < pipeline->route_count; i++) {
        const struct picket_output_config *route = &pipeline->routes[i];
        if (!route_takes(&route->filter, message))
            continue;
        int status = picket_store_enqueue(pipeline->store, route->name, &item, batch->error);
        if (status != PICKET_OK)
            return status;
        batch->tally[TELEMETRY_ROUTED]++;
        batch->result->telemetry = is_taken = true;
    }
    batch->tally[TELEMETRY_DROPPED] += !is_taken;
    return PICKET_OK;
}

static int take_message(struct batch *batch, const struct prepared_message *prepared)
{
    switch (prepared->kind) {
    case PREPARED_TELEMETRY:
        return take_telemetry(batch);
    case PREPARED_OF_HUB:
        return take_event_of_hub(batch);
    case PREPARED_BAD:
        return put_dead_letter(batch, prepared->problem.reason, prepared->problem.offset);
    default:
        batch->tally[MESSAGES]++;
        return take_events(batch, prepared);
    }
}

/* Takes the messages, those from `refused` on as dead letters that the store would not take. */
static int take_messages(struct batch *batch, const struct prepared_message *const *messages,
                         int count, char *const *refused, int *at)
{
    for (*at = 0; *at < count; (*at)++) {
        batch->message = messages[*at]->message;
        int status = refused[*at] != NULL ? put_dead_letter(batch, refused[*at], 0)
                                          : take_message(batch, messages[*at]);
        if (status != PICKET_OK)
            return status;
    }
    return PICKET_OK;
}

/* What exceeds a bound goes in the same transaction, so that it is counted exactly. */
static int tidy(struct batch *batch)
{
    struct picket_store_tidied tidied;
    int status = picket_store_tidy(batch->pipeline->store, &batch->pipeline->bounds,
                                   picket_unix_ms(), &tidied, batch->error);
    batch->tally[DEAD_LETTERS_DROPPED] = (uint64_t)tidied.dead_letters;
    batch->tally[OUTBOX_DROPPED] = (uint64_t)tidied.outbox_items;
    batch->tally[EVENTS_AGED] = (uint64_t)tidied.events;
    batch->tally[EVENTS_FOR_ROOM] = (uint64_t)tidied.events_for_room;
    batch->tally[ALERTS_AGED] = (uint64_t)tidied.alerts;
    batch->result->old_left = tidied.more;
    return status;
}

static void tell_dropped(const struct batch *batch)
{
    static struct picket_say_limit letters, items;
    if (batch->tally[DEAD_LETTERS_DROPPED] > 0)
        picket_say_limited(&letters, PICKET_WARNING, "service",
                           "the %llu oldest dead letters dropped: more than store.dead_letters or "
                           "store.dead_letter_bytes",
                           (unsigned long long)batch->tally[DEAD_LETTERS_DROPPED]);
    if (batch->tally[OUTBOX_DROPPED] > 0)
        picket_say_limited(&items, PICKET_WARNING, "service",
                           "the %llu oldest items that waited for an output dropped, undelivered: "
                           "more than store.outbox_items or store.outbox_bytes, or older than "
                           "store.outbox_age; picket status shows whose",
                           (unsigned long long)batch->tally[OUTBOX_DROPPED]);
}

static void count_tally(const struct batch *batch)
{
    for (int i = 0; i < COUNTERS; i++)
        picket_count(&counters[i], batch->tally[i]);
    tell_dropped(batch);
}

/* Commits what went well, and counts it; rolls back what did not. */
static int end_batch(struct batch *batch, int status)
{
    struct picket_store *store = batch->pipeline->store;
    if (status == PICKET_OK)
        status = picket_store_commit(store, batch->error);
    if (status == PICKET_OK)
        count_tally(batch);
    else
        picket_store_rollback(store);
    return status;
}

static int attempt(struct batch *batch, const struct prepared_message *const *messages, int count,
                   char *const *refused, int *at)
{
    memset(batch->tally, 0, sizeof batch->tally);
    memset(batch->result, 0, sizeof *batch->result);
    *at = count;
    int status = picket_store_begin(batch->pipeline->store, batch->error);
    if (status != PICKET_OK)
        return status;
    status = take_messages(batch, messages, count, refused, at);
    if (status == PICKET_OK)
        status = tidy(batch);
    return end_batch(batch, status);
}

/* PICKET_INVALID while a message was taken means that message, and it costs itself only: the batch
 * is done again with it as a dead letter. */
int pipeline_process(struct pipeline *pipeline, const struct prepared_message *const *messages,
                     int count, struct pipeline_result *result, struct picket_error *error)
{
    struct picket_error own = {0};
    struct batch batch = {.pipeline = pipeline, .result = result, .error = error ? error : &own};
    char **refused = calloc((size_t)count + 1, sizeof *refused);
    int at, status = PICKET_NO_MEMORY;
    if (refused == NULL)
        picket_fail(error, status, "no memory for a batch");
    else
        while ((status = attempt(&batch, messages, count, refused, &at)) == PICKET_INVALID &&
               at < count && refused[at] == NULL)
            if ((refused[at] = strdup(batch.error->text)) == NULL)
                break;
    for (int i = 0; refused != NULL && i < count; i++)
        free(refused[i]);
    free(refused);
    return status;
}

int pipeline_tidy(struct pipeline *pipeline, struct pipeline_result *result,
                  struct picket_error *error)
{
    struct batch batch = {.pipeline = pipeline, .result = result, .error = error};
    int status = picket_store_begin(pipeline->store, error);
    if (status != PICKET_OK)
        return status;
    return end_batch(&batch, tidy(&batch));
}

int pipeline_raise(struct pipeline *pipeline, picket_findings give, void *context,
                   struct pipeline_result *result, struct picket_error *error)
{
    struct batch batch = {.pipeline = pipeline, .result = result, .error = error};
    *result = (struct pipeline_result){.alerts = false};
    int status = picket_store_begin(pipeline->store, error);
    if (status != PICKET_OK)
        return status;
    return end_batch(&batch, give(context, raise_finding, &batch));
}
