#include "prepare.h"

#include <string.h>

#include "picket/base/error.h"
#include "picket/base/properties.h"
#include "text.h"

static const char *module_id_of(struct arena *arena, const struct picket_wire_message_view *view)
{
    const struct picket_wire_string id = view->security_module_id;
    size_t size = id.size_bytes < DEVICE_TEXT_BYTES ? id.size_bytes + 1 : DEVICE_TEXT_BYTES;
    char *clean = arena_take(arena, size);
    return clean != NULL ? text_clean(id.text != NULL ? id.text : "", id.size_bytes, clean, size)
                         : NULL;
}

/* NULL: there is no room for all of them, and none is taken. */
static const struct decoded_event *events_of(struct arena *arena,
                                             const struct picket_log_message *message,
                                             const struct picket_wire_message_view *view)
{
    const size_t before = arena->used;
    struct decoded_event *events = arena_take(arena, view->event_count * sizeof *events);
    for (uint32_t i = 0; events != NULL && i < view->event_count; i++)
        if (decode_event(arena, view, i, message->received_ms, &events[i]) != PICKET_OK)
            events = NULL;
    if (events == NULL)
        arena->used = before;
    return events;
}

struct picket_event prepared_event(const struct picket_log_message *message,
                                   const struct decoded_event *decoded, int64_t event_id)
{
    return (struct picket_event){
        .device = message->device,
        .group = "",
        .event_id = event_id,
        .received_ms = message->received_ms,
        .seen_ms = decoded->seen_ms,
        .duration_s = decoded->duration_s,
        .type = decoded->type,
        .flows = decoded->flows,
        .flow_count = decoded->flow_count,
        .content = decoded->content,
    };
}

void prepare_clear(struct arena *arena, const struct picket_detector *detectors, size_t count,
                   struct prepared_message *prepared)
{
    if (prepared->kind != PREPARED_SECURITY || prepared->events == NULL)
        return;
    uint64_t *clear = arena_take(arena, prepared->view.event_count * count * sizeof *clear);
    prepared->clear = clear;
    for (uint32_t i = 0; clear != NULL && i < prepared->view.event_count; i++) {
        struct picket_event event = prepared_event(prepared->message, &prepared->events[i], 0);
        for (size_t k = 0; k < count; k++)
            *clear++ = detectors[k].look_ahead != NULL
                           ? detectors[k].look_ahead(detectors[k].state, &event)
                           : 0;
    }
}

bool prepare_message(struct arena *arena, const struct picket_log_message *message,
                     struct prepared_message *prepared)
{
    prepared->message = message;
    prepared->clear = NULL;
    prepared->kind = PREPARED_OF_HUB;
    if (message->kind == PICKET_LOG_OF_HUB)
        return true;
    prepared->kind = PREPARED_TELEMETRY;
    if (!picket_properties_tell_security_message(message->properties))
        return true;
    prepared->kind = PREPARED_BAD;
    if (!picket_wire_open(&prepared->view, message->payload, message->payload_bytes,
                          &prepared->problem))
        return true;
    prepared->kind = PREPARED_SECURITY;
    prepared->security_module_id = module_id_of(arena, &prepared->view);
    prepared->events =
        prepared->security_module_id != NULL ? events_of(arena, message, &prepared->view) : NULL;
    return prepared->events != NULL;
}
