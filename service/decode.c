#include "decode.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* XXH3_state_t on the stack */
#include <xxhash.h>

#include "message_json.h"
#include "picket/base/error.h"
#include "text.h"

enum { OLDEST_DAYS = 90, FLOW_HASH_BYTES = 50 };

int64_t decode_seen_ms(int64_t time_s, int64_t received_ms, int *replaced)
{
    const int64_t oldest_ms = received_ms - (int64_t)OLDEST_DAYS * 24 * 3600 * 1000;
    int64_t time_ms = time_s * 1000;
    *replaced = time_s == UINT32_MAX || time_ms < oldest_ms;
    return *replaced || time_ms > received_ms ? received_ms : time_ms;
}

/* ---- the key ---- */

/* What is hashed, little by little; most events end before the bytes are full, and are hashed at
 * once, which is the same and quicker. */
struct key_hash {
    size_t used;
    bool streams; /* the state has what came before the bytes */
    XXH3_state_t state;
    uint8_t bytes[4096];
};

static void stream(struct key_hash *hash, const void *bytes, size_t size)
{
    if (!hash->streams) {
        XXH3_INITSTATE(&hash->state);
        XXH3_128bits_reset(&hash->state);
        hash->streams = true;
    }
    XXH3_128bits_update(&hash->state, bytes, size);
}

/* Where the next so many bytes go: fewer than fit into the empty hash. */
static uint8_t *room_in(struct key_hash *hash, size_t size)
{
    if (size > sizeof hash->bytes - hash->used) {
        stream(hash, hash->bytes, hash->used);
        hash->used = 0;
    }
    hash->used += size;
    return hash->bytes + hash->used - size;
}

static void hash_bytes(struct key_hash *hash, const void *bytes, size_t size)
{
    if (size <= sizeof hash->bytes) {
        memcpy(room_in(hash, size), bytes, size);
        return;
    }
    stream(hash, hash->bytes, hash->used);
    hash->used = 0;
    stream(hash, bytes, size);
}

static uint8_t *put_short(uint8_t *out, uint16_t number)
{
    out[0] = (uint8_t)number;
    out[1] = (uint8_t)(number >> 8);
    return out + 2;
}

static uint8_t *put_word(uint8_t *out, uint32_t number)
{
    out[0] = (uint8_t)number;
    out[1] = (uint8_t)(number >> 8);
    out[2] = (uint8_t)(number >> 16);
    out[3] = (uint8_t)(number >> 24);
    return out + 4;
}

static void hash_number(struct key_hash *hash, uint64_t number)
{
    put_word(put_word(room_in(hash, 8), (uint32_t)number), (uint32_t)(number >> 32));
}

static void hash_string(struct key_hash *hash, struct picket_wire_string string)
{
    hash_number(hash, string.text == NULL ? UINT64_MAX : string.size_bytes);
    if (string.text != NULL)
        hash_bytes(hash, string.text, string.size_bytes);
}

/* A flow in a layout of its own, that does not depend on the compiler's. */
static void hash_flow(struct key_hash *hash, const struct picket_flow *flow,
                      const struct picket_wire_flow_view *view)
{
    uint8_t *out = room_in(hash, FLOW_HASH_BYTES);
    *out++ = flow->local.family;
    *out++ = flow->protocol;
    memcpy(out, flow->local.bytes, 16);
    memcpy(out + 16, flow->remote.bytes, 16);
    out = put_short(out + 32, flow->local_port);
    out = put_short(out, flow->remote_port);
    out = put_short(out, view->process_id);
    out = put_short(out, view->user_id);
    out = put_word(out, flow->bytes_in);
    put_word(out, flow->bytes_out);
    if (view->executable.text != NULL || view->commandline.text != NULL) {
        hash_string(hash, view->executable);
        hash_string(hash, view->commandline);
    }
}

static void hash_head(struct key_hash *hash, const struct picket_wire_event_view *view)
{
    hash_bytes(hash, view->id, 16);
    hash_number(hash, view->time_s);
    hash_number(hash, (uint64_t)view->collection_interval_s << 32 | view->duration_s);
    hash_number(hash, view->payload_type);
}

static void finish_key(struct key_hash *hash, uint8_t key[16])
{
    XXH128_canonical_t canonical;
    XXH128_hash_t digest;
    if (hash->streams) {
        stream(hash, hash->bytes, hash->used);
        digest = XXH3_128bits_digest(&hash->state);
    } else {
        digest = XXH3_128bits(hash->bytes, hash->used);
    }
    XXH128_canonicalFromHash(&canonical, digest);
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

static int decode_flows(struct arena *arena, const struct picket_wire_event_view *view,
                        struct decoded_event *event, struct key_hash *hash)
{
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(view);
    size_t count = (size_t)activity.ipv4_count + activity.ipv6_count;
    struct picket_flow *flows = arena_take(arena, count * sizeof *flows);
    if (flows == NULL)
        return PICKET_FULL;
    for (uint32_t i = 0; i < activity.ipv4_count; i++) {
        struct picket_wire_flow_view flow = picket_wire_ipv4_flow_at(&activity, i);
        take_flow(&flows[i], &flow.flow, false);
        hash_flow(hash, &flows[i], &flow);
    }
    for (uint32_t i = 0; i < activity.ipv6_count; i++) {
        struct picket_wire_flow_view flow = picket_wire_ipv6_flow_at(&activity, i);
        take_flow(&flows[activity.ipv4_count + i], &flow.flow, true);
        hash_flow(hash, &flows[activity.ipv4_count + i], &flow);
    }
    event->flows = flows;
    event->flow_count = count;
    event->lost_flows = activity.lost_flows;
    event->lost_bytes_in = activity.lost_bytes_in;
    event->lost_bytes_out = activity.lost_bytes_out;
    hash_number(hash, activity.lost_flows);
    hash_number(hash, (uint64_t)activity.lost_bytes_in << 32 | activity.lost_bytes_out);
    return PICKET_OK;
}

/* *text: NULL if the device did not give it. */
static int device_text(struct arena *arena, struct picket_wire_string string, const char **text)
{
    char *clean = arena_take(arena, DEVICE_TEXT_BYTES);
    if (clean == NULL)
        return PICKET_FULL;
    if (string.text != NULL)
        *text = text_clean(string.text, string.size_bytes, clean, DEVICE_TEXT_BYTES);
    return PICKET_OK;
}

static int decode_system(struct arena *arena, const struct picket_wire_event_view *view,
                         struct decoded_event *event)
{
    struct picket_wire_system_information_view system = picket_wire_system_information(view);
    int status = device_text(arena, system.os_info, &event->os_info);
    if (status == PICKET_OK)
        status = device_text(arena, system.kernel_info, &event->kernel_info);
    return status == PICKET_OK ? device_text(arena, system.hw_info, &event->hw_info) : status;
}

static int keep_content(struct arena *arena, const char *json, struct decoded_event *event,
                        struct key_hash *hash)
{
    size_t size = strlen(json);
    char *content = arena_take(arena, size + 1);
    if (content == NULL)
        return PICKET_FULL;
    event->content = memcpy(content, json, size + 1);
    hash_bytes(hash, content, size);
    return PICKET_OK;
}

static int decode_content(struct arena *arena, const struct picket_wire_event_view *view,
                          struct decoded_event *event, struct key_hash *hash)
{
    json_t *payload = picket_payload_json(view);
    if (payload == NULL)
        return PICKET_NO_MEMORY;
    if (json_is_null(payload)) { /* of a type not known here: all of the message tells it apart */
        json_decref(payload);
        hash_bytes(hash, view->message->bytes, view->message->size_bytes);
        return PICKET_OK;
    }
    char *json = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    int status = json != NULL ? keep_content(arena, json, event, hash) : PICKET_NO_MEMORY;
    free(json);
    if (status == PICKET_OK && view->payload_type == PICKET_WIRE_SYSTEM_INFORMATION)
        status = decode_system(arena, view, event);
    return status;
}

int decode_event(struct arena *arena, const struct picket_wire_message_view *message,
                 uint32_t index, int64_t received_ms, struct decoded_event *event)
{
    struct key_hash hash;
    struct picket_wire_event_view view = picket_wire_event_at(message, index);
    memset(event, 0, sizeof *event);
    memcpy(event->id, view.id, sizeof event->id);
    event->time_s = view.time_s;
    event->seen_ms = decode_seen_ms(view.time_s, received_ms, &event->time_replaced);
    event->collection_interval_s = view.collection_interval_s;
    event->duration_s = view.duration_s;
    event->type = view.payload_type;
    hash.used = 0;
    hash.streams = false;
    hash_head(&hash, &view);
    int status = view.payload_type == PICKET_WIRE_NETWORK_ACTIVITY
                     ? decode_flows(arena, &view, event, &hash)
                     : decode_content(arena, &view, event, &hash);
    finish_key(&hash, event->key);
    return status;
}

void decode_of_hub(const char *json, int64_t received_ms, struct decoded_event *event)
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(json, strlen(json)));
    memset(event, 0, sizeof *event);
    memcpy(event->id, canonical.digest, sizeof event->id);
    memcpy(event->key, canonical.digest, sizeof event->key);
    event->time_s = received_ms / 1000;
    event->seen_ms = received_ms;
    event->type = PICKET_EVENT_OF_HUB;
    event->content = json;
}
