#include "picket/store/feed_parts.h"
#include "support.h"

#include "indicator_order.h"

static void put_feed(struct picket_store *store, const char *name)
{
    struct picket_feed feed = {.format = "plain", .confidence = 70};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    snprintf(feed.source, sizeof feed.source, "/feeds/%s.txt", name);
    MUST(picket_store_feed_put(store, &feed, &error));
}

static struct picket_indicator indicator_of(const char *prefix, uint16_t port, int64_t first_seen)
{
    struct picket_indicator indicator = {
        .port = port, .confidence = 80, .first_seen_ms = first_seen, .line = 1, .tags = "tag"};
    assert_true(picket_prefix_parse(&indicator.prefix, prefix, strlen(prefix)));
    return indicator;
}

static struct picket_feed_delta replace(struct picket_store *store, const char *feed,
                                        const struct picket_indicator *indicators, size_t count)
{
    struct picket_feed_delta delta = {-1, -1, -1, -1};
    MUST(picket_store_indicators_replace(store, feed, indicators, count, NULL, NULL, &delta,
                                         &error));
    return delta;
}

static void check_delta(struct picket_feed_delta delta, int added, int removed, int kept)
{
    assert_int_equal(delta.added, added);
    assert_int_equal(delta.removed, removed);
    assert_int_equal(delta.kept, kept);
}

/* One line for each: feed prefix:port confidence first_seen valid_until line tags. */
static char seen[1 << 16];

static void note(void *context, const char *feed, const struct picket_indicator *indicator)
{
    (void)context;
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "%s %s:%u %u %lld %lld %u %s\n", feed,
             picket_prefix_format(&indicator->prefix, prefix), indicator->port,
             indicator->confidence, (long long)indicator->first_seen_ms,
             (long long)indicator->valid_until_ms, indicator->line, indicator->tags);
}

static const char *look(struct picket_store *store, const char *feed)
{
    seen[0] = '\0';
    MUST(picket_store_indicators(store, feed, note, NULL, &error));
    return seen;
}

static struct picket_feed last_feed;
static char feed_names[200];

static void note_feed(void *context, const struct picket_feed *feed)
{
    (void)context;
    last_feed = *feed;
    strcat(feed_names, feed->name);
    strcat(feed_names, " ");
}

static void look_at_feeds(struct picket_store *store)
{
    feed_names[0] = '\0';
    MUST(picket_store_feeds(store, note_feed, NULL, &error));
}

static void a_feed_is_given_back_as_it_was_put(void **state)
{
    struct picket_feed feed = {
        .name = "drop",
        .source = "https://example.test/drop.txt",
        .format = "csv",
        .confidence = 55,
        .match_special_purpose = true,
        .refresh_s = 3600,
        .added_ms = 1,
        .tried_ms = 2,
        .loaded_ms = 3,
        .etag = "\"abc\"",
        .last_modified = "Fri, 20 Nov 2026 23:51:17 GMT",
        .skipped = 4,
        .problem = "404",
        .access = {"user", "/password", "/token", "Key", "/key", "http://proxy.test", "/ca", "/crt",
                   "/own.key"},
        .pattern = "*.txt",
        .columns = "address=ioc",
        .max_bytes = 5,
        .changed_ms = 6,
        .not_before_ms = 7,
        .whole_ms = 8,
        .cursor = "2026-11-20T23:51:17.123456Z",
        .last = {9, 10, 11, 12},
        .last_duration_ms = 13,
        .waits = true,
        .would_hold = 14,
        .role = PICKET_FEED_SHARED,
        .match_own_networks = true,
        .succeeded_ms = 15,
    };
    MUST(picket_store_feed_put(*state, &feed, &error));
    look_at_feeds(*state);
    assert_memory_equal(&last_feed, &feed, sizeof feed);
    feed.confidence = 1;
    feed.role = PICKET_FEED_ALLOW;
    feed.match_own_networks = false;
    memset(feed.problem, 0, sizeof feed.problem);
    MUST(picket_store_feed_put(*state, &feed, &error));
    look_at_feeds(*state);
    assert_memory_equal(&last_feed, &feed, sizeof feed);
    assert_string_equal(feed_names, "drop ");
    strcpy(feed.name, "");
    assert_int_equal(picket_store_feed_put(*state, &feed, &error), PICKET_INVALID);
}

static void feeds_come_in_the_order_of_their_names(void **state)
{
    put_feed(*state, "b");
    put_feed(*state, "c");
    put_feed(*state, "a");
    look_at_feeds(*state);
    assert_string_equal(feed_names, "a b c ");
}

static void indicators_are_given_back_in_order(void **state)
{
    put_feed(*state, "f");
    struct picket_indicator indicators[] = {
        indicator_of("2001:db8::/32", 0, 5), indicator_of("198.51.100.7", 443, 6),
        indicator_of("198.51.100.7", 0, 7),  indicator_of("198.51.100.0/24", 0, 8),
        indicator_of("0.0.0.0/0", 0, 9),     indicator_of("::1", 65535, 10),
    };
    indicators[1].tags = "";
    indicators[2].valid_until_ms = INT64_MAX;
    indicators[3].first_seen_ms = INT64_MIN;
    indicators[4].line = UINT32_MAX;
    indicators[4].confidence = 100;
    check_delta(replace(*state, "f", indicators, 6), 6, 0, 0);
    assert_string_equal(look(*state, "f"), "f 0.0.0.0/0:0 100 9 0 4294967295 tag\n"
                                           "f 198.51.100.0/24:0 80 -9223372036854775808 0 1 tag\n"
                                           "f 198.51.100.7/32:0 80 7 9223372036854775807 1 tag\n"
                                           "f 198.51.100.7/32:443 80 6 0 1 \n"
                                           "f ::1/128:65535 80 10 0 1 tag\n"
                                           "f 2001:db8::/32:0 80 5 0 1 tag\n");
    assert_int_equal(totals_of(*state).indicators, 6);
    look_at_feeds(*state);
    assert_int_equal(last_feed.indicators, 6);
}

static void those_that_stay_keep_when_they_were_first_seen(void **state)
{
    put_feed(*state, "f");
    struct picket_indicator first[] = {indicator_of("1.1.1.1", 0, 100),
                                       indicator_of("2.2.2.2", 0, 100),
                                       indicator_of("3.3.3.3", 0, 100)};
    struct picket_indicator second[] = {indicator_of("4.4.4.4", 0, 200),
                                        indicator_of("3.3.3.3", 0, 200),
                                        indicator_of("1.1.1.1", 0, 200)};
    replace(*state, "f", first, 3);
    second[2].confidence = 1;
    second[2].line = 9;
    check_delta(replace(*state, "f", second, 3), 1, 1, 2);
    assert_string_equal(look(*state, "f"), "f 1.1.1.1/32:0 1 100 0 9 tag\n"
                                           "f 3.3.3.3/32:0 80 100 0 1 tag\n"
                                           "f 4.4.4.4/32:0 80 200 0 1 tag\n");
    check_delta(replace(*state, "f", second, 3), 0, 0, 3);
    check_delta(replace(*state, "f", NULL, 0), 0, 3, 0);
    assert_string_equal(look(*state, "f"), "");
    assert_int_equal(totals_of(*state).indicators, 0);
    check_delta(replace(*state, "f", first, 3), 3, 0, 0);
}

static void what_a_feed_says_otherwise_counts_as_changed_and_where_it_says_it_does_not(void **state)
{
    put_feed(*state, "f");
    struct picket_indicator indicators[] = {indicator_of("1.1.1.1", 0, 1),
                                            indicator_of("2.2.2.2", 0, 1),
                                            indicator_of("3.3.3.3", 0, 1)};
    assert_int_equal(replace(*state, "f", indicators, 3).changed, 0);
    indicators[0].line = 99;
    assert_int_equal(replace(*state, "f", indicators, 3).changed, 0);
    indicators[0].malware = "Mirai";
    indicators[1].tlp = PICKET_TLP_AMBER;
    indicators[2].line = 100;
    assert_int_equal(replace(*state, "f", indicators, 3).changed, 2);
    assert_int_equal(replace(*state, "f", indicators, 3).changed, 0);
}

/* As version 0.1 wrote it, which knew neither protocol, malware nor what follows it. */
static void indicators_written_by_an_earlier_version_are_read(void **state)
{
    put_feed(*state, "f");
    struct picket_indicator indicator = indicator_of("1.1.1.1", 0, 1);
    replace(*state, "f", &indicator, 1);
    run_sql("intelligence.db",
            "update indicator_blocks set block = x'5ac633640702bb01500a0474616700'");
    assert_string_equal(look(*state, "f"), "f 198.51.100.7/32:443 80 5 0 1 tag\n");
}

static void of_duplicates_the_most_confident_counts(void **state)
{
    put_feed(*state, "f");
    struct picket_indicator indicators[] = {
        indicator_of("1.1.1.1", 0, 1), indicator_of("1.1.1.1", 0, 2), indicator_of("1.1.1.1", 0, 3),
        indicator_of("1.1.1.1", 1, 4)};
    indicators[1].confidence = 90;
    indicators[2].confidence = 90;
    check_delta(replace(*state, "f", indicators, 4), 2, 0, 0);
    assert_string_equal(look(*state, "f"), "f 1.1.1.1/32:0 90 2 0 1 tag\n"
                                           "f 1.1.1.1/32:1 80 4 0 1 tag\n");
}

static void so_few_as_not_to_be_taken_change_nothing(void **state)
{
    const struct picket_indicator two[] = {{.prefix = {{4, {8, 8, 8, 8}}, 32}, .line = 1},
                                           {.prefix = {{4, {9, 9, 9, 9}}, 32}, .line = 2}};
    struct picket_feed_delta delta;
    put_feed(*state, "f");
    check_delta(replace(*state, "f", two, 2), 2, 0, 0);
    assert_int_equal(picket_store_indicators_replace_at_least(*state, "f", &two[1], 1, 2, NULL,
                                                              NULL, &delta, &error),
                     PICKET_DENIED);
    check_delta(delta, 0, 1, 1);
    look_at_feeds(*state);
    assert_int_equal(last_feed.indicators, 2);
    MUST(picket_store_indicators_replace_at_least(*state, "f", &two[1], 1, 1, NULL, NULL, &delta,
                                                  &error));
    look_at_feeds(*state);
    assert_int_equal(last_feed.indicators, 1);
}

/* ---- what is kept beside ---- */

static void note_problem(void *context, const struct picket_feed_problem *problem)
{
    char *out = context;
    sprintf(out + strlen(out), "%s:%u: %s: %s\n", problem->file, problem->line, problem->reason,
            problem->text);
}

static void the_problems_of_the_last_time_are_kept(void **state)
{
    const struct picket_feed_problem problems[] = {{"b.txt", 7, "x", "no address"},
                                                   {"a.txt", 1, "y", "no port"}};
    char out[200] = "";
    put_feed(*state, "f");
    MUST(picket_store_feed_problems_put(*state, "f", problems, 2, &error));
    MUST(picket_store_feed_problems(*state, "f", note_problem, out, &error));
    assert_string_equal(out, "b.txt:7: no address: x\na.txt:1: no port: y\n");
    MUST(picket_store_feed_problems_put(*state, "f", problems + 1, 1, &error));
    out[0] = '\0';
    MUST(picket_store_feed_problems(*state, "f", note_problem, out, &error));
    assert_string_equal(out, "a.txt:1: no port: y\n");
    assert_int_equal(picket_store_feed_problems_put(*state, "g", problems, 2, &error),
                     PICKET_NOT_FOUND);
}

static void note_part(void *context, const struct picket_feed_part *part)
{
    char *out = context;
    sprintf(out + strlen(out), "%s@%s=%.*s ", part->key, part->stamp, (int)part->body_bytes,
            (const char *)part->body);
}

static const char *parts_of(struct picket_store *store, const char *feed)
{
    static char out[200];
    out[0] = '\0';
    MUST(picket_store_feed_parts(store, feed, note_part, out, &error));
    return out;
}

static void parts_come_change_and_go_with_their_feed(void **state)
{
    const struct picket_feed_part first[] = {{"b", "1", "bb", 2}, {"a", "1", "aa", 2}};
    const struct picket_feed_part then[] = {
        {"b", "2", "bbb", 3}, {"c", "2", "c", 1}, {"a", "", NULL, 0}};
    put_feed(*state, "f");
    put_feed(*state, "g");
    MUST(picket_store_feed_parts_change(*state, "f", false, first, 2, &error));
    MUST(picket_store_feed_parts_change(*state, "g", false, first, 1, &error));
    assert_string_equal(parts_of(*state, "f"), "a@1=aa b@1=bb ");
    MUST(picket_store_feed_parts_change(*state, "f", false, then, 3, &error));
    assert_string_equal(parts_of(*state, "f"), "b@2=bbb c@2=c ");
    MUST(picket_store_feed_parts_change(*state, "f", true, first + 1, 1, &error));
    assert_string_equal(parts_of(*state, "f"), "a@1=aa ");
    MUST(picket_store_feed_remove(*state, "f", &error));
    put_feed(*state, "f");
    assert_string_equal(parts_of(*state, "f"), "");
    assert_string_equal(parts_of(*state, "g"), "b@1=bb ");
}

static void feeds_do_not_touch_one_another(void **state)
{
    put_feed(*state, "a");
    put_feed(*state, "b");
    struct picket_indicator indicator = indicator_of("1.1.1.1", 0, 1);
    replace(*state, "a", &indicator, 1);
    replace(*state, "b", &indicator, 1);
    replace(*state, "b", NULL, 0);
    replace(*state, "b", &indicator, 1);
    assert_string_equal(look(*state, NULL), "a 1.1.1.1/32:0 80 1 0 1 tag\n"
                                            "b 1.1.1.1/32:0 80 1 0 1 tag\n");
    MUST(picket_store_feed_remove(*state, "a", &error));
    assert_string_equal(look(*state, NULL), "b 1.1.1.1/32:0 80 1 0 1 tag\n");
    assert_int_equal(totals_of(*state).feeds, 1);
    put_feed(*state, "a");
    assert_string_equal(look(*state, "a"), "");
    assert_int_equal(ask_sql("intelligence.db", "select count(*) from indicator_blocks"), 1);
}

static void putting_a_feed_again_leaves_its_indicators(void **state)
{
    put_feed(*state, "a");
    struct picket_indicator indicator = indicator_of("1.1.1.1", 0, 1);
    replace(*state, "a", &indicator, 1);
    put_feed(*state, "a");
    look_at_feeds(*state);
    assert_int_equal(last_feed.indicators, 1);
    assert_string_equal(look(*state, "a"), "a 1.1.1.1/32:0 80 1 0 1 tag\n");
}

static void an_unknown_feed_is_not_found(void **state)
{
    struct picket_indicator indicator = indicator_of("1.1.1.1", 0, 1);
    struct picket_feed_delta delta;
    assert_int_equal(
        picket_store_indicators_replace(*state, "x", &indicator, 1, NULL, NULL, &delta, &error),
        PICKET_NOT_FOUND);
    assert_string_equal(error.text, "feed x: there is none of that name");
    assert_int_equal(picket_store_indicators(*state, "x", note, NULL, &error), PICKET_NOT_FOUND);
    assert_int_equal(picket_store_feed_remove(*state, "x", &error), PICKET_NOT_FOUND);
}

static void a_feed_may_be_replaced_while_a_batch_is_open(void **state)
{
    struct picket_store *other;
    MUST(picket_store_open(&other, folder, &error));
    put_feed(*state, "f");
    struct picket_indicator indicator = indicator_of("1.1.1.1", 0, 1);
    MUST(picket_store_begin(*state, &error));
    replace(other, "f", &indicator, 1);
    MUST(picket_store_commit(*state, &error));
    picket_store_close(other);
}

static void damaged_indicators_are_reported(void **state)
{
    put_feed(*state, "f");
    struct picket_indicator indicator = indicator_of("1.1.1.1", 0, 1);
    replace(*state, "f", &indicator, 1);
    run_sql("intelligence.db", "update indicator_blocks set block = substr(block, 1, 6)");
    assert_int_equal(picket_store_indicators(*state, "f", note, NULL, &error), PICKET_IO);
    assert_non_null(strstr(error.text, "intelligence.db: indicators of feed f: damaged at byte 6"));
}

static void one_indicator_is_found_by_its_prefix_port_and_protocol(void **state)
{
    put_feed(*state, "f");
    put_feed(*state, "g");
    struct picket_indicator indicators[] = {
        indicator_of("198.51.100.0/24", 0, 1), indicator_of("198.51.100.0/25", 0, 2),
        indicator_of("198.51.100.0/24", 443, 3), indicator_of("2001:db8::/32", 0, 4),
        indicator_of("198.51.100.0/24", 443, 5)};
    indicators[4].protocol = PICKET_UDP + 1;
    replace(*state, "f", indicators, 5);
    replace(*state, "g", indicators, 1);
    for (int i = 0; i < 5; i++) {
        char expected[200];
        seen[0] = '\0';
        MUST(picket_store_indicator(*state, "f", &indicators[i], note, NULL, &error));
        snprintf(expected, sizeof expected, " %d 0 1 tag\n", i + 1);
        assert_non_null(strstr(seen, expected));
    }
    assert_int_equal(picket_store_indicator(*state, "g", &indicators[1], note, NULL, &error),
                     PICKET_NOT_FOUND);
    assert_string_equal(error.text, "feed g does not list 198.51.100.0/25");
    assert_int_equal(picket_store_indicator(*state, "x", &indicators[1], note, NULL, &error),
                     PICKET_NOT_FOUND);
}

/* ---- naive twin: an array searched from end to end ---- */

enum { POOL = 4000 };

struct twin {
    bool has[POOL];
    struct picket_indicator indicators[POOL];
};

/* Different for different numbers. */
static struct picket_indicator pool_indicator(int number, uint64_t *seed, int64_t now)
{
    static const char *const tags[] = {"", "a", "botnet c2", "scanner, brute force"};
    uint8_t bytes[16] = {0x20, 0x01, (uint8_t)(number >> 8), (uint8_t)number};
    struct picket_indicator indicator = {
        .port = number % 7 == 0 ? (uint16_t)number : 0,
        .protocol = number % 11 == 0 ? PICKET_UDP + 1 : 0,
        .confidence = (uint8_t)random_below(seed, 101),
        .severity = (uint8_t)random_below(seed, 4),
        .tlp = random_below(seed, 3) == 0 ? (uint8_t)random_below(seed, 6) : PICKET_TLP_NONE,
        .first_seen_ms = now,
        .listed_ms = random_below(seed, 3) == 0 ? now - random_below(seed, 1000) : 0,
        .valid_until_ms = random_below(seed, 4) == 0 ? now + random_below(seed, 1000) : 0,
        .line = (uint32_t)random_below(seed, 100000),
        .tags = tags[random_below(seed, 4)],
        .malware = tags[random_below(seed, 4)],
        .reference = random_below(seed, 2) == 0 ? NULL : "https://example.test/report",
    };
    indicator.prefix.address =
        number % 2 == 0 ? picket_address_ipv6(bytes) : picket_address_ipv4(bytes);
    indicator.prefix.length = number % 2 == 0 ? 128 : 32;
    if (number % 5 == 0)
        indicator.prefix.length = 32;
    return indicator;
}

static int number_of(const struct picket_indicator *indicator)
{
    return indicator->prefix.address.bytes[2] << 8 | indicator->prefix.address.bytes[3];
}

static struct twin *walked;
static int walked_count;

static void check_against_twin(void *context, const char *feed,
                               const struct picket_indicator *indicator)
{
    (void)context;
    (void)feed;
    int number = number_of(indicator);
    assert_true(walked->has[number]);
    const struct picket_indicator *expected = &walked->indicators[number];
    assert_int_equal(indicator_compare(indicator, expected), 0);
    assert_int_equal(indicator->confidence, expected->confidence);
    assert_int_equal(indicator->severity, expected->severity);
    assert_int_equal(indicator->tlp, expected->tlp);
    assert_int_equal(indicator->listed_ms, expected->listed_ms);
    assert_int_equal(indicator->first_seen_ms, expected->first_seen_ms);
    assert_int_equal(indicator->valid_until_ms, expected->valid_until_ms);
    assert_int_equal(indicator->line, expected->line);
    assert_string_equal(indicator->tags, expected->tags);
    assert_string_equal(indicator->malware, expected->malware);
    assert_string_equal(indicator->reference, expected->reference ? expected->reference : "");
    walked_count++;
}

/* Makes the changes that are told in a twin of its own. */
static struct twin told;

static void take_change(void *context, const struct picket_indicator *before,
                        const struct picket_indicator *now)
{
    (void)context;
    int number = number_of(now != NULL ? now : before);
    assert_int_equal(told.has[number], before != NULL);
    told.has[number] = now != NULL;
}

/* Each number is found if it is there, and only then. */
static void check_finding(struct picket_store *store, const struct twin *twin, uint64_t *seed)
{
    for (int i = 0; i < 100; i++) {
        int number = random_below(seed, POOL);
        struct picket_indicator any = pool_indicator(number, seed, 0);
        int status = picket_store_indicator(store, "f", &any, check_against_twin, NULL, &error);
        assert_int_equal(status, twin->has[number] ? PICKET_OK : PICKET_NOT_FOUND);
    }
}

static void replacing_agrees_with_a_naive_twin(void **state)
{
    static struct twin twin, next;
    static struct picket_indicator given[POOL];
    uint64_t seed = 7;
    put_feed(*state, "f");
    for (int round = 1; round <= 40; round++) {
        struct picket_feed_delta expected = {0};
        size_t count = 0;
        int share = random_below(&seed, 10);
        memset(&next, 0, sizeof next);
        for (int i = 0; i < POOL; i++) {
            int number = (i * 1237 + round) % POOL; /* in another order each time */
            bool stays = random_below(&seed, 10) < share;
            expected.removed += twin.has[number] && !stays;
            if (!stays)
                continue;
            struct picket_indicator indicator = pool_indicator(number, &seed, round);
            given[count++] = indicator;
            expected.kept += twin.has[number];
            expected.added += !twin.has[number];
            if (twin.has[number])
                indicator.first_seen_ms = twin.indicators[number].first_seen_ms;
            next.has[number] = true;
            next.indicators[number] = indicator;
        }
        struct picket_feed_delta delta;
        MUST(picket_store_indicators_replace(*state, "f", given, count, take_change, NULL, &delta,
                                             &error));
        check_delta(delta, (int)expected.added, (int)expected.removed, (int)expected.kept);
        twin = next;
        walked = &twin;
        walked_count = 0;
        MUST(picket_store_indicators(*state, "f", check_against_twin, NULL, &error));
        assert_int_equal(walked_count, count);
        assert_memory_equal(told.has, twin.has, sizeof twin.has);
        check_finding(*state, &twin, &seed);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(a_feed_is_given_back_as_it_was_put),
        TEST(feeds_come_in_the_order_of_their_names),
        TEST(indicators_are_given_back_in_order),
        TEST(those_that_stay_keep_when_they_were_first_seen),
        TEST(what_a_feed_says_otherwise_counts_as_changed_and_where_it_says_it_does_not),
        TEST(indicators_written_by_an_earlier_version_are_read),
        TEST(of_duplicates_the_most_confident_counts),
        TEST(so_few_as_not_to_be_taken_change_nothing),
        TEST(the_problems_of_the_last_time_are_kept),
        TEST(parts_come_change_and_go_with_their_feed),
        TEST(feeds_do_not_touch_one_another),
        TEST(putting_a_feed_again_leaves_its_indicators),
        TEST(an_unknown_feed_is_not_found),
        TEST(a_feed_may_be_replaced_while_a_batch_is_open),
        TEST(damaged_indicators_are_reported),
        TEST(one_indicator_is_found_by_its_prefix_port_and_protocol),
        TEST(replacing_agrees_with_a_naive_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
