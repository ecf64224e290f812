/* Messages that are wrong, each in one way: the reason, and the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "picket/wire/decoder.h"
#include "random_message.h"
#include "reencode.h"
#include "walk.h"

/* A heartbeat, laid out by hand. */
enum {
    MESSAGE_AT = 4,
    ID_OFFSET_AT = 8,
    EVENTS_OFFSET_AT = 16,
    VECTOR_AT = 20,
    EVENT_OFFSET_AT = 24,
    STRING_AT = 28,
    EVENT_AT = 36,
    PAYLOAD_OFFSET_AT = 64,
    TYPE_AT = 68,
    MESSAGE_VTABLE_AT = 72,
    EVENT_VTABLE_AT = 84,
    HEARTBEAT_VTABLE_AT = 98,
    HEARTBEAT_AT = 104,
    HEARTBEAT_BYTES = 112
};
static const uint8_t heartbeat[HEARTBEAT_BYTES] = {
    4,    0,    0,    0,                                   /* 0: to Message */
    0xBC, 0xFF, 0xFF, 0xFF,                                /* 4: Message, vtable at 72 */
    20,   0,    0,    0,    4,   0,   5,  3, 4,  0, 0,  0, /* 8: id, version 3.5.4, events */
    1,    0,    0,    0,    12,  0,   0,  0,               /* 20: one event */
    2,    0,    0,    0,    'a', 'b', 0,  0,               /* 28: "ab" */
    0xD0, 0xFF, 0xFF, 0xFF,                                /* 36: Event, vtable at 84 */
    0,    1,    2,    3,    4,   5,   6,  7, 8,  9, 10, 11, 12, 13, 14, 15, /* 40: id */
    9,    0,    0,    0,    60,  0,   0,  0,                                /* 56: time, interval */
    40,   0,    0,    0,    4,   0,   0,  0,                                /* 64: payload, type */
    12,   0,    16,   0,    4,   0,   8,  0, 0,  0, 12, 0,         /* 72: vtable of Message */
    14,   0,    36,   0,    4,   0,   20, 0, 24, 0, 32, 0,  28, 0, /* 84: of Event */
    6,    0,    8,    0,    4,   0,                                /* 98: of Heartbeat */
    6,    0,    0,    0,    7,   0,   0,  0,                       /* 104: Heartbeat, uptime 7 */
};

static void patch(uint8_t *bytes, uint32_t at, uint32_t width, uint32_t value)
{
    for (uint32_t i = 0; i < width; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static bool opens(const uint8_t *bytes, size_t size_bytes, struct picket_wire_error *error)
{
    struct picket_wire_message_view view;
    uint8_t *exact = malloc(size_bytes > 0 ? size_bytes : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size_bytes);
    bool open = picket_wire_open(&view, exact, size_bytes, error);
    if (open)
        walk_message(&view);
    free(exact);
    return open;
}

static void a_message_laid_out_by_hand_is_read(void **state)
{
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    (void)state;
    assert_true(picket_wire_open(&view, heartbeat, sizeof heartbeat, &error));
    assert_int_equal(view.security_module_id.size_bytes, 2);
    assert_memory_equal(view.security_module_id.text, "ab", 3);
    assert_int_equal(view.security_module_version, 0x03050004);
    assert_int_equal(view.event_count, 1);
    struct picket_wire_event_view event = picket_wire_event_at(&view, 0);
    assert_ptr_equal(event.id, heartbeat + 40);
    assert_int_equal(event.time_s, 9);
    assert_int_equal(event.collection_interval_s, 60);
    assert_int_equal(event.duration_s, 0);
    assert_int_equal(event.payload_type, PICKET_WIRE_HEARTBEAT);
    assert_int_equal(picket_wire_heartbeat(&event).uptime_s, 7);
}

static void a_fault_is_told_with_its_byte(void **state)
{
    static const struct {
        uint32_t at, width, value;
        const char *reason;
        uint32_t offset;
    } faults[] = {
        {0, 4, 0, "offset is zero", 0},
        {0, 4, 109, "offset leads outside the message", 0},
        {0, 4, 0x7FFFFFFF, "offset leads outside the message", 0},
        {0, 4, 0xFFFFFFFC, "offset leads outside the message", 0},
        {0, 4, 6, "offset leads to an unaligned place", 0},
        {MESSAGE_AT, 4, 5, "vtable outside the message", MESSAGE_AT},
        {MESSAGE_AT, 4, 0xFFFFFF00, "vtable outside the message", MESSAGE_AT},
        {MESSAGE_AT, 4, 0xFFFFFFBD, "vtable at an odd place", MESSAGE_AT},
        {MESSAGE_VTABLE_AT, 2, 2, "vtable of an impossible size", MESSAGE_VTABLE_AT},
        {MESSAGE_VTABLE_AT, 2, 13, "vtable of an impossible size", MESSAGE_VTABLE_AT},
        {MESSAGE_VTABLE_AT, 2, 42, "vtable longer than the message", MESSAGE_VTABLE_AT},
        {MESSAGE_VTABLE_AT + 2, 2, 3, "table of an impossible size", MESSAGE_VTABLE_AT + 2},
        {MESSAGE_VTABLE_AT + 2, 2, 109, "table longer than the message", MESSAGE_AT},
        {MESSAGE_VTABLE_AT + 4, 2, 2, "field outside its table", MESSAGE_VTABLE_AT + 4},
        {MESSAGE_VTABLE_AT + 4, 2, 13, "field outside its table", MESSAGE_VTABLE_AT + 4},
        {MESSAGE_VTABLE_AT + 4, 2, 6, "unaligned field", MESSAGE_AT + 6},
        {MESSAGE_VTABLE_AT + 4, 2, 0, "required Message.security_module_id absent", MESSAGE_AT},
        {MESSAGE_VTABLE_AT, 2, 10, "required Message.events absent", MESSAGE_AT},
        {EVENT_VTABLE_AT + 4, 2, 0, "required Event.id absent", EVENT_AT},
        {EVENT_VTABLE_AT + 12, 2, 0, "required Event.payload absent", EVENT_AT},
        {EVENT_VTABLE_AT + 10, 2, 0, "payload without a type", PAYLOAD_OFFSET_AT},
        {TYPE_AT, 1, 0, "payload without a type", PAYLOAD_OFFSET_AT},
        {ID_OFFSET_AT, 4, 0, "offset is zero", ID_OFFSET_AT},
        {STRING_AT, 4, 80, "string longer than the message", STRING_AT},
        {STRING_AT, 4, 0xFFFFFFFF, "string longer than the message", STRING_AT},
        {STRING_AT, 4, 1, "string without a terminator", STRING_AT + 4 + 1},
        {VECTOR_AT, 4, 23, "vector longer than the message", VECTOR_AT},
        {VECTOR_AT, 4, 0x40000000, "vector longer than the message", VECTOR_AT},
        {EVENT_OFFSET_AT, 4, 200, "offset leads outside the message", EVENT_OFFSET_AT},
        {PAYLOAD_OFFSET_AT, 4, 0, "offset is zero", PAYLOAD_OFFSET_AT},
        {PAYLOAD_OFFSET_AT, 4, 45, "offset leads outside the message", PAYLOAD_OFFSET_AT},
        {HEARTBEAT_AT, 4, 8, "vtable longer than the message", 96},
        {HEARTBEAT_VTABLE_AT + 4, 2, 5, "field outside its table", HEARTBEAT_VTABLE_AT + 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint8_t bytes[HEARTBEAT_BYTES];
        struct picket_wire_error error;
        memcpy(bytes, heartbeat, sizeof bytes);
        patch(bytes, faults[i].at, faults[i].width, faults[i].value);
        if (opens(bytes, sizeof bytes, &error))
            fail_msg("fault %zu (%u at %u) is accepted", i, faults[i].value, faults[i].at);
        if (strcmp(error.reason, faults[i].reason) != 0 || error.offset != faults[i].offset)
            fail_msg("fault %zu (%u at %u): byte %u: %s", i, faults[i].value, faults[i].at,
                     error.offset, error.reason);
    }
}

static void sizes_that_no_message_has_are_refused(void **state)
{
    static uint8_t zeros[PICKET_WIRE_MESSAGE_BYTES_MAX + 1];
    struct picket_wire_error error;
    (void)state;
    for (size_t size_bytes = 0; size_bytes < 8; size_bytes++) {
        assert_false(opens(zeros, size_bytes, &error));
        assert_string_equal(error.reason, "message too short");
    }
    assert_false(opens(zeros, sizeof zeros, &error));
    assert_string_equal(error.reason, "message larger than 262144 bytes");
    assert_false(opens(zeros, sizeof zeros - 1, &error));
    assert_string_equal(error.reason, "offset is zero");
}

static void an_unknown_payload_is_accepted_wherever_it_lies_inside(void **state)
{
    uint8_t bytes[HEARTBEAT_BYTES];
    struct picket_wire_error error;
    (void)state;
    memcpy(bytes, heartbeat, sizeof bytes);
    bytes[TYPE_AT] = 8;
    patch(bytes, PAYLOAD_OFFSET_AT, 4, HEARTBEAT_BYTES - 1 - PAYLOAD_OFFSET_AT);
    assert_true(opens(bytes, sizeof bytes, &error));
    patch(bytes, PAYLOAD_OFFSET_AT, 4, HEARTBEAT_BYTES - PAYLOAD_OFFSET_AT);
    assert_false(opens(bytes, sizeof bytes, &error));
    assert_string_equal(error.reason, "offset leads outside the message");
}

static void every_truncation_is_refused_or_read_in_bounds(void **state)
{
    static struct random_message random;
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct picket_wire_error error;
        size_t size_bytes;
        random_message(&random, seed);
        unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
        for (size_t shorter = 0; shorter < size_bytes; shorter++)
            opens(bytes, shorter, &error);
        free(bytes);
    }
}

static void every_flipped_bit_is_refused_or_read_in_bounds(void **state)
{
    static struct random_message random;
    size_t accepted = 0, refused = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct picket_wire_error error;
        size_t size_bytes;
        random_message(&random, seed);
        unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
        for (size_t bit = 0; bit < 8 * size_bytes && bit < 8 * 1500; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            if (opens(bytes, size_bytes, &error))
                accepted++;
            else
                refused++;
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        free(bytes);
    }
    assert_true(accepted > 0 && refused > 0);
}

static void every_changed_byte_is_refused_or_read_in_bounds(void **state)
{
    struct picket_wire_error error;
    uint8_t bytes[HEARTBEAT_BYTES];
    (void)state;
    memcpy(bytes, heartbeat, sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at++) {
        for (unsigned value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            opens(bytes, sizeof bytes, &error);
        }
        bytes[at] = heartbeat[at];
    }
}

/* ---- sharing ---- */

struct builder {
    uint8_t *bytes;
    uint32_t size_bytes;
};

static uint32_t append(struct builder *builder, uint32_t width, uint32_t value)
{
    uint32_t at = builder->size_bytes;
    assert_true(at + width <= PICKET_WIRE_MESSAGE_BYTES_MAX);
    patch(builder->bytes, at, width, value);
    builder->size_bytes += width;
    return at;
}

/* A message whose events are all one, up to where its payload begins: a table that has a vector as
 * its first field. */
static void build_events(struct builder *builder, uint32_t event_count, uint32_t payload_type)
{
    static const uint16_t vtables[] = {
        12, 16, 4, 0,  0, 8,                  /* 4: Message, id and events */
        14, 36, 4, 0,  0, 32, 28,             /* 16: Event: id, type, payload */
        6,  8,  4,                            /* 30: NetworkActivity, ListeningPorts */
        8,  16, 4, 12,                        /* 36: NetworkActivityV4 */
        22, 8,  0, 0,  0, 0,  0,  0, 0, 0, 4, /* 44: NetworkActivityCommon: commandline */
        0                                     /* 66 */
    };
    builder->size_bytes = 0;
    append(builder, 4, 68);
    for (size_t i = 0; i < sizeof vtables / sizeof vtables[0]; i++)
        append(builder, 2, vtables[i]);

    assert_int_equal(append(builder, 4, 68 - 4), 68); /* Message */
    append(builder, 4, 4 * event_count + 12);         /* id: after the vector */
    append(builder, 4, 8);                            /* events */
    append(builder, 4, 0);
    append(builder, 4, event_count);
    for (uint32_t i = 0; i < event_count; i++)
        append(builder, 4, 8 + 4 * (event_count - i));
    append(builder, 4, 0); /* an empty id, and its terminator */
    append(builder, 4, 0);

    uint32_t event_at = append(builder, 4, 0);
    patch(builder->bytes, event_at, 4, event_at - 16);
    for (int i = 0; i < 6; i++)
        append(builder, 4, 0);
    append(builder, 4, 8); /* payload is after the type */
    append(builder, 4, payload_type);

    uint32_t payload_at = append(builder, 4, 0);
    patch(builder->bytes, payload_at, 4, payload_at - 30);
    append(builder, 4, 4);
}

/* event_count * flow_count ways lead to the only NetworkActivityCommon, which has a command line of
 * text_bytes. */
static void build_shared(struct builder *builder, uint32_t event_count, uint32_t flow_count,
                         uint32_t text_bytes)
{
    build_events(builder, event_count, PICKET_WIRE_NETWORK_ACTIVITY);
    append(builder, 4, flow_count);
    for (uint32_t i = 0; i < flow_count; i++)
        append(builder, 4, 4 * (flow_count - i));
    uint32_t flow_at = append(builder, 4, 0);
    patch(builder->bytes, flow_at, 4, flow_at - 36);
    append(builder, 4, 0x0100007F);
    append(builder, 4, 0x0200007F);
    append(builder, 4, 4);
    uint32_t common_at = append(builder, 4, 0);
    patch(builder->bytes, common_at, 4, common_at - 44);
    append(builder, 4, 4);
    append(builder, 4, text_bytes);
    for (uint32_t i = 0; i < text_bytes; i++)
        append(builder, 1, 'x');
    append(builder, 1, 0);
}

static void check_shared(uint32_t event_count, uint32_t flow_count, uint32_t text_bytes,
                         const char *reason)
{
    static uint8_t bytes[PICKET_WIRE_MESSAGE_BYTES_MAX];
    struct builder builder = {.bytes = bytes};
    struct picket_wire_error error = {"", 0};
    build_shared(&builder, event_count, flow_count, text_bytes);
    bool open = opens(bytes, builder.size_bytes, &error);
    if (open != (reason == NULL) || (reason != NULL && strcmp(reason, error.reason) != 0))
        fail_msg("%u events, %u flows, %u bytes of text in %u bytes: %s", event_count, flow_count,
                 text_bytes, builder.size_bytes, open ? "accepted" : error.reason);
}

static void tables_may_be_shared_as_often_as_there_is_room_for_them(void **state)
{
    (void)state;
    check_shared(1, 1, 0, NULL);
    check_shared(4, 5, 0, NULL);
    check_shared(1000, 0, 0, "tables shared too often"); /* 2,001 tables in 4,204 bytes */
    check_shared(1000, 1000, 0, "tables shared too often");
    check_shared(30000, 30000, 0, "tables shared too often");
}

static void leaves_may_be_shared_without_limit(void **state)
{
    static uint8_t bytes[PICKET_WIRE_MESSAGE_BYTES_MAX];
    static struct random_message random;
    struct picket_wire_error error;
    size_t size_bytes = 0;
    (void)state;
    /* All flows of a message of many lead to the NetworkActivityCommon of the last. */
    uint64_t seed = 0;
    struct picket_wire_message_view view;
    unsigned char *encoded = NULL;
    do {
        free(encoded);
        random_message(&random, seed++);
        encoded = encode_exactly(&random.message, &size_bytes);
        assert_true(picket_wire_open(&view, encoded, size_bytes, &error));
    } while (random.message.event_count == 0 || random.lists[0][0].count < 64);
    memcpy(bytes, encoded, size_bytes);

    struct picket_wire_event_view event = picket_wire_event_at(&view, 0);
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(&event);
    uint32_t last = 0;
    for (uint32_t i = activity.ipv4_count; i-- > 0;) {
        struct picket_wire_flow_view flow = picket_wire_ipv4_flow_at(&activity, i);
        uint32_t offset_at = (uint32_t)(flow.flow.remote_address + 4 - encoded);
        if (last == 0)
            last = offset_at + 4;
        patch(bytes, offset_at, 4, last - offset_at);
    }
    assert_true(opens(bytes, size_bytes, &error));
    free(encoded);
}

/* event_count ways lead to the only list of ports. */
static bool opens_with_shared_ports(uint32_t event_count, uint32_t port_count,
                                    struct picket_wire_error *error)
{
    static uint8_t bytes[PICKET_WIRE_MESSAGE_BYTES_MAX];
    struct builder builder = {.bytes = bytes};
    build_events(&builder, event_count, PICKET_WIRE_LISTENING_PORTS);
    append(&builder, 4, port_count);
    for (uint32_t i = 0; i < 2 * port_count; i++)
        append(&builder, 4, 0);
    return opens(bytes, builder.size_bytes, error);
}

static void vectors_may_be_shared_up_to_a_bound(void **state)
{
    struct picket_wire_error error;
    (void)state;
    assert_true(opens_with_shared_ports(1, 1000, &error));
    assert_true(opens_with_shared_ports(40, 1000, &error)); /* 320,000 of 8,320 * 40 */
    assert_false(opens_with_shared_ports(100, 1000, &error));
    assert_string_equal(error.reason, "strings or vectors shared too often");
}

static void strings_may_be_shared_up_to_a_bound(void **state)
{
    (void)state;
    check_shared(1, 500, 1000, "strings or vectors shared too often"); /* 500,000 of 3,177 * 40 */
    check_shared(1, 50, 1000, NULL);
    check_shared(1, 1, 200000, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_laid_out_by_hand_is_read),
        cmocka_unit_test(a_fault_is_told_with_its_byte),
        cmocka_unit_test(sizes_that_no_message_has_are_refused),
        cmocka_unit_test(an_unknown_payload_is_accepted_wherever_it_lies_inside),
        cmocka_unit_test(every_truncation_is_refused_or_read_in_bounds),
        cmocka_unit_test(every_flipped_bit_is_refused_or_read_in_bounds),
        cmocka_unit_test(every_changed_byte_is_refused_or_read_in_bounds),
        cmocka_unit_test(tables_may_be_shared_as_often_as_there_is_room_for_them),
        cmocka_unit_test(leaves_may_be_shared_without_limit),
        cmocka_unit_test(vectors_may_be_shared_up_to_a_bound),
        cmocka_unit_test(strings_may_be_shared_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
