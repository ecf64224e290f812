#include "check.h"

#include <time.h>

#include "picket/base/time.h"

static int64_t parsed(const char *text)
{
    int64_t unix_ms;
    if (!picket_time_parse(text, &unix_ms))
        fail_msg("%s was refused", text);
    return unix_ms;
}

static void refused(const char *text)
{
    int64_t unix_ms;
    if (picket_time_parse(text, &unix_ms))
        fail_msg("%s was taken for %lld", text, (long long)unix_ms);
}

static void times_are_written_in_utc_with_milliseconds(void **state)
{
    (void)state;
    char text[PICKET_TIME_TEXT_BYTES];
    assert_string_equal(picket_time_format(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(picket_time_format(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(picket_time_format(1763682677123, text), "2025-11-20T23:51:17.123Z");
    assert_string_equal(picket_time_format(951782400000, text), "2000-02-29T00:00:00.000Z");
}

static void times_beyond_what_can_be_written_stop_at_the_last(void **state)
{
    (void)state;
    char text[PICKET_TIME_TEXT_BYTES];
    assert_int_equal(strncmp(picket_time_format(INT64_MAX, text), "9999-12-31T23:59:59", 19), 0);
    assert_int_equal(strncmp(picket_time_format(INT64_MIN, text), "0000-01-01T00:00:00", 19), 0);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        int64_t unix_ms = (int64_t)(next_random(&seed) % 315569519999000) - 62167219200000;
        char text[PICKET_TIME_TEXT_BYTES];
        picket_time_format(unix_ms, text);
        assert_int_equal(parsed(text), unix_ms);
    }
}

/* Oracle: timegm() of the C library. */
static void dates_are_counted_as_the_c_library_counts_them(void **state)
{
    (void)state;
    for (int day = 0; day < 400 * 366; day++) {
        struct tm date = {.tm_year = 1801 - 1900, .tm_mday = 1 + day};
        int64_t seconds = timegm(&date);
        char text[64];
        snprintf(text, sizeof text, "%04d-%02d-%02d", date.tm_year + 1900, date.tm_mon + 1,
                 date.tm_mday);
        assert_int_equal(parsed(text), seconds * 1000);
    }
}

static void offsets_and_fractions_are_understood(void **state)
{
    (void)state;
    assert_int_equal(parsed("1985-04-12T23:20:50.52Z"), 482196050520);
    assert_int_equal(parsed("1996-12-19T16:39:57-08:00"), 851042397000);
    assert_int_equal(parsed("1996-12-20T00:39:57Z"), 851042397000);
    assert_int_equal(parsed("1990-12-31T23:59:60Z"), 662688000000);
    assert_int_equal(parsed("1937-01-01T12:00:27.87+00:20"), -1041337172130);
    assert_int_equal(parsed("2026-11-20t23:51:17.1239999z"), parsed("2026-11-20T23:51:17.123Z"));
    assert_int_equal(parsed("2026-11-20 23:51:17Z"), parsed("2026-11-20T23:51:17Z"));
}

static void whole_numbers_are_unix_seconds(void **state)
{
    (void)state;
    assert_int_equal(parsed("0"), 0);
    assert_int_equal(parsed("1763682677"), 1763682677000);
}

static void a_span_is_a_number_and_its_unit(void **state)
{
    static const char *const wrong[] = {"",    "d",     "30",  "30x",  "30d ",
                                        "-1d", "1h30m", " 1h", "never"};
    int64_t span_s;
    (void)state;
    assert_true(picket_span_parse("90s", &span_s) && span_s == 90);
    assert_true(picket_span_parse("15m", &span_s) && span_s == 900);
    assert_true(picket_span_parse("12h", &span_s) && span_s == 43200);
    assert_true(picket_span_parse("30d", &span_s) && span_s == 2592000);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(picket_span_parse(wrong[i], &span_s));
    assert_false(picket_span_parse("9999999999999999999d", &span_s));
    assert_false(picket_span_parse("253402300799d", &span_s));
}

static void a_number_with_a_unit_is_a_span_back_from_now(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } spans[] = {{"0s", 0}, {"90s", 90000}, {"15m", 900000}, {"24h", 86400000}, {"7d", 604800000}};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        int64_t before = picket_unix_ms();
        int64_t at = parsed(spans[i].text);
        int64_t after = picket_unix_ms();
        assert_true(at >= before - spans[i].ms && at <= after - spans[i].ms);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        " ",
                                        "-1",
                                        "+1",
                                        "1.5",
                                        "12x",
                                        "1w",
                                        "s",
                                        "15 m",
                                        "15mm",
                                        "99999999999999999999",
                                        "253402300800",
                                        "999999999999d",

                                        "2026-11",
                                        "2026-13-01",
                                        "2026-00-01",
                                        "2026-11-00",
                                        "2026-11-31",
                                        "2025-02-29",
                                        "1900-02-29",
                                        "2026-11-20T",
                                        "2026-11-20T23",
                                        "2026-11-20T23:51",
                                        "2026-11-20T23:51:17",
                                        "2026-11-20T24:00:00Z",
                                        "2026-11-20T23:60:00Z",
                                        "2026-11-20T23:51:61Z",
                                        "2026-11-20T23:51:17.Z",
                                        "2026-11-20T23:51:17+0100",
                                        "2026-11-20T23:51:17+24:00",
                                        "2026-11-20T23:51:17Zx",
                                        "2026-11-20x",
                                        "20-11-2026",
                                        "2026-1-1",
                                        "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(wrong[i]);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t last = picket_monotonic_ms();
    for (int i = 0; i < 10000; i++) {
        int64_t now = picket_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
}

static void an_end_is_a_time_or_a_span_from_now_on_and_a_stamp_no_span(void **state)
{
    (void)state;
    int64_t now_ms = picket_unix_ms(), until_ms, stamp_ms;
    assert_true(picket_until_parse("24h", &until_ms));
    assert_in_range(until_ms - now_ms, 86400000, 86400000 + 60000);
    assert_true(picket_until_parse("2026-11-20T23:51:17Z", &until_ms));
    assert_true(picket_stamp_parse("2026-11-20T23:51:17Z", &stamp_ms));
    assert_int_equal(until_ms, stamp_ms);
    assert_true(picket_stamp_parse("1795218677", &stamp_ms));
    assert_int_equal(until_ms, stamp_ms);
    assert_false(picket_stamp_parse("24h", &stamp_ms));
    assert_false(picket_until_parse("tomorrow", &until_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc_with_milliseconds),
        cmocka_unit_test(times_beyond_what_can_be_written_stop_at_the_last),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(dates_are_counted_as_the_c_library_counts_them),
        cmocka_unit_test(offsets_and_fractions_are_understood),
        cmocka_unit_test(whole_numbers_are_unix_seconds),
        cmocka_unit_test(a_span_is_a_number_and_its_unit),
        cmocka_unit_test(a_number_with_a_unit_is_a_span_back_from_now),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(an_end_is_a_time_or_a_span_from_now_on_and_a_stamp_no_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
