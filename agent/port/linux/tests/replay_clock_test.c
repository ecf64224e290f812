#include "testing.h"

#include "replay_clock.h"

static void advance(struct replay_clock *clock, int64_t time_s)
{
    clock->uptime_s = replay_clock_target(clock, time_s);
}

static uint32_t unix_time(const struct replay_clock *clock)
{
    uint32_t seconds = 0;
    assert_true(replay_clock_unix_time(clock, &seconds));
    return seconds;
}

static void uptime_and_wall_clock_follow_the_stamps(void **state)
{
    (void)state;
    struct replay_clock clock = {0};
    uint32_t seconds;
    assert_false(replay_clock_unix_time(&clock, &seconds));
    advance(&clock, 1000000);
    assert_int_equal(clock.uptime_s, 0);
    advance(&clock, 1000030);
    assert_int_equal(clock.uptime_s, 30);
    assert_int_equal(unix_time(&clock), 1000030);
}

static void packets_out_of_order_take_no_time(void **state)
{
    (void)state;
    struct replay_clock clock = {0};
    advance(&clock, 1000);
    advance(&clock, 1010);
    advance(&clock, 1003);
    assert_int_equal(clock.uptime_s, 10);
    assert_int_equal(unix_time(&clock), 1010);
    advance(&clock, 1011);
    assert_int_equal(clock.uptime_s, 11);
}

static void a_jump_forward_lasts_an_hour(void **state)
{
    (void)state;
    struct replay_clock clock = {0};
    advance(&clock, 1000);
    advance(&clock, 2000000000);
    assert_int_equal(clock.uptime_s, REPLAY_GAP_MAX_S);
    assert_int_equal(unix_time(&clock), 2000000000);
}

static void a_jump_back_takes_the_wall_clock_along(void **state)
{
    (void)state;
    struct replay_clock clock = {0};
    advance(&clock, 2000000000);
    advance(&clock, 1000);
    assert_int_equal(clock.uptime_s, 0);
    assert_int_equal(unix_time(&clock), 1000);
    advance(&clock, 1005);
    assert_int_equal(clock.uptime_s, 5);
}

static void nonsense_stamps_do_no_harm(void **state)
{
    (void)state;
    static const int64_t stamps[] = {-1, INT64_C(1) << 40, 0, -(INT64_C(1) << 40), UINT32_MAX, 5};
    struct replay_clock clock = {0};
    uint32_t before = 0;
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        uint32_t seconds;
        advance(&clock, stamps[i]);
        assert_true(clock.uptime_s >= before && clock.uptime_s - before <= REPLAY_GAP_MAX_S);
        before = clock.uptime_s;
        assert_int_equal(replay_clock_unix_time(&clock, &seconds),
                         stamps[i] >= 0 && stamps[i] < UINT32_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uptime_and_wall_clock_follow_the_stamps),
        cmocka_unit_test(packets_out_of_order_take_no_time),
        cmocka_unit_test(a_jump_forward_lasts_an_hour),
        cmocka_unit_test(a_jump_back_takes_the_wall_clock_along),
        cmocka_unit_test(nonsense_stamps_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
