#include "activity/burst.h"
#include "check.h"

/* Lets windows go by, each with so many refusals; how often a burst began. */
struct run {
    struct burst burst;
    int64_t now_ms;
    uint64_t total;
};

static bool look(struct run *run, int64_t now_ms)
{
    return burst_look(&run->burst, &burst_of_refusals, now_ms, &run->total);
}

static int windows(struct run *run, int count, uint32_t refusals)
{
    int begun = 0;
    look(run, run->now_ms);
    for (int i = 0; i < count; i++) {
        for (uint32_t n = 0; n < refusals; n++)
            burst_count(&run->burst);
        assert_false(look(run, run->now_ms + burst_of_refusals.window_ms - 1));
        run->now_ms += burst_of_refusals.window_ms;
        begun += look(run, run->now_ms);
    }
    return begun;
}

static void a_burst_begins_with_the_third_window_of_many(void **state)
{
    struct run run = {.now_ms = 1000};
    (void)state;
    assert_int_equal(windows(&run, 2, 50), 0);
    assert_int_equal(windows(&run, 1, 70), 1);
    assert_int_equal(run.total, 170);
    assert_int_equal(windows(&run, 100, 1000), 0); /* it is told once */
}

static void one_window_of_fewer_begins_anew(void **state)
{
    struct run run = {.now_ms = 1000};
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(windows(&run, 2, 50), 0);
        assert_int_equal(windows(&run, 1, 49), 0);
    }
}

static void a_burst_ends_after_five_quiet_windows_and_may_then_begin_again(void **state)
{
    struct run run = {.now_ms = 1000};
    (void)state;
    assert_int_equal(windows(&run, 3, 50), 1);
    assert_int_equal(windows(&run, 4, 10), 0);
    assert_int_equal(windows(&run, 1, 11), 0); /* not quiet */
    assert_int_equal(windows(&run, 3, 50), 0); /* it lasts still */
    assert_int_equal(windows(&run, 5, 0), 0);
    assert_int_equal(windows(&run, 2, 50), 0);
    assert_int_equal(windows(&run, 1, 50), 1);
}

static void a_burst_is_over_when_nothing_of_it_is_left(void **state)
{
    struct run run = {.now_ms = 1000};
    (void)state;
    assert_true(burst_is_over(&run.burst));
    assert_int_equal(windows(&run, 1, 50), 0);
    assert_false(burst_is_over(&run.burst));
    assert_int_equal(windows(&run, 1, 0), 0);
    assert_true(burst_is_over(&run.burst));
    assert_int_equal(windows(&run, 3, 50), 1);
    assert_int_equal(windows(&run, 4, 0), 0);
    assert_false(burst_is_over(&run.burst));
    assert_int_equal(windows(&run, 1, 0), 0);
    assert_true(burst_is_over(&run.burst));
}

static void a_quiet_hub_has_no_burst(void **state)
{
    struct run run = {.now_ms = 1000};
    (void)state;
    assert_int_equal(windows(&run, 1000, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_begins_with_the_third_window_of_many),
        cmocka_unit_test(one_window_of_fewer_begins_anew),
        cmocka_unit_test(a_burst_ends_after_five_quiet_windows_and_may_then_begin_again),
        cmocka_unit_test(a_burst_is_over_when_nothing_of_it_is_left),
        cmocka_unit_test(a_quiet_hub_has_no_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
