/* Stored flows searched slice by slice; events by the time of their receipt. */
#include "support.h"

#include <stdlib.h>

enum { EVENTS = 300, FLOWS_MAX = 20000 };

/* What was put, to be searched by a naive twin. */
static struct put_flow {
    int64_t event;
    struct picket_flow flow;
} put[FLOWS_MAX];
static int put_count;

static struct found {
    int64_t event;
    struct picket_flow flow;
} found[FLOWS_MAX];
static int found_count;

static int64_t number; /* of the next event: its time, and its key */

static struct picket_address random_remote(uint64_t *seed)
{
    uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
    for (int i = 4; i < 10; i++)
        bytes[i] = (uint8_t)random_below(seed, 2);
    if (random_below(seed, 2) == 0)
        return picket_address_ipv6(bytes);
    bytes[0] = (uint8_t)(100 + random_below(seed, 10));
    bytes[1] = bytes[2] = (uint8_t)random_below(seed, 4);
    return picket_address_ipv4(bytes);
}

static void put_events(struct picket_store *store, uint64_t *seed, int count)
{
    MUST(picket_store_begin(store, &error));
    for (int n = 0; n < count; n++) {
        struct picket_event_row event = event_of("a", number, (uint64_t)number);
        int64_t id;
        event.received_ms = number++ * 1000;
        MUST(picket_store_put_event(store, &event, &id, &error));
        int flows = random_below(seed, 100) == 0 ? 500 : random_below(seed, 12);
        static struct picket_flow several[500];
        for (int i = 0; i < flows; i++) {
            several[i] = flow_of((uint64_t)random_below(seed, 1000) + 1);
            several[i].remote = random_remote(seed);
            put[put_count++] = (struct put_flow){id, several[i]};
        }
        MUST(picket_store_put_flows(store, id, several, (size_t)flows, &error));
    }
    MUST(picket_store_commit(store, &error));
}

static int setup(void **state)
{
    put_count = found_count = 0;
    number = 1;
    return with_store(state);
}

static void note(void *context, const struct picket_stored_flow *flows, size_t count)
{
    (void)context;
    assert_in_range(count, 1, PICKET_STORED_FLOWS_TOGETHER);
    for (size_t i = 0; i < count; i++)
        found[found_count++] = (struct found){flows[i].event_id, flows[i].flow};
}

/* Until nothing is left; returns the number of slices. */
static int search_all(struct picket_store *store, struct picket_flow_search *search)
{
    int slices = 0;
    for (found_count = 0; search->next_event < search->end_event; slices++)
        MUST(picket_store_flows_search(store, search, note, NULL, &error));
    return slices;
}

static bool may_hold(const struct picket_address_filter *filter,
                     const struct picket_address *address)
{
    return filter == NULL ||
           (address->family == 4 ? picket_address_filter_ipv4(filter, address->bytes)
                                 : picket_address_filter_ipv6(filter, address->bytes));
}

/* One by one. */
static void compare_with_twin(const struct picket_address_filter *filter, int64_t first,
                              int64_t end)
{
    int at = 0;
    for (int i = 0; i < put_count; i++) {
        if (put[i].event < first || put[i].event >= end || !may_hold(filter, &put[i].flow.remote))
            continue;
        assert_true(at < found_count);
        assert_int_equal(found[at].event, put[i].event);
        assert_true(flows_are_equal(&found[at].flow, &put[i].flow));
        at++;
    }
    assert_int_equal(at, found_count);
}

static void a_search_finds_what_a_naive_twin_finds(void **state)
{
    uint64_t seed = 3;
    put_events(*state, &seed, EVENTS);
    for (int round = 0; round < 60; round++) {
        struct picket_address_filter filter;
        assert_true(picket_address_filter_init(&filter, 4));
        for (int i = random_below(&seed, 4); i > 0; i--) {
            struct picket_prefix prefix = {random_remote(&seed), 0};
            prefix.length = (uint8_t)random_below(&seed, prefix.address.family == 4 ? 33 : 129);
            picket_prefix_mask(&prefix);
            assert_true(picket_address_filter_add(&filter, &prefix));
        }
        int64_t first = random_below(&seed, EVENTS), end = first + random_below(&seed, EVENTS);
        struct picket_flow_search search = {.next_event = first,
                                            .end_event = end,
                                            .filter = round % 4 == 0 ? NULL : &filter,
                                            .events_max = 1 + random_below(&seed, 50)};
        search_all(*state, &search);
        compare_with_twin(search.filter, first, end);
        picket_address_filter_free(&filter);
    }
}

static void a_search_counts_what_it_has_looked_at(void **state)
{
    uint64_t seed = 4;
    struct picket_address_filter none;
    put_events(*state, &seed, EVENTS);
    assert_true(picket_address_filter_init(&none, 0));
    struct picket_flow_search search = {.end_event = INT64_MAX, .filter = &none, .events_max = 7};
    int slices = search_all(*state, &search);
    assert_int_equal(found_count, 0);
    assert_int_equal(search.flows, put_count);
    assert_int_equal(search.events,
                     ask_sql("picket.db", "select count(distinct id / 65536) from flows"));
    assert_int_equal(search.bytes, ask_sql("picket.db", "select sum(length(block)) from flows"));
    assert_int_equal(slices, (search.events + 6) / 7);
    picket_address_filter_free(&none);
}

static void a_search_goes_on_where_it_was_left(void **state)
{
    uint64_t seed = 5;
    struct picket_store *other;
    put_events(*state, &seed, EVENTS);
    struct picket_flow_search search = {.end_event = INT64_MAX, .events_max = 40};
    found_count = 0;
    MUST(picket_store_flows_search(*state, &search, note, NULL, &error));
    picket_store_close(*state);
    MUST(picket_store_open(&other, folder, &error));
    *state = other;
    while (search.next_event < search.end_event)
        MUST(picket_store_flows_search(other, &search, note, NULL, &error));
    compare_with_twin(NULL, 0, INT64_MAX);
}

static void what_is_put_and_removed_between_slices_disturbs_nothing(void **state)
{
    uint64_t seed = 6;
    struct picket_store *reader;
    put_events(*state, &seed, EVENTS);
    MUST(picket_store_open(&reader, folder, &error));
    struct picket_flow_search search = {.end_event = INT64_MAX, .events_max = 100};
    found_count = 0;
    MUST(picket_store_flows_search(reader, &search, note, NULL, &error));
    assert_int_equal(search.next_event > 0, true);
    const struct picket_store_bounds bounds = {.event_age_s = 1};
    struct picket_store_tidied tidied;
    do {
        MUST(picket_store_begin(*state, &error));
        MUST(picket_store_tidy(*state, &bounds, 201 * 1000, &tidied, &error));
        MUST(picket_store_commit(*state, &error));
    } while (tidied.more);
    int64_t left = ask_sql("picket.db", "select min(id) from events");
    assert_true(left > search.next_event);
    put_events(*state, &seed, 10);
    int before = found_count;
    while (search.next_event < search.end_event)
        MUST(picket_store_flows_search(reader, &search, note, NULL, &error));
    memmove(found, found + before, (size_t)(found_count - before) * sizeof *found);
    found_count -= before;
    compare_with_twin(NULL, left, INT64_MAX);
    picket_store_close(reader);
}

static void flows_of_one_event_in_several_blocks_are_searched_together(void **state)
{
    uint64_t seed = 8;
    put_events(*state, &seed, 2);
    run_sql("picket.db", "delete from flows");
    run_sql("picket.db", "insert into flows select 65536 + value * 2, "
                         "x'0000c0a80002cb007107c350bb010000000002000000' || "
                         "x'0000c0a80002cb007108c350bb010000000002000000' "
                         "from json_each('[0, 1, 2, 3]')");
    struct picket_flow_search search = {.end_event = INT64_MAX, .events_max = 1};
    search_all(*state, &search);
    assert_int_equal(search.events, 1);
    assert_int_equal(search.flows, 8);
    assert_int_equal(found[7].event, 1);
}

static void damaged_flows_cost_themselves_only(void **state)
{
    uint64_t seed = 9;
    put_events(*state, &seed, EVENTS);
    struct picket_flow_search search = {.end_event = INT64_MAX};
    search_all(*state, &search);
    int64_t flows = search.flows, events = search.events;
    assert_int_equal(search.damaged, 0);
    int64_t at =
        ask_sql("picket.db", "select id from flows where length(block) > 30 limit 1 offset 40");
    int64_t lost = ask_sql("picket.db", "select count(*) from flows where length(block) > 30") > 40;
    assert_int_equal(lost, 1);
    char sql[200];
    snprintf(sql, sizeof sql, "update flows set block = x'00ff' || block where id = %lld",
             (long long)at);
    run_sql("picket.db", sql);
    int of_event = 0;
    for (int i = 0; i < put_count; i++)
        of_event += put[i].event == at / 65536;
    search = (struct picket_flow_search){.end_event = INT64_MAX};
    search_all(*state, &search);
    assert_int_equal(search.damaged, 1);
    assert_int_equal(search.damaged_event, at / 65536);
    assert_int_equal(search.events, events);
    assert_int_equal(search.flows, flows - of_event);
}

static void zero_page(int64_t page)
{
    static const char zeros[4096];
    char path[200];
    snprintf(path, sizeof path, "%s/picket.db", folder);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(page - 1) * (long)sizeof zeros, SEEK_SET), 0);
    assert_int_equal(fwrite(zeros, sizeof zeros, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

/* The lowest and highest event that was not found; all of them are missing whole. */
static void find_missing(int64_t *first, int64_t *last)
{
    *first = INT64_MAX;
    *last = 0;
    for (int i = 0, at = 0; i < put_count; i++) {
        if (at < found_count && found[at].event == put[i].event) {
            assert_true(flows_are_equal(&found[at++].flow, &put[i].flow));
            continue;
        }
        *first = put[i].event < *first ? put[i].event : *first;
        *last = put[i].event;
    }
}

static void a_damaged_page_costs_what_it_held_and_the_search_goes_on(void **state)
{
    for (int which = 0; which < 4; which++) {
        uint64_t seed = 11;
        int64_t first, last;
        without_store(state);
        setup(state);
        put_events(*state, &seed, EVENTS);
        picket_store_close(*state);
        run_sql("picket.db", "pragma wal_checkpoint(truncate)");
        char sql[200];
        snprintf(sql, sizeof sql,
                 "select pageno from dbstat where name = 'flows' and pagetype = 'leaf' "
                 "order by path limit 1 offset %d",
                 which * 2);
        zero_page(ask_sql("picket.db", sql));
        struct picket_store *reader;
        MUST(picket_store_open(&reader, folder, &error));
        *state = reader;
        struct picket_flow_search search = {.end_event = EVENTS + 1, .events_max = 20};
        search_all(reader, &search);
        find_missing(&first, &last);
        assert_true(first <= last);
        assert_in_range(search.damaged, last - first + 1, 100);
        assert_in_range(search.damaged_event, last, last + 10);
        for (int i = 0; i < found_count; i++)
            assert_true(found[i].event < first || found[i].event > last);
        assert_true(found_count > put_count / 2);
    }
}

static void an_empty_store_has_nothing_to_search(void **state)
{
    int64_t first = 1, end = 1;
    struct picket_event_head head;
    struct picket_flow_search search = {.end_event = INT64_MAX};
    assert_int_equal(search_all(*state, &search), 1);
    assert_int_equal(found_count, 0);
    MUST(picket_store_events_between(*state, 0, INT64_MAX, &first, &end, &error));
    assert_int_equal(first, 0);
    assert_int_equal(end, 0);
    assert_int_equal(picket_store_event_head(*state, 1, &head, &error), PICKET_NOT_FOUND);
}

/* An event received so, without flows. */
static void put_received(struct picket_store *store, int64_t received_ms)
{
    int64_t id;
    MUST(picket_store_begin(store, &error));
    struct picket_event_row event = event_of("pump-7", number, (uint64_t)number);
    event.received_ms = received_ms;
    number++;
    MUST(picket_store_put_event(store, &event, &id, &error));
    MUST(picket_store_commit(store, &error));
}

static void events_are_found_by_the_time_of_their_receipt(void **state)
{
    int64_t first, end;
    for (int64_t ms = 1000; ms <= 9000; ms += 1000)
        put_received(*state, ms); /* ids 1 to 9 */
    MUST(picket_store_events_between(*state, 3000, 6000, &first, &end, &error));
    assert_int_equal(first, 3);
    assert_int_equal(end, 6);
    MUST(picket_store_events_between(*state, 0, INT64_MAX, &first, &end, &error));
    assert_int_equal(first, 1);
    assert_int_equal(end, 10);
    MUST(picket_store_events_between(*state, 9001, INT64_MAX, &first, &end, &error));
    assert_int_equal(end, 0);
    struct picket_event_head head;
    MUST(picket_store_event_head(*state, 4, &head, &error));
    assert_string_equal(head.device, "pump-7");
    assert_int_equal(head.received_ms, 4000);
}

static void an_event_names_its_device_among_many(void **state)
{
    char device[32];
    for (int i = 0; i < 100; i++) {
        int64_t id;
        snprintf(device, sizeof device, "valve-%d", i);
        MUST(picket_store_begin(*state, &error));
        struct picket_event_row event = event_of(device, number, (uint64_t)number);
        number++;
        MUST(picket_store_put_event(*state, &event, &id, &error));
        MUST(picket_store_commit(*state, &error));
    }
    for (int round = 0; round < 2; round++)
        for (int i = 99; i >= 0; i--) {
            struct picket_event_head head;
            snprintf(device, sizeof device, "valve-%d", i);
            MUST(picket_store_event_head(*state, i + 1, &head, &error));
            assert_string_equal(head.device, device);
            assert_int_equal(head.time_s, i + 1);
        }
}

static void events_are_found_across_steps_of_the_clock(void **state)
{
    uint64_t seed = 10;
    int64_t received[200], now = 100000, first, end;
    for (int i = 0; i < 200; i++) {
        now +=
            random_below(&seed, 15) == 0 ? -random_below(&seed, 40000) : random_below(&seed, 1000);
        put_received(*state, received[i] = now);
    }
    for (int round = 0; round < 500; round++) {
        int64_t since = 60000 + random_below(&seed, 100000);
        int64_t until = since + random_below(&seed, 30000);
        MUST(picket_store_events_between(*state, since, until, &first, &end, &error));
        for (int i = 0; i < 200; i++)
            if (received[i] >= since && received[i] < until)
                assert_true(i + 1 >= first && i + 1 < end);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, without_store)
    const struct CMUnitTest tests[] = {
        TEST(a_search_finds_what_a_naive_twin_finds),
        TEST(a_search_counts_what_it_has_looked_at),
        TEST(a_search_goes_on_where_it_was_left),
        TEST(what_is_put_and_removed_between_slices_disturbs_nothing),
        TEST(flows_of_one_event_in_several_blocks_are_searched_together),
        TEST(damaged_flows_cost_themselves_only),
        TEST(a_damaged_page_costs_what_it_held_and_the_search_goes_on),
        TEST(an_empty_store_has_nothing_to_search),
        TEST(events_are_found_by_the_time_of_their_receipt),
        TEST(an_event_names_its_device_among_many),
        TEST(events_are_found_across_steps_of_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
