/* Lists that their owner changes indicator by indicator, while lookups go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

static struct harness harness;
static struct picket_error error;

static struct picket_indicator indicator_of(const char *prefix)
{
    struct picket_indicator indicator = {.confidence = 80, .tags = "ours"};
    assert_true(picket_prefix_parse(&indicator.prefix, prefix, strlen(prefix)));
    return indicator;
}

static int put(const char *list, const char *prefix)
{
    struct picket_indicator indicator = indicator_of(prefix);
    return picket_intel_put(harness.intel, list, &indicator, 1, NULL, &error);
}

static int take_out(const char *list, const char *prefix)
{
    struct picket_indicator indicator = indicator_of(prefix);
    return picket_intel_take_out(harness.intel, list, &indicator, 1, NULL, &error);
}

static void append_match(void *context, const struct picket_match *match)
{
    char *out = context, prefix[PICKET_PREFIX_TEXT_BYTES];
    snprintf(out + strlen(out), 500 - strlen(out), "%s:%s:%s ", match->feed,
             picket_prefix_format(&match->prefix, prefix), match->tags);
}

static const char *lookup(const char *text)
{
    static char out[500];
    struct picket_address address;
    out[0] = '\0';
    assert_true(picket_address_parse(&address, text, strlen(text)));
    picket_intel_lookup(harness.intel, &address, append_match, out);
    return out;
}

static void the_list_local_is_there_when_it_is_first_used(void **state)
{
    (void)state;
    assert_int_equal(take_out("local", "8.8.8.8/32"), PICKET_NOT_FOUND);
    assert_int_equal(put("local", "8.8.8.8/32"), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "local:8.8.8.8/32:ours ");
    assert_int_equal(put("local", "8.8.8.0/24"), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "local:8.8.8.8/32:ours local:8.8.8.0/24:ours ");
    assert_int_equal(take_out("local", "8.8.8.8/32"), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "local:8.8.8.0/24:ours ");
    assert_int_equal(picket_intel_indicator_count(harness.intel), 1);
}

static void other_lists_are_made_first_and_removed_with_what_they_have(void **state)
{
    (void)state;
    struct picket_feed list = {.name = "ours", .confidence = 60};
    struct picket_feed_report report;
    assert_int_equal(put("ours", "8.8.8.8/32"), PICKET_NOT_FOUND);
    assert_int_equal(picket_intel_feed_add(harness.intel, &list, &report, &error), PICKET_OK);
    assert_true(picket_feed_is_kept(&report.feed));
    assert_int_equal(picket_intel_feed_add(harness.intel, &list, NULL, &error), PICKET_EXISTS);
    assert_int_equal(put("ours", "8.8.8.8/32"), PICKET_OK);
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "ours", NULL, &error),
                     PICKET_INVALID);
    assert_string_equal(lookup("8.8.8.8"), "ours:8.8.8.8/32:ours ");
    assert_int_equal(picket_intel_feed_remove(harness.intel, "ours", &error), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "");
    assert_int_equal(picket_intel_indicator_count(harness.intel), 0);
}

static void a_feed_with_a_source_is_not_changed_one_by_one(void **state)
{
    (void)state;
    harness_feed(&harness, "bad", "8.8.8.8\n", 50, false);
    assert_int_equal(put("bad", "9.9.9.9/32"), PICKET_INVALID);
    assert_int_equal(take_out("bad", "8.8.8.8/32"), PICKET_INVALID);
    assert_string_equal(lookup("9.9.9.9"), "");
    assert_string_equal(lookup("8.8.8.8"), "bad:8.8.8.8/32: ");
}

static void lists_are_there_again_after_a_restart(void **state)
{
    (void)state;
    harness_feed(&harness, "bad", "8.8.8.0/24\n", 50, false);
    assert_int_equal(put("local", "8.8.8.8/32"), PICKET_OK);
    harness_stop(&harness);
    harness_start(&harness);
    assert_string_equal(lookup("8.8.8.8"), "local:8.8.8.8/32:ours bad:8.8.8.0/24: ");
    assert_int_equal(put("local", "8.8.8.0/25"), PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"),
                        "local:8.8.8.8/32:ours local:8.8.8.0/25:ours bad:8.8.8.0/24: ");
}

static void after_a_restart_each_list_has_its_own(void **state)
{
    (void)state;
    static const char *const names[] = {"aaaa", "bbbb", "cccc"};
    char prefix[32], expected[64];
    for (int i = 0; i < 3; i++) {
        struct picket_feed list = {.confidence = 60};
        snprintf(list.name, sizeof list.name, "%s", names[i]);
        snprintf(prefix, sizeof prefix, "8.8.8.%d/32", i);
        assert_int_equal(picket_intel_feed_add(harness.intel, &list, NULL, &error), PICKET_OK);
        assert_int_equal(put(names[i], prefix), PICKET_OK);
    }
    harness_stop(&harness);
    harness_start(&harness);
    for (int i = 0; i < 3; i++) {
        snprintf(prefix, sizeof prefix, "8.8.8.%d", i);
        snprintf(expected, sizeof expected, "%s:%s/32:ours ", names[i], prefix);
        assert_string_equal(lookup(prefix), expected);
    }
}

static void of_several_all_change_or_none(void **state)
{
    (void)state;
    size_t at;
    struct picket_feed_delta delta;
    struct picket_indicator some[] = {indicator_of("8.8.8.8/32"), indicator_of("9.9.9.9/32"),
                                      indicator_of("2001:4860::/32")};
    assert_int_equal(picket_intel_put(harness.intel, "local", some, 2, &delta, &error), PICKET_OK);
    assert_int_equal(delta.added, 2);
    assert_int_equal(picket_intel_take_out(harness.intel, "local", some, 3, &at, &error),
                     PICKET_NOT_FOUND);
    assert_int_equal(at, 2);
    assert_string_equal(lookup("8.8.8.8"), "local:8.8.8.8/32:ours ");
    some[0].confidence = 7;
    assert_int_equal(picket_intel_put(harness.intel, "local", some, 3, &delta, &error), PICKET_OK);
    assert_int_equal(delta.added, 1);
    assert_int_equal(delta.kept, 2);
    assert_int_equal(delta.changed, 1);
    assert_int_equal(picket_intel_take_out(harness.intel, "local", some, 3, &at, &error),
                     PICKET_OK);
    assert_string_equal(lookup("8.8.8.8"), "");
    assert_string_equal(lookup("2001:4860::1"), "");
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_prestate_setup_teardown(name, harness_set_up, harness_tear_down, &harness)
    const struct CMUnitTest tests[] = {
        TEST(the_list_local_is_there_when_it_is_first_used),
        TEST(other_lists_are_made_first_and_removed_with_what_they_have),
        TEST(a_feed_with_a_source_is_not_changed_one_by_one),
        TEST(lists_are_there_again_after_a_restart),
        TEST(after_a_restart_each_list_has_its_own),
        TEST(of_several_all_change_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
