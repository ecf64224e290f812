/* Lookups while the table changes under them; built with ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "intel/table/readers.h"
#include "intel/table/table.h"

static struct picket_indicator indicator(const char *text)
{
    struct picket_indicator listed = {.tags = ""};
    assert_true(picket_prefix_parse(&listed.prefix, text, strlen(text)));
    return listed;
}

static struct picket_address address(const char *text)
{
    struct picket_address parsed;
    assert_true(picket_address_parse(&parsed, text, strlen(text)));
    return parsed;
}

/* ---- readers ---- */

struct reading {
    struct table *table;
    struct picket_address always[2];
    atomic_bool stop;
    atomic_uint lookups;
};

/* abort() and not assert: cmocka's belong to its own thread. */
static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_name(const struct reading *reading, const struct picket_address *asked,
                       const struct table_cover *cover, const char *name)
{
    struct table_match match;
    table_source(reading->table, asked, cover, 0, &match);
    check(strcmp(match.feed->name, name) == 0);
}

/* What is always listed is found, as the narrowest; around it, nothing but what comes and goes. */
static void look_up(const struct reading *reading, const struct picket_address *asked)
{
    struct table_cover covers[TABLE_COVERS_MAX], narrowest;
    size_t count = table_covers(reading->table, asked, covers);
    check(count > 0 && covers[0].length == (asked->family == 4 ? 32 : 128));
    check_name(reading, asked, &covers[0], "stays");
    for (size_t i = 1; i < count; i++)
        check_name(reading, asked, &covers[i], "comes and goes");
    if (asked->family == 4)
        table_find_ipv4(reading->table, &(uint32_t){picket_address_ipv4_number(asked)}, 1,
                        &narrowest);
    else
        table_find_ipv6(reading->table, &asked->bytes, 1, &narrowest);
    check(narrowest.sources == covers[0].sources);
}

static void *keep_reading(void *context)
{
    struct reading *reading = context;
    while (!atomic_load(&reading->stop)) {
        readers_enter();
        look_up(reading, &reading->always[0]);
        look_up(reading, &reading->always[1]);
        readers_leave();
        atomic_fetch_add(&reading->lookups, 1);
    }
    return NULL;
}

/* ---- changes ---- */

static void change(struct table *table, uint16_t feed, const struct picket_indicator *listed,
                   size_t count, bool in)
{
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < count; i++)
        assert_true(in ? table_put(batch, feed, &listed[i])
                       : table_take_out(batch, feed, &listed[i]));
    assert_int_equal(table_apply(batch, NULL), PICKET_OK);
}

static void change_around(struct table *table, uint16_t feed, uint8_t confidence, bool in)
{
    static const char *const around[] = {"198.51.100.0/24", "198.51.100.6/31", "198.51.0.0/17",
                                         "198.0.0.0/8",     "198.51.100.8",    "2001:db8::/64",
                                         "2001:db8::/32",   "2001::/16",       "2001:db8::8"};
    struct picket_indicator listed[sizeof around / sizeof *around];
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        listed[i] = indicator(around[i]);
        listed[i].confidence = confidence;
    }
    change(table, feed, listed, sizeof around / sizeof *around, in);
}

/* Neighbours in the same /24, until it is kept in another form; and as many /128, so that the index
 * of prefixes grows. */
static void change_neighbours(struct table *table, uint16_t feed, bool in)
{
    enum { EACH = 240 };
    static struct picket_indicator listed[2 * EACH];
    for (uint8_t i = 0; i < EACH; i++) {
        uint8_t ipv4[4] = {198, 51, 100, i >= 7 ? i + 1 : i};
        uint8_t ipv6[16] = {0x20, 1, 0x0d, 0xb8, i};
        listed[i] = (struct picket_indicator){
            .prefix = {picket_address_ipv4(ipv4), 32}, .confidence = i % 5, .tags = ""};
        listed[EACH + i] =
            (struct picket_indicator){.prefix = {picket_address_ipv6(ipv6), 128}, .tags = ""};
    }
    change(table, feed, listed, sizeof listed / sizeof *listed, in);
}

/* So many changes that the table lays its slots out anew, although all are of one address. */
static void change_very_often(struct table *table, uint16_t feed)
{
    enum { CHANGES = 2200000 };
    struct table_batch *batch = table_batch_new(table);
    struct picket_indicator listed = indicator("203.0.113.1");
    for (size_t i = 0; i < CHANGES; i++)
        assert_true(table_take_out(batch, feed, &listed));
    size_t before = table_bytes(table);
    assert_int_equal(table_apply(batch, NULL), PICKET_OK);
    assert_true(table_bytes(table) > before);
}

static void readers_find_what_stays_while_all_around_it_changes(void **state)
{
    enum { ROUNDS = 100, LOOKUPS = 1000, THREADS = 2 };
    (void)state;
    struct reading reading = {.table = table_new(),
                              .always = {address("198.51.100.7"), address("2001:db8::7")}};
    uint16_t stays = table_add_feed(reading.table, &(struct table_feed){.name = "stays"});
    uint16_t goes = table_add_feed(reading.table, &(struct table_feed){.name = "comes and goes"});
    struct picket_indicator always[] = {indicator("198.51.100.7"), indicator("2001:db8::7")};
    pthread_t threads[THREADS];
    change(reading.table, stays, always, 2, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_reading, &reading), 0);
    for (int round = 0; round < ROUNDS || atomic_load(&reading.lookups) < LOOKUPS; round++) {
        if (round == ROUNDS / 2)
            change_very_often(reading.table, goes);
        change_around(reading.table, goes, (uint8_t)(round % 7), round % 2 == 0);
        change_neighbours(reading.table, goes, round % 4 < 2);
    }
    atomic_store(&reading.stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    table_free(reading.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_find_what_stays_while_all_around_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
