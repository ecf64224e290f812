#include "picket/wire/encoder.h"

#include <string.h>

#include "bytes.h"

/* The message, front to back (README.md draws it):
 *
 *     head        root offset, Message, vector of events, security_module_id
 *     events      Event of each event; the first vtables begin in the padding of the last
 *     vtables     those of Message and Event
 *     payloads    of each event: vtable, table, and its strings or vectors
 *     flows       NetworkActivityV4 or V6, each followed by its NetworkActivityCommon
 *     vtables     those of the flows
 *
 * Everything up to the flows is laid out twice by the same code: first without a sink, to learn
 * where things will be, then for good. Vectors of flows are left out the first time, since nothing
 * but their length matters. When they are written, the walk over the flows adds up how large the
 * flows are and which vtables they need; the walk that writes the flows can therefore point to
 * vtables behind them.
 *
 * A vtable depends on which fields are present. Payloads and NetworkActivityCommon are laid out as
 * words of which any may be absent: a mask of those that are there is all that a vtable is made of.
 */

enum {
    PAYLOAD_WORDS = 5, /* all payload types have words only */
    COMMON_WORDS = 4,  /* both ports, bytes_in, bytes_out, protocol */

    /* Places that are pointed to before they are known: vtables of Message and of Event without and
     * with duration, the events, their payloads. */
    MESSAGE_VTABLE = 0,
    EVENT_VTABLES,
    EVENTS = EVENT_VTABLES + 2,
    PAYLOADS = EVENTS + PICKET_WIRE_EVENTS_MAX,
    PLACES = PAYLOADS + PICKET_WIRE_EVENTS_MAX,

    /* Vtables behind the flows; of NetworkActivityCommon by the mask. */
    IPV4_VTABLE = 0,
    IPV6_VTABLE,
    COMMON_VTABLES,
    BACK_VTABLES = COMMON_VTABLES + (1 << COMMON_WORDS),

    IPV4_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV4_BYTES + 4,
    IPV6_TABLE_BYTES = 4 + 2 * PICKET_WIRE_IPV6_BYTES + 4,
    COMMON_BYTES_MAX = 4 + 4 * COMMON_WORDS,
    IPV4_PORT_BYTES = PICKET_WIRE_IPV4_BYTES + 4,
    IPV6_PORT_BYTES = PICKET_WIRE_IPV6_BYTES + 4,
    FLOW_BYTES_MIN = 4 + IPV4_TABLE_BYTES + 4, /* offset, addresses, a common table of no words */
    VTABLE_ENTRIES_MAX = 8,
    BACK_VTABLES_BYTES_MAX = BACK_VTABLES * 2 * VTABLE_ENTRIES_MAX,

    /* Each four bytes in front of the flows, if they are offsets, stand for at most 60 of flows: up
     * to here a message cannot be too large. */
    MEASURE_FROM_BYTES = (PICKET_WIRE_MESSAGE_BYTES_MAX - BACK_VTABLES_BYTES_MAX) /
                         (1 + (IPV6_TABLE_BYTES + COMMON_BYTES_MAX) / 4),

    STAGE_BYTES = 128 /* what is gathered for a piece; whole words, at least the largest run() */
};

/* Size of the vtable, size of the table, and where its fields are, by id. */
static const uint8_t front_vtables[][VTABLE_ENTRIES_MAX] = {
    {12, 16, 4, 8, 0, 12},           /* Message: no timezone */
    {14, 33, 4, 20, 24, 32, 28},     /* Event: the type is last, so that its padding is, too */
    {16, 37, 4, 20, 24, 36, 28, 32}, /* Event with duration */
};
static const uint8_t address_vtables[][4] = {
    {8, IPV4_TABLE_BYTES, 4, IPV4_TABLE_BYTES - 4}, /* NetworkActivityV4 */
    {8, IPV6_TABLE_BYTES, 4, IPV6_TABLE_BYTES - 4}, /* NetworkActivityV6 */
};

/* The size of a NetworkActivityCommon by its mask. */
static const uint8_t common_bytes[] = {4, 8,  8,  12, 8,  12, 12, 16,
                                       8, 12, 12, 16, 12, 16, 16, COMMON_BYTES_MAX};

enum round {
    PLAN, /* places are found, what is made of those not known yet goes nowhere; flows are counted
           */
    MEASURE, /* the flows' size is found */
    VECTORS, /* everything up to the flows is written */
    TABLES   /* the flows are written */
};

struct encoder {
    const struct picket_wire_message *message;
    picket_wire_sink sink; /* NULL: nothing is handed over */
    void *context;
    uint32_t handed_bytes;
    uint32_t staged_bytes;
    enum round round;
    bool refused;

    uint32_t place[PLACES];
    uint32_t flows_at;
    uint32_t flows_bytes;             /* of those that were walked over */
    uint32_t back_vtables;            /* those needed, a bit each */
    uint16_t vtable_at[BACK_VTABLES]; /* from the end of the flows */
    uint32_t stage[STAGE_BYTES / 4];
};

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

static void put_8(struct encoder *encoder, uint32_t value)
{
    *(uint8_t *)run(encoder, 1) = (uint8_t)value;
}

static void put_32(struct encoder *encoder, uint32_t value)
{
    store_word(run(encoder, 4), value);
}

static void put_bytes(struct encoder *encoder, const void *bytes, uint32_t count)
{
    /* Without a sink whole words need not be copied. */
    if (encoder->sink == NULL) {
        encoder->handed_bytes += count & ~(uint32_t)3;
        count &= 3;
    }
    for (const uint8_t *from = bytes; count > 0; count--)
        put_8(encoder, *from++);
}

/* Zeros, until what comes after `ahead` further bytes is aligned. */
static void put_padding(struct encoder *encoder, uint32_t ahead, uint32_t alignment)
{
    while (((position(encoder) + ahead) & (alignment - 1)) != 0)
        put_8(encoder, 0);
}

/* ---- places ---- */

static void place_here(struct encoder *encoder, uint32_t place)
{
    encoder->place[place] = position(encoder);
}

/* An offset field: to something further on. */
static void put_offset(struct encoder *encoder, uint32_t place)
{
    put_32(encoder, encoder->place[place] - position(encoder));
}

/* What a table begins with: how far back its vtable is. */
static void put_table_start(struct encoder *encoder, uint32_t place)
{
    put_32(encoder, position(encoder) - encoder->place[place]);
}

/* ---- strings ---- */

/* The size of a string with its end but not its length; 0 for an absent one. */
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
    return bytes == 0 ? 0 : (4 + bytes + 3) & ~(uint32_t)3;
}

static void put_string(struct encoder *encoder, const char *text)
{
    uint32_t bytes = text_bytes(text);
    if (bytes == 0)
        return;
    put_32(encoder, bytes - 1);
    put_bytes(encoder, text, bytes);
    put_padding(encoder, 0, 4);
}

/* ---- vtables and tables of words ---- */

static void put_vtable(struct encoder *encoder, const uint8_t *vtable)
{
    for (uint32_t i = 0; i < vtable[0] / 2u; i++)
        store_16(run(encoder, 2), vtable[i]);
}

WIRE_INLINE uint32_t mask_of(const uint32_t *words, uint32_t count)
{
    uint32_t mask = 0;
    WIRE_UNROLL
    while (count-- > 0)
        mask += mask + (words[count] != 0);
    return mask;
}

/* Makes the vtable of a table of words. If there are halves, the first word is two fields. */
static void lay_words_out(uint8_t vtable[VTABLE_ENTRIES_MAX], uint32_t mask, bool halves)
{
    uint32_t at = 4, entries = 2;
    if (halves)
        mask = mask << 1 | (mask & 1);
    for (uint32_t id = 0; mask >> id != 0; id++) {
        bool present = (mask >> id & 1) != 0;
        vtable[entries++] = present ? (uint8_t)at : 0;
        if (present)
            at += halves && id < 2 ? 2 : 4;
    }
    vtable[0] = (uint8_t)(2 * entries);
    vtable[1] = (uint8_t)at;
}

/* ---- flows ---- */

/* The words of a flow's NetworkActivityCommon, 0: absent. Both ports, which are next to each other,
 * are one. */
WIRE_INLINE void common_words(uint32_t words[COMMON_WORDS], const struct picket_wire_flow *flow)
{
    words[0] = flow->local_port | (uint32_t)flow->remote_port << 16;
    words[1] = flow->bytes_in;
    words[2] = flow->bytes_out;
    words[3] = flow->protocol;
}

WIRE_INLINE void put_flow(struct encoder *encoder, const struct picket_wire_flow *flow,
                          const uint32_t words[COMMON_WORDS], uint32_t mask,
                          uint32_t address_vtable)
{
    const uint32_t table_bytes = address_vtables[address_vtable][1];
    const uint32_t back = position(encoder) - encoder->flows_at - encoder->flows_bytes;
    const uint32_t address_words = (table_bytes - 8) / 8;
    uint32_t *at = run(encoder, table_bytes + common_bytes[mask]);

    store_word(at++, back - encoder->vtable_at[address_vtable]);
    WIRE_UNROLL
    for (uint32_t i = 0; i < address_words; i++) {
        store_word(at + i, load_32(flow->local_address + 4 * i));
        store_word(at + address_words + i, load_32(flow->remote_address + 4 * i));
    }
    at += 2 * address_words;
    store_word(at++, 4); /* the common table is next */
    store_word(at++, back + table_bytes - encoder->vtable_at[COMMON_VTABLES + mask]);
    WIRE_UNROLL
    for (uint32_t i = 0; i < COMMON_WORDS; i++)
        if (words[i] != 0)
            store_word(at++, words[i]);
}

/* 0 for nothing; too large for a message if what it holds is, at bytes_min each and more. */
static uint32_t vector_bytes(uint32_t count, uint32_t element_bytes, uint32_t bytes_min)
{
    if (count > PICKET_WIRE_MESSAGE_BYTES_MAX / bytes_min)
        count = PICKET_WIRE_MESSAGE_BYTES_MAX;
    return count == 0 ? 0 : 4 + element_bytes * count;
}

static uint32_t flows_vector_bytes(const struct picket_wire_flows *flows)
{
    return vector_bytes(flows->count, 4, FLOW_BYTES_MIN);
}

/* The vector of a list of flows or, in the last round, the flows. */
WIRE_INLINE void put_flows(struct encoder *encoder, const struct picket_wire_flows *flows,
                           uint32_t address_vtable)
{
    uint32_t cursor = 0, left = flows->count;
    if (left == 0)
        return;
    if (encoder->round != TABLES)
        put_32(encoder, left);
    if (encoder->round == PLAN || flows_vector_bytes(flows) > PICKET_WIRE_MESSAGE_BYTES_MAX) {
        encoder->handed_bytes += flows_vector_bytes(flows) - 4;
        return;
    }
    encoder->back_vtables |= UINT32_C(1) << address_vtable;
    const uint32_t table_bytes = address_vtables[address_vtable][1];
    uint32_t offset = encoder->flows_at + encoder->flows_bytes - position(encoder);
    for (; left > 0 && !encoder->refused; left--) {
        struct picket_wire_flow flow;
        uint32_t words[COMMON_WORDS];
        cursor = flows->next(flows->table, cursor, &flow);
        common_words(words, &flow);
        uint32_t mask = mask_of(words, COMMON_WORDS);
        if (encoder->round == TABLES) {
            put_flow(encoder, &flow, words, mask, address_vtable);
            continue;
        }
        uint32_t bytes = table_bytes + common_bytes[mask];
        put_32(encoder, offset);
        offset += bytes - 4; /* the next field is nearer */
        encoder->flows_bytes += bytes;
        encoder->back_vtables |= UINT32_C(1) << COMMON_VTABLES << mask;
    }
}

/* Places the vtables behind the flows that are needed, and writes them if put is set. Returns their
 * size. */
static uint32_t place_back_vtables(struct encoder *encoder, bool put)
{
    uint32_t at = 0;
    for (uint32_t i = 0; encoder->back_vtables >> i != 0; i++) {
        uint8_t words_vtable[VTABLE_ENTRIES_MAX];
        const uint8_t *vtable = words_vtable;
        if ((encoder->back_vtables >> i & 1) == 0)
            continue;
        if (i < COMMON_VTABLES)
            vtable = address_vtables[i];
        else
            lay_words_out(words_vtable, i - COMMON_VTABLES, true);
        encoder->vtable_at[i] = (uint16_t)at;
        at += vtable[0];
        if (put)
            put_vtable(encoder, vtable);
    }
    return at;
}

/* ---- ports ---- */

static void put_ports(struct encoder *encoder, const struct picket_wire_ports *ports,
                      uint32_t address_bytes)
{
    uint32_t cursor = 0, left = ports->count;
    if (left == 0)
        return;
    put_32(encoder, left);
    if (encoder->round != VECTORS) {
        uint32_t bytes = address_bytes + 4;
        encoder->handed_bytes += vector_bytes(left, bytes, bytes) - 4;
        return;
    }
    for (; left > 0 && !encoder->refused; left--) {
        struct picket_wire_listening_port port;
        cursor = ports->next(ports->table, cursor, &port);
        put_bytes(encoder, port.local_address, address_bytes);
        put_32(encoder, port.local_port | (uint32_t)port.protocol << 16);
    }
}

/* ---- payloads ---- */

struct payload {
    uint32_t words[PAYLOAD_WORDS]; /* by field id, 0: absent */
    uint32_t children;             /* of the words; they are the sizes of what they will point to */
};

/* False if the payload's type is not one that a device sends. */
static bool examine(struct payload *payload, const struct picket_wire_event *event)
{
    memset(payload, 0, sizeof *payload);
    if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        const struct picket_wire_network_activity *activity = &event->payload.network_activity;
        payload->words[0] = flows_vector_bytes(&activity->ipv4);
        payload->words[1] = flows_vector_bytes(&activity->ipv6);
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
    return true;
}

static void put_children(struct encoder *encoder, const struct picket_wire_event *event)
{
    if (event->payload_type == PICKET_WIRE_NETWORK_ACTIVITY) {
        put_flows(encoder, &event->payload.network_activity.ipv4, IPV4_VTABLE);
        put_flows(encoder, &event->payload.network_activity.ipv6, IPV6_VTABLE);
    } else if (event->payload_type == PICKET_WIRE_SYSTEM_INFORMATION && encoder->round != TABLES) {
        put_string(encoder, event->payload.system_information.os_info);
        put_string(encoder, event->payload.system_information.kernel_info);
        put_string(encoder, event->payload.system_information.hw_info);
    } else if (event->payload_type == PICKET_WIRE_LISTENING_PORTS && encoder->round != TABLES) {
        put_ports(encoder, &event->payload.listening_ports.ipv4, PICKET_WIRE_IPV4_BYTES);
        put_ports(encoder, &event->payload.listening_ports.ipv6, PICKET_WIRE_IPV6_BYTES);
    }
}

static bool put_payload(struct encoder *encoder, uint32_t index)
{
    const struct picket_wire_event *event = &encoder->message->events[index];
    struct payload payload;
    uint8_t vtable[VTABLE_ENTRIES_MAX];
    if (!examine(&payload, event))
        return false;
    lay_words_out(vtable, mask_of(payload.words, PAYLOAD_WORDS), false);
    put_padding(encoder, vtable[0], 4);
    put_vtable(encoder, vtable);
    place_here(encoder, PAYLOADS + index);
    uint32_t child_at = position(encoder) + vtable[1];
    put_32(encoder, vtable[0]); /* the vtable is right before */
    for (uint32_t id = 0; id < PAYLOAD_WORDS; id++) {
        uint32_t word = payload.words[id];
        if (word == 0)
            continue;
        if (id < payload.children) {
            put_32(encoder, child_at - position(encoder));
            child_at += word;
        } else {
            put_32(encoder, word);
        }
    }
    put_children(encoder, event);
    return true;
}

/* ---- the whole ---- */

static void put_event(struct encoder *encoder, uint32_t index)
{
    const struct picket_wire_event *event = &encoder->message->events[index];
    put_padding(encoder, 0, 4);
    place_here(encoder, EVENTS + index);
    put_table_start(encoder, EVENT_VTABLES + (event->duration_s != 0));
    put_bytes(encoder, event->id, PICKET_WIRE_EVENT_ID_BYTES);
    put_32(encoder, event->time_s);
    put_32(encoder, event->collection_interval_s);
    put_offset(encoder, PAYLOADS + index);
    if (event->duration_s != 0)
        put_32(encoder, event->duration_s);
    put_8(encoder, (uint32_t)event->payload_type);
}

/* The vtables of Message and, if there is such an event, of Event without and with duration. */
static void put_front_vtables(struct encoder *encoder)
{
    const struct picket_wire_message *message = encoder->message;
    uint32_t needed = 1u << MESSAGE_VTABLE;
    for (uint32_t i = 0; i < message->event_count; i++)
        needed |= 1u << (EVENT_VTABLES + (message->events[i].duration_s != 0));
    put_padding(encoder, 0, 2);
    for (uint32_t i = MESSAGE_VTABLE; i < EVENTS; i++) {
        if ((needed >> i & 1) == 0)
            continue;
        place_here(encoder, i);
        put_vtable(encoder, front_vtables[i]);
    }
}

/* Everything up to the flows. False if it cannot be a message. */
static bool put_front(struct encoder *encoder, enum round round)
{
    const struct picket_wire_message *message = encoder->message;
    const uint32_t events = message->event_count;
    encoder->round = round;
    encoder->handed_bytes = 0;
    encoder->staged_bytes = 0;
    encoder->flows_bytes = 0;
    encoder->back_vtables = 0;
    put_32(encoder, 4); /* Message is next */
    put_table_start(encoder, MESSAGE_VTABLE);
    put_32(encoder, 16 + 4 * events);
    put_32(encoder, message->security_module_version);
    put_32(encoder, 4); /* the vector is next */
    put_32(encoder, events);
    for (uint32_t i = 0; i < events; i++)
        put_offset(encoder, EVENTS + i);
    put_string(encoder, message->security_module_id);
    for (uint32_t i = 0; i < events; i++)
        put_event(encoder, i);
    put_front_vtables(encoder);
    for (uint32_t i = 0; i < events; i++)
        if (!put_payload(encoder, i))
            return false;
    encoder->flows_at = position(encoder);
    return encoder->flows_at <= PICKET_WIRE_MESSAGE_BYTES_MAX;
}

static bool start(struct encoder *encoder, const struct picket_wire_message *message)
{
    memset(encoder, 0, sizeof *encoder);
    encoder->message = message;
    return message->event_count <= PICKET_WIRE_EVENTS_MAX;
}

/* The size of the message by a walk over its flows; 0 if it cannot be one. */
static uint32_t measure(struct encoder *encoder)
{
    if (!put_front(encoder, MEASURE))
        return 0;
    uint32_t bytes = encoder->flows_at + encoder->flows_bytes + place_back_vtables(encoder, false);
    return bytes <= PICKET_WIRE_MESSAGE_BYTES_MAX ? bytes : 0;
}

uint32_t picket_wire_message_size(const struct picket_wire_message *message)
{
    struct encoder encoder;
    return start(&encoder, message) ? measure(&encoder) : 0;
}

bool picket_wire_encode(const struct picket_wire_message *message, picket_wire_sink sink,
                        void *context)
{
    struct encoder encoder;
    if (!start(&encoder, message) || !put_front(&encoder, PLAN))
        return false;
    if (encoder.flows_at > MEASURE_FROM_BYTES && measure(&encoder) == 0)
        return false;
    encoder.sink = sink;
    encoder.context = context;
    put_front(&encoder, VECTORS);
    place_back_vtables(&encoder, false);
    encoder.round = TABLES;
    for (uint32_t i = 0; i < message->event_count; i++)
        put_children(&encoder, &message->events[i]);
    place_back_vtables(&encoder, true);
    flush(&encoder);
    return !encoder.refused;
}
