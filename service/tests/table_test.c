/* The table of indicators: what it finds, beside a naive twin that tries every prefix, while random
 * batches of changes go into both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/table/table.h"

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

static struct picket_indicator indicator(const char *text, uint8_t confidence)
{
    return (struct picket_indicator){.prefix = prefix(text), .confidence = confidence, .tags = ""};
}

static void put(struct table_batch *batch, uint16_t feed, const char *text, uint8_t confidence)
{
    struct picket_indicator listed = indicator(text, confidence);
    assert_true(table_put(batch, feed, &listed));
}

static void take_out(struct table_batch *batch, uint16_t feed, const char *text)
{
    struct picket_indicator listed = indicator(text, 0);
    assert_true(table_take_out(batch, feed, &listed));
}

static void apply(struct table_batch *batch)
{
    assert_int_equal(table_apply(batch, NULL), PICKET_OK);
}

/* Everything that covers the address, as "feed:prefix:confidence " text in the order found. */
static const char *covering(const struct table *table, const char *text)
{
    static char out[2000];
    struct picket_address looked_up = address(text);
    struct table_cover covers[TABLE_COVERS_MAX];
    size_t used = 0, count = table_covers(table, &looked_up, covers);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < table_source_count(table, &covers[i]); k++) {
            struct table_match match;
            char prefix_text[PICKET_PREFIX_TEXT_BYTES];
            table_source(table, &looked_up, &covers[i], k, &match);
            used += (size_t)snprintf(out + used, sizeof out - used, "%s:%s:%u ", match.feed->name,
                                     picket_prefix_format(&match.prefix, prefix_text),
                                     match.confidence);
        }
    return out;
}

static void all_that_covers_is_found_most_specific_first(void **state)
{
    (void)state;
    struct table *table = table_new();
    uint16_t a = table_add_feed(table, &(struct table_feed){.name = "a"}),
             b = table_add_feed(table,
                                &(struct table_feed){.name = "b", .match_special_purpose = true});
    struct table_batch *batch = table_batch_new(table);
    put(batch, a, "11.0.0.0/8", 1);
    put(batch, b, "10.1.2.0/24", 2);
    put(batch, a, "10.0.0.0/8", 3);
    put(batch, a, "10.1.0.0/16", 4);
    put(batch, b, "10.1.0.0/16", 5);
    put(batch, a, "10.1.2.3/32", 6);
    put(batch, a, "10.1.0.0/18", 7);
    put(batch, b, "10.1.2.2/31", 8);
    put(batch, a, "2001:db8::/32", 9);
    put(batch, b, "2001:db8::1/128", 10);
    put(batch, b, "2001::/12", 11);
    apply(batch);
    assert_int_equal(table_indicators(table), 11);
    assert_string_equal(covering(table, "10.1.2.3"),
                        "a:10.1.2.3/32:6 b:10.1.2.2/31:8 b:10.1.2.0/24:2 a:10.1.0.0/18:7 "
                        "a:10.1.0.0/16:4 b:10.1.0.0/16:5 a:10.0.0.0/8:3 ");
    assert_string_equal(covering(table, "10.9.9.9"), "a:10.0.0.0/8:3 ");
    assert_string_equal(covering(table, "11.255.255.255"), "a:11.0.0.0/8:1 ");
    assert_string_equal(covering(table, "9.255.255.255"), "");
    assert_string_equal(covering(table, "12.0.0.0"), "");
    assert_string_equal(covering(table, "2001:db8::1"),
                        "b:2001:db8::1/128:10 a:2001:db8::/32:9 b:2000::/12:11 ");
    assert_string_equal(covering(table, "2011:db9::"), "");
    table_free(table);
}

static void what_is_taken_out_is_found_no_more(void **state)
{
    (void)state;
    struct table *table = table_new();
    uint16_t a = table_add_feed(table, &(struct table_feed){.name = "a"}),
             b = table_add_feed(table, &(struct table_feed){.name = "b"});
    struct table_batch *batch = table_batch_new(table);
    put(batch, a, "198.51.100.7", 1);
    put(batch, b, "198.51.100.7", 2);
    put(batch, a, "198.51.0.0/16", 3);
    put(batch, a, "2001:db8::/64", 4);
    apply(batch);
    batch = table_batch_new(table);
    take_out(batch, a, "198.51.100.7");
    take_out(batch, a, "2001:db8::/64");
    take_out(batch, a, "203.0.113.1"); /* was not there */
    take_out(batch, b, "2001:db8::/64");
    apply(batch);
    assert_int_equal(table_indicators(table), 2);
    assert_string_equal(covering(table, "198.51.100.7"), "b:198.51.100.7/32:2 a:198.51.0.0/16:3 ");
    assert_string_equal(covering(table, "2001:db8::1"), "");
    batch = table_batch_new(table);
    take_out(batch, b, "198.51.100.7");
    take_out(batch, a, "198.51.0.0/16");
    apply(batch);
    assert_string_equal(covering(table, "198.51.100.7"), "");
    assert_int_equal(table_indicators(table), 0);
    table_free(table);
}

static void of_one_prefix_and_port_the_feeds_last_word_counts(void **state)
{
    (void)state;
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "f"});
    struct table_batch *batch = table_batch_new(table);
    struct picket_indicator ported = indicator("198.51.100.7", 3);
    ported.port = 443;
    put(batch, feed, "198.51.100.7", 1);
    assert_true(table_put(batch, feed, &ported));
    put(batch, feed, "198.51.100.7", 2);
    put(batch, feed, "2001:db8::7", 4);
    put(batch, feed, "2001:db8::7", 5);
    apply(batch);
    assert_int_equal(table_indicators(table), 3);
    assert_string_equal(covering(table, "198.51.100.7"),
                        "f:198.51.100.7/32:2 f:198.51.100.7/32:3 ");
    assert_string_equal(covering(table, "2001:db8::7"), "f:2001:db8::7/128:5 ");
    table_free(table);
}

static void an_indicator_keeps_what_matching_needs(void **state)
{
    (void)state;
    struct table *table = table_new();
    table_add_feed(table, &(struct table_feed){.name = "other"});
    uint16_t feed =
        table_add_feed(table, &(struct table_feed){.name = "feed", .match_special_purpose = true});
    struct table_batch *batch = table_batch_new(table);
    struct picket_indicator listed = indicator("198.51.100.7", 80);
    listed.port = 443;
    listed.valid_until_ms = 1800000000999;
    assert_true(table_put(batch, feed, &listed));
    listed.valid_until_ms = -5;
    listed.port = 0;
    assert_true(table_put(batch, feed, &listed));
    apply(batch);
    struct picket_address looked_up = address("198.51.100.7");
    struct table_cover cover = table_find(table, &looked_up);
    struct table_match match;
    assert_int_equal(cover.length, 32);
    assert_int_equal(table_source_count(table, &cover), 2);
    table_source(table, &looked_up, &cover, 0, &match);
    assert_true(match.valid_until_ms > 0 && match.valid_until_ms < 1700000000000);
    table_source(table, &looked_up, &cover, 1, &match);
    assert_string_equal(match.feed->name, "feed");
    assert_true(match.feed->match_special_purpose);
    assert_int_equal(match.port, 443);
    assert_int_equal(match.confidence, 80);
    assert_int_equal(match.valid_until_ms, 1800000000000);
    table_free(table);
}

/* Some of what is said is then numbered beyond what a slot holds. */
static void each_of_many_addresses_keeps_what_is_said_of_it_alone(void **state)
{
    (void)state;
    enum { COUNT = 140000 };
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "f"});
    struct table_batch *batch = table_batch_new(table);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t bytes[4] = {11, (uint8_t)(i >> 12), (uint8_t)(i >> 4), (uint8_t)(i << 4)};
        struct picket_indicator listed = {.prefix = {picket_address_ipv4(bytes), 32},
                                          .valid_until_ms = (1 + (int64_t)i) * 1000,
                                          .tags = ""};
        assert_true(table_put(batch, feed, &listed));
    }
    apply(batch);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t bytes[4] = {11, (uint8_t)(i >> 12), (uint8_t)(i >> 4), (uint8_t)(i << 4)};
        struct picket_address looked_up = picket_address_ipv4(bytes);
        struct table_cover cover = table_find(table, &looked_up);
        struct table_match match;
        assert_int_equal(cover.length, 32);
        table_source(table, &looked_up, &cover, 0, &match);
        assert_int_equal(match.valid_until_ms, (1 + (int64_t)i) * 1000);
    }
    table_free(table);
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct table *table = table_new();
    assert_string_equal(covering(table, "198.51.100.7"), "");
    assert_string_equal(covering(table, "255.255.255.255"), "");
    assert_string_equal(covering(table, "::"), "");
    table_free(table);
}

static void a_feeds_number_is_given_to_another_once_it_has_gone(void **state)
{
    (void)state;
    struct table *table = table_new();
    uint16_t a = table_add_feed(table, &(struct table_feed){.name = "a"});
    assert_int_equal(table_add_feed(table, &(struct table_feed){.name = "b"}), a + 1);
    table_remove_feed(table, a);
    assert_int_equal(table_feed_number(table, "a"), 0);
    assert_int_equal(table_add_feed(table, &(struct table_feed){.name = "c"}), a);
    assert_int_equal(table_feed_number(table, "c"), a);
    table_free(table);
}

/* ---- against a naive twin ---- */

enum { FEEDS = 3, LISTED_MAX = 3000, ASKED = 100 };

static uint32_t random_state;

static uint32_t random_number(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 4;
}

/* Few distinct bits, so that prefixes nest and coincide often; and now and then many single
 * addresses of one /24. */
static struct picket_prefix random_prefix(uint8_t family)
{
    struct picket_prefix random = {.address = {.family = family}};
    unsigned bytes = family == 4 ? 4 : 16;
    for (unsigned i = 0; i < bytes; i++)
        random.address.bytes[i] = random_number() % 3 == 0 ? (uint8_t)(random_number() & 0x81) : 0;
    random.length = (uint8_t)(random_number() % (bytes * 8 + 1));
    if (random.length < 8 && random_number() % 8 != 0) /* the widest take long to change */
        random.length += 8;
    if (random_number() % 2 == 0) {
        random.address.bytes[bytes - 1] = (uint8_t)random_number();
        random.length = (uint8_t)(bytes * 8 - random_number() % 3);
    }
    picket_prefix_mask(&random);
    return random;
}

struct listed {
    struct picket_indicator indicator;
    uint16_t feed;
};

struct twin {
    struct listed items[LISTED_MAX];
    size_t count;
};

static struct listed *twin_find(struct twin *twin, uint16_t feed,
                                const struct picket_indicator *looked_for)
{
    for (size_t i = 0; i < twin->count; i++) {
        struct listed *item = &twin->items[i];
        if (item->feed == feed && item->indicator.port == looked_for->port &&
            item->indicator.protocol == looked_for->protocol &&
            memcmp(&item->indicator.prefix, &looked_for->prefix, sizeof looked_for->prefix) == 0)
            return item;
    }
    return NULL;
}

static void change_both(struct twin *twin, struct table_batch *batch, uint8_t family, bool grows)
{
    uint16_t feed = (uint16_t)(1 + random_number() % FEEDS);
    struct picket_indicator listed = {.prefix = random_prefix(family),
                                      .port = random_number() % 4 == 0 ? 443 : 0,
                                      .protocol = random_number() % 4 == 0 ? PICKET_UDP + 1 : 0,
                                      .confidence = (uint8_t)(random_number() % 3),
                                      .tags = ""};
    if (!grows && twin->count > 0 && random_number() % 8 != 0) {
        const struct listed *old = &twin->items[random_number() % twin->count];
        feed = old->feed;
        listed = old->indicator;
    }
    struct listed *found = twin_find(twin, feed, &listed);
    if (!grows) {
        assert_true(table_take_out(batch, feed, &listed));
        if (found != NULL)
            *found = twin->items[--twin->count];
        return;
    }
    assert_true(table_put(batch, feed, &listed));
    if (found == NULL)
        found = &twin->items[twin->count++];
    *found = (struct listed){listed, feed};
}

/* One number for one source of one prefix. */
static uint64_t fingerprint(uint8_t length, uint16_t feed, uint16_t port, uint8_t protocol,
                            uint8_t confidence)
{
    return (uint64_t)length << 56 | (uint64_t)feed << 40 | (uint64_t)port << 16 |
           (uint64_t)protocol << 8 | confidence;
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

static size_t by_twin(const struct twin *twin, const struct picket_address *looked_up,
                      uint64_t *found)
{
    size_t count = 0;
    for (size_t i = 0; i < twin->count; i++) {
        const struct picket_indicator *item = &twin->items[i].indicator;
        if (item->prefix.address.family == looked_up->family &&
            picket_prefix_covers(&item->prefix, looked_up))
            found[count++] = fingerprint(item->prefix.length, twin->items[i].feed, item->port,
                                         item->protocol, item->confidence);
    }
    qsort(found, count, sizeof *found, descending);
    return count;
}

static size_t by_table(const struct table *table, const struct picket_address *looked_up,
                       uint64_t *found)
{
    static const char *const names[FEEDS + 1] = {"", "a", "b", "c"};
    struct table_cover covers[TABLE_COVERS_MAX];
    size_t count = 0, cover_count = table_covers(table, looked_up, covers);
    for (size_t i = 0; i < cover_count; i++) {
        assert_true(i == 0 || covers[i].length < covers[i - 1].length);
        for (size_t k = 0; k < table_source_count(table, &covers[i]); k++) {
            struct table_match match;
            uint16_t feed = 1;
            table_source(table, looked_up, &covers[i], k, &match);
            while (strcmp(names[feed], match.feed->name) != 0)
                feed++;
            found[count++] = fingerprint(match.prefix.length, feed, match.port, match.protocol,
                                         match.confidence);
        }
    }
    qsort(found, count, sizeof *found, descending);
    return count;
}

/* By each of the ways to look up many; of one family, or of both (0). */
static void check_many(const struct table *table, const struct picket_address *asked, size_t count,
                       uint8_t family)
{
    const struct picket_address *pointers[ASKED];
    uint32_t ipv4[ASKED];
    uint8_t ipv6[ASKED][16];
    struct table_cover covers[2][ASKED];
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &asked[i];
        ipv4[i] = picket_address_ipv4_number(&asked[i]);
        memcpy(ipv6[i], asked[i].bytes, sizeof ipv6[i]);
    }
    table_find_many(table, pointers, count, covers[0]);
    if (family == 4)
        table_find_ipv4(table, ipv4, count, covers[1]);
    if (family == 6)
        table_find_ipv6(table, ipv6, count, covers[1]);
    for (size_t i = 0; i < count; i++)
        for (int way = 0; way < (family == 0 ? 1 : 2); way++) {
            struct table_cover alone = table_find(table, &asked[i]);
            assert_int_equal(covers[way][i].sources, alone.sources);
            assert_true(alone.sources == 0 || covers[way][i].length == alone.length);
        }
}

static void compare(const struct table *table, const struct twin *twin, uint8_t family)
{
    static uint64_t expected[LISTED_MAX], found[LISTED_MAX];
    struct picket_address asked[ASKED];
    for (size_t i = 0; i < ASKED; i++) {
        asked[i] = random_prefix(family != 0 ? family : 4 + i % 2 * 2).address;
        size_t expected_count = by_twin(twin, &asked[i], expected);
        assert_int_equal(by_table(table, &asked[i], found), expected_count);
        assert_memory_equal(found, expected, expected_count * sizeof *found);
        struct table_cover narrowest = table_find(table, &asked[i]);
        assert_int_equal(narrowest.sources != 0, expected_count > 0);
        assert_true(expected_count == 0 || narrowest.length == expected[0] >> 56);
    }
    check_many(table, asked, random_number() % (ASKED + 1), family);
}

/* So many changes that the table lays out its slots as for millions, although all are of one
 * address that is not there. */
static void change_very_often(struct table *table)
{
    enum { CHANGES = 2200000 };
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < CHANGES; i++)
        take_out(batch, 1, "203.0.113.1");
    apply(batch);
}

static void live_a_life(uint32_t seed)
{
    static struct twin twin;
    struct table *table = table_new();
    int large_from = seed % 8 == 0 ? (int)(seed / 8) : -1;
    twin.count = 0;
    random_state = seed * 2654435761u;
    assert_true(table_add_feed(table, &(struct table_feed){.name = "a"}) == 1 &&
                table_add_feed(table, &(struct table_feed){.name = "b"}) == 2 &&
                table_add_feed(table, &(struct table_feed){.name = "c"}) == 3);
    for (int step = 0; step < 12; step++) {
        if (step == large_from)
            change_very_often(table);
        struct table_batch *batch = table_batch_new(table);
        bool grows = step < 5 || step % 3 == 0;
        for (uint32_t changes = random_number() % 200; changes > 0; changes--)
            change_both(&twin, batch, random_number() % 2 ? 4 : 6, grows);
        apply(batch);
        assert_int_equal(table_indicators(table), twin.count);
        compare(table, &twin, 4);
        compare(table, &twin, 6);
        compare(table, &twin, 0);
    }
    struct table_batch *batch = table_batch_new(table);
    while (twin.count > 0)
        change_both(&twin, batch, 4, false);
    apply(batch);
    assert_int_equal(table_indicators(table), 0);
    compare(table, &twin, 4);
    compare(table, &twin, 6);
    table_free(table);
}

static void lookups_agree_with_a_naive_twin_after_each_batch(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++)
        live_a_life(seed);
}

/* ---- memory ---- */

static void fill(struct table *table, uint16_t feed, uint32_t count, uint32_t seed, bool in)
{
    struct table_batch *batch = table_batch_new(table);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = (i + 1) * 2654435761u ^ seed * 40503u << 7;
        uint8_t bytes[16] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
        struct picket_indicator listed = {.prefix = {picket_address_ipv4(bytes), 32}, .tags = ""};
        if (i % 8 == 0)
            listed.prefix = (struct picket_prefix){picket_address_ipv6(bytes), 128};
        assert_true(in ? table_put(batch, feed, &listed) : table_take_out(batch, feed, &listed));
    }
    apply(batch);
}

static void a_hundred_swaps_of_a_feed_take_no_more_memory_than_the_first(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "f"});
    size_t first = 0, empty = table_bytes(table);
    fill(table, feed, COUNT, 0, true);
    for (uint32_t swap = 1; swap <= 100; swap++) {
        fill(table, feed, COUNT, swap, true);
        fill(table, feed, COUNT, swap - 1, false);
        assert_int_equal(table_indicators(table), COUNT);
        if (swap == 1)
            first = table_bytes(table) - empty;
    }
    size_t last = table_bytes(table) - empty;
    print_message("%zu bytes after the first swap, %zu after a hundred\n", first, last);
    assert_true(last <= first + first / 20);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_covers_is_found_most_specific_first),
        cmocka_unit_test(what_is_taken_out_is_found_no_more),
        cmocka_unit_test(of_one_prefix_and_port_the_feeds_last_word_counts),
        cmocka_unit_test(an_indicator_keeps_what_matching_needs),
        cmocka_unit_test(each_of_many_addresses_keeps_what_is_said_of_it_alone),
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(a_feeds_number_is_given_to_another_once_it_has_gone),
        cmocka_unit_test(lookups_agree_with_a_naive_twin_after_each_batch),
        cmocka_unit_test(a_hundred_swaps_of_a_feed_take_no_more_memory_than_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
