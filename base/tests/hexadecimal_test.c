#include "check.h"

#include <stdlib.h>

#include "picket/base/hexadecimal.h"

/* strtol is the oracle, of each byte alone. */
static void a_digit_has_its_value_and_nothing_else_has_one(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char text[] = {(char)byte, '\0'}, *end;
        long value = strtol(text, &end, 16);
        assert_int_equal(picket_hexadecimal_digit((char)byte), end == text ? -1 : value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digit_has_its_value_and_nothing_else_has_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
