/* Sizes, bounds and pieces of what is encoded. (That it is right, roundtrip_test.c and tests/decode
 * show.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_message.h"
#include "reencode.h"

/* A list of flows that are all alike. */
struct alike {
    struct picket_wire_flow flow;
    uint32_t calls;
};

static const uint8_t address[16] = {192, 168, 1, 2};

static uint32_t next_alike(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    struct alike *alike = *(struct alike *const *)table;
    alike->calls++;
    *flow = alike->flow;
    return cursor + 1;
}

static uint32_t size_of_flows(struct alike *alike, uint32_t ipv4_count, uint32_t ipv6_count)
{
    struct picket_wire_event event = {
        .time_s = 1,
        .collection_interval_s = 1,
        .payload_type = PICKET_WIRE_NETWORK_ACTIVITY,
        .payload.network_activity = {.ipv4 = {ipv4_count, next_alike, &alike},
                                     .ipv6 = {ipv6_count, next_alike, &alike}}};
    struct picket_wire_message message = {"id", 1, &event, 1};
    alike->flow.local_address = alike->flow.remote_address = address;
    return picket_wire_message_size(&message);
}

/* What one more flow takes. */
static uint32_t flow_bytes(struct picket_wire_flow flow, bool ipv6)
{
    struct alike alike = {.flow = flow};
    uint32_t count = 10;
    return ipv6 ? size_of_flows(&alike, 0, count + 1) - size_of_flows(&alike, 0, count)
                : size_of_flows(&alike, count + 1, 0) - size_of_flows(&alike, count, 0);
}

static void a_flow_takes_room_for_its_protocol_if_that_is_not_tcp(void **state)
{
    struct picket_wire_flow flow = {.protocol = PICKET_WIRE_TCP};
    (void)state;
    assert_int_equal(flow_bytes(flow, false), 36);
    assert_int_equal(flow_bytes(flow, true), 60);
    flow.protocol = PICKET_WIRE_UDP;
    assert_int_equal(flow_bytes(flow, false), 40);
    assert_int_equal(flow_bytes(flow, true), 64);
    flow.protocol = PICKET_WIRE_ICMP;
    assert_int_equal(flow_bytes(flow, false), 40);
}

/* What a message of one flow is larger than one of none, but for the flow itself. */
static uint32_t overhead(struct picket_wire_flow flow, bool ipv6)
{
    struct alike none = {.flow = flow}, one = {.flow = flow};
    return size_of_flows(&one, !ipv6, ipv6) - size_of_flows(&none, 0, 0) - flow_bytes(flow, ipv6);
}

static void only_vtables_that_flows_need_are_written(void **state)
{
    struct picket_wire_flow flow = {.protocol = PICKET_WIRE_TCP};
    const uint32_t vector = 8; /* its offset and its length; and an entry in the vtable */
    (void)state;
    assert_int_equal(overhead(flow, false), vector + 4 + 8 + 12);
    flow.protocol = PICKET_WIRE_UDP;
    assert_int_equal(overhead(flow, false), vector + 4 + 8 + 12 + 16);
}

static void what_cannot_be_a_message_is_not_begun(void **state)
{
    static struct picket_wire_event events[PICKET_WIRE_EVENTS_MAX + 1];
    struct sink_buffer buffer = {0};
    struct picket_wire_message message = {"id", 1, events, PICKET_WIRE_EVENTS_MAX + 1};
    (void)state;
    for (uint32_t i = 0; i <= PICKET_WIRE_EVENTS_MAX; i++)
        events[i].payload_type = PICKET_WIRE_HEARTBEAT;
    assert_int_equal(picket_wire_message_size(&message), 0);
    assert_false(picket_wire_encode(&message, sink_buffer_take, &buffer));

    message.event_count = PICKET_WIRE_EVENTS_MAX;
    assert_int_not_equal(picket_wire_message_size(&message), 0);
    for (int type = 0; type < 256; type++) {
        events[PICKET_WIRE_EVENTS_MAX - 1].payload_type = (uint8_t)type;
        bool known = type == PICKET_WIRE_NETWORK_ACTIVITY ||
                     type == PICKET_WIRE_SYSTEM_INFORMATION ||
                     type == PICKET_WIRE_LISTENING_PORTS || type == PICKET_WIRE_HEARTBEAT;
        assert_int_equal(picket_wire_message_size(&message) != 0, known);
        if (!known)
            assert_false(picket_wire_encode(&message, sink_buffer_take, &buffer));
    }
    assert_int_equal(buffer.pieces, 0);
}

/* The number of flows at which a message is too large is the same for both functions. Returns the
 * size of the largest message. */
static size_t size_at_bound(bool ipv6, struct picket_wire_flow flow)
{
    struct alike alike = {.flow = flow}, *table = &alike;
    uint32_t fits = 0, too_many = 20000;
    struct picket_wire_event event = {.payload_type = PICKET_WIRE_NETWORK_ACTIVITY};
    struct picket_wire_message message = {"id", 1, &event, 1};
    struct picket_wire_flows *flows =
        ipv6 ? &event.payload.network_activity.ipv6 : &event.payload.network_activity.ipv4;
    while (fits + 1 < too_many) {
        uint32_t count = (fits + too_many) / 2;
        if (size_of_flows(&alike, ipv6 ? 0 : count, ipv6 ? count : 0) != 0)
            fits = count;
        else
            too_many = count;
    }
    *flows = (struct picket_wire_flows){fits, next_alike, &table};
    size_t size_bytes;
    unsigned char *bytes = encode_exactly(&message, &size_bytes);
    assert_non_null(bytes);
    free(bytes);
    assert_true(size_bytes <= PICKET_WIRE_MESSAGE_BYTES_MAX);

    struct sink_buffer nowhere = {0};
    flows->count = too_many;
    assert_int_equal(picket_wire_message_size(&message), 0);
    assert_false(picket_wire_encode(&message, sink_buffer_take, &nowhere));
    assert_int_equal(nowhere.pieces, 0);
    return size_bytes;
}

static void a_message_of_the_largest_flows_may_be_as_large_as_the_bound_and_no_larger(void **state)
{
    struct picket_wire_flow tcp = {.protocol = PICKET_WIRE_TCP},
                            udp = {.protocol = PICKET_WIRE_UDP};
    tcp.local_address = tcp.remote_address = udp.local_address = udp.remote_address = address;
    (void)state;
    size_t largest = size_at_bound(true, udp);
    assert_in_range(largest, PICKET_WIRE_MESSAGE_BYTES_MAX - 2 * flow_bytes(udp, true),
                    PICKET_WIRE_MESSAGE_BYTES_MAX);
    /* As many of the others. */
    size_t count = largest / 64;
    assert_in_range(size_at_bound(true, tcp), (count - 4) * 60, (count + 4) * 60);
    assert_in_range(size_at_bound(false, udp), (count - 6) * 40, (count + 6) * 40);
    assert_in_range(size_at_bound(false, tcp), (count - 6) * 36, (count + 6) * 36);
}

static void counts_that_overflow_are_refused_without_a_walk(void **state)
{
    static const uint32_t counts[] = {10923, 65536, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct alike alike = {0};
        assert_int_equal(size_of_flows(&alike, counts[i], 0), 0);
        assert_int_equal(size_of_flows(&alike, 0, counts[i]), 0);
        assert_int_equal(size_of_flows(&alike, counts[i], counts[i]), 0);
        assert_int_equal(alike.calls, 0);
    }
}

static void a_message_without_events_needs_no_array(void **state)
{
    struct picket_wire_message message = {"id", 0, NULL, 0};
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    size_t size_bytes;
    (void)state;
    unsigned char *bytes = encode_exactly(&message, &size_bytes);
    assert_non_null(bytes);
    assert_true(picket_wire_open(&view, bytes, size_bytes, &error));
    assert_int_equal(view.event_count, 0);
    free(bytes);
}

static void strings_too_large_for_a_message_are_refused(void **state)
{
    struct sink_buffer buffer = {0};
    struct picket_wire_event events[PICKET_WIRE_EVENTS_MAX];
    struct picket_wire_message message = {"id", 1, events, 1};
    char *text = malloc(400001);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', 400000);
    text[400000] = '\0';
    memset(events, 0, sizeof events);
    for (int i = 0; i < PICKET_WIRE_EVENTS_MAX; i++) {
        events[i].payload_type = PICKET_WIRE_SYSTEM_INFORMATION;
        events[i].payload.system_information =
            (struct picket_wire_system_information){text, text, text};
    }
    assert_int_equal(picket_wire_message_size(&message), 0);
    message.event_count = PICKET_WIRE_EVENTS_MAX;
    assert_int_equal(picket_wire_message_size(&message), 0);
    assert_false(picket_wire_encode(&message, sink_buffer_take, &buffer));
    message.security_module_id = text;
    message.event_count = 0;
    assert_int_equal(picket_wire_message_size(&message), 0);
    assert_int_equal(buffer.pieces, 0);

    /* The largest that fits. */
    text[200000] = '\0';
    size_t size_bytes;
    unsigned char *bytes = encode_exactly(&message, &size_bytes);
    assert_non_null(bytes);
    free(bytes);
    free(text);
}

static void nothing_follows_a_piece_that_the_sink_refused(void **state)
{
    static struct random_message random;
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t size_bytes;
        random_message(&random, seed);
        unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
        struct sink_buffer all = {.bytes = malloc(size_bytes), .capacity_bytes = size_bytes};
        assert_true(picket_wire_encode(&random.message, sink_buffer_take, &all));
        for (size_t refused = 1; refused <= all.pieces; refused++) {
            struct sink_buffer some = {
                .bytes = all.bytes, .capacity_bytes = size_bytes, .refuse_at = refused};
            memset(all.bytes, 0, size_bytes);
            assert_false(picket_wire_encode(&random.message, sink_buffer_take, &some));
            assert_int_equal(some.pieces, refused);
            assert_memory_equal(some.bytes, bytes, some.size_bytes);
        }
        free(all.bytes);
        free(bytes);
    }
}

static uint32_t next_changing(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    uint64_t *state = *(uint64_t *const *)table;
    uint32_t present = random_next(state);
    *flow = (struct picket_wire_flow){.local_address = address,
                                      .remote_address = address,
                                      .bytes_in = present & 1,
                                      .bytes_out = present >> 1 & 1,
                                      .local_port = (uint16_t)(present >> 2 & 1),
                                      .protocol = (uint8_t)(present >> 3 & 1)};
    return cursor + 1;
}

/* The message is not worth anything, but memory is left alone (which the sanitizers see). */
static void flows_that_change_between_walks_do_no_harm(void **state)
{
    uint64_t random = 1, *table = &random;
    struct picket_wire_event event = {.payload_type = PICKET_WIRE_NETWORK_ACTIVITY};
    struct picket_wire_message message = {"id", 1, &event, 1};
    unsigned char *bytes = malloc(10000);
    (void)state;
    assert_non_null(bytes);
    for (int i = 0; i < 200; i++) {
        struct sink_buffer buffer = {.bytes = bytes, .capacity_bytes = 10000};
        struct picket_wire_flows flows = {random_next(&random) % 8, next_changing, &table};
        event.payload.network_activity.ipv4 = event.payload.network_activity.ipv6 = flows;
        assert_true(picket_wire_encode(&message, sink_buffer_take, &buffer));
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_takes_room_for_its_protocol_if_that_is_not_tcp),
        cmocka_unit_test(only_vtables_that_flows_need_are_written),
        cmocka_unit_test(what_cannot_be_a_message_is_not_begun),
        cmocka_unit_test(a_message_of_the_largest_flows_may_be_as_large_as_the_bound_and_no_larger),
        cmocka_unit_test(counts_that_overflow_are_refused_without_a_walk),
        cmocka_unit_test(a_message_without_events_needs_no_array),
        cmocka_unit_test(strings_too_large_for_a_message_are_refused),
        cmocka_unit_test(nothing_follows_a_piece_that_the_sink_refused),
        cmocka_unit_test(flows_that_change_between_walks_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
