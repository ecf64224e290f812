#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "text.h"

static void assert_cleaned(const char *text, size_t size, const char *expected)
{
    char out[64];
    assert_string_equal(text_clean(text, size, out, sizeof out), expected);
}

static void utf8_passes_and_the_rest_becomes_question_marks(void **state)
{
    (void)state;
    assert_cleaned("pump 7", 6, "pump 7");
    assert_cleaned("Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x99", 15,
                   "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x99");
    assert_cleaned("a\0b\nc\x7f", 6, "a?b?c?");
    assert_cleaned("\xc0\xaf", 2, "??");           /* overlong */
    assert_cleaned("\xed\xa0\x80", 3, "???");      /* a surrogate */
    assert_cleaned("\xf4\x90\x80\x80", 4, "????"); /* beyond U+10FFFF */
    assert_cleaned("\xe2\x82", 2, "??");           /* cut off */
}

static void text_is_cut_between_characters(void **state)
{
    char out[4];
    (void)state;
    assert_string_equal(text_clean("ab\xc3\xbc", 4, out, sizeof out), "ab");
    assert_string_equal(text_clean("abcdef", 6, out, sizeof out), "abc");
}

static void any_text_becomes_a_json_string(void **state)
{
    (void)state;
    json_t *string = text_json("a\xff\0b", 4);
    assert_string_equal(json_string_value(string), "a??b");
    json_decref(string);
    string = text_json("", 0);
    assert_string_equal(json_string_value(string), "");
    json_decref(string);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_passes_and_the_rest_becomes_question_marks),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(any_text_becomes_a_json_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
