#include "picket/wire/encoder.h"

#include <string.h>

#include "bytes.h"

/* The message, front to back (each section begins 4-aligned unless said otherwise):
 *
 *     root offset, Message, vector of offsets to the events
 *     Event of each event, the last without its final padding
 *     vtables of everything but NetworkActivityCommon (2-aligned)
 *     payload table of each event
 *     security_module_id, then the strings of system information
 *     for each list of flows: vector of offsets to its flows
 *     for each list of flows: the flows, NetworkActivityV4 or V6 and its NetworkActivityCommon
 *     vtables of NetworkActivityCommon, to the end (2-aligned)
 *
 * Everything before the flows' vectors has a size that is known without looking at a flow. The walk
 * that writes these vectors finds out how large the flows are and which vtables they need; the walk
 * that writes the flows can therefore point to vtables behind them.
 *
 * A vtable depends on which fields are present. The tables' fields are laid out in one order, those
 * that may be absent first, so that a mask of the latter identifies the vtable: its slot. */

enum {
    MESSAGE_MASKS = 1 << 1,
    EVENT_MASKS = 1 << 3,
    WORDS_MASKS = 1 << 5,
    COMMON_MASKS = 1 << 5,

    /* Slots of vtables. */
    MESSAGE_SLOT = 0,
    EVENT_SLOT = MESSAGE_SLOT + MESSAGE_MASKS,
    IPV4_SLOT = EVENT_SLOT + EVENT_MASKS,
    IPV6_SLOT = IPV4_SLOT + 1,
    WORDS_SLOT =
        IPV6_SLOT + 1, /* the payload tables: all fields are words, so types share vtables */
    COMMON_SLOT = WORDS_SLOT + WORDS_MASKS,
    SLOTS = COMMON_SLOT + COMMON_MASKS,

    SLOT_UNUSED = 0xFFFF,
    IDS_MAX = 6,

    IPV4_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV4_BYTES + 4,
    IPV6_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV6_BYTES + 4,
    COMMON_BYTES_MAX = 20,
    COMMON_VTABLE_BYTES_MAX = 4 + 2 * 5,
    FLOW_BYTES_MIN = 4 + IPV4_TABLE_BYTES + 4, /* slot, addresses, a common table without fields */

    STAGE_BYTES = 128 /* what is gathered for a piece; at least the largest run() */
};

/* A field: its id, and its width as a power of two. */
#define FIELD(id, width_log2) ((uint8_t)((id) | (width_log2) << 4))

struct table_layout {
    uint8_t first_slot;
    uint8_t optional_count; /* of the fields, the first ones */
    uint8_t field_count;
    uint8_t
        fields[IDS_MAX]; /* as laid out: wide ones first, so that no padding is needed between */
};

static const struct table_layout layouts[] = {
    {MESSAGE_SLOT, 1, 3, {FIELD(1, 2), FIELD(0, 2), FIELD(3, 2)}},
    {EVENT_SLOT,
     3,
     6,
     {FIELD(1, 2), FIELD(2, 2), FIELD(5, 2), FIELD(0, 4), FIELD(4, 2), FIELD(3, 0)}},
    {IPV4_SLOT, 0, 2, {FIELD(0, 3), FIELD(1, 2)}},
    {IPV6_SLOT, 0, 2, {FIELD(0, 5), FIELD(1, 2)}},
    {WORDS_SLOT, 5, 5, {FIELD(0, 2), FIELD(1, 2), FIELD(2, 2), FIELD(3, 2), FIELD(4, 2)}},
    {COMMON_SLOT, 5, 5, {FIELD(2, 2), FIELD(3, 2), FIELD(0, 1), FIELD(1, 1), FIELD(4, 0)}},
};
enum { FRONT_LAYOUTS = 5, ALL_LAYOUTS = 6 };

/* Bits of the masks. */
enum {
    HAS_TIME = 1,
    HAS_INTERVAL = 2,
    HAS_DURATION = 4,
    HAS_BYTES_IN = 1,
    HAS_BYTES_OUT = 2,
    HAS_LOCAL_PORT = 4,
    HAS_REMOTE_PORT = 8,
    HAS_PROTOCOL = 16
};

struct encoder {
    const struct picket_wire_message *message;
    uint32_t front_vtables_at;
    uint32_t payloads_at;
    uint32_t strings_at;
    uint32_t lists_at;
    uint32_t lists_end; /* the flows begin at the next word */
    uint32_t common_vtables_at;
    uint16_t vtable_at[SLOTS]; /* from the begin of its section; 0 before that is known */

    picket_wire_sink sink; /* NULL: only sizes are wanted */
    void *context;
    bool refused;
    uint32_t handed_bytes;
    uint32_t staged_bytes;
    uint8_t stage[STAGE_BYTES];
};

static uint32_t align_4(uint32_t at)
{
    return (at + 3) & ~(uint32_t)3;
}

/* ---- pieces ---- */

static void flush(struct encoder *encoder)
{
    uint32_t bytes = encoder->staged_bytes;
    if (bytes != 0 && encoder->sink != NULL && !encoder->refused)
        encoder->refused = !encoder->sink(encoder->context, encoder->stage, bytes);
    encoder->handed_bytes += bytes;
    encoder->staged_bytes = 0;
}

/* Room for the next bytes of the message, to be filled by the caller. */
static uint8_t *run(struct encoder *encoder, uint32_t bytes)
{
    if (encoder->staged_bytes + bytes > STAGE_BYTES)
        flush(encoder);
    uint8_t *at = encoder->stage + encoder->staged_bytes;
    encoder->staged_bytes += bytes;
    return at;
}

static uint32_t position(const struct encoder *encoder)
{
    return encoder->handed_bytes + encoder->staged_bytes;
}

static void put_16(struct encoder *encoder, uint32_t value)
{
    store_16(run(encoder, 2), (uint16_t)value);
}

static void put_32(struct encoder *encoder, uint32_t value)
{
    store_32(run(encoder, 4), value);
}

static void put_if(struct encoder *encoder, uint32_t value)
{
    if (value != 0)
        put_32(encoder, value);
}

/* An offset field: to something further on. */
static void put_offset(struct encoder *encoder, uint32_t to)
{
    put_32(encoder, to - position(encoder));
}

static void put_bytes(struct encoder *encoder, const void *bytes, uint32_t count)
{
    for (const uint8_t *from = bytes; count > 0; count--)
        *run(encoder, 1) = *from++;
}

static void put_padding(struct encoder *encoder, uint32_t alignment)
{
    while ((position(encoder) & (alignment - 1)) != 0)
        *run(encoder, 1) = 0;
}

/* ---- vtables ---- */

struct shape {
    uint32_t vtable_bytes;
    uint32_t table_bytes; /* without padding behind it */
    uint16_t field_at[IDS_MAX];
};

static void find_shape(struct shape *shape, const struct table_layout *layout, uint32_t mask)
{
    memset(shape, 0, sizeof *shape);
    shape->table_bytes = 4;
    mask |= ~(uint32_t)0 << layout->optional_count;
    for (uint32_t i = 0; i < layout->field_count; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        uint32_t id = layout->fields[i] & 15;
        shape->field_at[id] = (uint16_t)shape->table_bytes;
        shape->table_bytes += (uint32_t)1 << (layout->fields[i] >> 4);
        if (shape->vtable_bytes <= 2 * id)
            shape->vtable_bytes = 2 * id + 2;
    }
    shape->vtable_bytes += 4;
}

/* Where the table ends that begins at the next word from at. */
static uint32_t table_end(const struct table_layout *layout, uint32_t mask, uint32_t at)
{
    struct shape shape;
    find_shape(&shape, layout, mask);
    return align_4(at) + shape.table_bytes;
}

static void put_vtable(struct encoder *encoder, const struct shape *shape)
{
    put_16(encoder, shape->vtable_bytes);
    put_16(encoder, shape->table_bytes);
    for (uint32_t id = 0; 4 + 2 * id < shape->vtable_bytes; id++)
        put_16(encoder, shape->field_at[id]);
}

/* Places the vtables in use of the layouts, and writes them if put is set. Returns their size. */
static uint32_t place_vtables(struct encoder *encoder, uint32_t layout_from, uint32_t layout_to,
                              bool put)
{
    uint32_t at = 0;
    for (; layout_from < layout_to; layout_from++) {
        const struct table_layout *layout = &layouts[layout_from];
        for (uint32_t mask = 0; mask >> layout->optional_count == 0; mask++) {
            uint16_t *slot = &encoder->vtable_at[layout->first_slot + mask];
            if (*slot == SLOT_UNUSED)
                continue;
            struct shape shape;
            find_shape(&shape, layout, mask);
            *slot = (uint16_t)at;
            at += shape.vtable_bytes;
            if (put)
                put_vtable(encoder, &shape);
        }
    }
    return at;
}

/* What a table begins with: how far back, or on, its vtable is. */
static void put_table_start(struct encoder *encoder, uint32_t slot)
{
    put_32(encoder, position(encoder) - encoder->front_vtables_at - encoder->vtable_at[slot]);
}

/* ---- what is present ---- */

static uint32_t message_mask(const struct picket_wire_message *message)
{
    return message->security_module_version != 0;
}

static uint32_t event_mask(const struct picket_wire_event *event)
{
    return (event->time_s != 0 ? HAS_TIME : 0u) |
           (event->collection_interval_s != 0 ? HAS_INTERVAL : 0u) |
           (event->duration_s != 0 ? HAS_DURATION : 0u);
}

static uint32_t payload_mask(const struct picket_wire_event *event)
{
    if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        const struct picket_wire_network_activity *activity = &event->payload.network_activity;
        return (activity->ipv4.count != 0) | (activity->ipv6.count != 0) << 1 |
               (activity->lost_flows != 0) << 2 | (activity->lost_bytes_in != 0) << 3 |
               (activity->lost_bytes_out != 0) << 4;
    }
    if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        const struct picket_wire_system_information *system = &event->payload.system_information;
        return (system->os_info != NULL) | (system->kernel_info != NULL) << 1 |
               (system->hw_info != NULL) << 2;
    }
    return event->payload.heartbeat.uptime_s != 0;
}

static uint32_t common_mask(const struct picket_wire_flow *flow)
{
    return (flow->bytes_in != 0 ? HAS_BYTES_IN : 0u) | (flow->bytes_out != 0 ? HAS_BYTES_OUT : 0u) |
           (flow->local_port != 0 ? HAS_LOCAL_PORT : 0u) |
           (flow->remote_port != 0 ? HAS_REMOTE_PORT : 0u) |
           (flow->protocol != PICKET_WIRE_TCP ? HAS_PROTOCOL : 0u);
}

/* The size of a NetworkActivityCommon, padding included. The ports and the protocol, 2 + 2 + 1
 * bytes, take one word together, but for all three of them: the digits of the constant, by what is
 * there. */
static uint32_t common_bytes(uint32_t mask)
{
    uint32_t words = 1 + (mask & 1) + (mask >> 1 & 1) + (0x21111110u >> 4 * (mask >> 2) & 15);
    return 4 * words;
}

static const struct picket_wire_flows *ipv4_of(const struct picket_wire_event *event)
{
    return &event->payload.network_activity.ipv4;
}

static const struct picket_wire_flows *ipv6_of(const struct picket_wire_event *event)
{
    return &event->payload.network_activity.ipv6;
}

/* ---- sizes ---- */

static uint32_t text_length(const char *text)
{
    uint32_t length = 0;
    while (text[length] != '\0' && length < PICKET_WIRE_MESSAGE_BYTES_MAX)
        length++;
    return length;
}

static uint32_t place_string(const char *text, uint32_t at)
{
    return text == NULL ? at : align_4(at) + 4 + text_length(text) + 1;
}

static uint32_t place_strings(const struct picket_wire_event *event, uint32_t at)
{
    if (event->payload_type != PICKET_WIRE_SYSTEM_INFORMATION)
        return at;
    at = place_string(event->payload.system_information.os_info, at);
    at = place_string(event->payload.system_information.kernel_info, at);
    return place_string(event->payload.system_information.hw_info, at);
}

static uint32_t place_list(const struct picket_wire_flows *flows, uint32_t at)
{
    return flows->count == 0 ? at : align_4(at) + 4 + 4 * flows->count;
}

static uint32_t place_lists(const struct picket_wire_event *event, uint32_t at)
{
    if (event->payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
        return at;
    return place_list(ipv6_of(event), place_list(ipv4_of(event), at));
}

static bool encodable(const struct picket_wire_message *message)
{
    const uint32_t flows_max = PICKET_WIRE_MESSAGE_BYTES_MAX / FLOW_BYTES_MIN;
    if (message->event_count > PICKET_WIRE_EVENTS_MAX)
        return false;
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
            if (ipv4_of(event)->count > flows_max || ipv6_of(event)->count > flows_max)
                return false;
        } else if (event->payload_type != PICKET_WIRE_SYSTEM_INFORMATION &&
                   event->payload_type != PICKET_WIRE_HEARTBEAT) {
            return false;
        }
    }
    return true;
}

static void use_vtables(struct encoder *encoder, const struct picket_wire_event *event)
{
    uint16_t *slots = encoder->vtable_at;
    slots[EVENT_SLOT + event_mask(event)] = 0;
    slots[WORDS_SLOT + payload_mask(event)] = 0;
    if (event->payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
        return;
    if (ipv4_of(event)->count != 0)
        slots[IPV4_SLOT] = 0;
    if (ipv6_of(event)->count != 0)
        slots[IPV6_SLOT] = 0;
}

/* Places everything but the flows. No sum can overflow: each of the few strings and lists is at
 * most as large as a message. */
static bool begin(struct encoder *encoder, const struct picket_wire_message *message)
{
    encoder->message = message;
    encoder->refused = false;
    encoder->handed_bytes = 0;
    encoder->staged_bytes = 0;
    memset(encoder->vtable_at, 0xFF, sizeof encoder->vtable_at);
    if (!encodable(message))
        return false;

    uint32_t mask = message_mask(message);
    uint32_t events = table_end(&layouts[0], mask, 4) + 4 + 4 * message->event_count;
    uint32_t payloads = 0, lists = 0;
    uint32_t strings = place_string(message->security_module_id, 0);
    encoder->vtable_at[MESSAGE_SLOT + mask] = 0;
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        use_vtables(encoder, event);
        events = table_end(&layouts[1], event_mask(event), events);
        payloads = table_end(&layouts[4], payload_mask(event), payloads);
        strings = place_strings(event, strings);
        lists = place_lists(event, lists);
    }
    encoder->front_vtables_at = (events + 1) & ~(uint32_t)1;
    encoder->payloads_at =
        align_4(encoder->front_vtables_at + place_vtables(encoder, 0, FRONT_LAYOUTS, false));
    encoder->strings_at = encoder->payloads_at + payloads;
    encoder->lists_at = encoder->strings_at + strings;
    if (lists != 0)
        encoder->lists_at = align_4(encoder->lists_at);
    encoder->lists_end = encoder->lists_at + lists;
    return encoder->lists_end <= PICKET_WIRE_MESSAGE_BYTES_MAX;
}

/* ---- the parts of a message in their order ---- */

/* Writes a list's vector of offsets, its first flow being at flow_at; returns where the last ends.
 */
static uint32_t put_list(struct encoder *encoder, const struct picket_wire_flows *flows,
                         uint32_t table_bytes, uint32_t flow_at)
{
    if (flows->count == 0)
        return flow_at;
    put_32(encoder, flows->count);
    uint32_t cursor = 0;
    for (uint32_t left = flows->count; left > 0 && !encoder->refused; left--) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        uint32_t mask = common_mask(&flow);
        encoder->vtable_at[COMMON_SLOT + mask] = 0;
        put_offset(encoder, flow_at);
        flow_at += table_bytes + common_bytes(mask);
    }
    return flow_at;
}

/* Writes all lists' vectors. Returns the size of the message. */
static uint32_t put_lists(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    uint32_t at = encoder->lists_end;
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        if (event->payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
            continue;
        at = put_list(encoder, ipv4_of(event), IPV4_TABLE_BYTES, at);
        at = put_list(encoder, ipv6_of(event), IPV6_TABLE_BYTES, at);
    }
    encoder->common_vtables_at = at;
    return at + place_vtables(encoder, FRONT_LAYOUTS, ALL_LAYOUTS, false);
}

static uint8_t *store_address(uint8_t *at, const uint8_t *address, uint32_t bytes)
{
    for (const uint8_t *end = address + bytes; address < end; address += 4)
        at = store_32(at, load_32(address));
    return at;
}

static void store_common(uint8_t *at, uint8_t *end, const struct picket_wire_flow *flow)
{
    if (flow->bytes_in != 0)
        at = store_32(at, flow->bytes_in);
    if (flow->bytes_out != 0)
        at = store_32(at, flow->bytes_out);
    if (flow->local_port != 0)
        at = store_16(at, flow->local_port);
    if (flow->remote_port != 0)
        at = store_16(at, flow->remote_port);
    if (flow->protocol != PICKET_WIRE_TCP)
        *at++ = flow->protocol;
    while (at < end)
        *at++ = 0;
}

static void put_flows(struct encoder *encoder, const struct picket_wire_flows *flows,
                      uint32_t address_bytes, uint32_t slot)
{
    const uint32_t table_bytes = 4 + 2 * address_bytes + 4;
    uint32_t cursor = 0;
    for (uint32_t left = flows->count; left > 0 && !encoder->refused; left--) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        uint32_t mask = common_mask(&flow);
        uint32_t bytes = table_bytes + common_bytes(mask);
        uint32_t table_at = position(encoder);
        uint8_t *at = run(encoder, bytes);
        uint8_t *end = at + bytes;

        at = store_32(at, table_at - encoder->front_vtables_at - encoder->vtable_at[slot]);
        at = store_address(at, flow.local_address, address_bytes);
        at = store_address(at, flow.remote_address, address_bytes);
        at = store_32(at, 4); /* the common table is next */
        at = store_32(at, table_at + table_bytes - encoder->common_vtables_at -
                              encoder->vtable_at[COMMON_SLOT + mask]);
        store_common(at, end, &flow);
    }
}

static void put_head(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    put_32(encoder, 4);
    put_table_start(encoder, MESSAGE_SLOT + message_mask(message));
    put_if(encoder, message->security_module_version);
    put_offset(encoder, encoder->strings_at);
    put_32(encoder, 4); /* the vector is next */

    put_32(encoder, message->event_count);
    uint32_t at = position(encoder) + 4 * message->event_count;
    for (uint32_t i = 0; i < message->event_count; i++) {
        put_offset(encoder, align_4(at));
        at = table_end(&layouts[1], event_mask(&message->events[i]), at);
    }
}

static void put_events(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    uint32_t payload_at = encoder->payloads_at;
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        put_padding(encoder, 4);
        put_table_start(encoder, EVENT_SLOT + event_mask(event));
        put_if(encoder, event->time_s);
        put_if(encoder, event->collection_interval_s);
        put_if(encoder, event->duration_s);
        put_bytes(encoder, event->id, PICKET_WIRE_EVENT_ID_BYTES);
        put_offset(encoder, payload_at);
        *run(encoder, 1) = (uint8_t)event->payload_type;
        payload_at = table_end(&layouts[4], payload_mask(event), payload_at);
    }
}

/* Writes the offset of a child of a payload, unless it is absent; returns where the child ends. */
static uint32_t put_child(struct encoder *encoder, uint32_t at, uint32_t end)
{
    if (end != at)
        put_offset(encoder, align_4(at));
    return end;
}

static void put_payloads(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    uint32_t string_at = place_string(message->security_module_id, encoder->strings_at);
    uint32_t list_at = encoder->lists_at;
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        put_table_start(encoder, WORDS_SLOT + payload_mask(event));
        if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
            const struct picket_wire_network_activity *activity = &event->payload.network_activity;
            list_at = put_child(encoder, list_at, place_list(&activity->ipv4, list_at));
            list_at = put_child(encoder, list_at, place_list(&activity->ipv6, list_at));
            put_if(encoder, activity->lost_flows);
            put_if(encoder, activity->lost_bytes_in);
            put_if(encoder, activity->lost_bytes_out);
        } else if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
            const struct picket_wire_system_information *system =
                &event->payload.system_information;
            string_at = put_child(encoder, string_at, place_string(system->os_info, string_at));
            string_at = put_child(encoder, string_at, place_string(system->kernel_info, string_at));
            string_at = put_child(encoder, string_at, place_string(system->hw_info, string_at));
        } else {
            put_if(encoder, event->payload.heartbeat.uptime_s);
        }
    }
}

static void put_string(struct encoder *encoder, const char *text)
{
    if (text == NULL)
        return;
    uint32_t length = text_length(text);
    put_padding(encoder, 4);
    put_32(encoder, length);
    put_bytes(encoder, text, length + 1);
}

static void put_strings(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    put_string(encoder, message->security_module_id);
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        if (event->payload_type != PICKET_WIRE_SYSTEM_INFORMATION)
            continue;
        put_string(encoder, event->payload.system_information.os_info);
        put_string(encoder, event->payload.system_information.kernel_info);
        put_string(encoder, event->payload.system_information.hw_info);
    }
}

static void put_all_flows(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    for (uint32_t i = 0; i < message->event_count; i++) {
        const struct picket_wire_event *event = &message->events[i];
        if (event->payload_type != PICKET_WIRE_NETWORK_ACTIVITY)
            continue;
        put_flows(encoder, ipv4_of(event), PICKET_WIRE_IPV4_BYTES, IPV4_SLOT);
        put_flows(encoder, ipv6_of(event), PICKET_WIRE_IPV6_BYTES, IPV6_SLOT);
    }
}

/* ---- the whole ---- */

/* The size of a message, begun, with a walk over its flows; 0 if that is too large. */
static uint32_t measure(struct encoder *encoder)
{
    encoder->sink = NULL;
    uint32_t bytes = put_lists(encoder);
    encoder->handed_bytes = 0;
    encoder->staged_bytes = 0;
    return bytes <= PICKET_WIRE_MESSAGE_BYTES_MAX ? bytes : 0;
}

/* Whether the message, begun, is too large, with a walk over its flows only if their number alone
 * does not tell. */
static bool too_large(struct encoder *encoder)
{
    uint32_t vectors_bytes = encoder->lists_end - encoder->lists_at;
    uint32_t flows_bytes_max = vectors_bytes / 4 * (IPV6_TABLE_BYTES + COMMON_BYTES_MAX);
    uint32_t vtables_bytes_max = COMMON_MASKS * COMMON_VTABLE_BYTES_MAX;
    return encoder->lists_end + flows_bytes_max + vtables_bytes_max >
               PICKET_WIRE_MESSAGE_BYTES_MAX &&
           measure(encoder) == 0;
}

uint32_t picket_wire_message_size(const struct picket_wire_message *message)
{
    struct encoder encoder;
    return begin(&encoder, message) ? measure(&encoder) : 0;
}

bool picket_wire_encode(const struct picket_wire_message *message, picket_wire_sink sink,
                        void *context)
{
    struct encoder encoder;
    if (!begin(&encoder, message) || too_large(&encoder))
        return false;
    encoder.sink = sink;
    encoder.context = context;
    put_head(&encoder);
    put_events(&encoder);
    put_padding(&encoder, 2);
    place_vtables(&encoder, 0, FRONT_LAYOUTS, true);
    put_padding(&encoder, 4);
    put_payloads(&encoder);
    put_strings(&encoder);
    if (encoder.lists_end != encoder.lists_at)
        put_padding(&encoder, 4);
    put_lists(&encoder);
    put_all_flows(&encoder);
    place_vtables(&encoder, FRONT_LAYOUTS, ALL_LAYOUTS, true);
    flush(&encoder);
    return !encoder.refused;
}
