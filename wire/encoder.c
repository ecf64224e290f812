#include "picket/wire/encoder.h"

#include <string.h>

#include "bytes.h"

/* The message, front to back (README.md draws it):
 *
 *     head        root offset, Message, vector of events, security_module_id
 *     events      Event of each event; the first vtables begin in the padding of the last
 *     vtables     those of Message, Event and the payloads
 *     payloads    payload table of each event
 *     children    strings of system information, vectors of flows
 *     flows       NetworkActivityV4 or V6, each followed by its NetworkActivityCommon
 *     vtables     those of the flows
 *
 * Everything up to the flows has a size that is known without looking at a flow. The walk that
 * writes the vectors of flows finds out how large the flows are and which vtables they need; the
 * walk that writes the flows can therefore point to vtables behind them.
 *
 * A vtable depends on which fields are present. Payloads and NetworkActivityCommon are laid out as
 * words of which any may be absent: a mask of those that are there identifies the vtable. The other
 * tables have the few vtables of fixed_vtables. Each possible vtable has a number, its slot. */

enum {
    PAYLOAD_WORDS = 5, /* all payload types have words only and share vtables */
    COMMON_WORDS = 4,  /* both ports, bytes_in, bytes_out, protocol */

    /* Slots of vtables: in front */
    PAYLOAD_SLOT = 0,
    MESSAGE_SLOT = PAYLOAD_SLOT + (1 << PAYLOAD_WORDS),
    EVENT_SLOT, /* without, and then with duration */
    EVENT_WITH_DURATION_SLOT,
    /* and behind the flows. */
    IPV4_SLOT,
    IPV6_SLOT,
    COMMON_SLOT,
    SLOTS = COMMON_SLOT + (1 << COMMON_WORDS),
    SLOT_UNUSED = 0xFFFF,

    HEAD_BYTES = 4 + 16 + 4, /* root offset, Message, the length of its vector */
    EVENT_BYTES = 36,        /* padding included; a duration takes a word more */
    IPV4_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV4_BYTES + 4,
    IPV6_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV6_BYTES + 4,
    COMMON_BYTES_MAX = 4 + 4 * COMMON_WORDS,
    IPV4_PORT_BYTES = PICKET_WIRE_IPV4_BYTES + 4,
    IPV6_PORT_BYTES = PICKET_WIRE_IPV6_BYTES + 4,
    FLOW_BYTES_MIN = 4 + IPV4_TABLE_BYTES + 4, /* offset, addresses, a common table of no words */
    VTABLE_ENTRIES_MAX = 8,
    VTABLES_BYTES_MAX = (SLOTS - IPV4_SLOT) * 2 * VTABLE_ENTRIES_MAX,

    /* Each four bytes in front of the flows, if they are offsets, stand for at most 60 of flows: up
     * to here a message cannot be too large. */
    MEASURE_FROM_BYTES = (PICKET_WIRE_MESSAGE_BYTES_MAX - VTABLES_BYTES_MAX) /
                         (1 + (IPV6_TABLE_BYTES + COMMON_BYTES_MAX) / 4),

    STAGE_BYTES = 128 /* what is gathered for a piece; whole words, at least the largest run() */
};

/* Size of the vtable, size of the table, and where its fields are, by id. */
static const uint8_t fixed_vtables[][VTABLE_ENTRIES_MAX] = {
    {12, 16, 4, 8, 0, 12},           /* Message: no timezone */
    {14, 33, 4, 20, 24, 32, 28},     /* Event: the type is last, so that its padding is, too */
    {16, 37, 4, 20, 24, 36, 28, 32}, /* Event with duration */
    {8, IPV4_TABLE_BYTES, 4, IPV4_TABLE_BYTES - 4}, /* NetworkActivityV4 */
    {8, IPV6_TABLE_BYTES, 4, IPV6_TABLE_BYTES - 4}, /* NetworkActivityV6 */
};

struct encoder {
    const struct picket_wire_message *message;
    const struct picket_wire_event *events_end;
    picket_wire_sink sink; /* NULL: only sizes are wanted */
    void *context;
    uint32_t handed_bytes;
    uint32_t staged_bytes;
    bool refused;

    uint32_t front_vtables_at;
    uint32_t payloads_at;
    uint32_t children_at;
    uint32_t flows_at;
    uint32_t back_vtables_at;
    uint32_t payload_at[PICKET_WIRE_EVENTS_MAX]; /* from payloads_at */
    uint16_t vtable_at[SLOTS]; /* from the begin of its section; 0 before that is known */
    uint32_t stage[STAGE_BYTES / 4];
};

static uint32_t align_4(uint32_t at)
{
    return (at + 3) & ~(uint32_t)3;
}

/* ---- pieces ---- */

static void flush(struct encoder *encoder)
{
    uint32_t bytes = encoder->staged_bytes;
    encoder->handed_bytes += bytes;
    encoder->staged_bytes = 0;
    if (encoder->sink != NULL && !encoder->refused)
        encoder->refused = !encoder->sink(encoder->context, encoder->stage, bytes);
}

/* Room for the next bytes of the message, to be filled by the caller. What is not a multiple of
 * four bytes is only asked for in sizes that fill the stage exactly. So every piece but the last is
 * whole words, and what is aligned in the message is aligned in the stage. */
static void *run(struct encoder *encoder, uint32_t bytes)
{
    if (encoder->staged_bytes + bytes > STAGE_BYTES)
        flush(encoder);
    uint8_t *at = (uint8_t *)encoder->stage + encoder->staged_bytes;
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
    store_word(run(encoder, 4), value);
}

/* An offset field: to something further on. */
static void put_offset(struct encoder *encoder, uint32_t to)
{
    put_32(encoder, to - position(encoder));
}

/* A field that is absent if it has its default. */
static void put_optional(struct encoder *encoder, uint32_t value)
{
    if (value != 0)
        put_32(encoder, value);
}

static void put_bytes(struct encoder *encoder, const void *bytes, uint32_t count)
{
    for (const uint8_t *from = bytes; count > 0; count--)
        *(uint8_t *)run(encoder, 1) = *from++;
}

static void put_padding(struct encoder *encoder, uint32_t alignment)
{
    while ((position(encoder) & (alignment - 1)) != 0)
        put_bytes(encoder, "", 1);
}

/* The size of a string without the size of what is before it; 0 for an absent one. */
static uint32_t text_bytes(const char *text)
{
    uint32_t bytes = 0;
    if (text != NULL) {
        while (text[bytes++] != '\0' && bytes <= PICKET_WIRE_MESSAGE_BYTES_MAX)
            ;
    }
    return bytes;
}

/* The size of a string, length and padding included; 0 for an absent one. */
static uint32_t string_bytes(const char *text)
{
    uint32_t bytes = text_bytes(text);
    return bytes == 0 ? 0 : align_4(4 + bytes);
}

static void put_string(struct encoder *encoder, const char *text)
{
    uint32_t bytes = text_bytes(text);
    if (bytes == 0)
        return;
    put_32(encoder, bytes - 1);
    put_bytes(encoder, text, bytes);
    put_padding(encoder, 4);
}

/* ---- vtables ---- */

/* Fills in the vtable of a table of words. The ports of a NetworkActivityCommon are two fields in
 * one word. */
static void lay_words_out(uint8_t vtable[VTABLE_ENTRIES_MAX], uint32_t mask, bool common)
{
    uint32_t at = 4, entries = 2;
    memset(vtable, 0, VTABLE_ENTRIES_MAX);
    if (common)
        mask = mask << 1 | (mask & 1);
    for (uint32_t id = 0; mask >> id != 0; id++) {
        if ((mask >> id & 1) != 0) {
            vtable[2 + id] = (uint8_t)at;
            at += common && id < 2 ? 2 : 4;
        }
        entries++;
    }
    vtable[0] = (uint8_t)(2 * entries);
    vtable[1] = (uint8_t)at;
}

/* Places the vtables of some slots that are in use, and writes them if put is set. Returns their
 * size. */
static uint32_t place_vtables(struct encoder *encoder, uint32_t slot, uint32_t end, bool put)
{
    uint32_t at = 0;
    for (; slot < end; slot++) {
        uint8_t words_vtable[VTABLE_ENTRIES_MAX];
        const uint8_t *vtable = words_vtable;
        if (encoder->vtable_at[slot] == SLOT_UNUSED)
            continue;
        if (slot < MESSAGE_SLOT)
            lay_words_out(words_vtable, slot - PAYLOAD_SLOT, false);
        else if (slot >= COMMON_SLOT)
            lay_words_out(words_vtable, slot - COMMON_SLOT, true);
        else
            vtable = fixed_vtables[slot - MESSAGE_SLOT];
        encoder->vtable_at[slot] = (uint16_t)at;
        at += vtable[0];
        for (uint32_t i = 0; put && i < vtable[0] / 2u; i++)
            put_16(encoder, vtable[i]);
    }
    return at;
}

/* What a table begins with: how far back its vtable is. */
static void put_table_start(struct encoder *encoder, uint32_t slot)
{
    put_32(encoder, position(encoder) - encoder->front_vtables_at - encoder->vtable_at[slot]);
}

/* ---- what is in an event ---- */

static uint32_t event_slot(const struct picket_wire_event *event)
{
    return event->duration_s != 0 ? EVENT_WITH_DURATION_SLOT : EVENT_SLOT;
}

static uint32_t event_bytes(const struct picket_wire_event *event)
{
    return EVENT_BYTES + (event->duration_s != 0 ? 4 : 0);
}

struct payload {
    uint32_t words[PAYLOAD_WORDS]; /* by field id, 0: absent */
    uint32_t children;             /* of the words; they are the sizes of what they will point to */
    uint32_t children_bytes;
    uint32_t slot;
    uint32_t bytes;
};

/* 0 for nothing; too large for a message if what it holds is, at bytes_min each and more. */
static uint32_t vector_bytes(uint32_t count, uint32_t element_bytes, uint32_t bytes_min)
{
    if (count > PICKET_WIRE_MESSAGE_BYTES_MAX / bytes_min)
        count = PICKET_WIRE_MESSAGE_BYTES_MAX;
    return count == 0 ? 0 : 4 + element_bytes * count;
}

/* False if the payload's type is not one that a device sends. */
static bool examine(struct payload *payload, const struct picket_wire_event *event)
{
    memset(payload, 0, sizeof *payload);
    if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        const struct picket_wire_network_activity *activity = &event->payload.network_activity;
        payload->words[0] = vector_bytes(activity->ipv4.count, 4, FLOW_BYTES_MIN);
        payload->words[1] = vector_bytes(activity->ipv6.count, 4, FLOW_BYTES_MIN);
        payload->words[2] = activity->lost_flows;
        payload->words[3] = activity->lost_bytes_in;
        payload->words[4] = activity->lost_bytes_out;
        payload->children = 2;
    } else if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION) {
        const struct picket_wire_system_information *system = &event->payload.system_information;
        payload->words[0] = string_bytes(system->os_info);
        payload->words[1] = string_bytes(system->kernel_info);
        payload->words[2] = string_bytes(system->hw_info);
        payload->children = 3;
    } else if (event->payload_type == PICKET_WIRE_LISTENING_PORTS) {
        const struct picket_wire_listening_ports *ports = &event->payload.listening_ports;
        payload->words[0] = vector_bytes(ports->ipv4.count, IPV4_PORT_BYTES, IPV4_PORT_BYTES);
        payload->words[1] = vector_bytes(ports->ipv6.count, IPV6_PORT_BYTES, IPV6_PORT_BYTES);
        payload->words[2] = ports->unlisted;
        payload->children = 2;
    } else if (event->payload_type == PICKET_WIRE_HEARTBEAT) {
        payload->words[0] = event->payload.heartbeat.uptime_s;
    } else {
        return false;
    }
    uint32_t mask = 0, bytes = 4, children_bytes = 0;
    for (uint32_t i = PAYLOAD_WORDS; i-- > 0;) {
        uint32_t word = payload->words[i];
        mask += mask;
        if (word == 0)
            continue;
        mask++;
        bytes += 4;
        if (i < payload->children)
            children_bytes += word;
    }
    payload->slot = PAYLOAD_SLOT + mask;
    payload->bytes = bytes;
    payload->children_bytes = children_bytes;
    return true;
}

/* ---- what is in a flow ---- */

/* Both ports, which are next to each other, as a word. */
static uint32_t ports_word(const struct picket_wire_flow *flow)
{
    return flow->local_port | (uint32_t)flow->remote_port << 16;
}

/* Which words of the flow's NetworkActivityCommon are not absent. */
static uint32_t common_mask(const struct picket_wire_flow *flow)
{
    uint32_t mask = flow->protocol != 0;
    mask += mask + (flow->bytes_out != 0);
    mask += mask + (flow->bytes_in != 0);
    mask += mask + (ports_word(flow) != 0);
    return mask;
}

/* The size of a NetworkActivityCommon by its mask. */
static const uint8_t common_bytes[] = {4, 8,  8,  12, 8,  12, 12, 16,
                                       8, 12, 12, 16, 12, 16, 16, COMMON_BYTES_MAX};

/* ---- what is in a list of ports ---- */

static void put_ports(struct encoder *encoder, const struct picket_wire_ports *ports,
                      uint32_t address_bytes)
{
    uint32_t cursor = 0;
    put_optional(encoder, ports->count);
    for (uint32_t left = ports->count; left > 0; left--) {
        struct picket_wire_listening_port port;
        cursor = ports->next(ports->table, cursor, &port);
        put_bytes(encoder, port.local_address, address_bytes);
        put_32(encoder, port.local_port | (uint32_t)port.protocol << 16);
    }
}

/* ---- the sections ---- */

/* Places everything in front of the flows. No sum can overflow: each string and vector counts as at
 * most a few times the largest message, and there are not many. */
static bool plan(struct encoder *encoder, const struct picket_wire_message *message)
{
    encoder->message = message;
    encoder->sink = NULL;
    encoder->refused = false;
    encoder->handed_bytes = 0;
    encoder->staged_bytes = 0;
    memset(encoder->vtable_at, 0xFF, sizeof encoder->vtable_at);
    if (message->event_count > PICKET_WIRE_EVENTS_MAX)
        return false;

    encoder->vtable_at[MESSAGE_SLOT] = 0;
    uint32_t at = HEAD_BYTES + 4 * message->event_count + string_bytes(message->security_module_id);
    uint32_t payloads = 0, children = 0;
    uint32_t *payload_at = encoder->payload_at;
    encoder->events_end = message->events;
    if (message->event_count != 0) /* else the pointer may be NULL */
        encoder->events_end += message->event_count;
    for (const struct picket_wire_event *event = message->events; event < encoder->events_end;
         event++) {
        struct payload payload;
        if (!examine(&payload, event))
            return false;
        encoder->vtable_at[event_slot(event)] = 0;
        encoder->vtable_at[payload.slot] = 0;
        *payload_at++ = payloads;
        at += event_bytes(event);
        payloads += payload.bytes;
        children += payload.children_bytes;
    }
    /* The last byte of an Event is its payload's type, the first of its last word. */
    encoder->front_vtables_at = payloads != 0 ? at - 2 : at;
    at = encoder->front_vtables_at + place_vtables(encoder, 0, IPV4_SLOT, false);
    encoder->payloads_at = align_4(at);
    encoder->children_at = encoder->payloads_at + payloads;
    encoder->flows_at = encoder->children_at + children;
    return encoder->flows_at <= PICKET_WIRE_MESSAGE_BYTES_MAX;
}

static void put_head(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    const uint32_t events = message->event_count;
    put_32(encoder, 4); /* Message is next */
    put_table_start(encoder, MESSAGE_SLOT);
    put_32(encoder, 16 + 4 * events);
    put_32(encoder, message->security_module_version);
    put_32(encoder, 4); /* the vector is next */

    put_32(encoder, events);
    uint32_t event_at = HEAD_BYTES + 4 * events + string_bytes(message->security_module_id);
    for (const struct picket_wire_event *event = message->events; event < encoder->events_end;
         event++) {
        put_offset(encoder, event_at);
        event_at += event_bytes(event);
    }
    put_string(encoder, message->security_module_id);
}

static void put_events(struct encoder *encoder)
{
    const uint32_t *payload_at = encoder->payload_at;
    for (const struct picket_wire_event *event = encoder->message->events;
         event < encoder->events_end; event++) {
        put_padding(encoder, 4);
        put_table_start(encoder, event_slot(event));
        put_bytes(encoder, event->id, PICKET_WIRE_EVENT_ID_BYTES);
        put_32(encoder, event->time_s);
        put_32(encoder, event->collection_interval_s);
        put_offset(encoder, encoder->payloads_at + *payload_at++);
        put_optional(encoder, event->duration_s);
        uint8_t type = (uint8_t)event->payload_type;
        put_bytes(encoder, &type, 1);
    }
    put_padding(encoder, 2);
}

static void put_payloads(struct encoder *encoder)
{
    uint32_t child_at = encoder->children_at;
    put_padding(encoder, 4);
    for (const struct picket_wire_event *event = encoder->message->events;
         event < encoder->events_end; event++) {
        struct payload payload;
        examine(&payload, event);
        put_table_start(encoder, payload.slot);
        for (uint32_t id = 0; id < PAYLOAD_WORDS; id++) {
            uint32_t word = payload.words[id];
            if (id < payload.children && word != 0) {
                put_offset(encoder, child_at);
                child_at += word;
            } else {
                put_optional(encoder, word);
            }
        }
    }
}

static uint32_t *store_optional(uint32_t *at, uint32_t value)
{
    if (value != 0)
        store_word(at++, value);
    return at;
}

static void put_flow(struct encoder *encoder, const struct picket_wire_flow *flow,
                     uint32_t table_bytes, uint32_t slot)
{
    const uint32_t mask = common_mask(flow);
    const uint32_t back = position(encoder) - encoder->back_vtables_at;
    const uint32_t address_bytes = (table_bytes - 8) / 2;
    uint32_t *at = run(encoder, table_bytes + common_bytes[mask]);

    store_word(at++, back - encoder->vtable_at[slot]);
    for (uint32_t i = 0; i < address_bytes; i += 4, at++) {
        store_word(at, load_32(flow->local_address + i));
        store_word(at + address_bytes / 4, load_32(flow->remote_address + i));
    }
    at += address_bytes / 4;
    store_word(at++, 4); /* the common table is next */
    store_word(at++, back + table_bytes - encoder->vtable_at[COMMON_SLOT + mask]);
    at = store_optional(at, ports_word(flow));
    at = store_optional(at, flow->bytes_in);
    at = store_optional(at, flow->bytes_out);
    store_optional(at, flow->protocol);
}

/* The two walks over flows: the first writes the vectors of offsets, the second the tables. */
enum walk { VECTORS, TABLES };

static void walk_list(struct encoder *encoder, const struct picket_wire_flows *flows,
                      uint32_t table_bytes, uint32_t slot, enum walk walk)
{
    uint32_t cursor = 0, left = flows->count;
    uint32_t offset = encoder->back_vtables_at - position(encoder) - 4;
    if (walk == VECTORS && left > 0) {
        encoder->vtable_at[slot] = 0;
        put_32(encoder, left);
    }
    for (; left > 0 && !encoder->refused; left--) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        if (walk == TABLES) {
            put_flow(encoder, &flow, table_bytes, slot);
            continue;
        }
        uint32_t mask = common_mask(&flow);
        uint32_t bytes = table_bytes + common_bytes[mask];
        encoder->vtable_at[COMMON_SLOT + mask] = 0;
        encoder->back_vtables_at += bytes;
        put_32(encoder, offset);
        offset += bytes - 4; /* the next field is nearer */
    }
}

static void walk_events(struct encoder *encoder, enum walk walk)
{
    for (const struct picket_wire_event *event = encoder->message->events;
         event < encoder->events_end; event++) {
        if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
            walk_list(encoder, &event->payload.network_activity.ipv4, IPV4_TABLE_BYTES, IPV4_SLOT,
                      walk);
            walk_list(encoder, &event->payload.network_activity.ipv6, IPV6_TABLE_BYTES, IPV6_SLOT,
                      walk);
        } else if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION && walk == VECTORS) {
            put_string(encoder, event->payload.system_information.os_info);
            put_string(encoder, event->payload.system_information.kernel_info);
            put_string(encoder, event->payload.system_information.hw_info);
        } else if (event->payload_type == PICKET_WIRE_LISTENING_PORTS && walk == VECTORS) {
            put_ports(encoder, &event->payload.listening_ports.ipv4, PICKET_WIRE_IPV4_BYTES);
            put_ports(encoder, &event->payload.listening_ports.ipv6, PICKET_WIRE_IPV6_BYTES);
        }
    }
}

/* Writes strings and vectors. Returns the size of the message. */
static uint32_t put_children(struct encoder *encoder)
{
    encoder->back_vtables_at = encoder->flows_at;
    walk_events(encoder, VECTORS);
    return encoder->back_vtables_at + place_vtables(encoder, IPV4_SLOT, SLOTS, false);
}

/* ---- the whole ---- */

/* The size of a planned message by a walk over its flows; 0 if that is too large. */
static uint32_t measure(struct encoder *encoder)
{
    uint32_t bytes = put_children(encoder);
    encoder->handed_bytes = 0;
    encoder->staged_bytes = 0;
    return bytes <= PICKET_WIRE_MESSAGE_BYTES_MAX ? bytes : 0;
}

uint32_t picket_wire_message_size(const struct picket_wire_message *message)
{
    struct encoder encoder;
    return plan(&encoder, message) ? measure(&encoder) : 0;
}

bool picket_wire_encode(const struct picket_wire_message *message, picket_wire_sink sink,
                        void *context)
{
    struct encoder encoder;
    if (!plan(&encoder, message))
        return false;
    if (encoder.flows_at > MEASURE_FROM_BYTES && measure(&encoder) == 0)
        return false;
    encoder.sink = sink;
    encoder.context = context;
    put_head(&encoder);
    put_events(&encoder);
    place_vtables(&encoder, 0, IPV4_SLOT, true);
    put_payloads(&encoder);
    put_children(&encoder);
    walk_events(&encoder, TABLES);
    place_vtables(&encoder, IPV4_SLOT, SLOTS, true);
    flush(&encoder);
    return !encoder.refused;
}
