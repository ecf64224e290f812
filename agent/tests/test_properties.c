/* Changes while the agent runs: by call, and by the names of a device twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"
#include "picket/agent/properties.h"

static struct harness harness;
static struct picket_properties properties;

static int setup(void **state)
{
    (void)state;
    harness_setup(&harness);
    harness_start(&harness);
    picket_properties_init(&properties, &harness.agent);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    harness_check_tables(&harness);
    harness_forget_messages(&harness);
    return 0;
}

static enum picket_property_result apply(const char *name, enum picket_property_kind kind,
                                         const char *value)
{
    /* Copies of the very length, so that reading beyond is found. */
    size_t name_bytes = strlen(name), value_bytes = value != NULL ? strlen(value) : 0;
    char *name_copy = malloc(name_bytes), *value_copy = malloc(value_bytes + 1);
    memcpy(name_copy, name, name_bytes);
    char *at = value_copy + 1;
    if (value != NULL)
        memcpy(at, value, value_bytes);
    enum picket_property_result result =
        picket_properties_apply(&properties, name_copy, name_bytes, kind, at, value_bytes);
    free(name_copy);
    free(value_copy);
    return result;
}

static void assert_intervals(uint32_t high_s, uint32_t medium_s, uint32_t low_s)
{
    assert_int_equal(harness.agent.interval_s[PICKET_PRIORITY_HIGH], high_s);
    assert_int_equal(harness.agent.interval_s[PICKET_PRIORITY_MEDIUM], medium_s);
    assert_int_equal(harness.agent.interval_s[PICKET_PRIORITY_LOW], low_s);
}

static unsigned heartbeats(void)
{
    return (unsigned)harness_totals(&harness).heartbeat_events;
}

/* ---- by call ---- */

static void a_changed_interval_counts_from_the_change(void **state)
{
    (void)state;
    harness_run(&harness, 30);
    assert_int_equal(heartbeats(), 1);
    assert_true(picket_agent_set_intervals(&harness.agent, (uint32_t[]){10, 30, 20}));
    harness_run(&harness, 19);
    assert_int_equal(heartbeats(), 1);
    harness_run(&harness, 1);
    assert_int_equal(heartbeats(), 2);
    harness_run(&harness, 20);
    assert_int_equal(heartbeats(), 3);
}

static void an_interval_that_stays_keeps_its_grid(void **state)
{
    (void)state;
    harness_run(&harness, 30);
    assert_true(picket_agent_set_intervals(&harness.agent, (uint32_t[]){5, 5, 60}));
    harness_run(&harness, 31);
    assert_int_equal(heartbeats(), 2);
}

static void an_interval_of_nothing_or_of_ages_is_refused(void **state)
{
    (void)state;
    assert_false(picket_agent_set_intervals(&harness.agent, (uint32_t[]){1, 0, 1}));
    assert_false(picket_agent_set_intervals(&harness.agent, (uint32_t[]){1, 1, 0x80000000}));
    assert_intervals(10, 30, 60);
}

static void a_disabled_collector_is_silent_until_enabled(void **state)
{
    (void)state;
    harness.connected = false;
    harness_run(&harness, 5); /* owed */
    const struct picket_collector_config off = {false, PICKET_PRIORITY_LOW};
    const struct picket_collector_config on = {true, PICKET_PRIORITY_LOW};
    assert_true(picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_HEARTBEAT, &off));
    harness.connected = true;
    harness_run(&harness, 200);
    assert_int_equal(heartbeats(), 0);
    assert_true(picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_HEARTBEAT, &on));
    harness_run(&harness, 60);
    assert_int_equal(heartbeats(), 1);
}

static void while_network_activity_is_disabled_nothing_is_counted_or_lost(void **state)
{
    (void)state;
    const struct picket_collector_config off = {false, PICKET_PRIORITY_HIGH};
    const struct picket_collector_config on = {true, PICKET_PRIORITY_HIGH};
    assert_true(
        picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &off));
    for (uint16_t port = 0; port < 100; port++)
        assert_int_equal(harness_count_udp(&harness, port, 0), PICKET_PACKET_OTHER_PROTOCOL);
    harness_run(&harness, 60);
    assert_true(picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_NETWORK_ACTIVITY, &on));
    assert_int_equal(harness_count_udp(&harness, 1, 0), PICKET_PACKET_COUNTED);
    harness_run(&harness, 20);
    struct harness_totals totals = harness_totals(&harness);
    assert_int_equal(totals.flows, 1);
    assert_int_equal(totals.lost_flows, 0);
}

static void a_window_starts_when_its_collector_is_enabled(void **state)
{
    (void)state;
    const struct picket_collector_config off = {false, PICKET_PRIORITY_LOW};
    const struct picket_collector_config on = {true, PICKET_PRIORITY_LOW};
    picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_HEARTBEAT, &off);
    harness_run(&harness, 500);
    picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_HEARTBEAT, &on);
    picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_HEARTBEAT, &on);
    harness_forget_messages(&harness);
    harness_run(&harness, 60);
    for (size_t i = 0; i < harness.message_count; i++) {
        struct picket_wire_event_view event = picket_wire_event_at(
            &harness.messages[i].view, harness.messages[i].view.event_count - 1);
        if (event.payload_type == PICKET_WIRE_HEARTBEAT)
            assert_in_range(event.duration_s, 1, 60);
    }
    assert_int_equal(heartbeats(), 1);
}

static void a_collector_or_group_that_is_none_is_refused(void **state)
{
    (void)state;
    const struct picket_collector_config none = {true, PICKET_PRIORITIES};
    const struct picket_collector_config good = {true, PICKET_PRIORITY_LOW};
    assert_false(picket_agent_set_collector(&harness.agent, PICKET_COLLECTOR_HEARTBEAT, &none));
    assert_false(picket_agent_set_collector(&harness.agent,
                                            (enum picket_collector)PICKET_COLLECTORS, &good));
}

/* ---- by name ---- */

static void intervals_are_minutes_or_seconds(void **state)
{
    (void)state;
    const char *name = "CollectorsCore_PriorityIntervals";
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "30,60,1440"), PICKET_PROPERTY_APPLIED);
    assert_intervals(1800, 3600, 86400);
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "15s,2,90s"), PICKET_PROPERTY_APPLIED);
    assert_intervals(15, 120, 90);
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "2147483639s,35791394,1"),
                     PICKET_PROPERTY_APPLIED);
    assert_intervals(2147483639, 2147483640, 60);
    assert_int_equal(apply(name, PICKET_PROPERTY_NULL, NULL), PICKET_PROPERTY_APPLIED);
    assert_intervals(10, 30, 60);
}

static void intervals_that_cannot_be_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "1",
                                      "1,2",
                                      "1,2,",
                                      ",2,3",
                                      "1,2,3,",
                                      "1,2,3,4",
                                      "1;2;3",
                                      "1,2,3x",
                                      "1,2,0",
                                      "a,b,c",
                                      "1,-2,3",
                                      "1,2,3ss",
                                      "1 ,2,3",
                                      "s,1,1",
                                      "1,1,1s ",
                                      "99999999999,1,1",
                                      "35791395,1,1",
                                      "1,2,4294967296s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(apply("CollectorsCore_PriorityIntervals", PICKET_PROPERTY_STRING, bad[i]),
                         PICKET_PROPERTY_INVALID);
    assert_int_equal(apply("CollectorsCore_PriorityIntervals", PICKET_PROPERTY_OTHER, "1,2,3"),
                     PICKET_PROPERTY_INVALID);
    assert_intervals(10, 30, 60);
}

static void collectors_are_disabled_enabled_and_restored_by_name(void **state)
{
    (void)state;
    static const char *const names[PICKET_COLLECTORS] = {
        "NetworkActivity_Disabled", "SystemInformation_Disabled", "Heartbeat_Disabled",
        "ListeningPorts_Disabled"};
    for (unsigned i = 0; i < PICKET_COLLECTORS; i++) {
        const bool *enabled = &harness.agent.collectors[i].enabled;
        assert_int_equal(apply(names[i], PICKET_PROPERTY_TRUE, NULL), PICKET_PROPERTY_APPLIED);
        assert_false(*enabled);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_FALSE, NULL), PICKET_PROPERTY_APPLIED);
        assert_true(*enabled);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_TRUE, NULL), PICKET_PROPERTY_APPLIED);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_NULL, NULL), PICKET_PROPERTY_APPLIED);
        assert_true(*enabled);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_STRING, "true"), PICKET_PROPERTY_INVALID);
    }
}

static void frequencies_name_the_priority_group(void **state)
{
    (void)state;
    static const char *const names[PICKET_COLLECTORS] = {
        "NetworkActivity_MessageFrequency", "SystemInformation_MessageFrequency",
        "Heartbeat_MessageFrequency", "ListeningPorts_MessageFrequency"};
    static const char *const values[PICKET_PRIORITIES] = {"High", "Medium", "Low"};
    for (unsigned i = 0; i < PICKET_COLLECTORS; i++) {
        const struct picket_collector_config *config = &harness.agent.collectors[i];
        for (unsigned j = 0; j < PICKET_PRIORITIES; j++) {
            assert_int_equal(apply(names[i], PICKET_PROPERTY_STRING, values[j]),
                             PICKET_PROPERTY_APPLIED);
            assert_int_equal(config->priority, j);
        }
        assert_int_equal(apply(names[i], PICKET_PROPERTY_NULL, NULL), PICKET_PROPERTY_APPLIED);
        assert_int_equal(config->priority, harness.config.collectors[i].priority);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_STRING, "high"), PICKET_PROPERTY_INVALID);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_STRING, "Hig"), PICKET_PROPERTY_INVALID);
        assert_int_equal(apply(names[i], PICKET_PROPERTY_TRUE, NULL), PICKET_PROPERTY_INVALID);
    }
}

static const char *hw_info(void)
{
    assert_string_equal(harness.agent.system_information->os_info, "test");
    return harness.agent.system_information->hw_info;
}

static void the_identity_is_put_together_from_its_parts(void **state)
{
    (void)state;
    assert_int_equal(apply("SystemInformation_FirmwareVersion", PICKET_PROPERTY_STRING, "1.4.2"),
                     PICKET_PROPERTY_APPLIED);
    assert_string_equal(hw_info(), "1.4.2");
    apply("SystemInformation_HardwareVendor", PICKET_PROPERTY_STRING, "Contoso");
    apply("SystemInformation_HardwareModel", PICKET_PROPERTY_STRING, "Pump 7");
    apply("SystemInformation_HardwareSerialNumber", PICKET_PROPERTY_STRING, "0815");
    apply("SystemInformation_FirmwareVendor", PICKET_PROPERTY_STRING, "Contoso Firmware");
    assert_string_equal(hw_info(), "Contoso Pump 7 0815 Contoso Firmware 1.4.2");
    apply("SystemInformation_HardwareModel", PICKET_PROPERTY_NULL, NULL);
    assert_string_equal(hw_info(), "Contoso 0815 Contoso Firmware 1.4.2");
}

static void without_a_part_the_identity_is_what_it_was_at_the_start(void **state)
{
    (void)state;
    harness.system_information.hw_info = "built in";
    picket_properties_init(&properties, &harness.agent);
    apply("SystemInformation_HardwareModel", PICKET_PROPERTY_STRING, "Pump 7");
    assert_string_equal(hw_info(), "Pump 7");
    apply("SystemInformation_HardwareModel", PICKET_PROPERTY_STRING, "");
    assert_string_equal(hw_info(), "built in");
}

static void an_identity_can_be_all_that_is_known(void **state)
{
    (void)state;
    harness.agent.system_information = NULL;
    picket_properties_init(&properties, &harness.agent);
    apply("SystemInformation_HardwareModel", PICKET_PROPERTY_STRING, "Pump 7");
    assert_string_equal(harness.agent.system_information->hw_info, "Pump 7");
    assert_null(harness.agent.system_information->os_info);
    apply("SystemInformation_HardwareModel", PICKET_PROPERTY_NULL, NULL);
    assert_null(harness.agent.system_information);
}

static void a_part_that_is_too_long_or_no_text_is_refused(void **state)
{
    (void)state;
    const char *name = "SystemInformation_HardwareModel";
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "0123456789012345678901234567890"),
                     PICKET_PROPERTY_APPLIED);
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "01234567890123456789012345678901"),
                     PICKET_PROPERTY_INVALID);
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "new\nline"), PICKET_PROPERTY_INVALID);
    assert_int_equal(apply(name, PICKET_PROPERTY_STRING, "\x7f"), PICKET_PROPERTY_INVALID);
    assert_int_equal(apply(name, PICKET_PROPERTY_OTHER, "7"), PICKET_PROPERTY_INVALID);
    assert_string_equal(hw_info(), "0123456789012345678901234567890");
}

static void a_name_that_is_not_ours_is_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",        "Heartbeat", "Heartbeat_Disabled2", "Process_Disabled", "heartbeat_disabled",
        "$version"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(apply(names[i], PICKET_PROPERTY_TRUE, NULL), PICKET_PROPERTY_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_changed_interval_counts_from_the_change),
        TEST(an_interval_that_stays_keeps_its_grid),
        TEST(an_interval_of_nothing_or_of_ages_is_refused),
        TEST(a_disabled_collector_is_silent_until_enabled),
        TEST(while_network_activity_is_disabled_nothing_is_counted_or_lost),
        TEST(a_window_starts_when_its_collector_is_enabled),
        TEST(a_collector_or_group_that_is_none_is_refused),
        TEST(intervals_are_minutes_or_seconds),
        TEST(intervals_that_cannot_be_change_nothing),
        TEST(collectors_are_disabled_enabled_and_restored_by_name),
        TEST(frequencies_name_the_priority_group),
        TEST(the_identity_is_put_together_from_its_parts),
        TEST(without_a_part_the_identity_is_what_it_was_at_the_start),
        TEST(an_identity_can_be_all_that_is_known),
        TEST(a_part_that_is_too_long_or_no_text_is_refused),
        TEST(a_name_that_is_not_ours_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
