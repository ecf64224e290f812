/* What is counted is reported, once, whatever the transport does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

static struct harness harness;

static int setup(void **state)
{
    (void)state;
    harness_setup(&harness);
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    harness_forget_messages(&harness);
    return 0;
}

static void flows_in_and_out_are_reported_with_their_bytes(void **state)
{
    (void)state;
    harness_start(&harness);
    struct packet_spec spec = {.version = 4,
                               .protocol = PICKET_WIRE_TCP,
                               .local = 0x0A000001,
                               .remote = 0xC0000207,
                               .local_port = 50000,
                               .remote_port = 443,
                               .payload_bytes = 100,
                               .direction = PICKET_OUT};
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    spec.direction = PICKET_IN;
    spec.payload_bytes = 1000;
    assert_int_equal(harness_count(&harness, &spec), PICKET_PACKET_COUNTED);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.message_count, 1);
    struct picket_wire_event_view event = picket_wire_event_at(&harness.messages[0].view, 0);
    struct picket_wire_network_activity_view activity = picket_wire_network_activity(&event);
    assert_int_equal(activity.ipv4_count, 1);
    struct picket_wire_flow flow = picket_wire_ipv4_flow_at(&activity, 0).flow;
    assert_memory_equal(flow.local_address, "\x0A\0\0\x01", 4);
    assert_memory_equal(flow.remote_address, "\xC0\0\x02\x07", 4);
    assert_int_equal(flow.local_port, 50000);
    assert_int_equal(flow.remote_port, 443);
    assert_int_equal(flow.protocol, PICKET_WIRE_TCP);
    assert_int_equal(flow.bytes_out, 120);
    assert_int_equal(flow.bytes_in, 1020);
}

static void what_was_refused_is_sent_later_with_what_came_since(void **state)
{
    (void)state;
    harness_start(&harness);
    harness.accepts = false;
    for (uint16_t port = 0; port < 10; port++)
        harness_count_udp(&harness, port, 92);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 1);
    harness_count_udp(&harness, 3, 92);
    harness_count_udp(&harness, 10, 92);
    harness.accepts = true;
    harness_run(&harness, 2);
    assert_int_equal(harness.attempts, 1);
    harness_run(&harness, 1);
    assert_int_equal(harness.attempts, 2);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 11);
    assert_int_equal(totals.bytes_out, 1200);
}

static void a_known_flow_is_counted_when_the_table_is_full(void **state)
{
    (void)state;
    harness.connected = false;
    harness_start(&harness);
    for (uint16_t port = 0; port < 64; port++)
        assert_int_equal(harness_count_udp(&harness, port, 92), PICKET_PACKET_COUNTED);
    assert_int_equal(harness_count_udp(&harness, 64, 42), PICKET_PACKET_LOST);
    for (uint16_t port = 0; port < 64; port++)
        assert_int_equal(harness_count_udp(&harness, port, 92), PICKET_PACKET_COUNTED);
    harness.connected = true;
    picket_agent_poll(&harness.agent);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 64);
    assert_int_equal(totals.bytes_out, 12800);
    assert_int_equal(totals.lost_flows, 1);
    assert_int_equal(totals.lost_bytes_out, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flows_in_and_out_are_reported_with_their_bytes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_refused_is_sent_later_with_what_came_since, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_known_flow_is_counted_when_the_table_is_full, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
