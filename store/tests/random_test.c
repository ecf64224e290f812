/* The store against its naive twin, at random: batches of random steps, some of them rolled back,
 * the outbox emptied bit by bit, the store closed and opened again. */
#include "twin.h"

static void the_store_agrees_with_a_naive_twin(void **state)
{
    static struct twin twin, before;
    struct picket_store *other;
    MUST(picket_store_open(&other, folder, &error));
    uint64_t seed = 11;
    twin_suppress(*state);
    for (int round = 0; round < 120; round++) {
        before = twin;
        MUST(picket_store_begin(*state, &error));
        for (int steps = random_below(&seed, 60); steps > 0; steps--)
            MUST(twin_step(&twin, *state, &seed));
        if (random_below(&seed, 5) == 0)
            twin_compare(&twin, *state); /* a batch sees its own */
        if (random_below(&seed, 3) == 0) {
            picket_store_rollback(*state);
            twin = before;
        } else {
            MUST(picket_store_commit(*state, &error));
        }
        if (random_below(&seed, 2) == 0)
            MUST(twin_deliver(&twin, other, &seed));
        if (random_below(&seed, 10) == 0) {
            picket_store_close(*state);
            MUST(picket_store_open((struct picket_store **)state, folder, &error));
        }
        if (round % 8 == 0)
            twin_compare(&twin, other);
    }
    twin_compare(&twin, *state);
    assert_true(twin.event_count > 300 && twin.alert_count > 50 && twin.suppressed_alerts > 5);
    picket_store_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_store_agrees_with_a_naive_twin, with_store,
                                        without_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
