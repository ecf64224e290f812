/* The slots of IPv4 /24s: packed and as an array they hold what was put there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "intel/table/ipv4_slots.h"

enum { TWINS = 1 << 14 }; /* of the first /24s and of as many of the last */

struct both {
    struct ipv4_slots slots;
    struct retired retired;
    uint64_t twins[TWINS];
    size_t used;
};

static uint32_t random_state;

static uint32_t random_number(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 4;
}

static uint32_t index_of(uint32_t twin)
{
    return twin < TWINS / 2 ? twin : IPV4_SLOTS - TWINS + twin;
}

static struct both *begin(uint32_t seed)
{
    struct both *both = calloc(1, sizeof *both);
    assert_non_null(both);
    random_state = seed * 2654435761u;
    assert_true(ipv4_slots_open(&both->slots, &both->retired));
    return both;
}

static void end(struct both *both)
{
    retired_collect(&both->retired);
    ipv4_slots_close(&both->slots);
    retired_free(&both->retired);
    free(both);
}

static void put(struct both *both, uint32_t twin, uint64_t slot)
{
    both->used += (size_t)(slot != 0) - (size_t)(both->twins[twin] != 0);
    both->twins[twin] = slot;
    assert_true(ipv4_slots_put(&both->slots, index_of(twin), slot));
}

/* Every number of slots a run may have, now more and now less. */
static void change_both(struct both *both)
{
    uint32_t full = random_number() % 9;
    for (int i = 0; i < 20000; i++) {
        bool is_taken = random_number() % 8 < full;
        put(both, random_number() % TWINS, is_taken ? (uint64_t)random_number() << 32 | 1 : 0);
    }
    retired_collect(&both->retired);
}

static void compare(const struct both *both)
{
    for (uint32_t i = 0; i < TWINS; i++)
        assert_int_equal(ipv4_slots_at(&both->slots, index_of(i)), both->twins[i]);
    assert_int_equal(ipv4_slots_at(&both->slots, IPV4_SLOTS / 2), 0);
    assert_int_equal(both->slots.used, both->used);
}

static void what_was_put_is_there_packed_and_as_an_array(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++) {
        struct both *both = begin(seed);
        for (int step = 0; step < 12; step++) {
            if (step == 8)
                assert_true(ipv4_slots_spread(&both->slots));
            compare(both);
            change_both(both);
            compare(both);
        }
        end(both);
    }
}

static void slots_that_are_few_take_little_memory(void **state)
{
    enum { COUNT = 4096, RUNS_BYTES = IPV4_SLOTS / IPV4_SLOTS_IN_RUN * 8 };
    (void)state;
    struct both *both = begin(1);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(ipv4_slots_put(&both->slots, i * (IPV4_SLOTS / COUNT), 1));
    assert_true(ipv4_slots_bytes(&both->slots) <= RUNS_BYTES + (COUNT + 1) * 8);
    end(both);
}

static void slots_that_find_no_room_packed_become_an_array(void **state)
{
    (void)state;
    struct both *both = begin(1);
    both->slots.cells.limit = 10000;
    for (uint32_t i = 0; i < TWINS; i++) {
        bool was_array = ipv4_slots_array(&both->slots) != NULL;
        put(both, i, i + 1);
        if (!was_array && ipv4_slots_array(&both->slots) != NULL)
            compare(both);
    }
    assert_non_null(ipv4_slots_array(&both->slots));
    compare(both);
    end(both);
}

static void memory_of_slots_that_went_is_used_again(void **state)
{
    (void)state;
    struct both *both = begin(1);
    size_t first = 0;
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < TWINS; i++)
            put(both, i, 1);
        for (uint32_t i = 0; i < TWINS; i++)
            put(both, i, 0);
        retired_collect(&both->retired);
        first = round == 0 ? ipv4_slots_bytes(&both->slots) : first;
    }
    assert_true(ipv4_slots_bytes(&both->slots) <= first + first / 20);
    end(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there_packed_and_as_an_array),
        cmocka_unit_test(slots_that_are_few_take_little_memory),
        cmocka_unit_test(slots_that_find_no_room_packed_become_an_array),
        cmocka_unit_test(memory_of_slots_that_went_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
