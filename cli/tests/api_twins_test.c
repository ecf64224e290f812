/* Twins over the API, with a real store. */
#include <stdlib.h>
#include <string.h>

#include "api_fixture.h"
#include "picket/store/twins.h"

/* The part of the answer, without metadata, compact. */
static void assert_part(const struct http_answer *answer, const char *part, const char *expected)
{
    json_t *copy = json_deep_copy(json_object_get(answer->body, part));
    json_object_del(copy, "$metadata");
    char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
    free(text);
    json_decref(copy);
}

static void patch(struct fixture *fixture, const char *path, const char *body,
                  const char *expected_desired)
{
    struct http_answer answer = expect(fixture, 200, "PATCH", path, body);
    assert_part(&answer, "desired", expected_desired);
    http_release(&answer);
}

static void report(struct fixture *fixture, const char *text)
{
    struct picket_twin_change change = {
        .device = "d",
        .module = "",
        .part = PICKET_TWIN_REPORTED,
        .patch = text,
        .patch_bytes = strlen(text),
        .now_ms = 1700000000000,
    };
    int64_t version;
    assert_int_equal(picket_store_twin_patch(fixture->store, &change, &version, NULL), 0);
}

static void a_twin_shows_both_parts_with_versions_and_metadata(void **state)
{
    struct fixture *fixture = *state;
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/devices/d/twin", NULL);
    assert_part(&answer, "desired", "{\"$version\":1}");
    assert_part(&answer, "reported", "{\"$version\":1}");
    assert_true(json_is_null(json_object_get(answer.body, "module")));
    http_release(&answer);
    report(fixture, "{\"a\":{\"b\":[1]}}");
    answer = expect(fixture, 200, "GET", "/v1/devices/d/twin", NULL);
    assert_part(&answer, "reported", "{\"$version\":2,\"a\":{\"b\":[1]}}");
    json_t *metadata = json_object_get(json_object_get(answer.body, "reported"), "$metadata");
    json_t *member = json_object_get(json_object_get(metadata, "a"), "b");
    assert_string_equal(text_at(member, "$lastUpdated"), "2023-11-14T22:13:20.000Z");
    assert_int_equal(number_at(member, "$lastUpdatedVersion"), 2);
    http_release(&answer);
}

static void a_patch_changes_what_is_desired_and_the_hub_is_told(void **state)
{
    struct fixture *fixture = *state;
    patch(fixture, "/v1/devices/d/twin", "{\"desired\": {\"a\": 1, \"c\": {\"x\": true}}}",
          "{\"$version\":2,\"a\":1,\"c\":{\"x\":true}}");
    assert_string_equal(fixture->twin_change, "d [] 2 {\"a\":1,\"c\":{\"x\":true}}");
    patch(fixture, "/v1/devices/d/twin", "{\"desired\": {\"a\": null}}",
          "{\"$version\":3,\"c\":{\"x\":true}}");
    assert_string_equal(fixture->twin_change, "d [] 3 {\"a\":null}");
}

static void a_module_is_named_in_the_query(void **state)
{
    struct fixture *fixture = *state;
    patch(fixture, "/v1/devices/d/twin?module=m", "{\"desired\": {\"a\": 1}}",
          "{\"$version\":2,\"a\":1}");
    assert_string_equal(fixture->twin_change, "d [m] 2 {\"a\":1}");
    struct http_answer answer = expect(fixture, 200, "GET", "/v1/devices/d/twin", NULL);
    assert_part(&answer, "desired", "{\"$version\":1}");
    http_release(&answer);
    expect_error(fixture, 400, "GET", "/v1/devices/d/twin?module=a%2Fb", NULL, "module");
}

static void a_patch_for_another_version_conflicts(void **state)
{
    struct fixture *fixture = *state;
    patch(fixture, "/v1/devices/d/twin?if_version=1", "{\"desired\": {}}", "{\"$version\":2}");
    fixture->twin_change[0] = 0;
    expect_error(fixture, 409, "PATCH", "/v1/devices/d/twin?if_version=1", "{\"desired\": {}}",
                 "desired has version 2, not 1");
    expect_error(fixture, 400, "PATCH", "/v1/devices/d/twin?if_version=0", "{\"desired\": {}}",
                 "if_version");
    assert_string_equal(fixture->twin_change, "");
}

static void a_wrong_patch_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *body, *told;
    } cases[] = {
        {"{\"desired\": 1}", "expected an object"},
        {"{}", "expected an object"},
        {"{\"reported\": {}}", "unknown member \"reported\""},
        {"{\"desired\": {\"$version\": 1}}", "desired.$version"},
        {"{\"desired\": {\"a b\": 1}}", "desired.a b"},
        {"{\"desired\": {\"a\": 9007199254740993}}", "integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(fixture, 400, "PATCH", "/v1/devices/d/twin", cases[i].body, cases[i].told);
    expect_error(fixture, 404, "PATCH", "/v1/devices/e/twin", "{\"desired\": {}}", "e");
    expect_error(fixture, 404, "GET", "/v1/devices/e/twin", NULL, "e");
    expect_error(fixture, 405, "DELETE", "/v1/devices/d/twin", NULL, "GET, HEAD, PATCH");
    assert_string_equal(fixture->twin_change, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start_with_device, fixture_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_twin_shows_both_parts_with_versions_and_metadata),
        TEST(a_patch_changes_what_is_desired_and_the_hub_is_told),
        TEST(a_module_is_named_in_the_query),
        TEST(a_patch_for_another_version_conflicts),
        TEST(a_wrong_patch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
