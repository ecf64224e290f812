/* What the owner allows, by the API: with a reason, until a time, audited, and at once. */
#include "api_fixture.h"

#include <stdio.h>
#include <string.h>

#include "picket/base/time.h"
#include "picket/service/intel.h"

static const char path[] = "/v1/intelligence/allow";

static void must(struct fixture *fixture, int status, const char *method, const char *body)
{
    struct http_answer answer = expect(fixture, status, method, path, body);
    http_release(&answer);
}

static void list_as_threat(struct fixture *fixture, const char *indicator)
{
    char body[200];
    snprintf(body, sizeof body, "{\"indicator\": \"%s\"}", indicator);
    struct http_answer answer = expect(fixture, 201, "POST", "/v1/intelligence/indicators", body);
    http_release(&answer);
}

/* Whether a flow to the address and TCP port raises an alert. */
static bool alerts(struct fixture *fixture, const char *address, int port)
{
    char body[200];
    snprintf(body, sizeof body, "{\"addresses\": [\"%s\"], \"port\": %d, \"protocol\": \"tcp\"}",
             address, port);
    struct http_answer answer = expect(fixture, 200, "POST", "/v1/intelligence/lookup", body);
    bool result = json_is_true(
        json_object_get(json_array_get(json_object_get(answer.body, "results"), 0), "alerts"));
    http_release(&answer);
    return result;
}

/* "prefix port protocol state reason;" of each. */
static const char *entries(struct fixture *fixture)
{
    static char out[2000];
    size_t i;
    json_t *entry;
    struct http_answer answer = expect(fixture, 200, "GET", path, NULL);
    out[0] = '\0';
    json_array_foreach(json_object_get(answer.body, "entries"), i, entry)
    {
        const char *protocol = json_string_value(json_object_get(entry, "protocol"));
        snprintf(
            out + strlen(out), sizeof out - strlen(out), "%s %lld %s %s: %s;",
            text_at(entry, "prefix"), (long long)json_integer_value(json_object_get(entry, "port")),
            protocol != NULL ? protocol : "-", text_at(entry, "state"), text_at(entry, "reason"));
    }
    http_release(&answer);
    return out;
}

static void what_is_allowed_is_silent_at_once_and_alerts_once_it_is_taken_back(void **state)
{
    assert_string_equal(entries(*state), "");
    list_as_threat(*state, "45.9.0.0/16");
    assert_true(alerts(*state, "45.9.9.9", 443));
    must(*state, 201, "POST", "{\"prefix\": \"45.9.9.0/24\", \"reason\": \"our supplier\"}");
    assert_false(alerts(*state, "45.9.9.9", 443));
    assert_true(alerts(*state, "45.9.8.9", 443));
    assert_string_equal(entries(*state), "45.9.9.0/24 0 - in force: our supplier;");
    must(*state, 200, "DELETE", "{\"prefix\": \"45.9.9.0/24\"}");
    assert_true(alerts(*state, "45.9.9.9", 443));
    assert_string_equal(entries(*state), "");
}

static void a_port_and_protocol_are_allowed_alone_and_are_entries_of_their_own(void **state)
{
    list_as_threat(*state, "45.9.0.0/16");
    must(*state, 201, "POST",
         "{\"prefix\": \"45.9.9.9\", \"port\": 443, \"protocol\": \"tcp\", \"reason\": \"a\"}");
    must(*state, 201, "POST", "{\"prefix\": \"45.9.9.9\", \"port\": 80, \"reason\": \"b\"}");
    assert_false(alerts(*state, "45.9.9.9", 443));
    assert_false(alerts(*state, "45.9.9.9", 80));
    assert_true(alerts(*state, "45.9.9.9", 22));
    expect_error(*state, 404, "DELETE", path, "{\"prefix\": \"45.9.9.9\"}",
                 "45.9.9.9/32 is not allowed by an entry of just that");
    must(*state, 200, "DELETE", "{\"prefix\": \"45.9.9.9\", \"port\": 80}");
    assert_string_equal(entries(*state), "45.9.9.9/32 443 tcp in force: a;");
}

static void an_entry_added_again_takes_the_new_reason_and_end(void **state)
{
    char body[200], expires[PICKET_TIME_TEXT_BYTES];
    picket_time_format(picket_unix_ms() + 86400 * 1000, expires);
    snprintf(body, sizeof body,
             "{\"prefix\": \"45.9.9.9\", \"reason\": \"new\", \"expires\": \"%s\"}", expires);
    must(*state, 201, "POST", "{\"prefix\": \"45.9.9.9\", \"reason\": \"old\"}");
    must(*state, 200, "POST", body);
    assert_string_equal(entries(*state), "45.9.9.9/32 0 - ends soon: new;");
}

static void what_has_expired_stays_in_the_list_and_allows_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct picket_indicator entry = {.tags = "was fine", .valid_until_ms = 1700000000000};
    list_as_threat(fixture, "45.9.0.0/16");
    must(fixture, 201, "POST", "{\"prefix\": \"45.9.8.8\", \"reason\": \"x\"}");
    assert_true(picket_prefix_parse(&entry.prefix, "45.9.9.9", 8));
    assert_int_equal(picket_intel_put(fixture->intel, PICKET_LIST_ALLOW, &entry, 1, NULL, NULL),
                     PICKET_OK);
    assert_string_equal(entries(fixture),
                        "45.9.8.8/32 0 - in force: x;45.9.9.9/32 0 - expired: was fine;");
    assert_true(alerts(fixture, "45.9.9.9", 443));
}

static void a_wrong_entry_is_refused_with_what_is_wrong(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{\"prefix\": \"45.9.9.9\"}", "\"reason\" is missing"},
        {"{\"prefix\": \"45.9.9.9\", \"reason\": \"  \"}", "reason: expected is a text"},
        {"{\"reason\": \"x\"}", "\"prefix\" is missing"},
        {"{\"prefix\": \"45.9.9.9/24\", \"reason\": \"x\"}", "is 45.9.9.0/24 meant?"},
        {"{\"prefix\": \"0.0.0.0/0\", \"reason\": \"x\"}", "every address there is"},
        {"{\"prefix\": \"pump\", \"reason\": \"x\"}", "prefix: \"pump\""},
        {"{\"prefix\": \"45.9.9.9\", \"reason\": \"x\", \"port\": 0}", "port"},
        {"{\"prefix\": \"45.9.9.9\", \"reason\": \"x\", \"protocol\": \"gre\"}",
         "protocol: \"gre\" is none of tcp, udp, icmp"},
        {"{\"prefix\": \"45.9.9.9\", \"reason\": \"x\", \"port\": 5, \"protocol\": \"icmp\"}",
         "ICMP has none"},
        {"{\"prefix\": \"45.9.9.9\", \"reason\": \"x\", \"expires\": \"2020-01-01\"}",
         "is over already"},
        {"{\"prefix\": \"45.9.9.9\", \"reason\": \"x\", \"expires\": \"30d\"}", "is no time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(*state, 400, "POST", path, cases[i].body, cases[i].error);
    assert_string_equal(entries(*state), "");
}

static void a_list_of_another_role_by_that_name_is_left_alone(void **state)
{
    struct http_answer answer =
        expect(*state, 201, "POST", "/v1/feeds", "{\"name\": \"local-allow\", \"source\": \"\"}");
    http_release(&answer);
    expect_error(*state, 409, "POST", path, "{\"prefix\": \"45.9.9.9\", \"reason\": \"x\"}",
                 "feed local-allow has the role threat");
}

static void who_allowed_what_is_in_the_audit_log(void **state)
{
    must(*state, 201, "POST", "{\"prefix\": \"45.9.9.9\", \"reason\": \"our supplier\"}");
    must(*state, 200, "DELETE", "{\"prefix\": \"45.9.9.9\"}");
    struct http_answer answer = expect(*state, 200, "GET", "/v1/audit", NULL);
    const json_t *removed = json_array_get(json_object_get(answer.body, "entries"), 0);
    const json_t *added = json_array_get(json_object_get(answer.body, "entries"), 2);
    assert_string_equal(text_at(removed, "act"), "allow.remove");
    assert_string_equal(text_at(added, "act"), "allow.add");
    assert_string_equal(text_at(added, "thing"), "45.9.9.9");
    assert_non_null(strstr(text_at(added, "detail"), "\"reason\":\"our supplier\""));
    assert_non_null(strstr(text_at(removed, "detail"), "[]"));
    http_release(&answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(what_is_allowed_is_silent_at_once_and_alerts_once_it_is_taken_back),
        TEST(a_port_and_protocol_are_allowed_alone_and_are_entries_of_their_own),
        TEST(an_entry_added_again_takes_the_new_reason_and_end),
        TEST(what_has_expired_stays_in_the_list_and_allows_nothing),
        TEST(a_wrong_entry_is_refused_with_what_is_wrong),
        TEST(a_list_of_another_role_by_that_name_is_left_alone),
        TEST(who_allowed_what_is_in_the_audit_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
