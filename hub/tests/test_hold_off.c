#include "check.h"
#include "conduct/hold_off.h"

static const struct rate ten_a_second = {10, 1000, 50};
static const struct hold_off_rule rule = {{6, 60000, 30}, 10000, 300000};

/* How many are admitted at that moment. */
static int admitted(struct rate_bucket *bucket, int64_t now_ms, int tries)
{
    int count = 0;
    rate_fill(bucket, &ten_a_second, now_ms);
    for (int i = 0; i < tries; i++) {
        if (!rate_admits(bucket, &ten_a_second))
            continue;
        rate_take(bucket, &ten_a_second, 1);
        count++;
    }
    return count;
}

static void a_burst_goes_and_then_the_rate(void **state)
{
    struct rate_bucket bucket = {0};
    (void)state;
    assert_int_equal(admitted(&bucket, 5000, 100), 50);
    assert_int_equal(admitted(&bucket, 5099, 100), 0);
    assert_int_equal(admitted(&bucket, 5100, 100), 1);
    assert_int_equal(admitted(&bucket, 6100, 100), 10);
    assert_int_equal(admitted(&bucket, 1000000, 100), 50); /* and no more than a burst */
    assert_false(rate_is_full(&bucket));
}

static void one_that_is_larger_than_the_burst_goes_and_is_paid_for(void **state)
{
    struct rate_bucket bucket = {0};
    (void)state;
    rate_fill(&bucket, &ten_a_second, 1000);
    assert_true(rate_admits(&bucket, &ten_a_second));
    rate_take(&bucket, &ten_a_second, 150);
    assert_int_equal(admitted(&bucket, 11000, 100), 0);
    assert_int_equal(admitted(&bucket, 11100, 100), 1);
    assert_int_equal(admitted(&bucket, 100000, 100), 50);
}

static void without_a_rate_everything_goes(void **state)
{
    const struct rate none = {0, 1000, 0};
    struct rate_bucket bucket = {0};
    (void)state;
    for (int i = 0; i < 100; i++) {
        rate_fill(&bucket, &none, 1);
        assert_true(rate_admits(&bucket, &none));
        rate_take(&bucket, &none, UINT64_C(1) << 40);
    }
    assert_true(rate_is_full(&bucket));
}

/* Tries once in step_ms until it is held off; after how many that went well. */
static int count_until_held_off(struct hold_off *hold_off, int64_t *now_ms, int64_t step_ms)
{
    for (int i = 0; i < 10000; i++, *now_ms += step_ms) {
        assert_int_equal(hold_off_left_ms(hold_off, *now_ms), 0);
        if (!hold_off_count(hold_off, &rule, *now_ms))
            return i;
    }
    return -1;
}

static void a_hold_off_doubles_to_its_longest(void **state)
{
    static const int lengths_s[] = {10, 20, 40, 80, 160, 300, 300, 300};
    struct hold_off hold_off = {0};
    int64_t now_ms = 77;
    (void)state;
    for (size_t i = 0; i < sizeof lengths_s / sizeof lengths_s[0]; i++) {
        int went_well = count_until_held_off(&hold_off, &now_ms, 1);
        assert_int_equal(went_well, i == 0                           ? 30
                                    : lengths_s[i - 1] / 10 + 5 > 30 ? 30
                                                                     : lengths_s[i - 1] / 10 + 5);
        assert_int_equal(hold_off_left_ms(&hold_off, now_ms), lengths_s[i] * 1000);
        now_ms += lengths_s[i] * 1000;
    }
}

static void who_stays_below_the_rate_is_never_held_off(void **state)
{
    struct hold_off hold_off = {0};
    int64_t now_ms = 1;
    (void)state;
    assert_int_equal(count_until_held_off(&hold_off, &now_ms, 10000), -1);
}

static void a_hold_off_is_forgotten_step_by_step(void **state)
{
    struct hold_off hold_off = {0};
    int64_t now_ms = 1;
    (void)state;
    assert_true(hold_off_is_forgotten(&hold_off, &rule, now_ms));
    for (int i = 0; i < 3; i++) { /* 10, 20, 40 s */
        count_until_held_off(&hold_off, &now_ms, 1);
        assert_false(hold_off_is_forgotten(&hold_off, &rule, now_ms));
        now_ms += hold_off_left_ms(&hold_off, now_ms);
    }
    int64_t ended_ms = now_ms;
    now_ms = ended_ms + 2 * 300000; /* two of the three steps */
    count_until_held_off(&hold_off, &now_ms, 1);
    assert_int_equal(hold_off_left_ms(&hold_off, now_ms), 20000);
    now_ms += 20000 + 2 * 300000 - 1;
    assert_false(hold_off_is_forgotten(&hold_off, &rule, now_ms));
    assert_true(hold_off_is_forgotten(&hold_off, &rule, now_ms + 1));
}

static void without_a_rate_nobody_is_held_off(void **state)
{
    const struct hold_off_rule none = {{0, 60000, 0}, 10000, 300000};
    struct hold_off hold_off = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_true(hold_off_count(&hold_off, &none, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_and_then_the_rate),
        cmocka_unit_test(one_that_is_larger_than_the_burst_goes_and_is_paid_for),
        cmocka_unit_test(without_a_rate_everything_goes),
        cmocka_unit_test(a_hold_off_doubles_to_its_longest),
        cmocka_unit_test(who_stays_below_the_rate_is_never_held_off),
        cmocka_unit_test(a_hold_off_is_forgotten_step_by_step),
        cmocka_unit_test(without_a_rate_nobody_is_held_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
