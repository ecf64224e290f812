#include "picket/wire/encoder.h"

#include <string.h>

#include "bytes.h"
#include "picket/wire/options.h"

/* The message, front to back, in whole words (README.md draws it):
 *
 *     front       root offset, vtables of Message and Event, Message, vector of events
 *     id          security_module_id
 *     events      of each: Event, payload, its vtable, its strings or vectors
 *     flows       NetworkActivityV4 or V6, each followed by its NetworkActivityCommon
 *     vtables     those of the flows
 *
 * How large an event is with its payload follows from lengths and counts; a flow is a word larger
 * if its protocol is not TCP. So the flows are walked over twice: when the vectors of offsets to
 * them are written, which also tells where they end and which vtables they need, and when they are
 * written themselves.
 *
 * Vtables are constants but for those of payloads: numbers are there even if they are 0. In a
 * payload, what is absent or 0 has no place in the vtable, and after the last field that is there
 * the table ends.
 */

enum {
    /* Tables, and where they and their vtables are. */
    MESSAGE_VTABLE_AT = 4,
    MESSAGE_VTABLE_BYTES = 12,
    EVENT_VTABLE_AT = MESSAGE_VTABLE_AT + MESSAGE_VTABLE_BYTES,
    EVENT_VTABLE_BYTES = 16,
    MESSAGE_AT = EVENT_VTABLE_AT + EVENT_VTABLE_BYTES,
    MESSAGE_BYTES = 16,
    VECTOR_AT = MESSAGE_AT + MESSAGE_BYTES,
    EVENT_BYTES = 40,
    EVENT_PAYLOAD_AT = 28,
    PAYLOAD_BYTES_MAX = 24, /* NetworkActivity */
    PAYLOAD_VTABLE_BYTES_MAX = 16,
    LIST_OF_IPV6_AT = 8, /* in a payload that has one */

    /* Vtables of flows, from the end of the last one. */
    IPV4_VTABLE_AT = 0,
    TCP_VTABLE_AT = IPV4_VTABLE_AT + 8,
    PROTOCOL_VTABLE_AT = TCP_VTABLE_AT + 12,
    IPV6_VTABLE_AT = PROTOCOL_VTABLE_AT + 16,
    FLOW_VTABLES_BYTES = IPV6_VTABLE_AT + 8,

    IPV4_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV4_BYTES + 4,
    IPV6_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV6_BYTES + 4,
    TCP_BYTES = 16, /* of a NetworkActivityCommon without protocol */
    FLOW_BYTES_MAX = IPV6_TABLE_BYTES + TCP_BYTES + 4,

    STAGE_BYTES =
        128 /* what is gathered for a piece; the whole front, or an event, or a flow fits */
};

/* The beginning, as half words. */
static const uint8_t front[] = {
    /* The root. */
    MESSAGE_AT, 0,
    /* Vtables: their size, the table's, and where its fields are, by id.
     * Message: security_module_id, version, no timezone, events. */
    MESSAGE_VTABLE_BYTES, MESSAGE_BYTES, 12, 8, 0, 4,
    /* Event: id, time, interval, payload's type, payload, duration. */
    EVENT_VTABLE_BYTES, EVENT_BYTES, 4, 20, 24, 36, EVENT_PAYLOAD_AT, 32,
    /* Message: how far back its vtable is, how far ahead the events are. */
    MESSAGE_AT - MESSAGE_VTABLE_AT, 0, VECTOR_AT - MESSAGE_AT - 4, 0};

/* The end, as half words, up to the last one that a flow needs. */
static const uint8_t flow_vtables[] = {
    /* NetworkActivityV4: addresses, common. */
    8, IPV4_TABLE_BYTES, 4, IPV4_TABLE_BYTES - 4,
    /* NetworkActivityCommon of TCP, the default: ports, bytes in, bytes out. */
    12, TCP_BYTES, 4, 6, 8, 12,
    /* NetworkActivityCommon: the same and the protocol; padding. */
    14, TCP_BYTES + 4, 4, 6, 8, 12, TCP_BYTES, 0,
    /* NetworkActivityV6. */
    8, IPV6_TABLE_BYTES, 4, IPV6_TABLE_BYTES - 4};

/* What a field of a payload is; of a string or vector, the size of an element. */
enum kind { NUMBER = 0, TEXT = 1, FLOWS = 4, IPV4_PORTS = 8, IPV6_PORTS = 20 };

struct field {
    uint8_t payload_type; /* enum picket_wire_payload */
    uint8_t at;           /* in its table */
    uint8_t kind;
    uint8_t from; /* in struct picket_wire_event */
};

#define FIELD(payload_type, id, kind, member)                                                      \
    {                                                                                              \
        (payload_type), 4 + 4 * (id), (kind), offsetof(struct picket_wire_event, payload.member)   \
    }

/* All that are sent; of a payload the last one first, as it says how large the table is. */
static const struct field fields[] = {
    FIELD(PICKET_WIRE_NETWORK_ACTIVITY, 4, NUMBER, network_activity.lost_bytes_out),
    FIELD(PICKET_WIRE_NETWORK_ACTIVITY, 3, NUMBER, network_activity.lost_bytes_in),
    FIELD(PICKET_WIRE_NETWORK_ACTIVITY, 2, NUMBER, network_activity.lost_flows),
#if PICKET_WIRE_WITH_IPV6
    FIELD(PICKET_WIRE_NETWORK_ACTIVITY, 1, FLOWS, network_activity.ipv6),
#endif
    FIELD(PICKET_WIRE_NETWORK_ACTIVITY, 0, FLOWS, network_activity.ipv4),
    FIELD(PICKET_WIRE_SYSTEM_INFORMATION, 2, TEXT, system_information.hw_info),
    FIELD(PICKET_WIRE_SYSTEM_INFORMATION, 1, TEXT, system_information.kernel_info),
    FIELD(PICKET_WIRE_SYSTEM_INFORMATION, 0, TEXT, system_information.os_info),
#if PICKET_WIRE_WITH_LISTENING_PORTS
    FIELD(PICKET_WIRE_LISTENING_PORTS, 2, NUMBER, listening_ports.unlisted),
#if PICKET_WIRE_WITH_IPV6
    FIELD(PICKET_WIRE_LISTENING_PORTS, 1, IPV6_PORTS, listening_ports.ipv6),
#endif
    FIELD(PICKET_WIRE_LISTENING_PORTS, 0, IPV4_PORTS, listening_ports.ipv4),
#endif
    FIELD(PICKET_WIRE_HEARTBEAT, 0, NUMBER, heartbeat.uptime_s),
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

struct encoder {
    picket_wire_sink sink; /* NULL: it refused a piece */
    void *context;
    uint32_t position; /* in the message, of what is next */
    uint32_t staged_bytes;
    uint32_t flow_at; /* of the flow that the next offset is to; after the last, the end of all */
    uint32_t flow_vtables_bytes; /* of flow_vtables, up to the last that is needed */
    uint32_t flows_bytes_max;    /* if all flows were as large as can be */
    uint32_t event_bytes;
    uint32_t event[(EVENT_BYTES + PAYLOAD_BYTES_MAX + PAYLOAD_VTABLE_BYTES_MAX) / 4];
    uint32_t stage[STAGE_BYTES / 4];
};

/* ---- pieces ---- */

/* Room for the next words of the message, to be filled by the caller. */
WIRE_INLINE void *room(struct encoder *encoder, uint32_t bytes)
{
    if (encoder->staged_bytes + bytes > STAGE_BYTES) {
        if (encoder->sink != NULL &&
            !encoder->sink(encoder->context, encoder->stage, encoder->staged_bytes))
            encoder->sink = NULL;
        encoder->staged_bytes = 0;
    }
    uint8_t *at = (uint8_t *)encoder->stage + encoder->staged_bytes;
    encoder->staged_bytes += bytes;
    encoder->position += bytes;
    return at;
}

WIRE_INLINE uint32_t *put(struct encoder *encoder, uint32_t word)
{
    uint32_t *at = room(encoder, 4);
    store_word(at, word);
    return at;
}

/* Two of them to a word of the message. */
WIRE_SHARED void put_halves(struct encoder *encoder, const uint8_t *halves, uint32_t bytes)
{
    for (const uint8_t *end = halves + bytes / 2; halves < end; halves += 2)
        put(encoder, halves[0] | (uint32_t)halves[1] << 16);
}

/* Words that are as in the message already, at least one. Returns where they end. */
WIRE_INLINE uint32_t *copy(uint32_t *to, const void *from, uint32_t bytes)
{
    const uint8_t *at = from;
    WIRE_UNROLL
    do {
        store_word(to++, load_32(at));
        at += 4;
        bytes -= 4;
    } while (bytes > 0);
    return to;
}

/* ---- strings ---- */

/* With the zero at its end; 0 for an absent one. */
static uint32_t text_bytes(const char *text)
{
    uint32_t bytes = 0;
    if (text != NULL) {
        while (text[bytes++] != '\0')
            ;
    }
    return bytes;
}

static void put_text(struct encoder *encoder, const char *text)
{
    const uint32_t bytes = text_bytes(text);
    uint8_t *at = NULL;
    if (bytes == 0)
        return;
    put(encoder, bytes - 1);
    for (uint32_t i = 0; i < bytes; i++) {
        if (i % 4 == 0)
            at = (uint8_t *)put(encoder, 0);
        at[i % 4] = (uint8_t)text[i];
    }
}

/* ---- flows ---- */

/* What is written of a list of flows: the vector of offsets to them, or they themselves. */
enum { OFFSETS, TABLES };

WIRE_INLINE void put_flows(struct encoder *encoder, const struct picket_wire_flows *flows,
                           uint32_t address_bytes, uint32_t round)
{
    const bool ipv6 = address_bytes != PICKET_WIRE_IPV4_BYTES;
    const uint32_t address_table_bytes = 4 + 2 * address_bytes + 4;
    uint32_t cursor = 0;
    if (ipv6)
        encoder->flow_vtables_bytes = FLOW_VTABLES_BYTES;
    for (uint32_t left = flows->count; left > 0; left--) {
        struct picket_wire_flow flow;
        cursor = flows->next(flows->table, cursor, &flow);
        uint32_t bytes = address_table_bytes + TCP_BYTES;
        uint32_t common_vtable_at = TCP_VTABLE_AT, vtables_bytes = PROTOCOL_VTABLE_AT;
        if (flow.protocol != PICKET_WIRE_TCP) {
            bytes += 4;
            common_vtable_at = PROTOCOL_VTABLE_AT;
            vtables_bytes = IPV6_VTABLE_AT;
        }
        if (round == OFFSETS) {
            put(encoder, encoder->flow_at - encoder->position);
            encoder->flow_at += bytes;
            if (encoder->flow_vtables_bytes < vtables_bytes)
                encoder->flow_vtables_bytes = vtables_bytes;
            continue;
        }
        uint32_t back = encoder->position - encoder->flow_at; /* less than 0: the end is ahead */
        uint32_t *at = room(encoder, bytes);
        store_word(at++, back - (ipv6 ? IPV6_VTABLE_AT : IPV4_VTABLE_AT));
        at = copy(at, flow.local_address, address_bytes);
        at = copy(at, flow.remote_address, address_bytes);
        store_word(at++, 4); /* the common table is next */
        store_word(at++, back + address_table_bytes - common_vtable_at);
        store_word(at++, flow.local_port | (uint32_t)flow.remote_port << 16);
        store_word(at++, flow.bytes_in);
        store_word(at++, flow.bytes_out);
        if (flow.protocol != PICKET_WIRE_TCP)
            store_word(at, flow.protocol);
    }
}

/* ---- listening ports ---- */

#if PICKET_WIRE_WITH_LISTENING_PORTS
static void put_ports(struct encoder *encoder, const struct picket_wire_ports *list,
                      uint32_t port_bytes)
{
    const struct picket_wire_open_port *port = list->ports;
    for (uint32_t left = list->count; left > 0; port++) {
        if (port->is_ipv6 != (port_bytes == IPV6_PORTS))
            continue;
        uint32_t *at = copy(room(encoder, port_bytes), port->address, port_bytes - 4);
        store_word(at, port->port | (uint32_t)port->protocol << 16);
        left--;
    }
}
#endif

/* ---- events ---- */

/* Half words: its size and the table's, then one for each word of the table but the first; made
 * whole words. */
static uint32_t vtable_bytes_of(uint32_t table_bytes)
{
    return (table_bytes / 2 + 2 + 3) & ~(uint32_t)3;
}

/* The length, elements, and padding of a string or vector; too large for a message if it has too
 * many of them. */
static uint32_t child_bytes(uint32_t kind, uint32_t count)
{
    if (count > PICKET_WIRE_MESSAGE_BYTES_MAX)
        count = PICKET_WIRE_MESSAGE_BYTES_MAX;
    return (4 + kind * count + 3) & ~(uint32_t)3;
}

/* Lays the payload and, behind it, its vtable out in encoder->event, where all words are 0. Returns
 * the size of both and of the strings or vectors that follow, flows not counted; 0 if the type is
 * not one that is sent. */
static uint32_t lay_payload_out(struct encoder *encoder, const struct picket_wire_event *event)
{
    uint8_t *const table = (uint8_t *)encoder->event + EVENT_BYTES;
    uint32_t table_bytes = 4, bytes = 8; /* until a field is there */
    bool known = false;
    for (const struct field *field = fields; field < fields + FIELDS; field++) {
        const void *from = (const uint8_t *)event + field->from;
        const uint32_t kind = field->kind, at = field->at;
        if (field->payload_type != event->payload_type)
            continue;
        known = true;
        uint32_t word =
            kind == TEXT ? text_bytes(*(const char *const *)from) : *(const uint32_t *)from;
        if (word == 0)
            continue;
        if (table_bytes == 4) {
            table_bytes += at;
            bytes = table_bytes + vtable_bytes_of(table_bytes);
        }
        table[table_bytes + 2 + at / 2] = (uint8_t)at;
        if (kind != NUMBER) {
            const uint32_t child = child_bytes(kind, word);
            if (kind == FLOWS)
                encoder->flows_bytes_max += FLOW_BYTES_MAX / 4 * child;
            word = bytes - at;
            bytes += child;
        }
        store_word((uint32_t *)(void *)(table + at), word);
    }
    const uint32_t vtable_bytes = vtable_bytes_of(table_bytes);
    store_word((uint32_t *)(void *)table, UINT32_MAX - table_bytes + 1); /* it is ahead */
    table[table_bytes] = (uint8_t)vtable_bytes;
    table[table_bytes + 2] = (uint8_t)table_bytes;
    encoder->event_bytes = EVENT_BYTES + table_bytes + vtable_bytes;
    return known ? bytes : 0;
}

/* Lays the event out, for the position there is, up to its payload's strings or vectors. Returns
 * what lay_payload_out() does. */
static uint32_t lay_out(struct encoder *encoder, const struct picket_wire_event *event)
{
    uint32_t *const words = encoder->event;
    memset(words, 0, sizeof encoder->event);
    store_word(&words[0], encoder->position - EVENT_VTABLE_AT);
    copy(&words[1], event->id, sizeof event->id);
    store_word(&words[5], event->time_s);
    store_word(&words[6], event->collection_interval_s);
    store_word(&words[7], EVENT_BYTES - EVENT_PAYLOAD_AT);
    store_word(&words[8], event->duration_s);
    store_word(&words[9], (uint32_t)event->payload_type);
    return lay_payload_out(encoder, event);
}

static uint32_t address_bytes_of(const struct field *list)
{
    return PICKET_WIRE_WITH_IPV6 && list->at == LIST_OF_IPV6_AT ? PICKET_WIRE_IPV6_BYTES
                                                                : PICKET_WIRE_IPV4_BYTES;
}

/* The payload's strings and vectors, or its flows. */
static void put_children(struct encoder *encoder, const struct picket_wire_event *event,
                         uint32_t round)
{
    for (const struct field *field = fields; field < fields + FIELDS; field++) {
        const void *from = (const uint8_t *)event + field->from;
        const uint32_t kind = field->kind;
        if (field->payload_type != event->payload_type || kind == NUMBER ||
            (round == TABLES && kind != FLOWS))
            continue;
        if (kind == TEXT) {
            put_text(encoder, *(const char *const *)from);
            continue;
        }
        const uint32_t count = *(const uint32_t *)from;
        if (count == 0)
            continue;
        if (round == OFFSETS)
            put(encoder, count);
        if (kind == FLOWS)
            put_flows(encoder, from, address_bytes_of(field), round);
#if PICKET_WIRE_WITH_LISTENING_PORTS
        else
            put_ports(encoder, from, kind);
#endif
    }
}

/* ---- the whole ---- */

/* Everything up to the events. False if it cannot be a message; then nothing was handed over, since
 * it is known before the stage is full. */
static bool put_front(struct encoder *encoder, const struct picket_wire_message *message)
{
    const uint32_t count = message->event_count;
    if (count > PICKET_WIRE_EVENTS_MAX)
        return false;
    uint32_t at =
        VECTOR_AT + 4 + 4 * count + child_bytes(TEXT, text_bytes(message->security_module_id));
    put_halves(encoder, front, 2 * sizeof front);
    put(encoder, message->security_module_version);
    put(encoder, 4 + 4 + 4 * count); /* security_module_id is behind the vector */
    put(encoder, count);
    for (uint32_t i = 0; i < count; i++) {
        put(encoder, at - encoder->position);
        uint32_t bytes = lay_out(encoder, &message->events[i]);
        if (bytes == 0)
            return false;
        at += EVENT_BYTES + bytes;
    }
    encoder->flow_at = at;
    if (at + encoder->flows_bytes_max > PICKET_WIRE_MESSAGE_BYTES_MAX - FLOW_VTABLES_BYTES)
        return false;
    put_text(encoder, message->security_module_id);
    return true;
}

bool picket_wire_encode(const struct picket_wire_message *message, picket_wire_sink sink,
                        void *context)
{
    struct encoder encoder;
    encoder.sink = sink;
    encoder.context = context;
    encoder.position = 0;
    encoder.staged_bytes = 0;
    encoder.flow_vtables_bytes = 0;
    encoder.flows_bytes_max = 0;
    if (!put_front(&encoder, message))
        return false;
    for (uint32_t round = OFFSETS; round <= TABLES; round++) {
        const struct picket_wire_event *event = message->events;
        for (uint32_t left = message->event_count; left > 0; left--, event++) {
            if (round == OFFSETS) {
                (void)lay_out(&encoder, event);
                copy(room(&encoder, encoder.event_bytes), encoder.event, encoder.event_bytes);
            }
            put_children(&encoder, event, round);
        }
    }
    put_halves(&encoder, flow_vtables, encoder.flow_vtables_bytes);
    (void)room(&encoder, STAGE_BYTES); /* hands over what is left */
    return encoder.sink != NULL;
}

/* ---- its size ---- */

static bool count_bytes(void *size_bytes, const void *piece, size_t piece_bytes)
{
    (void)piece;
    *(uint32_t *)size_bytes += (uint32_t)piece_bytes;
    return true;
}

uint32_t picket_wire_message_size(const struct picket_wire_message *message)
{
    uint32_t size_bytes = 0;
    return picket_wire_encode(message, count_bytes, &size_bytes) ? size_bytes : 0;
}
