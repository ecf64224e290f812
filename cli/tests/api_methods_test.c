/* Direct methods over the API; the hub is the fixture. */
#include <string.h>

#include "api_fixture.h"

static const char path[] = "/v1/devices/d/methods";

static void a_method_is_asked_and_answered(void **state)
{
    struct fixture *fixture = *state;
    struct http_answer answer =
        expect(fixture, 200, "POST", path, "{\"name\": \"reboot\", \"payload\": {\"x\": [1]}}");
    assert_string_equal(fixture->method, "d [] reboot 30 0 {\"x\":[1]}");
    assert_int_equal(number_at(answer.body, "status"), 201);
    assert_int_equal(number_at(json_object_get(answer.body, "payload"), "a"), 1);
    http_release(&answer);
    fixture->method_payload = "";
    answer = expect(fixture, 200, "POST", "/v1/devices/d/methods?module=m",
                    "{\"name\": \"r\", \"timeout_s\": 5, \"connect_timeout_s\": 7}");
    assert_string_equal(fixture->method, "d [m] r 5 7 null");
    assert_true(json_is_null(json_object_get(answer.body, "payload")));
    http_release(&answer);
}

static void each_failure_has_its_status(void **state)
{
    static const struct {
        int outcome, status;
    } cases[] = {{PICKET_NOT_FOUND, 404},
                 {PICKET_IO, 504},
                 {PICKET_BUSY, 429},
                 {PICKET_CLOSED, 503},
                 {PICKET_INVALID, 400}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture->method_outcome = cases[i].outcome;
        expect_error(fixture, cases[i].status, "POST", path, "{\"name\": \"m\"}",
                     "as the hub says");
    }
    fixture->method_outcome = PICKET_OK;
    fixture->method_payload = "rubbish";
    expect_error(fixture, 502, "POST", path, "{\"name\": \"m\"}", "7 bytes that are not JSON");
}

static void a_wrong_call_is_refused(void **state)
{
    struct fixture *fixture = *state;
    expect_error(fixture, 400, "POST", path, "{}", "\"name\" is missing");
    expect_error(fixture, 400, "POST", "/v1/devices/d/methods?module=a%2Fb", "{\"name\": \"m\"}",
                 "parameter module");
    expect_error(fixture, 400, "POST", path, "{\"name\": \"m\", \"timeout_s\": 0}", "timeout_s");
    expect_error(fixture, 400, "POST", path, "{\"name\": \"m\", \"connect_timeout_s\": 301}",
                 "connect_timeout_s");
    expect_error(fixture, 404, "POST", "/v1/devices/e/methods", "{\"name\": \"m\"}",
                 "not registered");
    expect_error(fixture, 405, "GET", path, NULL, "POST");
    assert_string_equal(fixture->method, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start_with_device, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_method_is_asked_and_answered),
        TEST(each_failure_has_its_status),
        TEST(a_wrong_call_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
