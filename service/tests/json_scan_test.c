#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "intel/formats/json_scan.h"

static struct json_slice slice(const char *text)
{
    return (struct json_slice){text, strlen(text), 1};
}

static void assert_slice(struct json_slice value, const char *expected)
{
    assert_int_equal(value.bytes, strlen(expected));
    assert_memory_equal(value.text, expected, value.bytes);
}

static void values_follow_one_another(void **state)
{
    struct json_scan scan;
    struct json_slice value;
    const char *text = " {\"a\":[1,{\"b\":\"}]\"}]}\n\n[true, \"\\\"\\\\\"]-1.5e3 null ";
    static const char *const expected[] = {"{\"a\":[1,{\"b\":\"}]\"}]}", "[true, \"\\\"\\\\\"]",
                                           "-1.5e3", "null"};
    (void)state;
    json_scan_begin(&scan, text, strlen(text), 1);
    for (size_t i = 0; i < 4; i++) {
        assert_true(json_scan_value(&scan, &value));
        assert_slice(value, expected[i]);
        assert_int_equal(value.line, i == 0 ? 1 : 3);
    }
    assert_false(json_scan_value(&scan, &value));
    assert_null(scan.problem);
}

static void elements_and_members_are_told_one_by_one(void **state)
{
    struct json_scan scan;
    struct json_slice name, value;
    (void)state;
    json_scan_into(&scan, slice("[ 1 ,\n[2,3], {} ]"));
    assert_true(json_scan_element(&scan, &value));
    assert_slice(value, "1");
    assert_true(json_scan_element(&scan, &value));
    assert_slice(value, "[2,3]");
    assert_int_equal(value.line, 2);
    assert_true(json_scan_element(&scan, &value));
    assert_false(json_scan_element(&scan, &value));
    assert_null(scan.problem);
    json_scan_into(&scan, slice("{ \"a\" : 1 , \"\" :\"x\"}"));
    assert_true(json_scan_member(&scan, &name, &value));
    assert_slice(name, "a");
    assert_slice(value, "1");
    assert_true(json_scan_member(&scan, &name, &value));
    assert_slice(name, "");
    assert_slice(value, "\"x\"");
    assert_false(json_scan_member(&scan, &name, &value));
    assert_null(scan.problem);
}

/* Of the first value, or of what is directly within it. */
static const char *problem_of(const char *text)
{
    struct json_scan scan, inner;
    struct json_slice whole, name, value;
    json_scan_begin(&scan, text, strlen(text), 1);
    if (!json_scan_value(&scan, &whole))
        return scan.problem;
    json_scan_into(&inner, whole);
    if (json_slice_is(whole, '['))
        while (json_scan_element(&inner, &value))
            ;
    else
        while (json_scan_member(&inner, &name, &value))
            ;
    return inner.problem != NULL ? inner.problem : "none";
}

static void what_is_no_json_is_named(void **state)
{
    (void)state;
    assert_string_equal(problem_of("{\"a\":1"), "ends too early");
    assert_string_equal(problem_of("[\"a"), "ends within a string");
    assert_string_equal(problem_of("[\"a\\\""), "ends within a string");
    assert_string_equal(problem_of("{\"a\":1]"), "has brackets that do not match");
    assert_string_equal(problem_of("[1 2]"), "lacks a comma");
    assert_string_equal(problem_of("[1,]"), "lacks a value");
    assert_string_equal(problem_of("{\"a\" 1}"), "lacks a colon");
    assert_string_equal(problem_of("{1:2}"), "lacks a member's name");
    assert_string_equal(problem_of("nothing"), "holds a word that is no value");
    assert_string_equal(problem_of("[1,{\"a\":[]}]"), "none");
}

static void depth_is_bounded(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 3] = "";
    (void)state;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_string_equal(problem_of(text), "none");
    memset(text, '[', JSON_DEPTH_MAX + 1);
    assert_string_equal(problem_of(text), "is nested too deep");
}

static void only_what_is_asked_for_is_loaded(void **state)
{
    static const char *const names[] = {"a", "b"};
    const char *reason;
    (void)state;
    json_t *picked = json_pick(slice("{\"x\":1e999,\"a\":[1],\"y\":{\"b\":3},\"\\u0062\":\"c\"}"),
                               names, 2, &reason);
    assert_non_null(picked);
    assert_int_equal(json_object_size(picked), 2);
    assert_string_equal(json_string_value(json_object_get(picked, "b")), "c");
    json_decref(picked);
    assert_null(json_pick(slice("{\"a\":1,\"a\":2}"), names, 2, &reason));
    assert_string_equal(reason, "a member is there twice");
    assert_null(json_pick(slice("{\"a\":\"\n\"}"), names, 2, &reason));
    assert_string_equal(reason, "a member is not JSON");
    assert_null(json_pick(slice("{\"a\":1,}"), names, 2, &reason));
    assert_string_equal(reason, "lacks a member's name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_one_another),
        cmocka_unit_test(elements_and_members_are_told_one_by_one),
        cmocka_unit_test(what_is_no_json_is_named),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(only_what_is_asked_for_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
