/* What is not valid any more leaves memory on time, and comes back when it is valid again; compared
 * with an array, over kept lists, fetched feeds and restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "intel/intel_internal.h"
#include "picket/base/time.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };
static const int64_t day_ms = (int64_t)24 * HOUR_MS;

static struct harness harness;
static struct picket_error error;
static int64_t now_ms; /* when the test began */

static int open_harness(void **state)
{
    (void)state;
    harness_open(&harness);
    harness_start(&harness);
    now_ms = picket_unix_ms();
    return 0;
}

static int close_harness(void **state)
{
    (void)state;
    harness_close(&harness);
    return 0;
}

/* As if so much time had passed, and no sweep had taken long. */
static void sweep_in(int64_t ms)
{
    pthread_mutex_lock(&harness.intel->changing);
    for (uint32_t feed = 1; feed <= harness.intel->expiry.used; feed++)
        harness.intel->expiry.feeds[feed].not_before_ms = 0;
    pthread_mutex_unlock(&harness.intel->changing);
    sweeper_sweep(harness.intel->sweeper, now_ms + ms);
}

static void put(const char *list, const char *prefix, int64_t valid_until_ms)
{
    struct picket_indicator indicator = {.confidence = 80, .valid_until_ms = valid_until_ms};
    assert_true(picket_prefix_parse(&indicator.prefix, prefix, strlen(prefix)));
    assert_int_equal(picket_intel_put(harness.intel, list, &indicator, 1, NULL, &error), PICKET_OK);
}

static void take_out(const char *list, const char *prefix)
{
    struct picket_indicator indicator = {.confidence = 80};
    assert_true(picket_prefix_parse(&indicator.prefix, prefix, strlen(prefix)));
    assert_int_equal(picket_intel_take_out(harness.intel, list, &indicator, 1, NULL, &error),
                     PICKET_OK);
}

static void find_feed(void *context, const struct picket_feed *feed)
{
    struct picket_feed *found = context;
    if (strcmp(feed->name, found->name) == 0)
        *found = *feed;
}

static int64_t stored(const char *name)
{
    struct picket_feed feed = {.indicators = -1};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    assert_int_equal(picket_store_feeds(harness.store, find_feed, &feed, NULL), PICKET_OK);
    return feed.indicators;
}

static void check_counts(const char *feed, int64_t in_memory, int64_t expired)
{
    assert_int_equal(picket_intel_indicator_count(harness.intel), in_memory);
    assert_int_equal(picket_intel_feed_expired(harness.intel, feed), expired);
    assert_int_equal(stored(feed), in_memory + expired);
}

/* Lines of a feed in which each is valid until then; 0: for ever. */
static const char *feed_file(const char *const *prefixes, const int64_t *valid_until_ms,
                             size_t count)
{
    static char text[100000];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        char time[PICKET_TIME_TEXT_BYTES];
        used += (size_t)snprintf(text + used, sizeof text - used, "{\"cidr\":\"%s\"", prefixes[i]);
        if (valid_until_ms[i] != 0)
            used += (size_t)snprintf(text + used, sizeof text - used, ",\"valid_until\":\"%s\"",
                                     picket_time_format(valid_until_ms[i], time));
        used += (size_t)snprintf(text + used, sizeof text - used, "}\n");
    }
    return harness_file(&harness, "feed.ndjson", text);
}

static void add_feed(const char *path)
{
    struct picket_feed feed = {.name = "feed", .confidence = 50, .format = "ndjson"};
    snprintf(feed.source, sizeof feed.source, "%s", path);
    assert_int_equal(picket_intel_feed_add(harness.intel, &feed, NULL, &error), PICKET_OK);
}

static void an_expired_indicator_of_a_feed_leaves_memory_an_hour_after_its_time(void **state)
{
    (void)state;
    const char *const prefixes[] = {"8.8.8.0/24", "9.9.9.9/32", "2001:4860::/32"};
    const int64_t until[] = {now_ms + 10 * MINUTE_MS, 0, now_ms + 5 * HOUR_MS};
    add_feed(feed_file(prefixes, until, 3));
    sweep_in(65 * MINUTE_MS);
    check_counts("feed", 3, 0);
    sweep_in(71 * MINUTE_MS);
    check_counts("feed", 2, 1);
    sweep_in(5 * HOUR_MS + 61 * MINUTE_MS);
    check_counts("feed", 1, 2);
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "feed", NULL, &error), PICKET_OK);
    check_counts("feed", 1, 2);
    const int64_t renewed[] = {now_ms + 30 * HOUR_MS, 0, now_ms + 5 * HOUR_MS};
    feed_file(prefixes, renewed, 3);
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "feed", NULL, &error), PICKET_OK);
    check_counts("feed", 2, 1);
    assert_int_equal(picket_intel_feed_remove(harness.intel, "feed", &error), PICKET_OK);
    assert_int_equal(picket_intel_indicator_count(harness.intel), 0);
    assert_int_equal(picket_intel_feed_expired(harness.intel, "feed"), 0);
}

static void what_has_expired_is_not_loaded(void **state)
{
    (void)state;
    const char *const prefixes[] = {"8.8.8.0/24", "9.9.9.9/32"};
    const int64_t until[] = {now_ms - 2 * HOUR_MS, now_ms + 2 * HOUR_MS};
    add_feed(feed_file(prefixes, until, 2));
    put("local", "7.7.7.7/32", now_ms - 2 * HOUR_MS);
    put("local", "7.7.7.0/24", 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(picket_intel_indicator_count(harness.intel), 2);
        assert_int_equal(picket_intel_feed_expired(harness.intel, "feed"), 1);
        assert_int_equal(picket_intel_feed_expired(harness.intel, "local"), 1);
        harness_stop(&harness);
        harness_start(&harness);
    }
}

static void one_of_a_kept_list_comes_back_when_it_is_valid_again(void **state)
{
    (void)state;
    put("local", "8.8.8.8/32", now_ms + MINUTE_MS);
    put("local", "9.9.9.9/32", now_ms + 3 * HOUR_MS);
    sweep_in(2 * HOUR_MS);
    check_counts("local", 1, 1);
    put("local", "8.8.8.8/32", now_ms + 9 * HOUR_MS);
    check_counts("local", 2, 0);
    sweep_in(5 * HOUR_MS);
    check_counts("local", 1, 1);
    take_out("local", "9.9.9.9/32");
    check_counts("local", 1, 0);
}

static void a_month_after_it_expired_it_goes_from_its_list_too(void **state)
{
    (void)state;
    put("local", "8.8.8.8/32", now_ms + MINUTE_MS);
    put("local", "9.9.9.9/32", now_ms + 2 * day_ms);
    put("local", "7.7.7.7/32", 0);
    sweep_in(29 * day_ms);
    check_counts("local", 1, 2);
    sweep_in(31 * day_ms);
    check_counts("local", 1, 1);
    sweep_in(33 * day_ms);
    check_counts("local", 1, 0);
}

static void an_event_that_comes_late_is_matched_by_its_own_time(void **state)
{
    (void)state;
    put("local", "8.8.8.8/32", now_ms - 10 * MINUTE_MS);
    int64_t now_s = now_ms / 1000;
    harness_append_flow(&harness, "d",
                        (struct flow_message){"8.8.8.8", 443, (uint32_t)now_s - 60, 1, 10});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_alert_counts(&harness), 0);
    harness_append_flow(&harness, "d",
                        (struct flow_message){"8.8.8.8", 443, (uint32_t)now_s - 1200, 2, 10});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_alert_counts(&harness), 1);
}

/* ---- naive twin ---- */

enum { LISTS = 3, POOL = 120, STEPS = 150, LAST = LISTS - 1 /* is fetched */ };
static const char *const names[LISTS] = {"local", "ours", "feed"};

struct twin_indicator {
    bool listed;
    int64_t valid_until_ms;
};

static struct twin_indicator twin[LISTS][POOL];
static int64_t out_until_ms[LISTS]; /* of each: what is valid until then is not in memory */

static unsigned random_below(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 8) % below;
}

/* Nested prefixes of both families. */
static const char *pool_prefix(int number, char out[64])
{
    if (number % 3 == 0)
        snprintf(out, 64, "2a00:%x::/%d", number / 12, 32 + number % 12 * 8);
    else
        snprintf(out, 64, "45.%d.0.0/%d", number / 16, 16 + number % 16);
    return out;
}

static const char *pool_address(int number, char out[64])
{
    if (number % 3 == 0)
        snprintf(out, 64, "2a00:%x::", number / 12);
    else
        snprintf(out, 64, "45.%d.0.0", number / 16);
    return out;
}

/* For ever, long past, or some minutes of the time to come. */
static int64_t random_time(unsigned *seed)
{
    unsigned kind = random_below(seed, 4);
    if (kind == 0)
        return 0;
    if (kind == 1)
        return now_ms - (2 + (int64_t)random_below(seed, 9)) * HOUR_MS;
    return now_ms + (int64_t)(1 + random_below(seed, 900)) * MINUTE_MS;
}

static bool is_in_memory(int list, int number)
{
    const struct twin_indicator *indicator = &twin[list][number];
    return indicator->listed &&
           (indicator->valid_until_ms == 0 || indicator->valid_until_ms > out_until_ms[list]);
}

static void change_list(int list, unsigned *seed)
{
    char prefix[64];
    for (int i = 0; i < 6; i++) {
        int number = (int)random_below(seed, POOL);
        struct twin_indicator *indicator = &twin[list][number];
        if (indicator->listed && random_below(seed, 3) == 0) {
            take_out(names[list], pool_prefix(number, prefix));
            indicator->listed = false;
        } else {
            indicator->listed = true;
            indicator->valid_until_ms = random_time(seed);
            put(names[list], pool_prefix(number, prefix), indicator->valid_until_ms);
        }
    }
}

static void refresh_feed(unsigned *seed)
{
    static char texts[POOL][64];
    const char *prefixes[POOL];
    int64_t until[POOL];
    size_t count = 0;
    for (int number = 0; number < POOL; number++) {
        struct twin_indicator *indicator = &twin[LAST][number];
        if (random_below(seed, 3) == 0)
            indicator->valid_until_ms = random_time(seed);
        indicator->listed = number == 0 || random_below(seed, 8) > 0;
        if (!indicator->listed)
            continue;
        prefixes[count] = pool_prefix(number, texts[count]);
        until[count++] = indicator->valid_until_ms;
    }
    const char *path = feed_file(prefixes, until, count);
    if (stored("feed") < 0)
        add_feed(path);
    else
        assert_int_equal(picket_intel_feed_refresh(harness.intel, "feed", NULL, &error), PICKET_OK);
}

static void count_match(void *context, const struct picket_match *match)
{
    (void)match;
    ++*(size_t *)context;
}

static void check_address(const char *text)
{
    struct picket_address address;
    size_t expected = 0, found = 0;
    assert_true(picket_address_parse(&address, text, strlen(text)));
    for (int list = 0; list < LISTS; list++) {
        for (int number = 0; number < POOL; number++) {
            char prefix_text[64];
            struct picket_prefix prefix;
            pool_prefix(number, prefix_text);
            assert_true(picket_prefix_parse(&prefix, prefix_text, strlen(prefix_text)));
            expected += is_in_memory(list, number) && picket_prefix_covers(&prefix, &address);
        }
    }
    picket_intel_lookup(harness.intel, &address, count_match, &found);
    assert_int_equal(found, expected);
}

static void check_twin(void)
{
    int64_t in_memory = 0;
    for (int list = 0; list < LISTS; list++) {
        int64_t listed = 0, here = 0;
        for (int number = 0; number < POOL; number++) {
            listed += twin[list][number].listed;
            here += is_in_memory(list, number);
        }
        in_memory += here;
        assert_int_equal(picket_intel_feed_expired(harness.intel, names[list]), listed - here);
        assert_true(stored(names[list]) == listed || listed == 0);
    }
    assert_int_equal(picket_intel_indicator_count(harness.intel), in_memory);
    for (int number = 0; number < POOL; number += 7) {
        char address[64];
        check_address(pool_address(number, address));
    }
}

static void forget_sweeps(void)
{
    for (int list = 0; list < LISTS; list++)
        out_until_ms[list] = now_ms - EXPIRY_GRACE_MS;
}

static int64_t swept_until(const char *name)
{
    const struct expiry *expiry = &harness.intel->expiry;
    for (uint32_t feed = 1; feed <= expiry->used; feed++)
        if (strcmp(expiry->feeds[feed].name, name) == 0)
            return expiry->feeds[feed].out_until_ms;
    return 0;
}

/* A feed is swept if something of it is due, or was and has gone otherwise. */
static void note_sweep(int64_t until_ms)
{
    for (int list = 0; list < LISTS; list++) {
        bool is_due = false;
        for (int number = 0; number < POOL; number++)
            is_due |= is_in_memory(list, number) && twin[list][number].valid_until_ms != 0 &&
                      twin[list][number].valid_until_ms <= until_ms;
        if (is_due || swept_until(names[list]) == until_ms)
            out_until_ms[list] = until_ms;
    }
}

static void memory_agrees_with_a_naive_twin(void **state)
{
    (void)state;
    unsigned seed = 5;
    int64_t passed_ms = 0;
    const struct picket_feed ours = {.name = "ours", .confidence = 60};
    assert_int_equal(picket_intel_feed_add(harness.intel, &ours, NULL, &error), PICKET_OK);
    forget_sweeps();
    for (int step = 0; step < STEPS; step++) {
        unsigned what = random_below(&seed, 8);
        if (what < 4) {
            change_list((int)what % 2, &seed);
        } else if (what < 6) {
            passed_ms += (int64_t)(5 + random_below(&seed, 20)) * MINUTE_MS;
            sweep_in(passed_ms + EXPIRY_GRACE_MS);
            note_sweep(now_ms + passed_ms);
        } else if (what == 6) {
            refresh_feed(&seed);
        } else {
            harness_stop(&harness);
            harness_start(&harness);
            forget_sweeps();
        }
        check_twin();
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_harness, close_harness)
    const struct CMUnitTest tests[] = {
        TEST(an_expired_indicator_of_a_feed_leaves_memory_an_hour_after_its_time),
        TEST(what_has_expired_is_not_loaded),
        TEST(one_of_a_kept_list_comes_back_when_it_is_valid_again),
        TEST(a_month_after_it_expired_it_goes_from_its_list_too),
        TEST(an_event_that_comes_late_is_matched_by_its_own_time),
        TEST(memory_agrees_with_a_naive_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
