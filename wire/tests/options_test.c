/* What the encoder does without what can be left out of it (least_options.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "picket/wire/decoder.h"
#include "random_message.h"
#include "reencode.h"

static const uint8_t address[16] = {192, 168, 1, 2};

static uint32_t next_flow(const void *table, uint32_t cursor, struct picket_wire_flow *flow)
{
    (void)table;
    *flow = (struct picket_wire_flow){.local_address = address,
                                      .remote_address = address,
                                      .local_port = (uint16_t)cursor,
                                      .protocol = PICKET_WIRE_UDP};
    return cursor + 1;
}

static void flows_of_ipv6_are_left_out(void **state)
{
    struct picket_wire_event event = {
        .payload_type = PICKET_WIRE_NETWORK_ACTIVITY,
        .payload.network_activity = {.ipv4 = {2, next_flow, NULL}, .ipv6 = {3, next_flow, NULL}}};
    struct picket_wire_message message = {"id", 1, &event, 1};
    struct picket_wire_message_view view;
    struct picket_wire_error error;
    size_t size_bytes;
    (void)state;
    for (uint32_t lost_flows = 0; lost_flows < 2; lost_flows++) {
        event.payload.network_activity.lost_flows = lost_flows;
        unsigned char *bytes = encode_exactly(&message, &size_bytes);
        assert_non_null(bytes);
        assert_true(picket_wire_open(&view, bytes, size_bytes, &error));
        struct picket_wire_event_view found = picket_wire_event_at(&view, 0);
        struct picket_wire_network_activity_view activity = picket_wire_network_activity(&found);
        assert_int_equal(activity.ipv4_count, 2);
        assert_int_equal(activity.ipv6_count, 0);
        assert_int_equal(activity.lost_flows, lost_flows);
        assert_int_equal(picket_wire_ipv4_flow_at(&activity, 1).flow.local_port, 1);
        free(bytes);
    }
}

static void listening_ports_cannot_be_encoded(void **state)
{
    struct picket_wire_event event = {.payload_type = PICKET_WIRE_LISTENING_PORTS};
    struct picket_wire_message message = {"id", 1, &event, 1};
    struct sink_buffer nowhere = {0};
    (void)state;
    assert_int_equal(picket_wire_message_size(&message), 0);
    assert_false(picket_wire_encode(&message, sink_buffer_take, &nowhere));
    assert_int_equal(nowhere.pieces, 0);
}

/* Random messages are decoded if they have no event that is left out. */
static void everything_else_is_encoded(void **state)
{
    static struct random_message random;
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct picket_wire_message_view view;
        struct picket_wire_error error;
        size_t size_bytes;
        random_message(&random, seed);
        for (uint32_t i = 0; i < random.message.event_count; i++)
            if (random.events[i].payload_type == PICKET_WIRE_LISTENING_PORTS)
                random.events[i].payload_type = PICKET_WIRE_HEARTBEAT;
        unsigned char *bytes = encode_exactly(&random.message, &size_bytes);
        assert_non_null(bytes);
        assert_true(picket_wire_open(&view, bytes, size_bytes, &error));
        assert_int_equal(view.event_count, random.message.event_count);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_of_ipv6_are_left_out),
        cmocka_unit_test(listening_ports_cannot_be_encoded),
        cmocka_unit_test(everything_else_is_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
