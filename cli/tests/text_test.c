#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

static void expect_printable(const char *text, const char *expected)
{
    char *printable = text_printable_copy(text);
    assert_string_equal(printable, expected);
    free(printable);
}

static void nothing_that_controls_a_terminal_gets_through(void **state)
{
    (void)state;
    expect_printable("plain text 123", "plain text 123");
    expect_printable("\033[2Jclear", "\\x1b[2Jclear");
    expect_printable("a\nb\tc\rd\be\x7f", "a\\x0ab\\x09c\\x0dd\\x08e\\x7f");
    expect_printable("C1 \xc2\x9b"
                     "31m",
                     "C1 \\xc2\\x9b"
                     "31m");
    expect_printable("override \xe2\x80\xae"
                     "x",
                     "override \\xe2\\x80\\xae"
                     "x");
    expect_printable("broken \xff\xc3", "broken \\xff\\xc3");
    expect_printable("M\xc3\xbcller \xe6\x97\xa5", "M\xc3\xbcller \xe6\x97\xa5");
}

static void random_bytes_come_out_printable_and_whole(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        char text[24], out[100];
        int length = rand() % 23;
        for (int i = 0; i < length; i++)
            text[i] = (char)(1 + rand() % 255);
        text[length] = 0;
        text_printable(text, out, sizeof out);
        for (const char *at = out; *at; at++)
            assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
        assert_true(mbstowcs(NULL, out, 0) != (size_t)-1);
    }
}

static void a_text_is_cut_where_its_buffer_ends(void **state)
{
    char out[6];
    (void)state;
    assert_string_equal(text_printable("abcdefgh", out, sizeof out), "abcde");
    assert_string_equal(text_printable("abc\033", out, sizeof out), "abc");
    assert_string_equal(text_printable("abcd\xc3\xbc", out, sizeof out), "abcd");
}

static void wide_characters_take_their_columns(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("\xc3\xbc"), 1);
    assert_int_equal(text_width("\xe6\x97\xa5"), 2);
    assert_int_equal(text_fit("a\xe6\x97\xa5", 2), 1);
    assert_int_equal(text_fit("a\xe6\x97\xa5", 3), 4);
}

static void sizes_and_spans_are_short(void **state)
{
    static const struct {
        long long bytes;
        const char *text;
    } sizes[] = {{0, "0 B"},        {999, "999 B"},     {1000, "1.0 kB"},      {1500000, "1.5 MB"},
                 {99950, "100 kB"}, {999999, "1.0 MB"}, {INT64_MAX, "9223 PB"}};
    char out[32];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_string_equal(text_bytes(sizes[i].bytes, out), sizes[i].text);
    char count[64];
    assert_string_equal(text_count(1, "device", count), "1 device");
    assert_string_equal(text_count(0, "device", count), "0 devices");
    assert_string_equal(text_span(59, out), "59 s");
    assert_string_equal(text_span(3600, out), "1 h");
    assert_string_equal(text_span(7500, out), "2 h 5 min");
    assert_string_equal(text_span(90000, out), "1 d 1 h");
    assert_string_equal(text_time("2026-11-20T23:51:17.123Z", out), "2026-11-20T23:51:17Z");
    assert_string_equal(text_time(NULL, out), "-");
}

static void a_time_is_told_as_how_long_ago_it_was(void **state)
{
    static const struct {
        const char *time, *told;
    } cases[] = {{"2026-11-20T12:00:00.000Z", "0s ago"},
                 {"2026-11-20T11:59:01Z", "59s ago"},
                 {"2026-11-20T11:59:00Z", "1m ago"},
                 {"2026-11-20T11:00:01Z", "59m ago"},
                 {"2026-11-20T11:00:00Z", "1h ago"},
                 {"2026-11-19T12:00:00.001Z", "23h ago"},
                 {"2026-11-19T12:00:00Z", "1d ago"},
                 {"2025-11-20T12:00:00Z", "365d ago"},
                 {"2026-11-20T12:00:05Z", "in 5s"},
                 {"2026-11-22T12:00:00Z", "in 2d"},
                 {"nonsense", "nonsense"},
                 {NULL, "-"}};
    int64_t noon_ms = INT64_C(1795176000000);
    char text[32];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(text_ago(cases[i].time, noon_ms, text), cases[i].told);
}

static void a_user_is_told_by_name_or_by_number(void **state)
{
    char text[64];
    (void)state;
    assert_string_equal(text_user(0, text), "root");
    assert_string_equal(text_user(4294967294LL - 7, text), "uid 4294967287");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_controls_a_terminal_gets_through),
        cmocka_unit_test(random_bytes_come_out_printable_and_whole),
        cmocka_unit_test(a_text_is_cut_where_its_buffer_ends),
        cmocka_unit_test(wide_characters_take_their_columns),
        cmocka_unit_test(sizes_and_spans_are_short),
        cmocka_unit_test(a_user_is_told_by_name_or_by_number),
        cmocka_unit_test(a_time_is_told_as_how_long_ago_it_was),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
