#include "decode.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* XXH3_state_t on the stack */
#include <xxhash.h>

#include "message_json.h"
#include "picket/base/error.h"
#include "text.h"

enum { OLDEST_DAYS = 90 };

int64_t decode_seen_ms(int64_t time_s, int64_t received_ms, int *replaced)
{
    const int64_t oldest_ms = received_ms - (int64_t)OLDEST_DAYS * 24 * 3600 * 1000;
    int64_t time_ms = time_s * 1000;
    *replaced = time_s == UINT32_MAX || time_ms < oldest_ms;
    return *replaced || time_ms > received_ms ? received_ms : time_ms;
}

void decoder_free(struct decoder *decoder)
{
    free(decoder->flows);
    free(decoder->content);
    memset(decoder, 0, sizeof *decoder);
}

/* ---- the key ---- */

static void hash_number(XXH3_state_t *hash, uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    XXH3_128bits_update(hash, bytes, sizeof bytes);
}

static void hash_string(XXH3_state_t *hash, struct picket_wire_string string)
{
    hash_number(hash, string.text == NULL ? UINT64_MAX : string.size_bytes);
    if (string.text != NULL)
        XXH3_128bits_update(hash, string.text, string.size_bytes);
}

/* A flow in a layout of its own, that does not depend on the compiler's. */
static void hash_flow(XXH3_state_t *hash, const struct picket_flow *flow,
                      const struct picket_wire_flow_view *view)
{
    uint8_t bytes[50] = {flow->local.family, flow->protocol};
    const uint16_t shorts[] = {flow->local_port, flow->remote_port, view->process_id,
                               view->user_id};
    const uint32_t words[] = {flow->bytes_in, flow->bytes_out};
    memcpy(bytes + 2, flow->local.bytes, 16);
    memcpy(bytes + 18, flow->remote.bytes, 16);
    for (int i = 0; i < 8; i++) {
        bytes[34 + i] = (uint8_t)(shorts[i / 2] >> (i % 2 * 8));
        bytes[42 + i] = (uint8_t)(words[i / 4] >> (i % 4 * 8));
    }
    XXH3_128bits_update(hash, bytes, sizeof bytes);
    if (view->executable.text != NULL || view->commandline.text != NULL) {
        hash_string(hash, view->executable);
        hash_string(hash, view->commandline);
    }
}

static void hash_head(XXH3_state_t *hash, const struct picket_wire_event_view *view)
{
    XXH3_128bits_reset(hash);
    XXH3_128bits_update(hash, view->id, 16);
    hash_number(hash, view->time_s);
    hash_number(hash, (uint64_t)view->collection_interval_s << 32 | view->duration_s);
    hash_number(hash, view->payload_type);
}

static void finish_key(XXH3_state_t *hash, uint8_t key[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
    memcpy(key, canonical.digest, 16);
}

/* ---- payloads ---- */

static void take_flow(struct picket_flow *flow, const struct picket_wire_flow *wire, bool ipv6)
{
    flow->local =
        ipv6 ? picket_address_ipv6(wire->local_address) : picket_address_ipv4(wire->local_address);
    flow->remote = ipv6 ? picket_address_ipv6(wire->remote_address)
                        : picket_address_ipv4(wire->remote_address);
    flow->local_port = wire->local_port;
    flow->remote_port = wire->remote_port;
    flow->protocol = wire->protocol;
    flow->bytes_in = wire->bytes_in;
    flow->bytes_out = wire->bytes_out;
}

static bool make_room(struct decoder *decoder, size_t count)
{
    if (count <= decoder->capacity)
        return true;
    struct picket_flow *flows = realloc(decoder->flows, count * sizeof *flows);
    if (flows == NULL)
        return false;
    decoder->flows = flows;
    decoder->capacity = count;
    return true;
}

static int decode_flows(struct decoder *decoder, const struct picket_wire_event_view *view,
                        struct decoded_event *event, XXH3_state_t *hash)
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(view);
    size_t count = (size_t)activity.ipv4_count + activity.ipv6_count;
    if (!make_room(decoder, count))
        return PICKET_NO_MEMORY;
    for (uint32_t i = 0; i < activity.ipv4_count; i++) {
        struct picket_wire_flow_view flow = picket_wire_ipv4_flow_at(&activity, i);
        take_flow(&decoder->flows[i], &flow.flow, false);
        hash_flow(hash, &decoder->flows[i], &flow);
    }
    for (uint32_t i = 0; i < activity.ipv6_count; i++) {
        struct picket_wire_flow_view flow = picket_wire_ipv6_flow_at(&activity, i);
        take_flow(&decoder->flows[activity.ipv4_count + i], &flow.flow, true);
        hash_flow(hash, &decoder->flows[activity.ipv4_count + i], &flow);
    }
    event->flows = decoder->flows;
    event->flow_count = count;
    event->lost_flows = activity.lost_flows;
    event->lost_bytes_in = activity.lost_bytes_in;
    event->lost_bytes_out = activity.lost_bytes_out;
    hash_number(hash, activity.lost_flows);
    hash_number(hash, (uint64_t)activity.lost_bytes_in << 32 | activity.lost_bytes_out);
    return PICKET_OK;
}

static const char *device_text(char *out, struct picket_wire_string string)
{
    return string.text != NULL ? text_clean(string.text, string.size_bytes, out, DEVICE_TEXT_BYTES)
                               : NULL;
}

static int decode_content(struct decoder *decoder, const struct picket_wire_event_view *view,
                          struct decoded_event *event, XXH3_state_t *hash)
{
    json_t *payload = picket_payload_json(view);
    if (payload == NULL)
        return PICKET_NO_MEMORY;
    if (json_is_null(payload)) { /* of a type not known here: all of the message tells it apart */
        json_decref(payload);
        XXH3_128bits_update(hash, view->message->bytes, view->message->size_bytes);
        return PICKET_OK;
    }
    decoder->content = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    if (decoder->content == NULL)
        return PICKET_NO_MEMORY;
    event->content = decoder->content;
    XXH3_128bits_update(hash, decoder->content, strlen(decoder->content));
    if (view->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        struct picket_wire_system_information_view system = picket_wire_system_information(view);
        event->os_info = device_text(decoder->texts[0], system.os_info);
        event->kernel_info = device_text(decoder->texts[1], system.kernel_info);
        event->hw_info = device_text(decoder->texts[2], system.hw_info);
    }
    return PICKET_OK;
}

int decode_event(struct decoder *decoder, const struct picket_wire_message_view *message,
                 uint32_t index, int64_t received_ms, struct decoded_event *event)
{
    XXH3_state_t hash;
    struct picket_wire_event_view view = picket_wire_event_at(message, index);
    free(decoder->content);
    decoder->content = NULL;
    memset(event, 0, sizeof *event);
    memcpy(event->id, view.id, sizeof event->id);
    event->time_s = view.time_s;
    event->seen_ms = decode_seen_ms(view.time_s, received_ms, &event->time_replaced);
    event->collection_interval_s = view.collection_interval_s;
    event->duration_s = view.duration_s;
    event->type = view.payload_type;
    XXH3_INITSTATE(&hash);
    hash_head(&hash, &view);
    int status = view.payload_type == PICKET_WIRE_NETWORK_ACTIVITY
                     ? decode_flows(decoder, &view, event, &hash)
                     : decode_content(decoder, &view, event, &hash);
    finish_key(&hash, event->key);
    return status;
}
