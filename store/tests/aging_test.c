/* Old events go with their flows, some at a time; all else stays. */
#include "support.h"

enum { DAY_S = 86400 };

/* Event number n, received at n seconds, with n % 4 flows; of device "a", "b" or "c". */
static void put_events(struct picket_store *store, int first, int last)
{
    static const char *const devices[] = {"a", "b", "c"};
    MUST(picket_store_begin(store, &error));
    for (int n = first; n <= last; n++) {
        struct picket_event_row event = event_of(devices[n % 3], n, (uint64_t)n);
        struct picket_flow flows[3] = {flow_of(5), flow_of(7), flow_of(n > 0 ? (uint64_t)n : 1)};
        int64_t id;
        event.received_ms = (int64_t)n * 1000;
        MUST(picket_store_put_event(store, &event, &id, &error));
        MUST(picket_store_put_flows(store, id, flows, (size_t)(n % 4), &error));
    }
    MUST(picket_store_commit(store, &error));
}

/* Removes what was received before that many seconds. */
static struct picket_store_tidied age(struct picket_store *store, int since_s)
{
    const struct picket_store_bounds bounds = {.event_age_s = DAY_S};
    struct picket_store_tidied tidied;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_tidy(store, &bounds, (since_s + (int64_t)DAY_S) * 1000, &tidied, &error));
    MUST(picket_store_commit(store, &error));
    return tidied;
}

static int64_t seen_ids[600];
static int seen_count;

static void note(void *context, int64_t id, const struct picket_event_row *event,
                 const struct picket_flow *flows, size_t flow_count)
{
    (void)context, (void)flows;
    assert_int_equal(flow_count, event->time_s % 4);
    seen_ids[seen_count++] = id;
}

static void look(struct picket_store *store, struct picket_event_query query)
{
    seen_count = 0;
    query.limit = 600;
    MUST(picket_store_events(store, &query, note, NULL, &error));
}

static void old_events_go_with_their_flows(void **state)
{
    put_events(*state, 1, 100);
    assert_int_equal(age(*state, 1).events, 0);
    struct picket_store_tidied tidied = age(*state, 41);
    assert_int_equal(tidied.events, 40);
    assert_false(tidied.more);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen_count, 60);
    assert_int_equal(seen_ids[59], 41);
    struct picket_store_totals totals = totals_of(*state);
    assert_int_equal(totals.events, 60);
    assert_int_equal(totals.flows, 90);
    assert_int_equal(totals.events_aged, 40);
    assert_int_equal(totals.oldest_event_ms, 41000);
    assert_int_equal(ask_sql("picket.db", "select count(*) from flows where id < 41 * 65536"), 0);
    assert_int_equal(ask_sql("picket.db", "select count(*) from flows"), 45);
}

static void the_events_of_a_device_end_at_what_is_left(void **state)
{
    put_events(*state, 1, 100);
    age(*state, 41);
    look(*state, (struct picket_event_query){.device = "b"});
    assert_int_equal(seen_count, 20);
    assert_int_equal(seen_ids[0], 100);
    assert_int_equal(seen_ids[19], 43);
    look(*state, (struct picket_event_query){.device = "b", .before_id = 40});
    assert_int_equal(seen_count, 0);
    age(*state, 1000);
    look(*state, (struct picket_event_query){.device = "a"});
    assert_int_equal(seen_count, 0);
}

static void what_the_hub_saw_ages_like_what_devices_report(void **state)
{
    MUST(picket_store_begin(*state, &error));
    for (int n = 1; n <= 40; n++) {
        struct picket_event_row event = event_of("a", n * 4, (uint64_t)n);
        int64_t id;
        event.received_ms = n * 1000;
        event.type = n % 2 == 0 ? PICKET_EVENT_OF_HUB : 0;
        MUST(picket_store_put_event(*state, &event, &id, &error));
    }
    MUST(picket_store_commit(*state, &error));
    assert_int_equal(age(*state, 21).events, 20);
    look(*state, (struct picket_event_query){.of_hub = true});
    assert_int_equal(seen_count, 10);
    look(*state, (struct picket_event_query){.of_hub = true, .device = "a"});
    assert_int_equal(seen_count, 10);
    assert_int_equal(totals_of(*state).events, 20);
}

static void the_newest_event_stays_and_its_id_is_not_used_again(void **state)
{
    put_events(*state, 1, 10);
    assert_int_equal(age(*state, 1000).events, 9);
    assert_int_equal(age(*state, 1000).events, 0);
    put_events(*state, 11, 11);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen_ids[0], 11);
    assert_int_equal(seen_ids[1], 10);
}

static void a_call_takes_no_more_than_a_step(void **state)
{
    put_events(*state, 1, 251);
    struct picket_store_tidied tidied = age(*state, 5000);
    assert_int_equal(tidied.events, 100);
    assert_true(tidied.more);
    assert_int_equal(age(*state, 5000).events, 100);
    tidied = age(*state, 5000);
    assert_int_equal(tidied.events, 50);
    assert_false(tidied.more);
}

static void what_a_batch_puts_goes_twice_as_fast(void **state)
{
    const struct picket_store_bounds bounds = {.event_age_s = 1};
    struct picket_store_tidied tidied;
    put_events(*state, 1, 1500);
    MUST(picket_store_begin(*state, &error));
    for (int n = 0; n < 100; n++) {
        struct picket_event_row event = event_of("d", 9000, (uint64_t)n);
        int64_t id;
        MUST(picket_store_put_event(*state, &event, &id, &error));
    }
    MUST(picket_store_tidy(*state, &bounds, 9001000, &tidied, &error));
    MUST(picket_store_commit(*state, &error));
    assert_int_equal(tidied.events, 300);
}

static void an_event_from_the_future_does_not_hold_up_those_after_it(void **state)
{
    put_events(*state, 1, 3);
    put_events(*state, 90 * DAY_S, 90 * DAY_S);
    put_events(*state, 4, 10);
    assert_int_equal(ask_sql("picket.db", "select count(*) from clock_steps"), 1);
    assert_int_equal(age(*state, 6).events, 6);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen_count, 5);
    assert_int_equal(seen_ids[4], 7);
    assert_int_equal(ask_sql("picket.db", "select count(*) from clock_steps"), 0);
}

static void alerts_closed_long_ago_go_and_open_ones_stay(void **state)
{
    const struct picket_store_bounds bounds = {.event_age_s = 1, .closed_alert_age_s = 60};
    struct picket_store_tidied tidied;
    MUST(picket_store_begin(*state, &error));
    for (int i = 0; i < 130; i++) {
        char subject[20];
        snprintf(subject, sizeof subject, "s%d", i);
        struct picket_finding finding = finding_of("d", subject, 1);
        MUST(picket_store_raise(*state, &finding, NULL, NULL, NULL, &error));
    }
    MUST(picket_store_commit(*state, &error));
    for (int id = 1; id <= 120; id++) {
        struct picket_alert_decision decision = {.id = id,
                                                 .status = id <= 10 ? "acknowledged" : "resolved",
                                                 .verdict = "",
                                                 .reason = "",
                                                 .decided_ms = id <= 115 ? 1000 : 2000};
        MUST(picket_store_alert_decide(*state, &decision, &error));
    }
    static const int64_t expected[] = {100, 5, 0};
    for (int i = 0; i < 3; i++) {
        MUST(picket_store_begin(*state, &error));
        MUST(picket_store_tidy(*state, &bounds, 61001, &tidied, &error));
        MUST(picket_store_commit(*state, &error));
        assert_int_equal(tidied.alerts, expected[i]);
        assert_int_equal(tidied.more, i == 0);
    }
    assert_int_equal(totals_of(*state).alerts, 25);
    assert_int_equal(totals_of(*state).alerts_open, 20);
    assert_int_equal(totals_of(*state).alerts_aged, 105);
}

static void room_is_used_again(void **state)
{
    int64_t pages = 0;
    for (int i = 0; i < 40; i++) {
        put_events(*state, 1 + i * 300, 300 + i * 300);
        while (age(*state, 1 + i * 300).more)
            ;
        if (i == 4)
            pages = ask_sql("picket.db", "pragma page_count");
    }
    assert_true(pages > 10);
    assert_in_range(ask_sql("picket.db", "pragma page_count"), 1, pages + pages / 4);
}

static int64_t bytes_in_use(void)
{
    return 4096 * (ask_sql("picket.db", "pragma page_count") -
                   ask_sql("picket.db", "pragma freelist_count"));
}

static struct picket_store_tidied tidy_to(struct picket_store *store, int64_t bytes)
{
    const struct picket_store_bounds bounds = {.event_age_s = 1000 * DAY_S, .bytes = bytes};
    struct picket_store_tidied tidied;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_tidy(store, &bounds, 1000000, &tidied, &error));
    MUST(picket_store_commit(store, &error));
    return tidied;
}

static void the_oldest_events_make_room_whatever_their_age(void **state)
{
    put_events(*state, 1, 3000);
    int64_t full = bytes_in_use(), bound = full * 3 / 4, removed = 0;
    assert_int_equal(tidy_to(*state, full).events_for_room, 0);
    for (struct picket_store_tidied tidied = {.more = true}; tidied.more;) {
        tidied = tidy_to(*state, bound);
        assert_int_equal(tidied.events, 0);
        assert_true(tidied.events_for_room <= 100);
        removed += tidied.events_for_room;
    }
    assert_in_range(bytes_in_use(), bound * 3 / 4, bound);
    assert_in_range(removed, 300, 1500);
    struct picket_store_totals totals = totals_of(*state);
    assert_int_equal(totals.events, 3000 - removed);
    assert_int_equal(totals.events_aged, removed);
    assert_int_equal(totals.oldest_event_ms, (removed + 1) * 1000);
}

static void with_a_bound_on_its_bytes_the_file_stops_growing(void **state)
{
    const int64_t bound = 400 * 1024;
    const struct picket_store_bounds bounds = {.bytes = bound};
    struct picket_store_tidied tidied;
    for (int batch = 0; batch < 200; batch++) {
        put_events(*state, batch * 100 + 1, batch * 100 + 100);
        MUST(picket_store_begin(*state, &error));
        MUST(picket_store_tidy(*state, &bounds, 1000000, &tidied, &error));
        MUST(picket_store_commit(*state, &error));
    }
    assert_true(totals_of(*state).events_aged > 15000);
    assert_in_range(4096 * ask_sql("picket.db", "pragma page_count"), bound / 2, bound * 5 / 4);
}

static void a_bound_on_bytes_that_other_things_fill_leaves_the_newest_event(void **state)
{
    put_events(*state, 1, 10);
    assert_int_equal(tidy_to(*state, 1).events_for_room, 9);
    assert_int_equal(tidy_to(*state, 1).events_for_room, 0);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen_ids[0], 10);
}

static void a_rolled_back_step_removed_nothing(void **state)
{
    const struct picket_store_bounds bounds = {.event_age_s = 1};
    struct picket_store_tidied tidied;
    put_events(*state, 1, 10);
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_tidy(*state, &bounds, 100000, &tidied, &error));
    assert_int_equal(tidied.events, 9);
    picket_store_rollback(*state);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen_count, 10);
    assert_int_equal(totals_of(*state).events, 10);
    assert_int_equal(totals_of(*state).events_aged, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(old_events_go_with_their_flows),
        TEST(the_events_of_a_device_end_at_what_is_left),
        TEST(what_the_hub_saw_ages_like_what_devices_report),
        TEST(the_newest_event_stays_and_its_id_is_not_used_again),
        TEST(a_call_takes_no_more_than_a_step),
        TEST(what_a_batch_puts_goes_twice_as_fast),
        TEST(an_event_from_the_future_does_not_hold_up_those_after_it),
        TEST(alerts_closed_long_ago_go_and_open_ones_stay),
        TEST(room_is_used_again),
        TEST(the_oldest_events_make_room_whatever_their_age),
        TEST(with_a_bound_on_its_bytes_the_file_stops_growing),
        TEST(a_bound_on_bytes_that_other_things_fill_leaves_the_newest_event),
        TEST(a_rolled_back_step_removed_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
