/* Messages are prepared ahead of the batch that is being committed; here that batch fails for as
 * long as a test says so, and what was prepared meanwhile must come to the same as ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "failing_store.h"
#include "harness.h"
#include "intel/matching/matcher.h"
#include "prepared_count.h"
#include "preparer.h"

/* ---- how often an event was matched for good (the linker puts this in front) ---- */

static atomic_int inspected_count;

int __real_matcher_inspect(const struct matching *matching, const struct picket_event *event,
                           picket_yield yield, void *context);
int __wrap_matcher_inspect(const struct matching *matching, const struct picket_event *event,
                           picket_yield yield, void *context);

int __wrap_matcher_inspect(const struct matching *matching, const struct picket_event *event,
                           picket_yield yield, void *context)
{
    atomic_fetch_add(&inspected_count, 1);
    return __real_matcher_inspect(matching, event, yield, context);
}

/* ---- a batch that fails, and others prepared behind it ---- */

static struct harness harness;

static int open_harness(void **state)
{
    (void)state;
    atomic_store(&failures_left, 0);
    atomic_store(&failures_seen, 0);
    atomic_store(&prepared_count, 0);
    atomic_store(&inspected_count, 0);
    harness_open(&harness);
    return 0;
}

static int close_harness(void **state)
{
    (void)state;
    atomic_store(&failures_left, 0);
    harness_close(&harness);
    return 0;
}

static bool has_failed(void *context)
{
    (void)context;
    return atomic_load(&failures_seen) > 0;
}

static bool has_failed_again(void *seen)
{
    return atomic_load(&failures_seen) > *(const int *)seen;
}

/* One message's batch fails, and goes on failing. */
static void begin_failing(void)
{
    atomic_store(&failures_left, 1000000);
    harness_append_flow(&harness, "first", (struct flow_message){"203.0.113.9", 443, 0, 0, 10});
    assert_true(harness_wait(has_failed, NULL));
}

/* As many chunks, prepared whole while the batch before them is tried again. */
static void append_ahead(int chunks, const char *device)
{
    int count = atomic_load(&prepared_count) + chunks * CHUNK_MESSAGES;
    for (int i = 0; i < chunks * CHUNK_MESSAGES; i++)
        harness_append_flow(&harness, device,
                            (struct flow_message){"203.0.113.9", 443, 0, (uint8_t)i, 10});
    assert_true(harness_wait(has_prepared, &count));
    int seen = atomic_load(&failures_seen);
    assert_true(harness_wait(has_failed_again, &seen));
    assert_int_equal(harness_durable(), 0);
}

static void recover(void)
{
    atomic_store(&failures_left, 0);
    assert_true(harness_wait_durable(&harness));
}

static void what_was_prepared_behind_a_failing_batch_is_committed_once_in_order(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "bad", "203.0.113.0/24\n", 80, true);
    begin_failing();
    append_ahead(3, "pump");
    recover();
    struct picket_store_totals totals = harness_totals(&harness);
    assert_int_equal(totals.events, 1 + 3 * CHUNK_MESSAGES);
    assert_int_equal(totals.flows, 1 + 3 * CHUNK_MESSAGES);
    assert_int_equal(totals.alerts, 2);
    assert_int_equal(harness_alert_counts(&harness), 1 + 3 * CHUNK_MESSAGES);
}

static void count_letter(void *context, const struct picket_dead_letter *letter)
{
    ++*(int *)context;
    assert_true(strcmp(letter->device, "broken") == 0 ? letter->payload_bytes == 40
                                                      : strcmp(letter->device, "refused") == 0);
}

static void bad_messages_prepared_ahead_cost_themselves_only(void **state)
{
    uint8_t garbage[40];
    int letters = 0;
    (void)state;
    memset(garbage, 0xa5, sizeof garbage);
    harness_start(&harness);
    begin_failing();
    harness_append(&harness, "broken", SECURITY_PROPERTIES, garbage, sizeof garbage);
    harness_append_flow(&harness, "refused", (struct flow_message){"198.51.100.1", 1, 0, 0, 1});
    harness_append(&harness, "pump", "", "telemetry", 9);
    append_ahead(1, "pump");
    recover();
    assert_int_equal(harness_totals(&harness).events, 1 + CHUNK_MESSAGES);
    assert_int_equal(picket_store_dead_letters(harness.store, 10, count_letter, &letters, NULL),
                     PICKET_OK);
    assert_int_equal(letters, 2);
}

static void a_message_too_large_to_be_prepared_is_stored_whole(void **state)
{
    /* More than a chunk holds, and no more than the encoder takes. */
    const uint32_t flows = CHUNK_BYTES / sizeof(struct picket_flow) / 4 * 5;
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "bad", "198.18.0.0/16\n", 80, true);
    begin_failing();
    harness_append_flows(&harness, "large", flows);
    append_ahead(1, "pump");
    recover();
    assert_int_equal(harness_totals(&harness).events, 2 + CHUNK_MESSAGES);
    assert_int_equal(harness_totals(&harness).flows, 1 + flows + CHUNK_MESSAGES);
    assert_int_equal(harness_alert_counts(&harness), 1);
}

/* ---- feeds that change in between: what counts is what is published at the commit ---- */

static void what_was_seen_to_be_clear_ahead_is_not_matched_again(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "other", "192.0.2.1\n", 80, true);
    begin_failing();
    append_ahead(2, "pump");
    recover();
    assert_int_equal(harness_totals(&harness).events, 1 + 2 * CHUNK_MESSAGES);
    assert_int_equal(atomic_load(&inspected_count), 0);
}

static void an_indicator_added_after_preparing_is_matched(void **state)
{
    (void)state;
    harness_start(&harness);
    begin_failing();
    append_ahead(2, "pump");
    harness_feed(&harness, "bad", "203.0.113.0/24\n", 80, true);
    recover();
    assert_int_equal(harness_totals(&harness).alerts, 2);
    assert_int_equal(harness_alert_counts(&harness), 1 + 2 * CHUNK_MESSAGES);
}

static void an_indicator_removed_after_preparing_is_not_matched(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "bad", "203.0.113.0/24\n", 80, true);
    begin_failing();
    append_ahead(2, "pump");
    assert_int_equal(picket_intel_feed_remove(harness.intel, "bad", NULL), PICKET_OK);
    recover();
    assert_int_equal(harness_totals(&harness).events, 1 + 2 * CHUNK_MESSAGES);
    assert_int_equal(harness_totals(&harness).alerts, 0);
}

/* ---- the end ---- */

static void a_stop_forgets_what_is_prepared_behind_a_batch_that_cannot_be_committed(void **state)
{
    (void)state;
    harness_start(&harness);
    begin_failing();
    append_ahead(3, "pump");
    harness_stop(&harness);
    assert_int_equal(harness_durable(), 0);
    atomic_store(&failures_left, 0);
    harness_start(&harness);
    assert_int_equal(harness_totals(&harness).events, 0);
}

static void a_stop_commits_all_that_was_appended(void **state)
{
    (void)state;
    harness_start(&harness);
    for (int i = 0; i < 2000; i++)
        harness_append_flow(&harness, "pump",
                            (struct flow_message){"198.51.100.1", (uint16_t)i, 0, 0, 1});
    uint64_t appended = harness.appended;
    harness_stop(&harness);
    assert_int_equal(harness_durable(), appended);
    harness_start(&harness);
    assert_int_equal(harness_totals(&harness).events, 2000);
}

#define AHEAD_TEST(f) cmocka_unit_test_setup_teardown(f, open_harness, close_harness)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AHEAD_TEST(what_was_prepared_behind_a_failing_batch_is_committed_once_in_order),
        AHEAD_TEST(bad_messages_prepared_ahead_cost_themselves_only),
        AHEAD_TEST(a_message_too_large_to_be_prepared_is_stored_whole),
        AHEAD_TEST(what_was_seen_to_be_clear_ahead_is_not_matched_again),
        AHEAD_TEST(an_indicator_added_after_preparing_is_matched),
        AHEAD_TEST(an_indicator_removed_after_preparing_is_not_matched),
        AHEAD_TEST(a_stop_forgets_what_is_prepared_behind_a_batch_that_cannot_be_committed),
        AHEAD_TEST(a_stop_commits_all_that_was_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
