/* Findings about the past, which may be found again; and how far was searched for them. */
#include "support.h"

static struct picket_alert seen;
static int seen_count;

static void note(void *context, const struct picket_alert *alert)
{
    (void)context;
    seen = *alert;
    seen_count++;
}

static struct picket_finding past_of(int64_t since_ms, int64_t last_ms, int64_t count)
{
    struct picket_finding finding = finding_of("pump-7", "203.0.113.9/32", last_ms);
    finding.past_since_ms = since_ms;
    finding.past_count = count;
    return finding;
}

static int64_t raise_past(struct picket_store *store, const struct picket_finding *finding,
                          bool expect_told)
{
    int64_t id = 0;
    bool is_told = !expect_told;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_raise(store, finding, NULL, &id, &is_told, &error));
    MUST(picket_store_commit(store, &error));
    assert_int_equal(is_told, expect_told);
    seen_count = 0;
    MUST(picket_store_alerts(store, &(struct picket_alert_query){.id = id}, note, NULL, &error));
    return id;
}

static void what_had_happened_is_one_alert_with_its_period_and_count(void **state)
{
    struct picket_finding finding = past_of(1000, 9000, 12);
    raise_past(*state, &finding, true);
    assert_int_equal(seen.first_seen_ms, 1000);
    assert_int_equal(seen.last_seen_ms, 9000);
    assert_int_equal(seen.count, 12);
}

static void what_is_found_again_changes_nothing(void **state)
{
    struct picket_finding finding = past_of(1000, 9000, 12), part = past_of(2000, 9000, 7);
    int64_t id = raise_past(*state, &finding, true);
    assert_int_equal(raise_past(*state, &finding, false), id);
    assert_int_equal(raise_past(*state, &part, false), id);
    assert_int_equal(seen.count, 12);
    assert_int_equal(seen.first_seen_ms, 1000);
}

static void what_is_found_again_after_its_alert_was_closed_changes_nothing(void **state)
{
    struct picket_finding finding = past_of(1000, 9000, 12);
    int64_t id = raise_past(*state, &finding, true);
    MUST(picket_store_alert_decide(
        *state,
        &(struct picket_alert_decision){
            .id = id, .status = "dismissed", .verdict = "", .reason = "", .decided_ms = 10000},
        &error));
    assert_int_equal(raise_past(*state, &finding, false), id);
    assert_int_equal(totals_of(*state).alerts, 1);
}

static void a_longer_past_extends_an_open_alert_and_does_not_count_twice(void **state)
{
    struct picket_finding finding = past_of(1000, 9000, 12), more = past_of(500, 9500, 15);
    int64_t id = raise_past(*state, &finding, true);
    assert_int_equal(raise_past(*state, &more, false), id);
    assert_int_equal(seen.first_seen_ms, 500);
    assert_int_equal(seen.last_seen_ms, 9500);
    assert_int_equal(seen.count, 15);
}

static void a_longer_past_than_that_of_a_closed_alert_is_a_new_one(void **state)
{
    struct picket_finding finding = past_of(1000, 9000, 12), more = past_of(1000, 9500, 15);
    int64_t id = raise_past(*state, &finding, true);
    MUST(picket_store_alert_decide(
        *state,
        &(struct picket_alert_decision){
            .id = id, .status = "resolved", .verdict = "", .reason = "", .decided_ms = 10000},
        &error));
    assert_true(raise_past(*state, &more, true) > id);
}

static void how_far_was_searched_is_kept(void **state)
{
    struct picket_hunted hunted = {.mark_ms = 1};
    MUST(picket_store_hunted_get(*state, &hunted, &error));
    assert_int_equal(hunted.mark_ms, 0);
    hunted = (struct picket_hunted){.mark_ms = 5, .to_ms = 9, .end_event = 77};
    MUST(picket_store_hunted_put(*state, &hunted, &error));
    picket_store_close(*state);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    hunted = (struct picket_hunted){0};
    MUST(picket_store_hunted_get(*state, &hunted, &error));
    assert_int_equal(hunted.mark_ms, 5);
    assert_int_equal(hunted.to_ms, 9);
    assert_int_equal(hunted.end_event, 77);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(what_had_happened_is_one_alert_with_its_period_and_count),
        TEST(what_is_found_again_changes_nothing),
        TEST(what_is_found_again_after_its_alert_was_closed_changes_nothing),
        TEST(a_longer_past_extends_an_open_alert_and_does_not_count_twice),
        TEST(a_longer_past_than_that_of_a_closed_alert_is_a_new_one),
        TEST(how_far_was_searched_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
