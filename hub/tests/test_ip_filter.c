#include <string.h>

#include "check.h"
#include "identity/ip_filter.h"

static void add(struct ip_filter *filter, bool allow, const char *text)
{
    struct picket_prefix prefix;
    assert_true(picket_prefix_parse(&prefix, text, strlen(text)));
    assert_true(ip_filter_append(filter, &prefix, allow));
}

static bool admits(const struct ip_filter *filter, const char *text)
{
    struct picket_address address;
    assert_true(picket_address_parse(&address, text, strlen(text)));
    return ip_filter_admits(filter, &address);
}

static const char *reason(const struct ip_filter *filter, const char *text)
{
    static char out[IP_FILTER_REASON_BYTES];
    struct picket_address address;
    assert_true(picket_address_parse(&address, text, strlen(text)));
    return ip_filter_reason(filter, &address, out);
}

static void the_first_rule_that_covers_an_address_decides(void **state)
{
    struct ip_filter filter = {0};
    (void)state;
    add(&filter, true, "10.1.2.3/32");
    add(&filter, false, "10.1.0.0/16");
    add(&filter, true, "10.0.0.0/8");
    add(&filter, false, "2001:db8::/32");
    add(&filter, true, "2001:db8::1/128"); /* comes too late */
    static const struct {
        const char *address;
        bool admitted;
        const char *reason;
    } cases[] = {
        {"10.1.2.3", true, "rule 1 (allow 10.1.2.3/32)"},
        {"10.1.2.4", false, "rule 2 (deny 10.1.0.0/16)"},
        {"10.1.255.255", false, "rule 2 (deny 10.1.0.0/16)"},
        {"10.2.0.0", true, "rule 3 (allow 10.0.0.0/8)"},
        {"11.0.0.0", true, "its default"},
        {"2001:db8::1", false, "rule 4 (deny 2001:db8::/32)"},
        {"2001:db9::1", true, "its default"},
        {"::a01:203", true, "its default"}, /* the bytes of 10.1.2.3, and another family */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (admits(&filter, cases[i].address) != cases[i].admitted)
            fail_msg("%s", cases[i].address);
        assert_string_equal(reason(&filter, cases[i].address), cases[i].reason);
    }
    ip_filter_free(&filter);
}

static void the_default_decides_when_no_rule_does(void **state)
{
    struct ip_filter filter = {0};
    (void)state;
    assert_true(admits(&filter, "192.0.2.1") && admits(&filter, "::1"));
    filter.deny_by_default = true;
    assert_false(admits(&filter, "192.0.2.1") || admits(&filter, "::1"));
    add(&filter, true, "0.0.0.0/0");
    assert_true(admits(&filter, "192.0.2.1"));
    assert_false(admits(&filter, "::1"));
    add(&filter, true, "::/0");
    assert_true(admits(&filter, "::1"));
    ip_filter_free(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_covers_an_address_decides),
        cmocka_unit_test(the_default_decides_when_no_rule_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
