/* When events are due, what they say of time, and the states of the connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

static struct harness harness;

static int setup(void **state)
{
    (void)state;
    harness_setup(&harness);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    harness_forget_messages(&harness);
    return 0;
}

static struct picket_wire_event_view last_event_of(uint8_t payload_type)
{
    for (size_t i = harness.message_count; i-- > 0;) {
        const struct picket_wire_message_view *view = &harness.messages[i].view;
        for (uint32_t j = 0; j < view->event_count; j++) {
            struct picket_wire_event_view event = picket_wire_event_at(view, j);
            if (event.payload_type == payload_type)
                return event;
        }
    }
    fail_msg("no event of payload type %u", payload_type);
    abort();
}

static void all_collectors_due_together_are_one_message(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_count_udp(&harness, 1, 1);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.message_count, 1);
    assert_int_equal(harness.messages[0].view.event_count, 3);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.network_events, 1);
    assert_int_equal(totals.system_information_events, 1);
    assert_int_equal(totals.heartbeat_events, 1);
}

static void priority_groups_keep_their_intervals_and_meet(void **state)
{
    (void)state;
    harness_start(&harness);
    for (uint32_t second = 0; second <= 600; second++) {
        harness_count_udp(&harness, 1, 1);
        picket_agent_poll(&harness.agent);
        harness.uptime_s++;
    }
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.network_events, 61);
    assert_int_equal(totals.system_information_events, 11);
    assert_int_equal(totals.heartbeat_events, 11);
    assert_int_equal(harness.message_count, 61);
    assert_int_equal(last_event_of(PICKET_WIRE_NETWORK_ACTIVITY).collection_interval_s, 10);
    assert_int_equal(last_event_of(PICKET_WIRE_HEARTBEAT).collection_interval_s, 60);
}

static void a_collector_may_be_moved_to_another_group_or_disabled(void **state)
{
    (void)state;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].priority = PICKET_PRIORITY_MEDIUM;
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness.config.interval_s[PICKET_PRIORITY_MEDIUM] = 25;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    harness_run(&harness, 100);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.heartbeat_events, 5);
    assert_int_equal(totals.system_information_events, 0);
    assert_int_equal(last_event_of(PICKET_WIRE_HEARTBEAT).collection_interval_s, 25);
}

static void the_first_collection_is_delayed_at_random_within_its_bounds(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = 30;
    harness.config.first_delay_max_s = 90;
    uint32_t least = UINT32_MAX, most = 0;
    for (unsigned start = 0; start < 500; start++) {
        harness_start(&harness);
        uint32_t delay_s = 0;
        for (; harness.message_count == 0; delay_s++) {
            picket_agent_poll(&harness.agent);
            harness.uptime_s++;
        }
        delay_s--;
        assert_in_range(delay_s, 30, 90);
        least = delay_s < least ? delay_s : least;
        most = delay_s > most ? delay_s : most;
        harness_forget_messages(&harness);
    }
    assert_in_range(least, 30, 32);
    assert_in_range(most, 88, 90);
}

static void an_event_says_what_its_window_really_covers(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 47;
    harness_start(&harness);
    harness_run(&harness, 20);
    harness_count_udp(&harness, 1, 1);
    harness_run(&harness, 27);
    struct picket_wire_event_view event = last_event_of(PICKET_WIRE_NETWORK_ACTIVITY);
    assert_int_equal(event.duration_s, 47);
    assert_int_equal(event.collection_interval_s, 10);
    assert_int_equal(event.time_s, harness.unix_s);
    /* Refused twice: the window goes on. */
    harness_count_udp(&harness, 1, 1);
    harness.accepts = false;
    harness_run(&harness, 15);
    harness.accepts = true;
    harness_run(&harness, 3);
    event = last_event_of(PICKET_WIRE_NETWORK_ACTIVITY);
    assert_int_equal(event.duration_s, 16);
    /* An idle window is behind us: the next one does not cover it. */
    harness_run(&harness, 104);
    harness_count_udp(&harness, 1, 1);
    harness_run(&harness, 10);
    event = last_event_of(PICKET_WIRE_NETWORK_ACTIVITY);
    assert_int_equal(event.duration_s, 10);
}

static void an_idle_interval_sends_nothing(void **state)
{
    (void)state;
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    harness_start(&harness);
    harness_run(&harness, 100);
    assert_int_equal(harness.attempts, 0);
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_ACCEPTED);
    assert_int_equal(harness.attempts, 0);
}

static void an_idle_interval_sends_an_empty_event_if_asked_to(void **state)
{
    (void)state;
    harness.config.collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled = false;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    harness.config.send_empty_events = true;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    harness_run(&harness, 100);
    assert_int_equal(harness_totals(&harness).network_events, 11);
}

static void a_device_without_system_information_tells_none(void **state)
{
    (void)state;
    harness.config.collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = false;
    harness.config.system_information = NULL;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.attempts, 0);
    harness.config.system_information = &harness.system_information;
    harness.system_information = (struct picket_wire_system_information){.hw_info = "board"};
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    struct picket_wire_event_view event = last_event_of(PICKET_WIRE_SYSTEM_INFORMATION);
    struct picket_wire_system_information_view view = picket_wire_system_information(&event);
    assert_null(view.os_info.text);
    assert_int_equal(view.hw_info.size_bytes, 5);
    harness_forget_messages(&harness);
    /* What is told is what is there then. */
    harness.system_information = (struct picket_wire_system_information){.kernel_info = "kernel"};
    harness_run(&harness, 60);
    event = last_event_of(PICKET_WIRE_SYSTEM_INFORMATION);
    assert_int_equal(picket_wire_system_information(&event).kernel_info.size_bytes, 6);
}

static void timers_do_not_follow_the_wall_clock(void **state)
{
    (void)state;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    harness.unix_s -= 3600;
    harness_run(&harness, 60);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 2);
    harness.unix_s += 7200;
    harness_run(&harness, 60);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 3);
    assert_int_equal(last_event_of(PICKET_WIRE_HEARTBEAT).time_s, harness.unix_s);
}

static void timers_outlive_the_wrap_of_the_uptime(void **state)
{
    (void)state;
    harness.uptime_s = UINT32_MAX - 90;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    harness_run(&harness, 600);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 11);
}

static void what_was_missed_while_nobody_polled_is_not_made_up_for(void **state)
{
    (void)state;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    harness.uptime_s += 3605;
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 2);
    assert_int_equal(last_event_of(PICKET_WIRE_HEARTBEAT).duration_s, 3605);
    /* Back on the grid of the interval. */
    harness_run(&harness, 54);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 2);
    harness_run(&harness, 1);
    assert_int_equal(harness_totals(&harness).heartbeat_events, 3);
}

static void an_unknown_time_is_said_to_be_unknown(void **state)
{
    (void)state;
    harness.config.callbacks.unix_time_s = picket_agent_no_clock;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    assert_int_equal(last_event_of(PICKET_WIRE_HEARTBEAT).time_s, UINT32_MAX);
}

static void event_ids_are_what_the_random_callback_gave(void **state)
{
    (void)state;
    uint8_t seen[2][16];
    for (uint64_t seed = 0; seed < 2; seed++) {
        harness.random_state = seed;
        harness_start(&harness);
        harness_count_udp(&harness, 1, 1);
        picket_agent_poll(&harness.agent);
        struct picket_wire_event_view first = picket_wire_event_at(&harness.messages[0].view, 0);
        struct picket_wire_event_view second = picket_wire_event_at(&harness.messages[0].view, 1);
        assert_memory_not_equal(first.id, second.id, 16);
        memcpy(seen[seed], first.id, 16);
        harness_forget_messages(&harness);
    }
    assert_memory_not_equal(seen[0], seen[1], 16);
}

static void a_heartbeat_says_how_long_the_device_is_up(void **state)
{
    (void)state;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    struct picket_wire_event_view event = last_event_of(PICKET_WIRE_HEARTBEAT);
    assert_int_equal(picket_wire_heartbeat(&event).uptime_s, 1000);
}

static void a_message_carries_the_name_and_the_version_of_the_build(void **state)
{
    (void)state;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    const struct picket_wire_message_view *view = &harness.messages[0].view;
    assert_int_equal(view->security_module_id.size_bytes, strlen("picket-agent"));
    assert_memory_equal(view->security_module_id.text, "picket-agent", strlen("picket-agent"));
    unsigned major, minor, patch;
    assert_int_equal(sscanf(PICKET_VERSION, "%u.%u.%u", &major, &minor, &patch), 3);
    assert_int_equal(view->security_module_version, PICKET_WIRE_VERSION(major, minor, patch));
    /* What a build by hand says is the same. */
    assert_int_equal(PICKET_WIRE_VERSION(PICKET_AGENT_VERSION_MAJOR, PICKET_AGENT_VERSION_MINOR,
                                         PICKET_AGENT_VERSION_PATCH),
                     view->security_module_version);
}

static void missed_heartbeats_are_one_event_when_the_connection_is_back(void **state)
{
    (void)state;
    harness_start(&harness);
    picket_agent_poll(&harness.agent);
    harness_forget_messages(&harness);
    harness.connected = false;
    harness_run(&harness, 305);
    harness.connected = true;
    harness_run(&harness, 1);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.heartbeat_events, 1);
    assert_int_equal(totals.system_information_events, 1);
    assert_int_equal(last_event_of(PICKET_WIRE_HEARTBEAT).duration_s, 306);
}

static void the_states_follow_the_connection(void **state)
{
    (void)state;
    harness.connected = false;
    harness_start(&harness);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_PENDING);
    harness_run(&harness, 299);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_PENDING);
    harness_run(&harness, 1);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_SUSPENDED);
    harness_run(&harness, 10);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_SUSPENDED);
    assert_int_equal(harness.attempts, 0);
    harness.connected = true;
    harness_run(&harness, 1);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_ACTIVE);
    assert_int_equal(harness.attempts, 1);
    harness.connected = false;
    harness_run(&harness, 1);
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_PENDING);
}

static void flows_of_a_long_time_without_a_connection_are_reported_after_it(void **state)
{
    (void)state;
    harness.connected = false;
    harness_start(&harness);
    for (unsigned second = 0; second < 1000; second++) {
        harness_count_udp(&harness, (uint16_t)(second % 50), 92);
        harness_run(&harness, 1);
    }
    assert_int_equal(picket_agent_state(&harness.agent), PICKET_AGENT_SUSPENDED);
    harness.connected = true;
    harness_run(&harness, 1);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 50);
    assert_int_equal(totals.bytes_out, 100000);
    assert_int_equal(last_event_of(PICKET_WIRE_NETWORK_ACTIVITY).duration_s, 1001);
}

static void a_refused_message_is_tried_again_after_the_retry_time(void **state)
{
    (void)state;
    harness_start(&harness);
    harness.accepts = false;
    assert_int_equal(picket_agent_poll(&harness.agent), 3);
    assert_int_equal(harness.attempts, 1);
    harness_run(&harness, 2);
    assert_int_equal(harness.attempts, 1);
    harness_run(&harness, 1);
    assert_int_equal(harness.attempts, 2);
    /* A connection that is new is tried at once. */
    harness.connected = false;
    harness_run(&harness, 1);
    harness.connected = true;
    harness_run(&harness, 1);
    assert_int_equal(harness.attempts, 3);
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.messages_sent, 0);
    assert_int_equal(statistics.messages_refused, 3);
}

static void poll_wants_to_be_called_again_when_something_is_due(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 40;
    harness_start(&harness);
    assert_int_equal(picket_agent_poll(&harness.agent), 40);
    harness.uptime_s += 40;
    assert_int_equal(picket_agent_poll(&harness.agent), 10);
    harness.uptime_s += 4;
    assert_int_equal(picket_agent_poll(&harness.agent), 6);
    /* Without a connection it looks for one, until suspended. */
    harness.connected = false;
    assert_int_equal(picket_agent_poll(&harness.agent), 3);
    harness.uptime_s += 300;
    assert_in_range(picket_agent_poll(&harness.agent), 4, 10);
}

static void a_filling_table_is_reported_early(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 1000;
    harness_start(&harness);
    for (uint16_t port = 0; port < 55; port++)
        harness_count_udp(&harness, port, 92);
    assert_true(picket_agent_poll(&harness.agent) > 900);
    assert_int_equal(harness.wakes, 0);
    harness_count_udp(&harness, 55, 92);
    assert_int_equal(harness.wakes, 1);
    picket_agent_poll(&harness.agent);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 56);
    assert_int_equal(totals.network_events, 1);
    assert_int_equal(totals.heartbeat_events, 0);
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.early_reports, 1);
}

static void fill_ipv6(void)
{
    struct packet_spec spec = {.version = 6, .protocol = PICKET_WIRE_UDP, .direction = PICKET_OUT};
    for (uint32_t remote = 0; remote < 64; remote++) {
        spec.remote = remote;
        harness_count(&harness, &spec);
    }
}

static void early_reports_are_limited_in_rate(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 1000;
    harness.config.early_report_min_interval_s = 5;
    harness_start(&harness);
    fill_ipv6();
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.message_count, 1);
    fill_ipv6();
    assert_int_equal(harness.wakes, 2);
    assert_int_equal(picket_agent_poll(&harness.agent), 5);
    assert_int_equal(harness.message_count, 1);
    harness.uptime_s += 3;
    assert_int_equal(picket_agent_poll(&harness.agent), 2);
    harness.uptime_s += 2;
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness.message_count, 2);
}

static void there_is_no_early_report_without_its_collector(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 1000;
    harness.config.collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].enabled = false;
    harness.config.callbacks.wake = NULL;
    harness_start(&harness);
    fill_ipv6();
    harness_run(&harness, 100);
    assert_int_equal(harness.attempts, 0);
}

static void an_early_report_that_is_refused_is_retried_like_any_other(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 1000;
    harness.config.early_report_min_interval_s = 0;
    harness_start(&harness);
    harness.accepts = false;
    fill_ipv6();
    harness_run(&harness, 10);
    assert_in_range(harness.attempts, 3, 4);
    harness.accepts = true;
    harness_run(&harness, 3);
    assert_int_equal(harness_totals(&harness).flows, 64);
}

static void flush_sends_all_collectors_whatever_the_schedule(void **state)
{
    (void)state;
    harness.config.first_delay_min_s = harness.config.first_delay_max_s = 1000;
    harness_start(&harness);
    harness_count_udp(&harness, 1, 1);
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_ACCEPTED);
    assert_int_equal(harness.messages[0].view.event_count, 3);
}

static void flush_says_when_there_was_something_and_it_was_not_accepted(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_count_udp(&harness, 1, 92);
    harness.accepts = false;
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_REFUSED);
    harness.connected = false;
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_REFUSED);
    assert_int_equal(harness.attempts, 1);
    harness.connected = harness.accepts = true;
    assert_int_equal(picket_agent_flush(&harness.agent), PICKET_SEND_ACCEPTED);
    assert_int_equal(harness_totals(&harness).bytes_out, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_collectors_due_together_are_one_message),
        TEST(priority_groups_keep_their_intervals_and_meet),
        TEST(a_collector_may_be_moved_to_another_group_or_disabled),
        TEST(the_first_collection_is_delayed_at_random_within_its_bounds),
        TEST(an_event_says_what_its_window_really_covers),
        TEST(an_idle_interval_sends_nothing),
        TEST(an_idle_interval_sends_an_empty_event_if_asked_to),
        TEST(a_device_without_system_information_tells_none),
        TEST(timers_do_not_follow_the_wall_clock),
        TEST(timers_outlive_the_wrap_of_the_uptime),
        TEST(what_was_missed_while_nobody_polled_is_not_made_up_for),
        TEST(an_unknown_time_is_said_to_be_unknown),
        TEST(event_ids_are_what_the_random_callback_gave),
        TEST(a_heartbeat_says_how_long_the_device_is_up),
        TEST(a_message_carries_the_name_and_the_version_of_the_build),
        TEST(missed_heartbeats_are_one_event_when_the_connection_is_back),
        TEST(the_states_follow_the_connection),
        TEST(flows_of_a_long_time_without_a_connection_are_reported_after_it),
        TEST(a_refused_message_is_tried_again_after_the_retry_time),
        TEST(poll_wants_to_be_called_again_when_something_is_due),
        TEST(a_filling_table_is_reported_early),
        TEST(early_reports_are_limited_in_rate),
        TEST(there_is_no_early_report_without_its_collector),
        TEST(an_early_report_that_is_refused_is_retried_like_any_other),
        TEST(flush_sends_all_collectors_whatever_the_schedule),
        TEST(flush_says_when_there_was_something_and_it_was_not_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
