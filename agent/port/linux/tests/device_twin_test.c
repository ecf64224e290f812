#include "testing.h"

#include <jansson.h>

#include "device_twin.h"
#include "flow_storage.h"
#include "idle_agent.h"

static struct picket_agent agent;
static struct picket_agent_config config;
static struct device_twin twin;
static struct device_twin_orders orders;

static int setup(void **state)
{
    (void)state;
    struct picket_error error;
    idle_agent_start(&agent, &config, 64);
    assert_int_equal(device_twin_init(&twin, &agent, &error), PICKET_OK);
    orders = (struct device_twin_orders){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(orders.report);
    device_twin_free(&twin);
    flow_storage_free(&config);
    return 0;
}

static void take(const char *topic, const char *payload)
{
    free(orders.report);
    device_twin_take(&twin, topic, payload, strlen(payload), &orders);
}

static void whole(const char *payload)
{
    take("$iothub/twin/res/200/?$rid=0", payload);
}

static void change(const char *payload)
{
    take("$iothub/twin/PATCH/properties/desired/?$version=9", payload);
}

static void assert_report(const char *expected)
{
    if (expected == NULL) {
        assert_null(orders.report);
        return;
    }
    assert_non_null(orders.report);
    json_t *a = json_loads(orders.report, 0, NULL), *b = json_loads(expected, 0, NULL);
    if (!json_equal(a, b))
        fail_msg("%s is not %s", orders.report, expected);
    json_decref(a);
    json_decref(b);
}

static bool is_enabled(enum picket_collector collector)
{
    return agent.collectors[collector].enabled;
}

static void what_is_desired_is_applied_and_answered(void **state)
{
    (void)state;
    whole("{\"desired\":{\"NetworkActivity_Disabled\":true,"
          "\"CollectorsCore_PriorityIntervals\":\"10s,30s,60s\","
          "\"SystemInformation_FirmwareVersion\":\"2.1\",\"color\":\"red\",\"$version\":4},"
          "\"reported\":{\"$version\":1}}");
    assert_false(is_enabled(PICKET_COLLECTOR_NETWORK_ACTIVITY));
    assert_int_equal(agent.interval_s[1], 30);
    assert_string_equal(agent.system_information->hw_info, "2.1");
    assert_report(
        "{\"NetworkActivity_Disabled\":{\"value\":true,\"ac\":200,\"av\":4},"
        "\"CollectorsCore_PriorityIntervals\":{\"value\":\"10s,30s,60s\",\"ac\":200,\"av\":4},"
        "\"SystemInformation_FirmwareVersion\":{\"value\":\"2.1\",\"ac\":200,\"av\":4}}");
    assert_int_equal(orders.ask_in_s, DEVICE_TWIN_NEVER);
}

static void what_cannot_be_is_answered_with_the_reason(void **state)
{
    static const struct {
        const char *name, *value, *reason;
    } cases[] = {
        {"NetworkActivity_Disabled", "\"yes\"", "expected true or false"},
        {"NetworkActivity_Disabled", "{\"a\":1}", "expected true or false"},
        {"Heartbeat_MessageFrequency", "\"Often\"", "expected High, Medium or Low"},
        {"CollectorsCore_PriorityIntervals", "\"1,2\"",
         "expected three times for high, medium and low: 30,60,1440 in minutes, 10s,30s,60s in "
         "seconds"},
        {"SystemInformation_HardwareModel", "7",
         "expected a text of at most 31 printable ASCII characters"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char payload[300], expected[500];
        snprintf(payload, sizeof payload, "{\"%s\":%s,\"$version\":9}", cases[i].name,
                 cases[i].value);
        snprintf(expected, sizeof expected,
                 "{\"%s\":{\"value\":%s,\"ac\":400,\"av\":9,\"ad\":\"%s\"}}", cases[i].name,
                 cases[i].value, cases[i].reason);
        change(payload);
        assert_report(expected);
    }
    assert_true(is_enabled(PICKET_COLLECTOR_NETWORK_ACTIVITY));
}

static void null_takes_a_property_and_its_answer_away(void **state)
{
    (void)state;
    change("{\"NetworkActivity_Disabled\":true,\"$version\":2}");
    change("{\"NetworkActivity_Disabled\":null,\"$version\":3}");
    assert_true(is_enabled(PICKET_COLLECTOR_NETWORK_ACTIVITY));
    assert_report("{\"NetworkActivity_Disabled\":null}");
}

static void what_was_taken_away_meanwhile_is_as_at_the_start_again(void **state)
{
    (void)state;
    change("{\"NetworkActivity_Disabled\":true,\"$version\":2}");
    device_twin_connected(&twin);
    whole("{\"desired\":{\"$version\":3},\"reported\":{\"NetworkActivity_Disabled\":"
          "{\"value\":true,\"ac\":200,\"av\":2},\"uptime\":5,\"$version\":2}}");
    assert_true(is_enabled(PICKET_COLLECTOR_NETWORK_ACTIVITY));
    assert_report("{\"NetworkActivity_Disabled\":null}");
}

static void an_answer_of_an_earlier_run_is_taken_away(void **state)
{
    (void)state;
    whole("{\"desired\":{\"$version\":3},\"reported\":{\"Heartbeat_Disabled\":"
          "{\"value\":true,\"ac\":200,\"av\":2},\"other\":{\"value\":1,\"ac\":200,\"av\":2}}}");
    assert_report("{\"Heartbeat_Disabled\":null}");
}

static void what_is_answered_already_is_not_answered_again(void **state)
{
    static const char twin_text[] =
        "{\"desired\":{\"Heartbeat_Disabled\":true,\"$version\":3},\"reported\":{"
        "\"Heartbeat_Disabled\":{\"value\":true,\"ac\":200,\"av\":3},\"$version\":2}}";
    (void)state;
    whole(twin_text);
    assert_false(is_enabled(PICKET_COLLECTOR_HEARTBEAT));
    assert_report(NULL);
    unsigned before = idle_agent_messages();
    whole(twin_text); /* as at each connect: nothing changes, so nothing is sent early */
    assert_report(NULL);
    assert_int_equal(idle_agent_messages(), before);
}

static void a_whole_that_a_change_overtook_is_asked_for_again(void **state)
{
    (void)state;
    device_twin_connected(&twin);
    change("{\"Heartbeat_Disabled\":true,\"$version\":7}");
    whole("{\"desired\":{\"$version\":6},\"reported\":{\"$version\":1}}");
    assert_int_equal(orders.ask_in_s, 0);
    assert_false(is_enabled(PICKET_COLLECTOR_HEARTBEAT));
    device_twin_connected(&twin); /* enrolled again: versions begin anew */
    whole("{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}");
    assert_int_equal(orders.ask_in_s, DEVICE_TWIN_NEVER);
    assert_true(is_enabled(PICKET_COLLECTOR_HEARTBEAT));
}

static void errors_that_may_pass_are_asked_about_again(void **state)
{
    (void)state;
    take("$iothub/twin/res/429/?$rid=0", "{}");
    assert_int_equal(orders.ask_in_s, DEVICE_TWIN_AGAIN_S);
    take("$iothub/twin/res/503/?$rid=1", "");
    assert_int_equal(orders.ask_in_s, DEVICE_TWIN_AGAIN_S);
    take("$iothub/twin/res/400/?$rid=1", "");
    assert_int_equal(orders.ask_in_s, DEVICE_TWIN_NEVER);
    take("$iothub/twin/res/204/?$rid=1&$version=2", "");
    assert_int_equal(orders.ask_in_s, DEVICE_TWIN_NEVER);
}

static void rubbish_changes_nothing(void **state)
{
    (void)state;
    whole("");
    whole("[1]");
    whole("{\"desired\":7,\"reported\":[]}");
    change("\"Heartbeat_Disabled\"");
    take("devices/pump-7/messages/devicebound/", "{\"Heartbeat_Disabled\":true}");
    assert_null(orders.report);
    assert_true(is_enabled(PICKET_COLLECTOR_HEARTBEAT));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_desired_is_applied_and_answered),
        TEST(what_cannot_be_is_answered_with_the_reason),
        TEST(null_takes_a_property_and_its_answer_away),
        TEST(what_was_taken_away_meanwhile_is_as_at_the_start_again),
        TEST(an_answer_of_an_earlier_run_is_taken_away),
        TEST(what_is_answered_already_is_not_answered_again),
        TEST(a_whole_that_a_change_overtook_is_asked_for_again),
        TEST(errors_that_may_pass_are_asked_about_again),
        TEST(rubbish_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
