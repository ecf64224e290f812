#include "check.h"

#include "picket/base/error.h"

static void a_failure_fills_the_error_and_is_its_status(void **state)
{
    (void)state;
    struct picket_error error = {0};
    assert_int_equal(picket_fail(&error, PICKET_FULL, "%s: %d bytes over", "x.db", 7), PICKET_FULL);
    assert_int_equal(error.status, PICKET_FULL);
    assert_string_equal(error.text, "x.db: 7 bytes over");
}

static void without_an_error_only_the_status_is_told(void **state)
{
    (void)state;
    assert_int_equal(picket_fail(NULL, PICKET_BUSY, "unheard"), PICKET_BUSY);
}

static void a_failure_may_quote_the_error_it_replaces(void **state)
{
    (void)state;
    struct picket_error error;
    picket_fail(&error, PICKET_IO, "inner");
    picket_fail(&error, PICKET_INVALID, "outer, after %s", error.text);
    assert_string_equal(error.text, "outer, after inner");
}

static void where_comes_before_what(void **state)
{
    (void)state;
    struct picket_error error;
    picket_fail(&error, PICKET_INVALID, "prefix length 33 exceeds 32");
    picket_fail_in(&error, "feeds/drop.txt:%d", 41);
    assert_int_equal(error.status, PICKET_INVALID);
    assert_string_equal(error.text, "feeds/drop.txt:41: prefix length 33 exceeds 32");
}

static void text_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct picket_error error;
    picket_fail(&error, PICKET_IO, "%s", text);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    picket_fail_in(&error, "here");
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_int_equal(strncmp(error.text, "here: aaa", 9), 0);
    picket_fail_in(&error, "%s", text);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_fills_the_error_and_is_its_status),
        cmocka_unit_test(without_an_error_only_the_status_is_told),
        cmocka_unit_test(a_failure_may_quote_the_error_it_replaces),
        cmocka_unit_test(where_comes_before_what),
        cmocka_unit_test(text_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
