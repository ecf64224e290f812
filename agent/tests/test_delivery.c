/* A transport that takes a message and learns only later whether it has arrived. */
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
    harness.later = true;
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    return 0;
}

/* What is still on its way arrives. */
static int teardown(void **state)
{
    (void)state;
    harness.later = false;
    harness.outcome = PICKET_SEND_ACCEPTED;
    picket_agent_flush(&harness.agent);
    harness_check_tables(&harness);
    harness_forget_messages(&harness);
    return 0;
}

static void count_flows(uint16_t from, uint16_t to)
{
    for (uint16_t port = from; port < to; port++)
        assert_int_equal(harness_count_udp(&harness, port, 92), PICKET_PACKET_COUNTED);
}

static struct picket_agent_statistics statistics(void)
{
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    return statistics;
}

static void start_with_a_message_on_its_way(void)
{
    harness_start(&harness);
    count_flows(0, 10);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 1);
    assert_int_equal(harness.message_count, 0);
    assert_true(statistics().message_on_way);
}

static void a_message_on_its_way_keeps_what_it_tells_until_it_has_arrived(void **state)
{
    (void)state;
    start_with_a_message_on_its_way();
    harness_run(&harness, 3);
    harness_check_tables(&harness);
    assert_int_equal(harness.agent.tables[PICKET_IPV4].frozen_count, 10);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness_run(&harness, 1);
    assert_int_equal(harness_totals(&harness).bytes_out, 1000);
    assert_int_equal(harness.agent.tables[PICKET_IPV4].frozen_count, 0);
    assert_false(statistics().message_on_way);
    assert_int_equal(statistics().messages_sent, 1);
    harness_run(&harness, 20);
    assert_int_equal(harness.attempts, 1);
}

static void packets_meanwhile_open_flows_beside_those_on_their_way(void **state)
{
    (void)state;
    harness_start(&harness);
    count_flows(0, 60);
    picket_agent_poll(&harness.agent);
    count_flows(5, 13); /* all the entries that are left */
    assert_int_equal(harness_count_udp(&harness, 13, 92), PICKET_PACKET_LOST);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness_run(&harness, 1);
    count_flows(13, 20);
    harness.later = false;
    harness_run(&harness, 10);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.bytes_out, 6000 + 800 + 700);
    assert_int_equal(totals.lost_bytes_out, 100);
    assert_int_equal(totals.lost_flows, 1);
}

static void what_did_not_arrive_is_told_again_with_what_came_since(void **state)
{
    (void)state;
    harness_start(&harness);
    count_flows(0, 64);
    harness_count_udp(&harness, 64, 92);
    picket_agent_poll(&harness.agent);
    count_flows(3, 5);
    harness.outcome = PICKET_SEND_REFUSED;
    harness_run(&harness, 1);
    harness_check_tables(&harness);
    assert_int_equal(statistics().messages_refused, 1);
    harness_run(&harness, PICKET_AGENT_SEND_RETRY_S - 1);
    assert_int_equal(harness.attempts, 1);
    harness.outcome = PICKET_SEND_PENDING;
    harness_run(&harness, 1);
    assert_int_equal(harness.attempts, 2);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness_run(&harness, 1);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 64);
    assert_int_equal(totals.bytes_out, 6600);
    assert_int_equal(totals.lost_bytes_out, 100);
    assert_int_equal(totals.lost_flows, 1);
}

static void what_is_not_known_to_have_arrived_in_time_counts_as_refused(void **state)
{
    (void)state;
    start_with_a_message_on_its_way();
    harness_run(&harness, PICKET_AGENT_DELIVERY_TIMEOUT_S - 1);
    assert_int_equal(statistics().messages_refused, 0);
    harness_run(&harness, 1);
    assert_int_equal(statistics().messages_refused, 1);
    assert_false(statistics().message_on_way);
    harness.later = false;
    harness_run(&harness, PICKET_AGENT_SEND_RETRY_S);
    assert_int_equal(harness_totals(&harness).bytes_out, 1000);
}

static void what_becomes_due_meanwhile_follows_when_it_has_arrived(void **state)
{
    (void)state;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = true;
    start_with_a_message_on_its_way();
    harness_run(&harness, 5);
    count_flows(0, 3);
    harness_run(&harness, 10);
    assert_int_equal(harness.attempts, 1);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness.later = false;
    harness_run(&harness, 1);
    assert_int_equal(harness.message_count, 2);
    assert_int_equal(harness_totals(&harness).bytes_out, 1300);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 1);
    /* The second window began when the first message was made. */
    struct picket_wire_event_view event = picket_wire_event_at(&harness.messages[1].view, 0);
    assert_int_equal(event.duration_s, 16);
}

static void of_several_messages_each_waits_for_the_one_before(void **state)
{
    (void)state;
    enum { FLOWS = 10000, BUCKETS = 16384 };
    static struct picket_ipv4_flow flows[FLOWS];
    static picket_flow_index buckets[BUCKETS];
    harness.config.ipv4 = (struct picket_flow_storage){flows, buckets, FLOWS, 0, BUCKETS};
    harness_start(&harness);
    for (uint32_t port = 0; port < FLOWS; port++)
        harness_count_udp(&harness, (uint16_t)port, 92);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 1);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness_run(&harness, 1);
    assert_int_equal(harness.message_count, 1);
    assert_int_equal(harness.attempts, 2);
    /* The second does not arrive; the first is not told again. */
    harness.outcome = PICKET_SEND_REFUSED;
    harness_run(&harness, 1);
    harness.later = false;
    harness_run(&harness, PICKET_AGENT_SEND_RETRY_S);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.bytes_out + totals.lost_bytes_out, FLOWS * 100);
    assert_int_equal(statistics().messages_refused, 1);
    harness_check_tables(&harness);
}

static void flush_says_that_a_message_is_on_its_way(void **state)
{
    (void)state;
    harness_start(&harness);
    count_flows(0, 10);
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_PENDING);
    count_flows(0, 1);
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_PENDING);
    assert_int_equal(harness.attempts, 1);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness.later = false;
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_ACCEPTED);
    assert_int_equal(harness_totals(&harness).bytes_out, 1100);
}

static void poll_comes_again_each_second_to_ask(void **state)
{
    (void)state;
    harness_start(&harness);
    count_flows(0, 10);
    assert_int_equal(picket_agent_poll(&harness.agent), 1);
    harness.uptime_s++;
    assert_int_equal(picket_agent_poll(&harness.agent), 1);
    harness.uptime_s++;
    harness.outcome = PICKET_SEND_ACCEPTED;
    assert_int_equal(picket_agent_poll(&harness.agent), 8);
}

static void without_a_connection_the_outcome_is_asked_all_the_same(void **state)
{
    (void)state;
    start_with_a_message_on_its_way();
    harness.connected = false;
    harness_run(&harness, 1);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_PENDING);
    harness.outcome = PICKET_SEND_REFUSED;
    harness_run(&harness, 1);
    assert_int_equal(statistics().messages_refused, 1);
    assert_int_equal(harness.agent.tables[PICKET_IPV4].live, 10);
    /* With the connection, at once. */
    harness.later = false;
    harness.connected = true;
    harness_run(&harness, 1);
    assert_int_equal(harness_totals(&harness).bytes_out, 1000);
}

static void a_collector_that_is_disabled_meanwhile_tells_no_more(void **state)
{
    (void)state;
    const struct picket_collector_config off = {false, PICKET_PRIORITY_HIGH};
    const struct picket_collector_config on = {true, PICKET_PRIORITY_HIGH};
    start_with_a_message_on_its_way();
    assert_true(
        picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &off));
    harness.outcome = PICKET_SEND_REFUSED;
    harness_run(&harness, 30);
    assert_int_equal(harness.attempts, 1);
    assert_int_equal(harness.agent.tables[PICKET_IPV4].live, 10);
    assert_true(picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &on));
    harness.later = false;
    harness_run(&harness, 10);
    assert_int_equal(harness_totals(&harness).bytes_out, 1000);
}

static void losses_that_did_not_arrive_outlive_messages_without_them(void **state)
{
    (void)state;
    const struct picket_collector_config off = {false, PICKET_PRIORITY_HIGH};
    const struct picket_collector_config on = {true, PICKET_PRIORITY_HIGH};
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = true;
    harness_start(&harness);
    count_flows(0, 64);
    harness_count_udp(&harness, 64, 92);
    picket_agent_poll(&harness.agent);
    harness.outcome = PICKET_SEND_REFUSED;
    picket_agent_poll(&harness.agent);
    assert_true(
        picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &off));
    harness.later = false;
    harness_run(&harness, 100);
    assert_true(harness.message_count > 0);
    assert_true(picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &on));
    harness_run(&harness, 10);
    assert_int_equal(harness_totals(&harness).bytes_out, 6400);
    assert_int_equal(harness_totals(&harness).lost_bytes_out, 100);
}

static void a_report_that_was_cut_short_by_disabling_begins_anew(void **state)
{
    (void)state;
    enum { FLOWS = 10000, BUCKETS = 16384 };
    static struct picket_ipv4_flow flows[FLOWS];
    static picket_flow_index buckets[BUCKETS];
    const struct picket_collector_config off = {false, PICKET_PRIORITY_HIGH};
    const struct picket_collector_config on = {true, PICKET_PRIORITY_HIGH};
    harness.config.ipv4 = (struct picket_flow_storage){flows, buckets, FLOWS, 0, BUCKETS};
    harness_start(&harness);
    for (uint32_t port = 0; port < FLOWS; port++)
        harness_count_udp(&harness, (uint16_t)port, 92);
    picket_agent_poll(&harness.agent);
    picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &off);
    harness.outcome = PICKET_SEND_ACCEPTED;
    harness_run(&harness, 30);
    assert_int_equal(harness.attempts, 1);
    picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &on);
    for (uint32_t port = 0; port < 4000; port++)
        harness_count_udp(&harness, (uint16_t)port, 92);
    harness.later = false;
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_ACCEPTED);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.bytes_out + totals.lost_bytes_out, (FLOWS + 4000) * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_message_on_its_way_keeps_what_it_tells_until_it_has_arrived),
        TEST(packets_meanwhile_open_flows_beside_those_on_their_way),
        TEST(what_did_not_arrive_is_told_again_with_what_came_since),
        TEST(what_is_not_known_to_have_arrived_in_time_counts_as_refused),
        TEST(what_becomes_due_meanwhile_follows_when_it_has_arrived),
        TEST(of_several_messages_each_waits_for_the_one_before),
        TEST(flush_says_that_a_message_is_on_its_way),
        TEST(poll_comes_again_each_second_to_ask),
        TEST(without_a_connection_the_outcome_is_asked_all_the_same),
        TEST(a_collector_that_is_disabled_meanwhile_tells_no_more),
        TEST(losses_that_did_not_arrive_outlive_messages_without_them),
        TEST(a_report_that_was_cut_short_by_disabling_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
