/* The order of many, beside the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/sort.h"

enum { MANY = 20000 };

static uint64_t random_state = 88172645463325252u;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Those with the same key in the order of their indices. */
static int compare(const void *a, const void *b)
{
    const struct picket_sort_item *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void check_sorted(uint64_t mask, size_t count)
{
    static struct picket_sort_item items[MANY], expected[MANY];
    for (size_t i = 0; i < count; i++)
        items[i] = (struct picket_sort_item){random_number() & mask, (uint32_t)i};
    memcpy(expected, items, sizeof expected);
    qsort(expected, count, sizeof *expected, compare);
    assert_true(picket_sort(items, count));
    for (size_t i = 0; i < count; i++) {
        assert_true(items[i].key == expected[i].key);
        assert_int_equal(items[i].index, expected[i].index);
    }
}

static void
items_come_into_the_order_of_their_keys_and_stay_in_theirs_where_keys_agree(void **state)
{
    (void)state;
    static const uint64_t masks[] = {UINT64_MAX, 0xff,       0xff00,
                                     0,          0xff << 24, (uint64_t)0x7f0000ff << 32};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        for (size_t count = 0; count <= MANY; count = count * 3 + 1)
            check_sorted(masks[i], count);
}

static void what_is_in_order_stays_as_it_is(void **state)
{
    (void)state;
    struct picket_sort_item items[] = {{1, 3}, {1, 2}, {UINT64_MAX, 1}};
    assert_true(picket_sort(items, 3));
    assert_int_equal(items[0].index, 3);
    assert_int_equal(items[1].index, 2);
    assert_int_equal(items[2].index, 1);
}

static void a_key_of_two_numbers_is_sorted_by_with_two_calls(void **state)
{
    (void)state;
    static const uint64_t high[] = {2, 1, 2, 1}, low[] = {5, 9, 4, 8};
    struct picket_sort_item items[4];
    for (uint32_t i = 0; i < 4; i++)
        items[i] = (struct picket_sort_item){low[i], i};
    assert_true(picket_sort(items, 4));
    for (uint32_t i = 0; i < 4; i++)
        items[i].key = high[items[i].index];
    assert_true(picket_sort(items, 4));
    static const uint32_t expected[] = {3, 1, 2, 0};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(items[i].index, expected[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            items_come_into_the_order_of_their_keys_and_stay_in_theirs_where_keys_agree),
        cmocka_unit_test(what_is_in_order_stays_as_it_is),
        cmocka_unit_test(a_key_of_two_numbers_is_sorted_by_with_two_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
