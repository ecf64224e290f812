/* What the agent refuses to start with, and what it takes for granted. */
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
    return 0;
}

static bool starts(void)
{
    if (!picket_agent_config_valid(&harness.config))
        return false;
    picket_agent_init(&harness.agent, &harness.config);
    return true;
}

static void a_missing_callback_is_refused(void **state)
{
    (void)state;
    const struct picket_agent_callbacks good = harness.config.callbacks;
    struct picket_agent_callbacks *callbacks = &harness.config.callbacks;
    assert_true(starts());
    callbacks->uptime_s = NULL;
    assert_false(starts());
    *callbacks = good, callbacks->unix_time_s = NULL;
    assert_false(starts());
    *callbacks = good, callbacks->random = NULL;
    assert_false(starts());
    *callbacks = good, callbacks->connected = NULL;
    assert_false(starts());
    *callbacks = good, callbacks->send = NULL;
    assert_false(starts());
    *callbacks = good, callbacks->lock = NULL;
    assert_false(starts());
    *callbacks = good, callbacks->unlock = NULL;
    assert_false(starts());
}

static void a_port_without_threads_clock_and_wake_does_without(void **state)
{
    (void)state;
    struct picket_agent_callbacks *callbacks = &harness.config.callbacks;
    callbacks->lock = picket_agent_no_lock;
    callbacks->unlock = picket_agent_no_unlock;
    callbacks->unix_time_s = picket_agent_no_clock;
    callbacks->wake = NULL;
    assert_true(starts());
    for (uint16_t port = 0; port < 70; port++)
        harness_count_udp(&harness, port, 1);
    picket_agent_poll(&harness.agent);
    assert_int_equal(harness_totals(&harness).flows, 64);
    harness_forget_messages(&harness);
}

static void inconsistent_storage_is_refused(void **state)
{
    (void)state;
    const struct picket_flow_storage good_ipv4 = harness.config.ipv4;
    harness.config.ipv4.buckets = NULL;
    assert_false(starts());
    harness.config.ipv4 = good_ipv4;
    const struct picket_flow_storage good = harness.config.ipv6;
    struct picket_flow_storage *storage = &harness.config.ipv6;
    *storage = good, storage->entries = NULL;
    assert_false(starts());
    *storage = good, storage->buckets = NULL;
    assert_false(starts());
    for (uint32_t count = 0; count < 512; count++) {
        *storage = good, storage->bucket_count = count;
        bool power_of_two = (count & (count - 1)) == 0;
        assert_int_equal(starts(), count >= 2 && power_of_two);
    }
    *storage = good, storage->capacity = PICKET_FLOW_NONE;
    assert_false(starts());
    *storage = good, storage->capacity = 100, storage->reserve = PICKET_FLOW_NONE - 100;
    assert_false(starts());
    *storage = good, storage->reserve = UINT32_MAX;
    assert_false(starts());
    *storage = (struct picket_flow_storage){0};
    assert_true(starts());
}

static void the_largest_table_of_the_index_is_accepted(void **state)
{
    (void)state;
    enum { BUCKETS = PICKET_FLOW_BUCKETS_MAX };
    picket_flow_index *buckets = calloc(BUCKETS, sizeof *buckets);
    harness.config.ipv4.buckets = buckets;
    harness.config.ipv4.bucket_count = BUCKETS;
    harness.config.ipv4.capacity = 10822; /* entries are not touched by init */
    harness.config.ipv4.reserve = 100;
    assert_true(starts());
    harness.config.ipv4.reserve = 101;
    assert_false(starts());
    harness.config.ipv4.reserve = 0;
    harness.config.ipv4.bucket_count = 2 * BUCKETS;
    assert_false(starts());
    harness.config.ipv4.bucket_count = BUCKETS;
    harness.config.ipv6.capacity = 5461;
    harness.config.ipv6.reserve = 0;
    assert_true(starts());
    harness.config.ipv6.reserve = 1;
    assert_false(starts());
    free(buckets);
}

static void times_that_cannot_be_told_from_the_past_are_refused(void **state)
{
    (void)state;
    const struct picket_agent_config good = harness.config;
    const uint32_t too_long = UINT32_C(1) << 31;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++) {
        harness.config = good, harness.config.interval_s[priority] = too_long - 1;
        assert_true(starts());
        harness.config.interval_s[priority] = too_long;
        assert_false(starts());
        harness.config.interval_s[priority] = 0;
        assert_false(starts());
    }
    harness.config = good, harness.config.send_retry_s = too_long;
    assert_false(starts());
    harness.config = good, harness.config.send_retry_s = 0;
    assert_false(starts());
    harness.config = good, harness.config.early_report_min_interval_s = too_long;
    assert_false(starts());
    harness.config = good, harness.config.first_delay_max_s = too_long;
    assert_false(starts());
    harness.config = good, harness.config.first_delay_min_s = 2,
    harness.config.first_delay_max_s = 1;
    assert_false(starts());
}

static void an_unknown_priority_is_refused(void **state)
{
    (void)state;
    harness.config.collectors[1].priority = PICKET_PRIORITIES;
    assert_false(starts());
}

static void defaults_are_those_of_the_options(void **state)
{
    (void)state;
    const struct picket_agent_config config = {PICKET_AGENT_CONFIG_DEFAULTS};
    assert_string_equal(config.security_module_id, "picket-agent");
    assert_int_equal(config.interval_s[PICKET_PRIORITY_HIGH], 10);
    assert_int_equal(config.interval_s[PICKET_PRIORITY_MEDIUM], 30);
    assert_int_equal(config.interval_s[PICKET_PRIORITY_LOW], 60);
    assert_int_equal(config.first_delay_min_s, 30);
    assert_int_equal(config.first_delay_max_s, 90);
    assert_int_equal(config.send_retry_s, 3);
    assert_int_equal(config.pending_time_s, 300);
    assert_false(config.send_empty_events);
    assert_true(config.unicast_only);
    assert_null(config.callbacks.send);
    assert_int_equal(config.ipv4.capacity, 0);
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++)
        assert_true(config.collectors[collector].enabled);
}

static void a_module_without_a_name_is_refused(void **state)
{
    (void)state;
    harness.config.security_module_id = NULL;
    assert_false(starts());
}

static void a_packet_that_is_not_counted_is_counted_as_ignored(void **state)
{
    (void)state;
    assert_true(starts());
    assert_int_equal(picket_agent_count_packet(&harness.agent, NULL, 0, 0, PICKET_IN),
                     PICKET_PACKET_TRUNCATED);
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&harness.agent, &statistics);
    assert_int_equal(statistics.packets_ignored, 1);
    assert_int_equal(statistics.packets_counted, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_callback_is_refused),
        TEST(a_port_without_threads_clock_and_wake_does_without),
        TEST(inconsistent_storage_is_refused),
        TEST(the_largest_table_of_the_index_is_accepted),
        TEST(times_that_cannot_be_told_from_the_past_are_refused),
        TEST(an_unknown_priority_is_refused),
        TEST(defaults_are_those_of_the_options),
        TEST(a_module_without_a_name_is_refused),
        TEST(a_packet_that_is_not_counted_is_counted_as_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
