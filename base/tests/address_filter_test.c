#include "check.h"

#include "picket/base/address_filter.h"

static uint64_t state = 7;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct picket_address random_address(int family)
{
    uint64_t words[2] = {random_number(), random_number()};
    return family == 4 ? picket_address_ipv4((uint8_t *)words)
                       : picket_address_ipv6((uint8_t *)words);
}

static bool may_hold(const struct picket_address_filter *filter,
                     const struct picket_address *address)
{
    return address->family == 4 ? picket_address_filter_ipv4(filter, address->bytes)
                                : picket_address_filter_ipv6(filter, address->bytes);
}

/* With host bits from elsewhere. */
static struct picket_address address_within(const struct picket_prefix *prefix)
{
    struct picket_address address = random_address(prefix->address.family);
    for (int bit = 0; bit < prefix->length; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        address.bytes[bit / 8] =
            (uint8_t)((address.bytes[bit / 8] & ~mask) | (prefix->address.bytes[bit / 8] & mask));
    }
    return address;
}

static void what_was_added_is_never_denied(void **unused)
{
    (void)unused;
    for (int family = 4; family <= 6; family += 2) {
        for (int length = 0; length <= (family == 4 ? 32 : 128); length++) {
            struct picket_address_filter filter;
            struct picket_prefix prefix = {random_address(family), (uint8_t)length};
            picket_prefix_mask(&prefix);
            assert_true(picket_address_filter_init(&filter, 1));
            assert_true(picket_address_filter_add(&filter, &prefix));
            for (int i = 0; i < 50; i++) {
                struct picket_address address = address_within(&prefix);
                assert_true(may_hold(&filter, &address));
            }
            picket_address_filter_free(&filter);
        }
    }
}

static void most_of_what_was_not_added_is_denied(void **unused)
{
    (void)unused;
    struct picket_address_filter filter;
    assert_true(picket_address_filter_init(&filter, 100000));
    for (int i = 0; i < 100000; i++) {
        struct picket_prefix prefix = {random_address(i % 2 == 0 ? 4 : 6),
                                       i % 2 == 0 ? 32 : 48 + 16 * (i / 2 % 3)};
        picket_prefix_mask(&prefix);
        assert_true(picket_address_filter_add(&filter, &prefix));
    }
    int held = 0;
    for (int i = 0; i < 100000; i++) {
        struct picket_address address = random_address(i % 2 == 0 ? 4 : 6);
        held += may_hold(&filter, &address);
    }
    assert_in_range(held, 1, 8000);
    picket_address_filter_free(&filter);
}

/* What a table need not be asked about. */
static void neighbours_of_a_listed_address_are_denied(void **unused)
{
    (void)unused;
    struct picket_address_filter filter;
    assert_true(picket_address_filter_init(&filter, 100000));
    for (int i = 0; i < 100000; i++) {
        struct picket_prefix prefix = {random_address(4), 32};
        prefix.address.bytes[0] = 45;
        assert_true(picket_address_filter_add(&filter, &prefix));
    }
    int held = 0;
    for (int i = 0; i < 100000; i++) {
        struct picket_address address = random_address(4);
        address.bytes[0] = 45;
        held += may_hold(&filter, &address);
    }
    assert_in_range(held, 1, 3000); /* 2,400 lie in a /30 with one */
    picket_address_filter_free(&filter);
}

static void an_empty_one_denies_all(void **unused)
{
    (void)unused;
    struct picket_address_filter filter;
    assert_true(picket_address_filter_init(&filter, 1));
    for (int i = 0; i < 1000; i++) {
        struct picket_address address = random_address(i % 2 == 0 ? 4 : 6);
        assert_false(may_hold(&filter, &address));
    }
    picket_address_filter_free(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_never_denied),
        cmocka_unit_test(most_of_what_was_not_added_is_denied),
        cmocka_unit_test(neighbours_of_a_listed_address_are_denied),
        cmocka_unit_test(an_empty_one_denies_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
