#include "picket/store/administration.h"
#include "support.h"

static struct picket_ip_filter filter, found;

static void rule(bool allow, const char *prefix, const char *note)
{
    struct picket_ip_rule *next = &filter.rules[filter.count++];
    next->allow = allow;
    snprintf(next->note, sizeof next->note, "%s", note);
    assert_true(picket_prefix_parse(&next->prefix, prefix, strlen(prefix)));
}

static int begin(void **state)
{
    memset(&filter, 0, sizeof filter);
    memset(&found, 0xff, sizeof found);
    return with_store(state);
}

static void at_first_everybody_is_let_in(void **state)
{
    MUST(picket_store_ip_filter_get(*state, &found, &error));
    assert_int_equal(found.count, 0);
    assert_false(found.deny_by_default);
}

static void rules_keep_their_order_and_are_replaced_as_a_whole(void **state)
{
    char text[PICKET_PREFIX_TEXT_BYTES];
    rule(false, "203.0.113.0/24", "a scanner");
    rule(true, "2001:db8::/32", "");
    rule(true, "10.0.0.0/8", "plants");
    filter.deny_by_default = true;
    MUST(picket_store_ip_filter_put(*state, &filter, &error));
    picket_store_close(*state);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    MUST(picket_store_ip_filter_get(*state, &found, &error));
    assert_true(found.deny_by_default);
    assert_int_equal(found.count, 3);
    assert_string_equal(picket_prefix_format(&found.rules[0].prefix, text), "203.0.113.0/24");
    assert_false(found.rules[0].allow);
    assert_string_equal(found.rules[0].note, "a scanner");
    assert_string_equal(picket_prefix_format(&found.rules[1].prefix, text), "2001:db8::/32");
    assert_true(found.rules[1].allow);
    assert_string_equal(found.rules[2].note, "plants");
    filter.count = 1;
    filter.deny_by_default = false;
    MUST(picket_store_ip_filter_put(*state, &filter, &error));
    MUST(picket_store_ip_filter_get(*state, &found, &error));
    assert_int_equal(found.count, 1);
    assert_false(found.deny_by_default);
}

static void two_rules_for_one_prefix_are_refused_and_change_nothing(void **state)
{
    rule(true, "10.0.0.0/8", "");
    MUST(picket_store_ip_filter_put(*state, &filter, &error));
    rule(true, "10.0.0.0/9", "");
    rule(false, "10.0.0.0/8", "");
    assert_int_equal(picket_store_ip_filter_put(*state, &filter, &error), PICKET_INVALID);
    assert_string_equal(error.text, "IP filter: rules 1 and 3 are both for 10.0.0.0/8");
    MUST(picket_store_ip_filter_get(*state, &found, &error));
    assert_int_equal(found.count, 1);
}

static void as_many_as_there_may_be_are_kept(void **state)
{
    char prefix[40];
    for (int i = 0; i < PICKET_IP_RULES_MAX; i++) {
        snprintf(prefix, sizeof prefix, "10.%d.%d.0/24", i / 256, i % 256);
        rule(i % 2, prefix, "");
    }
    MUST(picket_store_ip_filter_put(*state, &filter, &error));
    MUST(picket_store_ip_filter_get(*state, &found, &error));
    assert_int_equal(found.count, PICKET_IP_RULES_MAX);
    assert_memory_equal(&found.rules[999].prefix, &filter.rules[999].prefix,
                        sizeof filter.rules[999].prefix);
}

static void a_rule_that_cannot_be_read_is_an_error(void **state)
{
    run_sql("picket.db", "insert into ip_rules values (1, 1, 'nonsense', '')");
    assert_int_equal(picket_store_ip_filter_get(*state, &found, &error), PICKET_IO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, without_store)
    const struct CMUnitTest tests[] = {
        TEST(at_first_everybody_is_let_in),
        TEST(rules_keep_their_order_and_are_replaced_as_a_whole),
        TEST(two_rules_for_one_prefix_are_refused_and_change_nothing),
        TEST(as_many_as_there_may_be_are_kept),
        TEST(a_rule_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
