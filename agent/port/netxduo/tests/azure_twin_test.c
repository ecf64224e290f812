/* Desired properties reach the agent, and the reported ones answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "double.h"
#include "nx_azure_iot_json_reader.h"
#include "picket/netxduo/azure_twin.h"
#include "reports.h"

static NX_IP ip;
static NX_AZURE_IOT_HUB_CLIENT client;
static NX_PACKET packet;

static int setup(void **state)
{
    (void)state;
    double_reset();
    reports_reset();
    double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    picket_netxduo_stop();
    return 0;
}

#define NAME(text)                                                                                 \
    {                                                                                              \
        NX_AZURE_IOT_READER_TOKEN_PROPERTY_NAME, text                                              \
    }
#define STRING(text)                                                                               \
    {                                                                                              \
        NX_AZURE_IOT_READER_TOKEN_STRING, text                                                     \
    }
#define NUMBER(text)                                                                               \
    {                                                                                              \
        NX_AZURE_IOT_READER_TOKEN_NUMBER, text                                                     \
    }
#define TOKEN(name)                                                                                \
    {                                                                                              \
        NX_AZURE_IOT_READER_TOKEN_##name, ""                                                       \
    }

static UINT apply(const struct double_token *tokens, size_t count)
{
    double_state.tokens = tokens;
    double_state.token_count = count;
    return picket_netxduo_desired_properties_apply(&client, &packet, NX_NO_WAIT);
}
#define APPLY(tokens) apply((tokens), sizeof(tokens) / sizeof *(tokens))

static void a_change_is_applied_and_answered_with_its_version(void **state)
{
    (void)state;
    static const struct double_token change[] = {
        TOKEN(BEGIN_OBJECT), NAME("SystemInformation_HardwareModel"),
        STRING("Pump 7"),    NAME("Heartbeat_Disabled"),
        TOKEN(TRUE),         NAME("$version"),
        NUMBER("7"),         TOKEN(END_OBJECT)};
    assert_int_equal(APPLY(change), NX_AZURE_IOT_SUCCESS);
    assert_string_equal(
        double_state.reported,
        "{\"SystemInformation_HardwareModel\":{\"value\":\"Pump 7\",\"ac\":200,\"av\":7}}"
        "{\"Heartbeat_Disabled\":{\"value\":true,\"ac\":200,\"av\":7}}");
    reports_flush();
    assert_string_equal(reports.hw_info, "Pump 7");
}

static void of_a_whole_twin_the_desired_properties_count(void **state)
{
    (void)state;
    static const struct double_token twin[] = {TOKEN(BEGIN_OBJECT),
                                               NAME("reported"),
                                               TOKEN(BEGIN_OBJECT),
                                               NAME("SystemInformation_HardwareModel"),
                                               STRING("old"),
                                               NAME("$version"),
                                               NUMBER("99"),
                                               TOKEN(END_OBJECT),
                                               NAME("desired"),
                                               TOKEN(BEGIN_OBJECT),
                                               NAME("another"),
                                               TOKEN(BEGIN_OBJECT),
                                               NAME("Heartbeat_Disabled"),
                                               TOKEN(TRUE),
                                               TOKEN(END_OBJECT),
                                               NAME("list"),
                                               TOKEN(BEGIN_ARRAY),
                                               NUMBER("1"),
                                               TOKEN(END_ARRAY),
                                               NAME("SystemInformation_HardwareModel"),
                                               STRING("new"),
                                               NAME("$version"),
                                               NUMBER("3"),
                                               TOKEN(END_OBJECT),
                                               TOKEN(END_OBJECT)};
    assert_int_equal(APPLY(twin), NX_AZURE_IOT_SUCCESS);
    assert_string_equal(
        double_state.reported,
        "{\"SystemInformation_HardwareModel\":{\"value\":\"new\",\"ac\":200,\"av\":3}}");
}

static void a_value_that_cannot_be_is_answered_with_400(void **state)
{
    (void)state;
    static const struct double_token change[] = {
        TOKEN(BEGIN_OBJECT),
        NAME("CollectorsCore_PriorityIntervals"),
        STRING("1,2"),
        NAME("NetworkActivity_Disabled"),
        NUMBER("1"),
        NAME("SystemInformation_HardwareModel"),
        STRING("a text that is longer than any that the agent would take of a twin"),
        NAME("$version"),
        NUMBER("8"),
        TOKEN(END_OBJECT)};
    assert_int_equal(APPLY(change), NX_AZURE_IOT_SUCCESS);
    assert_string_equal(
        double_state.reported,
        "{\"CollectorsCore_PriorityIntervals\":{\"value\":\"1,2\",\"ac\":400,\"av\":8}}"
        "{\"NetworkActivity_Disabled\":{\"value\":null,\"ac\":400,\"av\":8}}"
        "{\"SystemInformation_HardwareModel\":{\"value\":null,\"ac\":400,\"av\":8}}");
}

static void what_disabled_is_enabled_again(void **state)
{
    (void)state;
    static const struct double_token disable[] = {
        TOKEN(BEGIN_OBJECT), NAME("SystemInformation_Disabled"), TOKEN(TRUE), TOKEN(END_OBJECT)};
    static const struct double_token enable[] = {
        TOKEN(BEGIN_OBJECT), NAME("SystemInformation_Disabled"), TOKEN(FALSE), TOKEN(END_OBJECT)};
    APPLY(disable);
    reports.os_info[0] = '\0';
    reports_flush();
    assert_string_equal(reports.os_info, "");
    double_state.reported[0] = '\0';
    assert_int_equal(APPLY(enable), NX_AZURE_IOT_SUCCESS);
    assert_string_equal(double_state.reported,
                        "{\"SystemInformation_Disabled\":{\"value\":false,\"ac\":200,\"av\":0}}");
    reports_flush();
    assert_string_equal(reports.os_info, "ThreadX 6.4.2");
}

static void a_property_longer_than_any_of_ours_is_left_alone(void **state)
{
    (void)state;
    static const struct double_token change[] = {
        TOKEN(BEGIN_OBJECT), NAME("a_property_of_the_applications_that_is_longer_than_ours"),
        TOKEN(TRUE),         NAME("$version"),
        NUMBER("many"),      TOKEN(END_OBJECT)};
    assert_int_equal(APPLY(change), NX_AZURE_IOT_SUCCESS);
    assert_string_equal(double_state.reported, "");
}

static void a_property_taken_away_goes_back_and_is_reported_no_more(void **state)
{
    (void)state;
    static const struct double_token set[] = {TOKEN(BEGIN_OBJECT),
                                              NAME("SystemInformation_HardwareModel"),
                                              STRING("Pump 7"), TOKEN(END_OBJECT)};
    static const struct double_token unset[] = {TOKEN(BEGIN_OBJECT),
                                                NAME("SystemInformation_HardwareModel"),
                                                TOKEN(NULL), TOKEN(END_OBJECT)};
    APPLY(set);
    double_state.reported[0] = '\0';
    assert_int_equal(APPLY(unset), NX_AZURE_IOT_SUCCESS);
    assert_string_equal(double_state.reported, "{\"SystemInformation_HardwareModel\":null}");
    reports_flush();
    assert_string_equal(reports.hw_info, "");
}

static void what_a_twin_said_ends_with_the_run(void **state)
{
    (void)state;
    static const struct double_token set[] = {TOKEN(BEGIN_OBJECT),
                                              NAME("SystemInformation_HardwareModel"),
                                              STRING("Pump 7"), TOKEN(END_OBJECT)};
    static const struct double_token other[] = {TOKEN(BEGIN_OBJECT),
                                                NAME("SystemInformation_HardwareVendor"),
                                                STRING("Contoso"), TOKEN(END_OBJECT)};
    APPLY(set);
    picket_netxduo_stop();
    assert_int_equal(picket_netxduo_start(&reports_transport, NULL), NX_SUCCESS);
    APPLY(other);
    reports_flush();
    assert_string_equal(reports.hw_info, "Contoso");
}

static void what_is_unsent_goes_out_before_the_change(void **state)
{
    (void)state;
    static const struct double_token change[] = {
        TOKEN(BEGIN_OBJECT), NAME("NetworkActivity_Disabled"), TOKEN(TRUE), TOKEN(END_OBJECT)};
    uint8_t bytes[PACKET_BYTES_MAX];
    struct packet_spec spec = {.version = 4,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 0x0A000001,
                               .remote = 0x0A000002,
                               .local_port = 1,
                               .remote_port = 2,
                               .direction = PICKET_OUT};
    size_t size_bytes = packet_build(bytes, &spec);
    double_send(&ip, bytes, size_bytes, size_bytes);
    assert_int_equal(APPLY(change), NX_AZURE_IOT_SUCCESS);
    assert_int_equal(reports.flows, 1);
    double_send(&ip, bytes, size_bytes, size_bytes);
    reports_flush();
    assert_int_equal(reports.flows, 1);
}

static void a_document_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct double_token array[] = {TOKEN(BEGIN_ARRAY), TOKEN(END_ARRAY)};
    static const struct double_token cut[] = {TOKEN(BEGIN_OBJECT), NAME("Heartbeat_Disabled"),
                                              TOKEN(TRUE)};
    assert_int_equal(apply(NULL, 0), NX_AZURE_IOT_INVALID_PARAMETER);
    assert_int_equal(APPLY(array), NX_AZURE_IOT_INVALID_PARAMETER);
    assert_int_equal(APPLY(cut), NX_AZURE_IOT_INVALID_PARAMETER);
}

static void without_an_agent_or_a_hub_it_says_so(void **state)
{
    (void)state;
    static const struct double_token change[] = {TOKEN(BEGIN_OBJECT), NAME("Heartbeat_Disabled"),
                                                 TOKEN(TRUE), TOKEN(END_OBJECT)};
    double_state.reporting_status = NX_AZURE_IOT_DISCONNECTED;
    assert_int_equal(APPLY(change), NX_AZURE_IOT_DISCONNECTED);
    picket_netxduo_stop();
    assert_int_equal(APPLY(change), NX_NOT_ENABLED);
}

static void an_answer_that_the_hub_refuses_is_told_when_all_is_applied(void **state)
{
    (void)state;
    static const struct double_token change[] = {
        TOKEN(BEGIN_OBJECT), NAME("Heartbeat_Disabled"),
        TOKEN(TRUE),         NAME("SystemInformation_HardwareModel"),
        STRING("Pump 7"),    TOKEN(END_OBJECT)};
    double_state.reporting_response = 429;
    assert_int_equal(APPLY(change), NX_AZURE_IOT_FAILURE);
    reports_flush();
    assert_string_equal(reports.hw_info, "Pump 7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_change_is_applied_and_answered_with_its_version),
        TEST(an_answer_that_the_hub_refuses_is_told_when_all_is_applied),
        TEST(of_a_whole_twin_the_desired_properties_count),
        TEST(a_value_that_cannot_be_is_answered_with_400),
        TEST(what_disabled_is_enabled_again),
        TEST(a_property_longer_than_any_of_ours_is_left_alone),
        TEST(a_property_taken_away_goes_back_and_is_reported_no_more),
        TEST(what_a_twin_said_ends_with_the_run),
        TEST(what_is_unsent_goes_out_before_the_change),
        TEST(a_document_that_is_none_is_refused),
        TEST(without_an_agent_or_a_hub_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
