/* Stored events searched for what comes after them: the whole service in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness.h"
#include "picket/base/time.h"

#define PAST "IoT_PastSuspiciousIpCommunication"

static struct harness harness;

static int setup(void **state)
{
    (void)state;
    harness_open(&harness);
    harness_start(&harness);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    harness_close(&harness);
    return 0;
}

/* ---- what there is ---- */

static void report(const char *device, const char *remote, uint32_t time_s)
{
    static uint8_t event;
    harness_append_flow(&harness, device,
                        (struct flow_message){.remote = remote,
                                              .remote_port = 443,
                                              .time_s = time_s,
                                              .event_id = ++event,
                                              .bytes_out = 300});
    assert_true(harness_wait_durable(&harness));
}

struct counted {
    const char *type;
    int alerts;
    int64_t count, first_ms, last_ms;
    char title[200], description[1000];
    char evidence[4000];
};

static void count_alert(void *context, const struct picket_alert *alert)
{
    struct counted *counted = context;
    if (strcmp(alert->type, counted->type) != 0)
        return;
    counted->alerts++;
    counted->count += alert->count;
    counted->first_ms = alert->first_seen_ms;
    counted->last_ms = alert->last_seen_ms;
    snprintf(counted->title, sizeof counted->title, "%s", alert->title);
    snprintf(counted->description, sizeof counted->description, "%s", alert->description);
    snprintf(counted->evidence, sizeof counted->evidence, "%s", alert->last_evidence);
}

static struct counted alerts_of(const char *type)
{
    struct counted counted = {.type = type};
    struct picket_alert_query query = {.limit = 1000};
    assert_int_equal(picket_store_alerts(harness.store, &query, count_alert, &counted, NULL),
                     PICKET_OK);
    return counted;
}

static bool has_past_alert(void *unused)
{
    (void)unused;
    return alerts_of(PAST).alerts > 0;
}

struct searches {
    int automatic, ended, failed;
    int64_t hits;
};

static void count_search(void *context, const struct picket_hunt_status *status)
{
    struct searches *searches = context;
    searches->automatic += status->automatic;
    searches->ended += status->ended_ms != 0;
    searches->failed += status->state == PICKET_HUNT_FAILED;
    searches->hits += status->hits;
}

static struct searches searches(void)
{
    struct searches found = {0};
    picket_hunter_status(harness.hunter, 0, count_search, &found, NULL);
    return found;
}

static bool have_ended(void *context)
{
    return searches().ended >= *(const int *)context;
}

static void wait_for_searches(int count)
{
    assert_true(harness_wait(have_ended, &count));
    assert_int_equal(searches().failed, 0);
}

static void list(const char *address)
{
    struct picket_error error = {0};
    struct picket_indicator indicator = {.confidence = 90};
    assert_true(picket_prefix_parse(&indicator.prefix, address, strlen(address)));
    if (picket_intel_put(harness.intel, PICKET_LIST_LOCAL, &indicator, 1, NULL, &error) !=
        PICKET_OK)
        fail_msg("%s", error.text);
}

static uint32_t ago(uint32_t seconds)
{
    return (uint32_t)(picket_unix_ms() / 1000) - seconds;
}

/* What comes after it waits for the next start. */
static void restart_without_searches(void)
{
    harness_stop(&harness);
    harness.hunt_quiet_ms = HUNT_NEVER_MS;
    harness_start(&harness);
}

static void restart_with_searches(void)
{
    harness_stop(&harness);
    harness.hunt_quiet_ms = HUNT_QUIET_MS;
    harness_start(&harness);
}

/* ---- what comes ---- */

static void what_a_device_did_is_found_when_the_indicator_comes(void **state)
{
    (void)state;
    report("pump-7", "45.77.13.9", ago(3600));
    report("pump-7", "45.77.13.9", ago(1800));
    report("pump-7", "45.77.13.10", ago(1800));
    list("45.77.13.9");
    wait_for_searches(1);
    struct counted found = alerts_of(PAST);
    assert_int_equal(found.alerts, 1);
    assert_int_equal(found.count, 2);
    assert_in_range(found.last_ms - found.first_ms, 1790000, 1810000);
    assert_string_equal(found.title,
                        "Past communication with 45.77.13.9, which feed \"local\" lists");
    assert_non_null(
        strstr(found.description, "This is about the past, found when the indicator arrived on "));
    assert_int_equal(alerts_of("IoT_SuspiciousIpCommunication").alerts, 0);
}

static void the_evidence_says_what_was_searched_and_shows_flows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++)
        report("pump-7", "45.77.13.9", ago(3600 - i));
    list("45.77.13.0/24");
    wait_for_searches(1);
    json_t *evidence = json_loads(alerts_of(PAST).evidence, 0, NULL);
    const json_t *past = json_object_get(evidence, "retrospective");
    assert_int_equal(json_integer_value(json_object_get(past, "events")), 12);
    assert_int_equal(json_integer_value(json_object_get(past, "flows")), 12);
    assert_true(json_is_string(json_object_get(past, "searched_from")));
    assert_true(json_is_string(json_object_get(past, "searched_to")));
    assert_true(json_is_string(json_object_get(past, "indicator_arrived")));
    assert_int_equal(json_integer_value(json_object_get(evidence, "flow_count")), 12);
    assert_int_equal(json_integer_value(json_object_get(evidence, "bytes_out")), 3600);
    const json_t *flows = json_object_get(evidence, "flows");
    assert_int_equal(json_array_size(flows), 10);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(flows, 3), "event_id")), 4);
    assert_true(json_is_string(json_object_get(json_array_get(flows, 3), "time")));
    json_decref(evidence);
}

static bool are_found(void *context)
{
    return alerts_of(PAST).count >= *(const int *)context;
}

/* Lists so many addresses, one after the other; returns how often it was quiet for long enough
 * between two of them that a search may have begun there: on a busy machine it may be. */
static int list_together(int count)
{
    int pauses = 0;
    int64_t last_ms = picket_monotonic_ms();
    for (int i = 0; i < count; i++) {
        char address[32];
        snprintf(address, sizeof address, "45.77.13.%d", i);
        int64_t began_ms = picket_monotonic_ms();
        list(address);
        pauses += picket_monotonic_ms() - last_ms >= HUNT_QUIET_MS;
        last_ms = began_ms;
    }
    return pauses;
}

static void what_comes_together_is_one_search(void **state)
{
    (void)state;
    int first = 2, all = 3;
    report("pump-7", "45.77.13.9", 0);
    report("pump-8", "45.77.13.9", 0);
    report("pump-8", "45.77.13.77", 0);
    int pauses = list_together(20);
    assert_true(harness_wait(are_found, &first));
    list("45.77.13.77");
    assert_true(harness_wait(are_found, &all));
    assert_in_range(searches().automatic, 2, 2 + pauses);
    assert_int_equal(alerts_of(PAST).alerts, 3);
    assert_int_equal(alerts_of(PAST).count, 3);
}

static void what_live_matching_has_found_is_not_counted_again(void **state)
{
    (void)state;
    int64_t past = 0, live = 0;
    for (int i = 0; i < 60; i++) {
        if (i == 20)
            list("45.77.13.9");
        report("pump-7", "45.77.13.9", 0);
    }
    wait_for_searches(1);
    past = alerts_of(PAST).count;
    live = alerts_of("IoT_SuspiciousIpCommunication").count;
    assert_int_equal(past, 20);
    assert_int_equal(live, 40);
}

static void what_a_live_alert_tells_of_is_not_told_again_when_a_feed_lists_it_too(void **state)
{
    (void)state;
    list("45.77.13.9");
    wait_for_searches(0);
    report("pump-7", "45.77.13.9", 0);
    report("pump-7", "45.77.13.10", 0);
    for (int64_t raised_ms = picket_unix_ms(); picket_unix_ms() <= raised_ms;)
        continue;
    assert_int_equal(alerts_of("IoT_SuspiciousIpCommunication").alerts, 1);
    restart_without_searches();
    harness_feed(&harness, "late", "45.77.13.9\n45.77.13.10\n", 60, false);
    restart_with_searches();
    wait_for_searches(1);
    harness_feed(&harness, "later", "45.77.13.9\n", 60, false);
    wait_for_searches(2);
    assert_int_equal(alerts_of(PAST).alerts, 1);
    assert_int_equal(alerts_of(PAST).count, 1);
}

static void what_had_expired_is_searched_for_when_it_is_renewed(void **state)
{
    (void)state;
    struct picket_error error = {0};
    struct picket_indicator_change change = {.members = PICKET_INDICATOR_VALID_UNTIL};
    assert_true(picket_prefix_parse(&change.to.prefix, "45.77.13.9", 10));
    list("45.77.13.9");
    /* Not so long ago that a sweep forgets it. */
    change.to.valid_until_ms = picket_unix_ms() - 24 * 3600 * 1000;
    assert_int_equal(
        picket_intel_change(harness.intel, PICKET_LIST_LOCAL, &change, 1, NULL, NULL, &error),
        PICKET_OK);
    report("pump-7", "45.77.13.9", 0);
    assert_int_equal(harness_totals(&harness).alerts, 0);
    change.to.valid_until_ms = 0;
    assert_int_equal(
        picket_intel_change(harness.intel, PICKET_LIST_LOCAL, &change, 1, NULL, NULL, &error),
        PICKET_OK);
    assert_true(harness_wait(has_past_alert, NULL));
    assert_int_equal(alerts_of(PAST).count, 1);
}

static void an_allowed_address_stays_silent(void **state)
{
    (void)state;
    struct picket_error error = {0};
    struct picket_feed allowed = {.name = "ours", .role = PICKET_FEED_ALLOW};
    struct picket_indicator indicator = {.confidence = 90};
    assert_true(picket_prefix_parse(&indicator.prefix, "45.77.13.0/25", 13));
    assert_int_equal(picket_intel_feed_add(harness.intel, &allowed, NULL, &error), PICKET_OK);
    assert_int_equal(picket_intel_put(harness.intel, "ours", &indicator, 1, NULL, &error),
                     PICKET_OK);
    report("pump-7", "45.77.13.9", 0);
    report("pump-7", "45.77.13.200", 0);
    report("pump-7", "10.0.0.1", 0);
    list("45.77.13.0/24");
    list("10.0.0.1");
    wait_for_searches(1);
    assert_int_equal(alerts_of(PAST).alerts, 1);
    assert_int_equal(alerts_of(PAST).count, 1);
}

/* While nobody searches. */
static void keep_mark(int64_t mark_ms)
{
    struct picket_store *store;
    char folder[80];
    harness_path(&harness, "store", folder, sizeof folder);
    assert_int_equal(picket_store_open(&store, folder, NULL), PICKET_OK);
    const struct picket_hunted hunted = {.mark_ms = mark_ms};
    assert_int_equal(picket_store_hunted_put(store, &hunted, NULL), PICKET_OK);
    picket_store_close(store);
}

static void a_restart_searches_for_what_came_before_it_and_doubles_nothing(void **state)
{
    (void)state;
    report("pump-7", "45.77.13.9", 0);
    restart_without_searches();
    list("45.77.13.9");
    restart_with_searches();
    wait_for_searches(1);
    assert_int_equal(alerts_of(PAST).alerts, 1);
    harness_stop(&harness);
    keep_mark(1); /* as if the search had not been kept */
    harness_start(&harness);
    wait_for_searches(1);
    assert_int_equal(searches().hits, 1);
    assert_int_equal(alerts_of(PAST).alerts, 1);
    assert_int_equal(alerts_of(PAST).count, 1);
}

static void a_restart_does_not_count_what_was_found_live(void **state)
{
    (void)state;
    report("pump-8", "45.77.13.9", 0);
    restart_without_searches();
    list("45.77.13.9");
    report("pump-7", "45.77.13.9", 0);
    restart_with_searches();
    wait_for_searches(1);
    assert_int_equal(alerts_of("IoT_SuspiciousIpCommunication").count, 1);
    assert_int_equal(alerts_of(PAST).alerts, 1);
}

static void what_is_there_at_the_first_start_is_not_searched_for(void **state)
{
    (void)state;
    list("45.77.13.9");
    wait_for_searches(0);
    harness_stop(&harness);
    harness_start(&harness);
    report("pump-7", "45.77.13.9", 0);
    harness_stop(&harness);
    keep_mark(0);
    harness_start(&harness);
    list("45.77.13.10");
    wait_for_searches(1);
    assert_int_equal(searches().hits, 0);
    assert_int_equal(alerts_of(PAST).alerts, 0);
}

/* ---- what is asked for ---- */

struct shown {
    int count;
    struct picket_hunt_found last;
    char device[80], feed[80];
};

static void show(void *context, const struct picket_hunt_found *found)
{
    struct shown *shown = context;
    shown->count++;
    shown->last = *found;
    snprintf(shown->device, sizeof shown->device, "%s", found->device);
    snprintf(shown->feed, sizeof shown->feed, "%s", found->feed);
}

static int64_t ask(struct picket_hunt_request request, const char *address)
{
    struct picket_error error = {0};
    struct picket_indicator indicator = {.confidence = 50};
    int64_t id = 0;
    if (address != NULL) {
        assert_true(picket_prefix_parse(&indicator.prefix, address, strlen(address)));
        request.indicators = &indicator;
        request.count = 1;
    }
    request.feed = request.feed != NULL ? request.feed : "";
    request.device = request.device != NULL ? request.device : "";
    if (picket_hunter_ask(harness.hunter, &request, &id, &error) != PICKET_OK)
        fail_msg("%s", error.text);
    return id;
}

static void note_ended(void *context, const struct picket_hunt_status *status)
{
    *(bool *)context = status->ended_ms != 0;
}

static bool has_ended(void *context)
{
    bool ended = false;
    assert_int_equal(
        picket_hunter_status(harness.hunter, *(const int64_t *)context, note_ended, &ended, NULL),
        PICKET_OK);
    return ended;
}

static struct shown found_by(int64_t id)
{
    struct shown shown = {0};
    assert_true(harness_wait(has_ended, &id));
    assert_int_equal(picket_hunter_found(harness.hunter, id, 0, 1000, show, &shown, NULL),
                     PICKET_OK);
    return shown;
}

static void what_is_asked_for_is_found_and_raises_nothing(void **state)
{
    (void)state;
    report("pump-7", "45.77.13.9", 0);
    report("pump-8", "10.9.8.7", 0);
    report("pump-8", "10.9.8.7", 0);
    struct shown shown = found_by(ask((struct picket_hunt_request){.device = ""}, "10.9.8.0/24"));
    assert_int_equal(shown.count, 1);
    assert_string_equal(shown.device, "pump-8");
    assert_string_equal(shown.feed, "");
    assert_int_equal(shown.last.events, 2);
    assert_int_equal(shown.last.bytes_out, 600);
    assert_int_equal(harness_totals(&harness).alerts, 0);
}

static void what_is_asked_for_becomes_an_alert_once_if_wanted(void **state)
{
    (void)state;
    const struct picket_hunt_request request = {.alert = true};
    report("pump-7", "45.77.13.9", 0);
    assert_int_equal(found_by(ask(request, "45.77.13.9")).count, 1);
    assert_int_equal(found_by(ask(request, "45.77.13.9")).count, 1);
    struct counted raised = alerts_of(PAST);
    assert_int_equal(raised.alerts, 1);
    assert_int_equal(raised.count, 1);
    assert_string_equal(raised.title, "Past communication with 45.77.13.9, which was searched for");
}

static void a_feed_and_all_feeds_are_searched_for(void **state)
{
    (void)state;
    report("pump-7", "45.77.13.9", 0);
    report("pump-7", "91.92.24.1", 0);
    harness_feed(&harness, "one", "45.77.13.9\n", 60, false);
    harness_feed(&harness, "two", "91.92.24.0/24\n", 60, false);
    wait_for_searches(1);
    struct shown shown = found_by(ask((struct picket_hunt_request){.feed = "two"}, NULL));
    assert_int_equal(shown.count, 1);
    assert_string_equal(shown.feed, "two");
    assert_int_equal(shown.last.confidence, 60);
    assert_int_equal(found_by(ask((struct picket_hunt_request){.feed = ""}, NULL)).count, 2);
    assert_int_equal(found_by(ask((struct picket_hunt_request){.device = "pump-8"}, NULL)).count,
                     0);
}

static void a_time_bounds_what_is_searched(void **state)
{
    (void)state;
    report("pump-7", "45.77.13.9", 0);
    int64_t later_ms = picket_unix_ms() + 1;
    struct picket_hunt_request before = {.until_ms = later_ms}, after = {.since_ms = later_ms};
    assert_int_equal(found_by(ask(before, "45.77.13.9")).count, 1);
    assert_int_equal(found_by(ask(after, "45.77.13.9")).count, 0);
}

/* Of the past, past the service. */
static void put_many(int events)
{
    struct picket_error error = {0};
    struct picket_flow flows[8] = {{.remote_port = 443}};
    for (int i = 0; i < 8; i++) {
        const uint8_t bytes[4] = {91, 92, 25, (uint8_t)i};
        flows[i] = (struct picket_flow){.local = picket_address_ipv4(bytes),
                                        .remote = picket_address_ipv4(bytes)};
    }
    assert_int_equal(picket_store_begin(harness.store, &error), PICKET_OK);
    for (int i = 0; i < events; i++) {
        struct picket_event_row event = {
            .device = "old", .module = "", .type = 1, .received_ms = 1790000000000 + i};
        int64_t id;
        memcpy(event.key, &i, sizeof i);
        assert_int_equal(picket_store_put_event(harness.store, &event, &id, &error), PICKET_OK);
        assert_int_equal(picket_store_put_flows(harness.store, id, flows, 8, &error), PICKET_OK);
    }
    assert_int_equal(picket_store_commit(harness.store, &error), PICKET_OK);
}

static void events_are_taken_while_others_are_searched(void **state)
{
    (void)state;
    put_many(15000);
    report("pump-7", "45.77.13.9", 0);
    int64_t events = harness_totals(&harness).events;
    for (int round = 0; round < 3; round++) {
        int64_t id = ask((struct picket_hunt_request){.device = ""}, "45.77.13.9");
        do
            report("pump-8", "91.92.24.1", 0);
        while (!has_ended(&id));
        assert_int_equal(found_by(id).count, 1);
    }
    assert_true(harness_totals(&harness).events > events);
}

static void hunts_are_refused_cancelled_and_forgotten(void **state)
{
    (void)state;
    struct picket_error error = {0};
    int64_t id;
    struct picket_hunt_request request = {.feed = "none", .device = ""};
    assert_int_equal(picket_hunter_ask(harness.hunter, &request, &id, &error), PICKET_NOT_FOUND);
    id = ask((struct picket_hunt_request){.device = ""}, "45.77.13.9");
    found_by(id);
    assert_int_equal(picket_hunter_cancel(harness.hunter, id, &error), PICKET_OK);
    assert_int_equal(picket_hunter_cancel(harness.hunter, id, &error), PICKET_NOT_FOUND);
    assert_int_equal(picket_hunter_found(harness.hunter, id, 0, 1, show, NULL, &error),
                     PICKET_NOT_FOUND);
}

static void of_hunts_that_have_ended_the_newest_are_kept(void **state)
{
    (void)state;
    for (int i = 0; i < PICKET_HUNTS_KEPT + 5; i++)
        found_by(ask((struct picket_hunt_request){.device = ""}, "45.77.13.9"));
    assert_int_equal(searches().ended, PICKET_HUNTS_KEPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_a_device_did_is_found_when_the_indicator_comes),
        TEST(the_evidence_says_what_was_searched_and_shows_flows),
        TEST(what_comes_together_is_one_search),
        TEST(what_live_matching_has_found_is_not_counted_again),
        TEST(what_a_live_alert_tells_of_is_not_told_again_when_a_feed_lists_it_too),
        TEST(what_had_expired_is_searched_for_when_it_is_renewed),
        TEST(an_allowed_address_stays_silent),
        TEST(a_restart_searches_for_what_came_before_it_and_doubles_nothing),
        TEST(a_restart_does_not_count_what_was_found_live),
        TEST(what_is_there_at_the_first_start_is_not_searched_for),
        TEST(what_is_asked_for_is_found_and_raises_nothing),
        TEST(what_is_asked_for_becomes_an_alert_once_if_wanted),
        TEST(a_feed_and_all_feeds_are_searched_for),
        TEST(a_time_bounds_what_is_searched),
        TEST(events_are_taken_while_others_are_searched),
        TEST(hunts_are_refused_cancelled_and_forgotten),
        TEST(of_hunts_that_have_ended_the_newest_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
