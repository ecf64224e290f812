#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

static char line[PROGRESS_LINE_BYTES];

static void a_line_tells_part_rate_and_time_left(void **state)
{
    (void)state;
    assert_string_equal(progress_line(500, 1000, 2000000, 2000, "3 found", 200, line),
                        "[############------------]  50 %  1.0 M events/s  3 s left  3 found");
}

static void nothing_is_promised_before_anything_is_known(void **state)
{
    (void)state;
    assert_string_equal(progress_line(0, 0, 0, 5000, "0 found", 200, line),
                        "[------------------------]   0 %  0 found");
    assert_string_equal(progress_line(1, 1000, 10, 10, "0 found", 200, line),
                        "[#-----------------------]   0 %  0 found");
}

static void what_is_beyond_the_end_is_the_end(void **state)
{
    (void)state;
    assert_string_equal(progress_line(2000, 1000, 0, 2000, "3 found", 200, line),
                        "[########################] 100 %  3 found");
}

static void a_line_fits_the_terminal(void **state)
{
    (void)state;
    assert_int_equal(strlen(progress_line(500, 1000, 2000, 2000, "3 found", 30, line)), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_part_rate_and_time_left),
        cmocka_unit_test(nothing_is_promised_before_anything_is_known),
        cmocka_unit_test(what_is_beyond_the_end_is_the_end),
        cmocka_unit_test(a_line_fits_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
