#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/table.h"

static struct picket_prefix prefix(const char *text)
{
    struct picket_prefix parsed;
    if (!picket_prefix_parse(&parsed, text, strlen(text)))
        fail_msg("%s", text);
    return parsed;
}

static struct picket_address address(const char *text)
{
    struct picket_address parsed;
    if (!picket_address_parse(&parsed, text, strlen(text)))
        fail_msg("%s", text);
    return parsed;
}

static struct table *build(struct table_builder *builder)
{
    struct table *table;
    assert_int_equal(table_build(builder, &table, NULL), PICKET_OK);
    return table;
}

/* Everything that covers the address, as "feed:prefix:line " text in the order found. */
static const char *covering(const struct table *table, const char *text)
{
    static char out[2000];
    struct picket_address looked_up = address(text);
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t entry = table_find(table, &looked_up); entry != TABLE_NONE;
         entry = table_parent(table, looked_up.family, entry)) {
        uint32_t record, end = table_records(table, looked_up.family, entry, &record);
        for (; record < end; record++) {
            struct table_match match;
            char prefix_text[PICKET_PREFIX_TEXT_BYTES];
            table_record(table, looked_up.family, entry, record, &match);
            used += (size_t)snprintf(out + used, sizeof out - used, "%s:%s:%u ", match.feed->name,
                                     picket_prefix_format(&match.prefix, prefix_text), match.line);
        }
    }
    return out;
}

static void add(struct table_builder *builder, int feed, const char *text, uint32_t line)
{
    struct picket_indicator indicator = {.prefix = prefix(text), .line = line, .tags = ""};
    assert_true(table_add(builder, feed, &indicator));
}

static void all_that_covers_is_found_most_specific_first(void **state)
{
    (void)state;
    struct table_builder *builder = table_builder_new();
    int a = table_add_feed(builder, "a", false), b = table_add_feed(builder, "b", true);
    add(builder, a, "11.0.0.0/8", 1);
    add(builder, b, "10.1.2.0/24", 2);
    add(builder, a, "10.0.0.0/8", 3);
    add(builder, a, "10.1.0.0/16", 4);
    add(builder, b, "10.1.0.0/16", 5);
    add(builder, a, "10.1.2.3/32", 6);
    add(builder, a, "2001:db8::/32", 7);
    add(builder, b, "2001:db8::1/128", 8);
    struct table *table = build(builder);
    assert_int_equal(table_indicators(table), 8);
    assert_string_equal(covering(table, "10.1.2.3"),
                        "a:10.1.2.3/32:6 b:10.1.2.0/24:2 a:10.1.0.0/16:4 b:10.1.0.0/16:5 "
                        "a:10.0.0.0/8:3 ");
    assert_string_equal(covering(table, "10.9.9.9"), "a:10.0.0.0/8:3 ");
    assert_string_equal(covering(table, "11.255.255.255"), "a:11.0.0.0/8:1 ");
    assert_string_equal(covering(table, "9.255.255.255"), "");
    assert_string_equal(covering(table, "12.0.0.0"), "");
    assert_string_equal(covering(table, "2001:db8::1"), "b:2001:db8::1/128:8 a:2001:db8::/32:7 ");
    assert_string_equal(covering(table, "2001:db9::"), "");
    table_free(table);
}

static void an_indicator_keeps_all_it_came_with(void **state)
{
    (void)state;
    struct table_builder *builder = table_builder_new();
    table_add_feed(builder, "other", false);
    int feed = table_add_feed(builder, "feed", true);
    struct picket_indicator indicator = {.prefix = prefix("198.51.100.7/32"),
                                         .port = 443,
                                         .confidence = 80,
                                         .first_seen_ms = 1700000000123,
                                         .valid_until_ms = 1800000000999,
                                         .line = 12,
                                         .tags = "Pikabot"};
    assert_true(table_add(builder, feed, &indicator));
    indicator.valid_until_ms = -5;
    indicator.port = 0;
    assert_true(table_add(builder, feed, &indicator));
    struct table *table = build(builder);
    struct picket_address looked_up = address("198.51.100.7");
    uint32_t first, entry = table_find(table, &looked_up);
    assert_int_equal(table_records(table, 4, entry, &first) - first, 2);
    struct table_match match;
    table_record(table, 4, entry, first, &match);
    assert_string_equal(match.feed->name, "feed");
    assert_true(match.feed->match_special_purpose);
    assert_int_equal(match.port, 443);
    assert_int_equal(match.confidence, 80);
    assert_int_equal(match.first_seen_ms, 1700000000000);
    assert_int_equal(match.valid_until_ms, 1800000000000);
    assert_int_equal(match.line, 12);
    assert_string_equal(match.tags, "Pikabot");
    table_record(table, 4, entry, first + 1, &match);
    assert_true(match.valid_until_ms > 0 && match.valid_until_ms < 1700000000000);
    table_free(table);
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct table *table = build(table_builder_new());
    assert_string_equal(covering(table, "198.51.100.7"), "");
    assert_string_equal(covering(table, "255.255.255.255"), "");
    assert_string_equal(covering(table, "::"), "");
    table_free(table);
}

/* ---- against a naive twin ---- */

static uint32_t random_state;

static uint32_t random_number(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 4;
}

/* Few distinct bits, so that prefixes nest and coincide often. */
static struct picket_prefix random_prefix(uint8_t family)
{
    struct picket_prefix random = {.address = {.family = family}};
    unsigned bytes = family == 4 ? 4 : 16;
    for (unsigned i = 0; i < bytes; i++)
        random.address.bytes[i] = random_number() % 3 == 0 ? (uint8_t)(random_number() & 0x81) : 0;
    random.length = (uint8_t)(random_number() % (bytes * 8 + 1));
    picket_prefix_mask(&random);
    return random;
}

/* The lines of all prefixes that cover the address, narrowest first, found by trying each. */
static size_t naive(const struct picket_prefix *prefixes, size_t count,
                    const struct picket_address *looked_up, uint32_t *lines)
{
    size_t found = 0;
    for (int length = 128; length >= 0; length--)
        for (size_t i = 0; i < count; i++)
            if (prefixes[i].length == length && picket_prefix_covers(&prefixes[i], looked_up))
                lines[found++] = (uint32_t)i;
    return found;
}

static size_t by_table(const struct table *table, const struct picket_address *looked_up,
                       uint32_t *lines)
{
    size_t found = 0;
    for (uint32_t entry = table_find(table, looked_up); entry != TABLE_NONE;
         entry = table_parent(table, looked_up->family, entry)) {
        uint32_t record, end = table_records(table, looked_up->family, entry, &record);
        for (; record < end; record++) {
            struct table_match match;
            table_record(table, looked_up->family, entry, record, &match);
            lines[found++] = match.line;
        }
    }
    return found;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void assert_batch_agrees(const struct table *table, const uint32_t *addresses, size_t count)
{
    uint32_t entries[40];
    table_find_ipv4(table, addresses, count, entries);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[4] = {(uint8_t)(addresses[i] >> 24), (uint8_t)(addresses[i] >> 16),
                            (uint8_t)(addresses[i] >> 8), (uint8_t)addresses[i]};
        struct picket_address looked_up = picket_address_ipv4(bytes);
        assert_int_equal(entries[i], table_find(table, &looked_up));
    }
}

static void compare_with_naive(uint8_t family, size_t count)
{
    struct picket_prefix *prefixes = calloc(count + 1, sizeof *prefixes);
    uint32_t expected[600], found[600], batch[40];
    struct table_builder *builder = table_builder_new();
    int feeds[3] = {table_add_feed(builder, "x", false), table_add_feed(builder, "y", false),
                    table_add_feed(builder, "z", false)};
    for (size_t i = 0; i < count; i++) {
        prefixes[i] = random_prefix(family);
        struct picket_indicator indicator = {.prefix = prefixes[i],
                                             .line = (uint32_t)i,
                                             .confidence = (uint8_t)(i % 100),
                                             .tags = i % 2 ? "odd" : "even"};
        assert_true(table_add(builder, feeds[i % 3], &indicator));
    }
    struct table *table = build(builder);
    for (int k = 0; k < 200; k++) {
        struct picket_address looked_up = random_prefix(family).address;
        size_t expected_count = naive(prefixes, count, &looked_up, expected);
        size_t found_count = by_table(table, &looked_up, found);
        assert_int_equal(found_count, expected_count);
        for (size_t i = 1; i < found_count; i++)
            assert_true(prefixes[found[i - 1]].length >= prefixes[found[i]].length);
        qsort(expected, expected_count, sizeof *expected, compare_numbers);
        qsort(found, found_count, sizeof *found, compare_numbers);
        assert_memory_equal(found, expected, found_count * sizeof *found);
        const uint8_t *bytes = looked_up.bytes;
        batch[k % 40] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                        (uint32_t)bytes[2] << 8 | bytes[3];
    }
    if (family == 4)
        for (size_t n = 0; n <= 40; n++)
            assert_batch_agrees(table, batch, n);
    table_free(table);
    free(prefixes);
}

static void lookups_agree_with_a_naive_twin(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        random_state = seed * 2654435761u;
        compare_with_naive(4, random_number() % 500);
        compare_with_naive(6, random_number() % 500);
    }
}

static void an_ipv4_indicator_takes_at_most_24_bytes(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct table_builder *builder = table_builder_new();
    int feed = table_add_feed(builder, "feed", false);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t value = i * 21013;
        uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                            (uint8_t)value};
        struct picket_indicator indicator = {
            .prefix = {picket_address_ipv4(bytes), 32}, .line = i + 1, .tags = "botnet"};
        assert_true(table_add(builder, feed, &indicator));
    }
    struct table *table = build(builder);
    size_t size = table_size_bytes(table) - 65537 * sizeof(uint32_t);
    print_message("%.1f bytes an indicator\n", (double)size / COUNT);
    assert_true(size <= 24 * (size_t)COUNT);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_covers_is_found_most_specific_first),
        cmocka_unit_test(an_indicator_keeps_all_it_came_with),
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(lookups_agree_with_a_naive_twin),
        cmocka_unit_test(an_ipv4_indicator_takes_at_most_24_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
