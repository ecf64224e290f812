/* Lists that are changed indicator by indicator, compared with an array. */
#include "support.h"

#include "indicator_order.h"

static void put_list(struct picket_store *store, const char *name, const char *source)
{
    struct picket_feed feed = {.confidence = 90};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    snprintf(feed.source, sizeof feed.source, "%s", source);
    MUST(picket_store_feed_put(store, &feed, &error));
}

static struct picket_indicator indicator_of(const char *prefix, uint16_t port, uint8_t protocol)
{
    struct picket_indicator indicator = {
        .port = port, .protocol = protocol, .confidence = 80, .first_seen_ms = 5, .tags = "tag"};
    assert_true(picket_prefix_parse(&indicator.prefix, prefix, strlen(prefix)));
    return indicator;
}

static void find_feed(void *context, const struct picket_feed *feed)
{
    struct picket_feed *found = context;
    if (strcmp(feed->name, found->name) == 0)
        *found = *feed;
}

static int64_t count_of(struct picket_store *store, const char *list)
{
    struct picket_feed found = {.indicators = -1};
    snprintf(found.name, sizeof found.name, "%s", list);
    MUST(picket_store_feeds(store, find_feed, &found, &error));
    return found.indicators;
}

static void count_one(void *context, const char *feed, const struct picket_indicator *indicator)
{
    (void)feed;
    (void)indicator;
    ++*(int *)context;
}

static int visited(struct picket_store *store, const char *feed)
{
    int count = 0;
    MUST(picket_store_indicators(store, feed, count_one, &count, &error));
    return count;
}

static void port_and_protocol_tell_indicators_of_one_prefix_apart(void **state)
{
    struct picket_feed_delta delta;
    struct picket_indicator indicators[] = {
        indicator_of("198.51.100.0/24", 0, 0), indicator_of("198.51.100.0/24", 443, 0),
        indicator_of("198.51.100.0/24", 443, PICKET_UDP + 1), indicator_of("2001:db8::/32", 0, 0)};
    put_list(*state, "ours", "");
    MUST(picket_store_indicators_put(*state, "ours", indicators, 4, NULL, NULL, &delta, &error));
    assert_int_equal(delta.added, 4);
    assert_int_equal(count_of(*state, "ours"), 4);
    assert_int_equal(totals_of(*state).indicators, 4);
    MUST(picket_store_indicators_take_out(*state, "ours", &indicators[1], 1, NULL, NULL, NULL,
                                          &error));
    assert_int_equal(visited(*state, "ours"), 3);
    assert_int_equal(
        picket_store_indicator(*state, "ours", &indicators[1], count_one, &(int){0}, &error),
        PICKET_NOT_FOUND);
    MUST(picket_store_indicator(*state, "ours", &indicators[2], count_one, &(int){0}, &error));
}

static void one_that_is_not_there_keeps_all_of_a_removal_from_happening(void **state)
{
    size_t at;
    struct picket_indicator indicators[] = {indicator_of("198.51.100.0/24", 0, 0),
                                            indicator_of("203.0.113.9/32", 0, 0)};
    put_list(*state, "ours", "");
    MUST(picket_store_indicators_put(*state, "ours", indicators, 1, NULL, NULL, NULL, &error));
    assert_int_equal(
        picket_store_indicators_take_out(*state, "ours", indicators, 2, NULL, NULL, &at, &error),
        PICKET_NOT_FOUND);
    assert_int_equal(at, 1);
    assert_string_equal(error.text,
                        "list ours does not have 203.0.113.9/32 for any port, any protocol");
    assert_int_equal(visited(*state, "ours"), 1);
    assert_int_equal(count_of(*state, "ours"), 1);
}

static void one_that_is_not_there_is_named_with_its_port_and_protocol(void **state)
{
    size_t at;
    const struct picket_indicator there = indicator_of("203.0.113.9/32", 0, 0);
    const struct picket_indicator other = indicator_of("203.0.113.9/32", 443, 1 + PICKET_TCP);
    put_list(*state, "ours", "");
    MUST(picket_store_indicators_put(*state, "ours", &there, 1, NULL, NULL, NULL, &error));
    assert_int_equal(
        picket_store_indicators_take_out(*state, "ours", &other, 1, NULL, NULL, &at, &error),
        PICKET_NOT_FOUND);
    assert_string_equal(error.text, "list ours does not have 203.0.113.9/32 for port 443, tcp");
}

static void what_a_change_does_not_give_stays(void **state)
{
    size_t at;
    struct picket_indicator indicators[] = {indicator_of("198.51.100.0/24", 0, 0),
                                            indicator_of("203.0.113.9/32", 0, 0)};
    struct picket_indicator_change changes[] = {
        {{.prefix = indicators[0].prefix, .confidence = 3, .tags = "no"},
         PICKET_INDICATOR_CONFIDENCE},
        {{.prefix = indicators[1].prefix}, PICKET_INDICATOR_TAGS}};
    put_list(*state, "ours", "");
    MUST(picket_store_indicators_put(*state, "ours", indicators, 1, NULL, NULL, NULL, &error));
    assert_int_equal(
        picket_store_indicators_change(*state, "ours", changes, 2, NULL, NULL, NULL, &at, &error),
        PICKET_NOT_FOUND);
    assert_int_equal(at, 1);
    assert_int_equal(ask_sql("intelligence.db", "select confidence from kept_indicators"), 80);
    MUST(
        picket_store_indicators_change(*state, "ours", changes, 1, NULL, NULL, NULL, NULL, &error));
    assert_int_equal(
        ask_sql("intelligence.db", "select confidence from kept_indicators where tags = 'tag'"), 3);
}

static void only_lists_without_a_source_are_changed_one_by_one(void **state)
{
    size_t at;
    struct picket_indicator indicator = indicator_of("198.51.100.0/24", 0, 0);
    put_list(*state, "drop", "https://example.test/drop.txt");
    assert_int_equal(
        picket_store_indicators_put(*state, "drop", &indicator, 1, NULL, NULL, NULL, &error),
        PICKET_INVALID);
    assert_int_equal(
        picket_store_indicators_put(*state, "x", &indicator, 1, NULL, NULL, NULL, &error),
        PICKET_NOT_FOUND);
    assert_int_equal(
        picket_store_indicators_take_out(*state, "drop", &indicator, 1, NULL, NULL, &at, &error),
        PICKET_INVALID);
    assert_int_equal(at, 1);
}

static void removing_a_list_removes_what_it_has_and_nothing_else(void **state)
{
    struct picket_indicator indicator = indicator_of("198.51.100.0/24", 0, 0);
    put_list(*state, "a", "");
    put_list(*state, "b", "");
    MUST(picket_store_indicators_put(*state, "a", &indicator, 1, NULL, NULL, NULL, &error));
    MUST(picket_store_indicators_put(*state, "b", &indicator, 1, NULL, NULL, NULL, &error));
    MUST(picket_store_feed_remove(*state, "a", &error));
    assert_int_equal(visited(*state, NULL), 1);
    put_list(*state, "a", "");
    assert_int_equal(visited(*state, "a"), 0);
    assert_int_equal(ask_sql("intelligence.db", "select count(*) from kept_indicators"), 1);
}

/* ---- naive twin ---- */

enum { POOL = 600, STEPS = 400, BATCH_MAX = 30 };

struct twin {
    bool has[POOL];
    struct picket_indicator indicators[POOL];
    int64_t count;
};

static struct twin twin;
static bool told[POOL]; /* what the changes told of make */

/* Different for different numbers: prefixes, ports and protocols of both families, nested. */
static struct picket_indicator pool_indicator(int number, uint64_t *seed, int64_t now)
{
    static const char *const texts[] = {"", "a", "botnet c2", "scanner, brute force"};
    uint8_t bytes[16] = {0x20, 0x01, (uint8_t)(number >> 5), (uint8_t)(number & 0x10)};
    bool is_ipv6 = number & 1;
    struct picket_indicator indicator = {
        .prefix.address = is_ipv6 ? picket_address_ipv6(bytes) : picket_address_ipv4(bytes),
        .prefix.length = number & 2 ? 28 : 32,
        .port = number & 4 ? 443 : 0,
        .protocol = number & 8 ? PICKET_UDP + 1 : 0,
        .confidence = (uint8_t)random_below(seed, 4),
        .severity = (uint8_t)random_below(seed, 4),
        .tlp = (uint8_t)random_below(seed, 6),
        .line = (uint32_t)random_below(seed, 3),
        .first_seen_ms = now,
        .listed_ms = random_below(seed, 3) == 0 ? now : 0,
        .valid_until_ms = random_below(seed, 2) == 0 ? now + random_below(seed, 1000) : 0,
        .tags = texts[random_below(seed, 4)],
        .malware = texts[random_below(seed, 2)],
        .reference = random_below(seed, 2) == 0 ? NULL : "https://example.test/report",
    };
    return indicator;
}

static int number_of(const struct picket_indicator *indicator)
{
    const uint8_t *bytes = indicator->prefix.address.bytes;
    return bytes[2] << 5 | (bytes[3] & 0x10) | (indicator->prefix.address.family == 6) |
           (indicator->prefix.length == 28 ? 2 : 0) | (indicator->port ? 4 : 0) |
           (indicator->protocol ? 8 : 0);
}

static void take_change(void *context, const struct picket_indicator *before,
                        const struct picket_indicator *now)
{
    (void)context;
    int number = number_of(now != NULL ? now : before);
    assert_int_equal(told[number], before != NULL);
    told[number] = now != NULL;
}

static int walked, last_walked;

static void check_one(void *context, const char *feed, const struct picket_indicator *indicator)
{
    (void)context;
    int number = number_of(indicator);
    const struct picket_indicator *expected = &twin.indicators[number];
    assert_string_equal(feed, "f");
    assert_true(twin.has[number]);
    assert_true(indicator_same_content(indicator, expected));
    assert_int_equal(indicator->line, expected->line);
    assert_int_equal(indicator->first_seen_ms, expected->first_seen_ms);
    if (last_walked >= 0)
        assert_true(indicator_compare(&twin.indicators[last_walked], indicator) < 0);
    last_walked = number;
    walked++;
}

static void check_all(struct picket_store *store)
{
    walked = 0;
    last_walked = -1;
    MUST(picket_store_indicators(store, "f", check_one, NULL, &error));
    assert_int_equal(walked, twin.count);
    assert_int_equal(count_of(store, "f"), twin.count);
    assert_memory_equal(told, twin.has, sizeof told);
}

/* It keeps since when, unless it had expired and counts again. */
static void keep_since(const struct picket_indicator *kept, struct picket_indicator *becomes)
{
    int64_t now = becomes->first_seen_ms, until = kept->valid_until_ms;
    if (until == 0 || until > now ||
        (becomes->valid_until_ms > 0 && becomes->valid_until_ms <= now))
        becomes->first_seen_ms = kept->first_seen_ms;
}

static void put_random(struct picket_store *store, uint64_t *seed, int64_t now)
{
    struct picket_indicator given[BATCH_MAX];
    struct picket_feed_delta delta, expected = {0};
    size_t count = (size_t)random_below(seed, BATCH_MAX) + 1;
    for (size_t i = 0; i < count; i++) {
        int number = random_below(seed, POOL);
        struct picket_indicator *kept = &twin.indicators[number];
        given[i] = pool_indicator(number, seed, now);
        struct picket_indicator becomes = given[i];
        if (twin.has[number]) {
            keep_since(kept, &becomes);
            expected.changed += !indicator_same_content(kept, &becomes);
            expected.kept++;
        } else {
            expected.added++;
        }
        twin.has[number] = true;
        *kept = becomes;
    }
    twin.count += expected.added;
    MUST(picket_store_indicators_put(store, "f", given, count, take_change, NULL, &delta, &error));
    assert_memory_equal(&delta, &expected, sizeof delta);
}

/* Some members of some that are there. */
static void change_random(struct picket_store *store, uint64_t *seed, int64_t now)
{
    struct picket_indicator_change changes[BATCH_MAX];
    size_t count = 0;
    for (int i = 0; i < BATCH_MAX; i++) {
        int number = random_below(seed, POOL);
        struct picket_indicator *kept = &twin.indicators[number];
        if (!twin.has[number])
            continue;
        unsigned members = (unsigned)random_below(seed, PICKET_INDICATOR_ALL + 1);
        struct picket_indicator to = pool_indicator(number, seed, now);
        const struct picket_indicator before = *kept;
        changes[count++] = (struct picket_indicator_change){to, members};
        if (members & PICKET_INDICATOR_CONFIDENCE)
            kept->confidence = to.confidence;
        if (members & PICKET_INDICATOR_SEVERITY)
            kept->severity = to.severity;
        if (members & PICKET_INDICATOR_TLP)
            kept->tlp = to.tlp;
        if (members & PICKET_INDICATOR_LINE)
            kept->line = to.line;
        if (members & PICKET_INDICATOR_LISTED)
            kept->listed_ms = to.listed_ms;
        if (members & PICKET_INDICATOR_VALID_UNTIL)
            kept->valid_until_ms = to.valid_until_ms;
        if (members & PICKET_INDICATOR_TAGS)
            kept->tags = to.tags;
        if (members & PICKET_INDICATOR_MALWARE)
            kept->malware = to.malware;
        if (members & PICKET_INDICATOR_REFERENCE)
            kept->reference = to.reference;
        kept->first_seen_ms = to.first_seen_ms;
        keep_since(&before, kept);
    }
    MUST(picket_store_indicators_change(store, "f", changes, count, take_change, NULL, NULL, NULL,
                                        &error));
}

static void take_out_random(struct picket_store *store, uint64_t *seed)
{
    struct picket_indicator which[BATCH_MAX];
    size_t count = 0;
    int first = random_below(seed, POOL);
    for (int i = 0; i < POOL && count < (size_t)BATCH_MAX / 2; i++) {
        int number = (first + i * 7) % POOL;
        if (!twin.has[number])
            continue;
        which[count++] = pool_indicator(number, seed, 0);
        twin.has[number] = false;
        twin.count--;
    }
    MUST(picket_store_indicators_take_out(store, "f", which, count, take_change, NULL, NULL,
                                          &error));
}

/* ---- pages ---- */

struct page {
    struct picket_indicator last; /* its texts are not to be used */
    int count;
};

static void note_page(void *context, const char *feed, const struct picket_indicator *indicator)
{
    struct page *page = context;
    check_one(NULL, feed, indicator);
    page->last = *indicator;
    page->count++;
}

static bool is_asked_for(const struct picket_kept_query *query, int number)
{
    const struct picket_indicator *indicator = &twin.indicators[number];
    bool expired = indicator->valid_until_ms > 0 && indicator->valid_until_ms <= query->at_ms;
    return twin.has[number] && (query->at_ms == 0 || expired == query->expired) &&
           (query->covering == NULL || picket_prefix_covers(&indicator->prefix, query->covering));
}

/* Page by page all that is asked for comes, once and in order. */
static void check_pages(struct picket_store *store, uint64_t *seed, int64_t now)
{
    struct picket_indicator any = pool_indicator(random_below(seed, POOL), seed, now);
    struct picket_kept_query query = {.list = "f",
                                      .at_ms = random_below(seed, 2) ? now + 300 : 0,
                                      .expired = random_below(seed, 2),
                                      .limit = 1 + random_below(seed, 50)};
    if (random_below(seed, 2))
        query.covering = &any.prefix.address;
    int expected = 0;
    for (int i = 0; i < POOL; i++)
        expected += is_asked_for(&query, i);
    struct page page;
    struct picket_indicator after;
    walked = 0;
    last_walked = -1;
    do {
        page.count = 0;
        MUST(picket_store_kept_indicators(store, &query, note_page, &page, &error));
        assert_in_range(page.count, 0, query.limit);
        after = page.last;
        query.after = &after;
    } while (page.count > 0);
    assert_int_equal(walked, expected);
}

static void changes_one_by_one_agree_with_a_naive_twin(void **state)
{
    struct picket_store **store = (struct picket_store **)state;
    uint64_t seed = 11;
    put_list(*store, "f", "");
    for (int step = 1; step <= STEPS; step++) {
        int what = random_below(&seed, 4);
        if (what == 0)
            take_out_random(*store, &seed);
        else if (what == 1)
            change_random(*store, &seed, step);
        else
            put_random(*store, &seed, step);
        if (step % 10 == 0)
            check_all(*store);
        if (step % 10 == 5)
            check_pages(*store, &seed, step);
        if (step % 50 == 0) {
            picket_store_close(*store);
            MUST(picket_store_open(store, folder, &error));
            check_all(*store);
        }
    }
    assert_in_range(twin.count, 1, POOL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(port_and_protocol_tell_indicators_of_one_prefix_apart),
        TEST(one_that_is_not_there_keeps_all_of_a_removal_from_happening),
        TEST(one_that_is_not_there_is_named_with_its_port_and_protocol),
        TEST(what_a_change_does_not_give_stays),
        TEST(only_lists_without_a_source_are_changed_one_by_one),
        TEST(removing_a_list_removes_what_it_has_and_nothing_else),
        TEST(changes_one_by_one_agree_with_a_naive_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
