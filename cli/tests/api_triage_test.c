/* Alerts sorted, decided on and kept back, through the API. */
#include "api_fixture.h"

#include <stdio.h>
#include <string.h>

#define TRIAGE_INDICATOR "203.0.113.9/32"

/* Three devices talk to one address, one of them to another, too. */
static void raise_some(struct fixture *fixture)
{
    raise_alert(fixture->store, "a", TRIAGE_INDICATOR);
    raise_alert(fixture->store, "b", TRIAGE_INDICATOR);
    raise_alert(fixture->store, "c", TRIAGE_INDICATOR);
    raise_alert(fixture->store, "a", "2001:db8::/32");
}

static void expect_count(struct fixture *fixture, const char *path, const char *member,
                         size_t count)
{
    struct http_answer answer = expect(fixture, 200, "GET", path, NULL);
    size_t there = json_array_size(json_object_get(answer.body, member));
    if (there != count)
        fail_msg("%s: %zu, expected %zu", path, there, count);
    http_release(&answer);
}

static void alerts_are_listed_by_what_is_asked(void **state)
{
    struct fixture *fixture = *state;
    raise_some(fixture);
    expect_count(fixture, "/v1/alerts?subject=203.0.113.9", "alerts", 3);
    expect_count(fixture, "/v1/alerts?subject=2001:db8::/32&device=a", "alerts", 1);
    expect_count(fixture, "/v1/alerts?type=IoT_SuspiciousIpCommunication", "alerts", 4);
    expect_count(fixture, "/v1/alerts?type=other", "alerts", 0);
    expect_count(fixture, "/v1/alerts?severity=high&status=new,resolved", "alerts", 4);
    expect_count(fixture, "/v1/alerts?status=closed", "alerts", 0);
    expect_count(fixture, "/v1/alerts?status=open&since=1h", "alerts", 4);
    expect_error(fixture, 400, "GET", "/v1/alerts?status=new,", NULL, "holds another than");
    expect_error(fixture, 400, "GET", "/v1/alerts?status=", NULL, "holds another than");
    expect_error(fixture, 400, "GET", "/v1/alerts?severity=critical", NULL, "none of low");
}

static void alerts_of_an_indicator_are_one_group(void **state)
{
    struct fixture *fixture = *state;
    raise_some(fixture);
    raise_alert(fixture->store, "a", TRIAGE_INDICATOR);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/alerts/groups", NULL);
    const json_t *groups = json_object_get(answer.body, "groups");
    assert_int_equal(json_array_size(groups), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *group = json_array_get(groups, i);
        bool is_first = strcmp(text_at(group, "subject"), TRIAGE_INDICATOR) == 0;
        assert_int_equal(number_at(group, "devices"), is_first ? 3 : 1);
        assert_int_equal(number_at(group, "count"), is_first ? 4 : 1);
        assert_int_equal(number_at(group, "open"), is_first ? 3 : 1);
        assert_string_equal(text_at(group, "severity"), "high");
    }
    http_release(&answer);
    expect_count(fixture, "/v1/alerts/groups?limit=1", "groups", 1);
    expect_count(fixture, "/v1/alerts/groups?device=b", "groups", 1);
    expect_error(fixture, 400, "GET", "/v1/alerts/groups?limit=0", NULL, "limit");
    answer = expect(fixture, 200, "GET", "/v1/alerts/2", NULL);
    assert_int_equal(number_at(json_object_get(answer.body, "alike"), "devices"), 3);
    http_release(&answer);
}

static long long close_many(struct fixture *fixture, const char *body)
{
    struct http_answer answer = expect(fixture, 200, "POST", "/v1/alerts/decide", body);
    long long count = number_at(answer.body, "decided");
    http_release(&answer);
    return count;
}

static void many_are_closed_by_what_is_asked(void **state)
{
    static const struct {
        const char *body, *error;
    } refused[] = {
        {"{\"status\": \"dismissed\", \"verdict\": \"unknown\"}", "which alerts?"},
        {"{\"severity\": \"low\", \"status\": \"dismissed\", \"verdict\": \"unknown\"}",
         "which alerts?"},
        {"{\"device\": \"a\", \"status\": \"dismissed\"}", "verdict"},
        {"{\"device\": \"a\", \"status\": \"new\"}", "\"new\" is none"},
        {"{\"device\": 1, \"status\": \"acknowledged\"}", "device"},
    };
    struct fixture *fixture = *state;
    raise_some(fixture);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        expect_error(fixture, 400, "POST", "/v1/alerts/decide", refused[i].body, refused[i].error);
    assert_int_equal(close_many(fixture,
                                "{\"subject\": \"203.0.113.9\", \"status\": \"dismissed\", "
                                "\"verdict\": \"false-positive\", \"reason\": \"ours\"}"),
                     3);
    expect_count(fixture, "/v1/alerts?status=open", "alerts", 1);
    assert_int_equal(close_many(fixture,
                                "{\"subject\": \"203.0.113.9\", \"status\": \"dismissed\", "
                                "\"verdict\": \"false-positive\"}"),
                     0);
}

static void a_verdict_is_changed_and_an_alert_opened_again(void **state)
{
    struct fixture *fixture = *state;
    raise_some(fixture);
    struct http_answer answer = expect(fixture, 200, "PATCH", "/v1/alerts/1",
                                       "{\"status\": \"dismissed\", \"verdict\": \"unknown\"}");
    http_release(&answer);
    expect_error(fixture, 409, "PATCH", "/v1/alerts/1",
                 "{\"status\": \"resolved\", \"verdict\": \"true-positive\"}", "closed already");
    answer = expect(fixture, 200, "PATCH", "/v1/alerts/1",
                    "{\"status\": \"resolved\", \"verdict\": \"true-positive\", \"change\": true}");
    assert_string_equal(text_at(answer.body, "verdict"), "true-positive");
    http_release(&answer);
    answer = expect(fixture, 200, "PATCH", "/v1/alerts/1", "{\"status\": \"new\"}");
    assert_string_equal(text_at(answer.body, "status"), "new");
    assert_string_equal(text_at(answer.body, "verdict"), "");
    http_release(&answer);
}

static void what_is_suppressed_is_listed_apart(void **state)
{
    struct fixture *fixture = *state;
    raise_alert(fixture->store, "a", TRIAGE_INDICATOR);
    struct http_answer answer =
        expect(fixture, 201, "POST", "/v1/suppressions",
               "{\"indicator\": \"203.0.113.0/24\", \"until\": \"30d\", \"reason\": \"asked\"}");
    assert_int_equal(number_at(answer.body, "id"), 1);
    assert_int_equal(number_at(answer.body, "open_alerts"), 1);
    assert_string_equal(text_at(answer.body, "indicator"), "203.0.113.0/24");
    assert_true(json_is_null(json_object_get(answer.body, "device")));
    assert_true(json_is_false(json_object_get(answer.body, "ended")));
    http_release(&answer);
    raise_alert(fixture->store, "b", TRIAGE_INDICATOR);
    expect_count(fixture, "/v1/alerts", "alerts", 1);
    expect_count(fixture, "/v1/alerts?status=suppressed", "alerts", 1);
    expect_count(fixture, "/v1/alerts?status=all", "alerts", 2);
    answer = expect(fixture, 200, "GET", "/v1/suppressions", NULL);
    const json_t *suppression = json_array_get(json_object_get(answer.body, "suppressions"), 0);
    assert_int_equal(number_at(suppression, "hits"), 1);
    assert_string_equal(text_at(suppression, "reason"), "asked");
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/alerts/2", NULL);
    assert_int_equal(number_at(answer.body, "suppression"), 1);
    http_release(&answer);
    answer = expect(fixture, 200, "DELETE", "/v1/suppressions/1", NULL);
    http_release(&answer);
    expect_error(fixture, 404, "DELETE", "/v1/suppressions/1", NULL, "no suppression 1");
    expect_error(fixture, 400, "DELETE", "/v1/suppressions/x", NULL, "positive number");
    raise_alert(fixture->store, "b", TRIAGE_INDICATOR);
    expect_count(fixture, "/v1/alerts", "alerts", 2);
}

static void a_suppression_without_end_reason_or_subject_is_refused(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{\"until\": \"1d\", \"reason\": \"r\"}", "needs a type, a device or an indicator"},
        {"{\"device\": \"a\", \"reason\": \"r\"}", "\"until\" is missing"},
        {"{\"device\": \"a\", \"until\": \"1d\"}", "\"reason\" is missing"},
        {"{\"device\": \"a\", \"until\": \"1d\", \"reason\": \"\"}", "needs a reason"},
        {"{\"device\": \"a\", \"until\": \"2020-01-01\", \"reason\": \"r\"}", "ended already"},
        {"{\"device\": \"a\", \"until\": \"367d\", \"reason\": \"r\"}", "longer than 366 days"},
        {"{\"device\": \"a\", \"until\": \"106751991168d\", \"reason\": \"r\"}", "until"},
        {"{\"device\": \"a\", \"until\": \"soon\", \"reason\": \"r\"}", "\"soon\" is neither"},
        {"{\"indicator\": \"203.0.113.9/24\", \"until\": \"1d\", \"reason\": \"r\"}", "bits set"},
        {"{\"indicator\": \"pump\", \"until\": \"1d\", \"reason\": \"r\"}", "is no IPv4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", "/v1/suppressions", cases[i].body, cases[i].error);
}

/* ---- explanations ---- */

static const char *command_at(const json_t *explanation, size_t index)
{
    return text_at(json_array_get(json_object_get(explanation, "silence"), index), "command");
}

static void commands_can_be_copied_whatever_the_device_is_called(void **state)
{
    struct fixture *fixture = *state;
    raise_alert(fixture->store, "it's $(a) pump", TRIAGE_INDICATOR);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/alerts/1/explanation", NULL);
    assert_string_equal(command_at(answer.body, 0),
                        "picket suppression add --device 'it'\\''s $(a) pump' --indicator "
                        "203.0.113.9/32 --until 30d --reason TEXT");
    assert_string_equal(command_at(answer.body, 2),
                        "picket allow add 203.0.113.9/32 --reason TEXT");
    http_release(&answer);
}

static void other_devices_and_earlier_alerts_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    raise_some(fixture);
    close_many(fixture, "{\"device\": \"a\", \"status\": \"resolved\", "
                        "\"verdict\": \"true-positive\"}");
    int64_t id = raise_alert(fixture->store, "a", TRIAGE_INDICATOR);
    assert_int_equal(id, 5);
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/alerts/5/explanation", NULL);
    const json_t *others = json_object_get(answer.body, "other_devices"),
                 *earlier = json_object_get(answer.body, "earlier");
    assert_int_equal(json_array_size(others), 2);
    assert_string_equal(text_at(json_array_get(others, 0), "device"), "c");
    assert_string_equal(text_at(json_array_get(others, 1), "device"), "b");
    assert_int_equal(json_array_size(earlier), 1);
    assert_string_equal(text_at(json_array_get(earlier, 0), "verdict"), "true-positive");
    const json_t *rule = json_object_get(answer.body, "rule");
    assert_string_equal(text_at(rule, "detector"), "intelligence");
    const json_t *technique = json_array_get(json_object_get(rule, "techniques"), 0);
    assert_string_equal(text_at(technique, "name"), "Standard Application Layer Protocol");
    http_release(&answer);
    expect_error(fixture, 404, "GET", "/v1/alerts/6/explanation", NULL, "no alert 6");
    expect_error(fixture, 400, "GET", "/v1/alerts/x/explanation", NULL, "positive number");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(alerts_are_listed_by_what_is_asked),
        TEST(alerts_of_an_indicator_are_one_group),
        TEST(many_are_closed_by_what_is_asked),
        TEST(a_verdict_is_changed_and_an_alert_opened_again),
        TEST(what_is_suppressed_is_listed_apart),
        TEST(a_suppression_without_end_reason_or_subject_is_refused),
        TEST(commands_can_be_copied_whatever_the_device_is_called),
        TEST(other_devices_and_earlier_alerts_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
