/* Whatever is administered is written down, before it is done and before it is answered. */
#include "api_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "picket/store/audit.h"

/* The entries from the first one on; the caller releases. */
static struct http_answer entries_of(struct fixture *fixture)
{
    return expect(fixture, 200, "GET", "/v1/audit?after=0&limit=1000", NULL);
}

static json_t *entry_at(const struct http_answer *answer, size_t index)
{
    json_t *entry = json_array_get(json_object_get(answer->body, "entries"), index);
    assert_non_null(entry);
    return entry;
}

static json_t *detail_of(const json_t *entry)
{
    json_t *detail = json_loads(text_at(entry, "detail"), 0, NULL);
    assert_non_null(detail);
    return detail;
}

static size_t count_of(struct fixture *fixture)
{
    struct http_answer answer = entries_of(fixture);
    size_t count = json_array_size(json_object_get(answer.body, "entries"));
    http_release(&answer);
    return count;
}

static void call(struct fixture *fixture, int status, const char *method, const char *path,
                 const char *body)
{
    struct http_answer answer = expect(fixture, status, method, path, body);
    http_release(&answer);
}

static void a_fleet_is_written_down_without_its_keys(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, 201, "POST", "/v1/devices/import",
         "{\"source\": \"fleet.csv\", \"devices\": [{\"id\": \"pump-7\", \"primary_key\": "
         "\"MDEyMzQ1Njc4OWFiY2RlZg==\"}]}");
    struct http_answer answer = entries_of(fixture);
    const json_t *begun = entry_at(&answer, 1);
    assert_string_equal(text_at(begun, "act"), "device.import");
    assert_string_equal(text_at(begun, "thing"), "fleet.csv");
    assert_non_null(strstr(text_at(begun, "detail"), "\"devices\":[\"pump-7\"]"));
    for (size_t i = 1; i < 3; i++)
        assert_null(strstr(text_at(entry_at(&answer, i), "detail"), "MDEyMzQ1"));
    http_release(&answer);
}

static void an_act_is_two_entries_with_who_what_and_outcome(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, 201, "POST", "/v1/devices", "{\"id\": \"pump-7\"}");
    struct http_answer answer = entries_of(fixture);
    assert_int_equal(json_array_size(json_object_get(answer.body, "entries")), 3);
    assert_string_equal(text_at(entry_at(&answer, 0), "act"), "picket.start");
    const json_t *begun = entry_at(&answer, 1), *done = entry_at(&answer, 2);
    assert_string_equal(text_at(begun, "act"), "device.add");
    assert_string_equal(text_at(begun, "thing"), "pump-7");
    assert_int_equal(number_at(begun, "uid"), getuid());
    assert_int_equal(number_at(begun, "pid"), getpid());
    assert_true(json_is_null(json_object_get(begun, "status")));
    json_t *detail = detail_of(begun);
    assert_true(json_is_null(json_object_get(detail, "before")));
    json_decref(detail);
    assert_int_equal(number_at(done, "of"), number_at(begun, "id"));
    assert_int_equal(number_at(done, "status"), 201);
    detail = detail_of(done);
    json_t *after = json_object_get(detail, "after");
    assert_string_equal(text_at(after, "authentication"), "sas");
    assert_int_equal(strlen(text_at(after, "primary_key_mark")), 8);
    json_decref(detail);
    http_release(&answer);
}

static void a_refused_act_is_there_with_its_reason(void **state)
{
    struct fixture *fixture = *state;
    expect_error(fixture, 404, "DELETE", "/v1/devices/nobody", NULL, "nobody");
    struct http_answer answer = entries_of(fixture);
    const json_t *done = entry_at(&answer, 2);
    assert_string_equal(text_at(done, "act"), "device.remove");
    assert_int_equal(number_at(done, "status"), 404);
    json_t *detail = detail_of(done);
    assert_non_null(strstr(text_at(detail, "error"), "device nobody: is not registered"));
    json_decref(detail);
    http_release(&answer);
}

static void before_and_after_tell_what_has_changed(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, 201, "POST", "/v1/devices", "{\"id\": \"d\"}");
    call(fixture, 200, "PATCH", "/v1/devices/d", "{\"enabled\": false}");
    call(fixture, 200, "POST", "/v1/devices/d/rotate", "{\"which\": \"primary\"}");
    struct http_answer answer = entries_of(fixture);
    json_t *before = detail_of(entry_at(&answer, 3)), *after = detail_of(entry_at(&answer, 4));
    assert_true(json_is_true(json_object_get(json_object_get(before, "before"), "enabled")));
    assert_true(json_is_false(json_object_get(json_object_get(after, "after"), "enabled")));
    json_decref(before);
    json_decref(after);
    before = detail_of(entry_at(&answer, 5));
    after = detail_of(entry_at(&answer, 6));
    assert_string_not_equal(text_at(json_object_get(before, "before"), "primary_key_mark"),
                            text_at(json_object_get(after, "after"), "primary_key_mark"));
    assert_string_equal(text_at(json_object_get(before, "before"), "secondary_key_mark"),
                        text_at(json_object_get(after, "after"), "secondary_key_mark"));
    json_decref(before);
    json_decref(after);
    http_release(&answer);
}

static void every_kind_of_act_is_named_and_every_read_is_not(void **state)
{
    static const struct {
        const char *method, *path, *body, *act, *thing;
    } cases[] = {
        {"PATCH", "/v1/ip-filter", "{\"default\": \"allow\"}", "ip-filter.default", ""},
        {"POST", "/v1/ip-filter/rules", "{\"action\": \"deny\", \"prefix\": \"10.0.0.0/8\"}",
         "ip-filter.add", "10.0.0.0/8"},
        {"PATCH", "/v1/ip-filter/rules?prefix=10.0.0.0/8", "{\"at\": 1}", "ip-filter.move",
         "10.0.0.0/8"},
        {"DELETE", "/v1/ip-filter/rules?prefix=10.0.0.0/8", NULL, "ip-filter.remove", "10.0.0.0/8"},
        {"POST", "/v1/authorities", "{\"name\": \"plant\", \"certificate\": \"no\"}", "ca.add",
         "plant"},
        {"DELETE", "/v1/authorities/plant", NULL, "ca.remove", "plant"},
        {"PATCH", "/v1/alerts/9", "{\"status\": \"acknowledged\"}", "alert.decide", "9"},
        {"PATCH", "/v1/devices/x/twin", "{\"desired\": {}}", "twin.change", "x"},
        {"POST", "/v1/devices/x/methods", "{\"name\": \"m\"}", "method.invoke", "x"},
        {"POST", "/v1/devices/x/messages", "{\"payload\": \"p\"}", "message.send", "x"},
        {"DELETE", "/v1/devices/x/messages", NULL, "message.purge", "x"},
        {"POST", "/v1/feeds", "{\"name\": \"f\", \"source\": \"/nonexistent\"}", "feed.add", "f"},
        {"POST", "/v1/feeds/f/refresh", NULL, "feed.refresh", "f"},
        {"DELETE", "/v1/feeds/f", NULL, "feed.remove", "f"},
        {"GET", "/v1/devices/x?keys=true", NULL, "device.show-keys", "x"},
    };
    static const char *const reads[] = {"/v1/status",      "/v1/devices",   "/v1/feeds",
                                        "/v1/alerts",      "/v1/events",    "/v1/dead-letters",
                                        "/v1/audit",       "/v1/ip-filter", "/v1/authorities",
                                        "/v1/audit/check", "/v1/devices/x"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_answer answer =
            http_call(fixture->socket_path, cases[i].method, cases[i].path, cases[i].body);
        int status = answer.status;
        http_release(&answer);
        answer = entries_of(fixture);
        const json_t *done = entry_at(&answer, 2 * i + 2);
        assert_string_equal(text_at(done, "act"), cases[i].act);
        assert_string_equal(text_at(done, "thing"), cases[i].thing);
        assert_int_equal(number_at(done, "status"), status);
        http_release(&answer);
    }
    size_t count = count_of(fixture);
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        struct http_answer answer = http_call(fixture->socket_path, "GET", reads[i], NULL);
        http_release(&answer);
    }
    call(fixture, 200, "POST", "/v1/intelligence/lookup", "{\"addresses\": [\"192.0.2.1\"]}");
    assert_int_equal(count_of(fixture), count);
}

static void secrets_stay_out(void **state)
{
    struct fixture *fixture = *state;
    static const char key[] = "MDEyMzQ1Njc4OWFiY2RlZg==";
    char body[200];
    snprintf(body, sizeof body, "{\"id\": \"d\", \"primary_key\": \"%s\"}", key);
    call(fixture, 201, "POST", "/v1/devices", body);
    snprintf(body, sizeof body, "{\"which\": \"secondary\", \"key\": \"%s\"}", key);
    call(fixture, 200, "POST", "/v1/devices/d/rotate", body);
    call(fixture, 200, "GET", "/v1/devices/d?keys=true", NULL);
    struct http_answer answer = entries_of(fixture);
    char *all = json_dumps(answer.body, 0);
    assert_null(strstr(all, key));
    assert_non_null(strstr(all, "(not kept)"));
    free(all);
    http_release(&answer);
}

static void a_large_request_is_told_by_size_and_hash(void **state)
{
    struct fixture *fixture = *state;
    static char body[40000];
    int used = snprintf(body, sizeof body, "{\"desired\": {\"a\": \"");
    memset(body + used, 'x', 30000);
    strcpy(body + used + 30000, "\"}}");
    struct http_answer answer =
        http_call(fixture->socket_path, "PATCH", "/v1/devices/x/twin", body);
    http_release(&answer);
    answer = entries_of(fixture);
    json_t *detail = detail_of(entry_at(&answer, 1));
    json_t *request = json_object_get(detail, "request");
    assert_int_equal(number_at(request, "bytes"), 30020);
    assert_int_equal(strlen(text_at(request, "sha256")), 64);
    json_decref(detail);
    http_release(&answer);
}

static void entries_are_paged_both_ways(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, 201, "POST", "/v1/devices", "{\"id\": \"a\"}");
    call(fixture, 201, "POST", "/v1/devices", "{\"id\": \"b\"}");
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/audit?limit=2", NULL);
    assert_int_equal(number_at(entry_at(&answer, 0), "id"), 5);
    assert_int_equal(number_at(answer.body, "next_before"), 4);
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/audit?limit=3&before=4", NULL);
    assert_int_equal(number_at(entry_at(&answer, 0), "id"), 3);
    http_release(&answer);
    answer = expect(fixture, 200, "GET", "/v1/audit?limit=2&after=3", NULL);
    assert_int_equal(number_at(entry_at(&answer, 0), "id"), 4);
    http_release(&answer);
    expect_error(fixture, 400, "GET", "/v1/audit?after=1&before=2", NULL, "exclude");
    expect_error(fixture, 400, "GET", "/v1/audit?since=soon", NULL, "since");
}

static void the_check_finds_what_was_changed(void **state)
{
    struct fixture *fixture = *state;
    call(fixture, 201, "POST", "/v1/devices", "{\"id\": \"a\"}");
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/audit/check", NULL);
    assert_true(json_is_true(json_object_get(answer.body, "holds")));
    assert_int_equal(number_at(answer.body, "last"), 3);
    http_release(&answer);
    char command[200];
    snprintf(command, sizeof command,
             "sqlite3 %s/picket.db \"update audit set thing = 'b' where id = 2\"", fixture->folder);
    if (system("sqlite3 --version >/dev/null 2>&1") != 0)
        skip();
    assert_int_equal(system(command), 0);
    answer = expect(fixture, 200, "GET", "/v1/audit/check", NULL);
    assert_true(json_is_false(json_object_get(answer.body, "holds")));
    assert_int_equal(number_at(answer.body, "broken"), 2);
    http_release(&answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(an_act_is_two_entries_with_who_what_and_outcome),
        TEST(a_fleet_is_written_down_without_its_keys),
        TEST(a_refused_act_is_there_with_its_reason),
        TEST(before_and_after_tell_what_has_changed),
        TEST(every_kind_of_act_is_named_and_every_read_is_not),
        TEST(secrets_stay_out),
        TEST(a_large_request_is_told_by_size_and_hash),
        TEST(entries_are_paged_both_ways),
        TEST(the_check_finds_what_was_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
