/* Feeds that somebody has to look at raise an alert, which is closed when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "intel/feed_health.h"
#include "picket/base/time.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static struct harness harness;
static struct feed_health *health;
static struct picket_error error;

static void open_health(void)
{
    char folder[100];
    harness_path(&harness, "store", folder, sizeof folder);
    assert_int_equal(feed_health_open(&health, folder, &error), PICKET_OK);
}

static int open_all(void **state)
{
    (void)state;
    harness_open(&harness);
    harness_start(&harness);
    open_health();
    feed_health_tell(health, harness.log);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    feed_health_close(health);
    harness_close(&harness);
    return 0;
}

/* ---- what alerts there are ---- */

static char alerts[2000], last_text[2000];

static void note_alert(void *context, const struct picket_alert *alert)
{
    (void)context;
    char line[200];
    snprintf(line, sizeof line, "%s/%s/%s/%s/%lld ", alert->type, alert->device, alert->subject,
             alert->status, (long long)alert->count);
    strncat(alerts, line, sizeof alerts - strlen(alerts) - 1);
    snprintf(last_text, sizeof last_text, "%s | %s | %s | %s", alert->description,
             alert->remediation, alert->reason, alert->last_evidence);
}

static const char *seen(void)
{
    const struct picket_alert_query all = {.oldest_first = true};
    alerts[0] = '\0';
    assert_int_equal(picket_store_alerts(harness.store, &all, note_alert, NULL, &error), PICKET_OK);
    return alerts;
}

static bool is_seen(void *context)
{
    return strcmp(seen(), context) == 0;
}

static void expect(const char *wanted)
{
    char text[400];
    snprintf(text, sizeof text, "%s", wanted);
    if (!harness_wait(is_seen, text))
        assert_string_equal(seen(), wanted);
}

/* ---- feeds as the store has them ---- */

/* Tried just now, so that nobody tries while the test runs. */
static struct picket_feed feed_of(const char *name, int64_t succeeded_ms, const char *problem)
{
    struct picket_feed feed = {.source = "https://example.test/list?key=s3cret",
                               .format = "plain",
                               .refresh_s = 3600,
                               .added_ms = 1,
                               .tried_ms = picket_unix_ms(),
                               .succeeded_ms = succeeded_ms};
    snprintf(feed.name, sizeof feed.name, "%s", name);
    snprintf(feed.problem, sizeof feed.problem, "%s", problem);
    return feed;
}

static void put(struct picket_feed feed)
{
    assert_int_equal(picket_store_feed_put(harness.store, &feed, &error), PICKET_OK);
}

/* ---- tests ---- */

static void a_feed_is_stale_after_three_intervals_and_a_day(void **state)
{
    (void)state;
    struct picket_feed feed = feed_of("f", 1000, "404");
    assert_int_equal(feed_state_of(&feed, 1000 + DAY_MS), FEED_UNSURE);
    assert_int_equal(feed_state_of(&feed, 1001 + DAY_MS), FEED_STALE);
    assert_int_equal(feed_state_of(&feed, 0), FEED_UNSURE); /* the clock was set back */
    feed.refresh_s = 24 * 3600;
    assert_int_equal(feed_state_of(&feed, 1000 + 3LL * DAY_MS), FEED_UNSURE);
    assert_int_equal(feed_state_of(&feed, 1001 + 3LL * DAY_MS), FEED_STALE);
    feed.refresh_s = UINT32_MAX;
    assert_int_equal(feed_state_of(&feed, 1001 + 3LL * DAY_MS), FEED_UNSURE);
    feed.refresh_s = 0; /* who asks for it is told */
    assert_int_equal(feed_state_of(&feed, INT64_MAX / 2), FEED_UNSURE);
    feed.problem[0] = '\0';
    assert_int_equal(feed_state_of(&feed, INT64_MAX / 2), FEED_WELL);
    feed.waits = true;
    assert_int_equal(feed_state_of(&feed, 1000), FEED_WAITS);
}

static void a_stale_feed_is_told_daily_in_one_alert_without_keys(void **state)
{
    (void)state;
    int64_t now_ms = picket_unix_ms();
    put(feed_of("f", now_ms - 2 * DAY_MS,
                "https://example.test/list?key=s3cret: the server answered 404"));
    feed_health_look(health, now_ms);
    feed_health_look(health, now_ms + HOUR_MS);
    feed_health_look(health, now_ms - 1); /* by another thread, whose turn came later */
    feed_health_look(health, now_ms + DAY_MS);
    expect("Picket_FeedNotRefreshed//f/new/2 ");
    assert_non_null(strstr(last_text, "https://example.test/list?...: the server answered 404"));
    assert_null(strstr(last_text, "s3cret"));
    assert_non_null(strstr(last_text, "picket feed show f"));
}

static void an_alert_is_closed_when_the_feed_is_well_or_gone(void **state)
{
    (void)state;
    int64_t now_ms = picket_unix_ms();
    put(feed_of("f", now_ms - 2 * DAY_MS, "404"));
    put(feed_of("g", now_ms - 2 * DAY_MS, "404"));
    feed_health_look(health, now_ms);
    expect("Picket_FeedNotRefreshed//f/new/1 Picket_FeedNotRefreshed//g/new/1 ");
    put(feed_of("f", now_ms, "it fails once more")); /* which says nothing */
    feed_health_look(health, now_ms);
    put(feed_of("f", now_ms, ""));
    assert_int_equal(picket_store_feed_remove(harness.store, "g", &error), PICKET_OK);
    assert_string_equal(seen(),
                        "Picket_FeedNotRefreshed//f/new/1 Picket_FeedNotRefreshed//g/new/1 ");
    feed_health_look(health, now_ms);
    assert_string_equal(
        seen(), "Picket_FeedNotRefreshed//f/resolved/1 Picket_FeedNotRefreshed//g/resolved/1 ");
    assert_non_null(strstr(last_text, "the feed was removed"));
}

static void one_that_comes_late_is_closed_too(void **state)
{
    (void)state;
    int64_t now_ms = picket_unix_ms();
    struct picket_feed feed = feed_of("f", now_ms, "holds less");
    feed.waits = true;
    put(feed);
    feed_health_look(health, now_ms);
    put(feed_of("f", now_ms, ""));
    feed_health_look(health, now_ms); /* perhaps before the alert is there */
    expect(strstr(seen(), "resolved") != NULL ? "Picket_FeedWaitsForYes//f/resolved/1 "
                                              : "Picket_FeedWaitsForYes//f/new/1 ");
    feed_health_look(health, now_ms + HOUR_MS / 2);
    assert_string_equal(seen(), "Picket_FeedWaitsForYes//f/resolved/1 ");
}

static void what_was_open_before_a_restart_is_closed_after_it(void **state)
{
    (void)state;
    int64_t now_ms = picket_unix_ms();
    put(feed_of("f", now_ms - 2 * DAY_MS, "404"));
    feed_health_look(health, now_ms);
    expect("Picket_FeedNotRefreshed//f/new/1 ");
    feed_health_close(health);
    put(feed_of("f", now_ms, ""));
    open_health();
    feed_health_look(health, now_ms); /* nobody to tell, and nothing is done */
    assert_string_equal(seen(), "Picket_FeedNotRefreshed//f/new/1 ");
    feed_health_tell(health, harness.log);
    feed_health_look(health, now_ms);
    assert_string_equal(seen(), "Picket_FeedNotRefreshed//f/resolved/1 ");
}

static void one_trouble_takes_the_place_of_another(void **state)
{
    (void)state;
    int64_t now_ms = picket_unix_ms();
    put(feed_of("f", now_ms - 2 * DAY_MS, "404"));
    feed_health_look(health, now_ms);
    expect("Picket_FeedNotRefreshed//f/new/1 ");
    struct picket_feed waiting = feed_of("f", now_ms, "holds less");
    waiting.waits = true;
    waiting.would_hold = 7;
    put(waiting);
    feed_health_look(health, now_ms);
    expect("Picket_FeedNotRefreshed//f/resolved/1 Picket_FeedWaitsForYes//f/new/1 ");
    assert_non_null(strstr(last_text, "now holds 7 indicators"));
    assert_non_null(strstr(last_text, "picket feed refresh f --accept-shrink"));
}

static const char *numbered(int count)
{
    static char text[4096];
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        sprintf(text + strlen(text), "8.8.%d.1\n", i);
    return text;
}

static void a_feed_that_shrinks_is_told_of_until_somebody_accepts_it(void **state)
{
    (void)state;
    picket_intel_tell(harness.intel, harness.log);
    harness_feed(&harness, "f", numbered(40), 50, false);
    harness_file(&harness, "f", numbered(3));
    assert_int_equal(picket_intel_feed_refresh(harness.intel, "f", NULL, &error), PICKET_DENIED);
    expect("Picket_FeedWaitsForYes//f/new/1 ");
    assert_int_equal(picket_intel_feed_accept(harness.intel, "f", NULL, &error), PICKET_OK);
    expect("Picket_FeedWaitsForYes//f/resolved/1 ");
    assert_non_null(strstr(last_text, "the feed is well again"));
}

#define HEALTH_TEST(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_feed_is_stale_after_three_intervals_and_a_day),
        HEALTH_TEST(a_stale_feed_is_told_daily_in_one_alert_without_keys),
        HEALTH_TEST(an_alert_is_closed_when_the_feed_is_well_or_gone),
        HEALTH_TEST(one_that_comes_late_is_closed_too),
        HEALTH_TEST(what_was_open_before_a_restart_is_closed_after_it),
        HEALTH_TEST(one_trouble_takes_the_place_of_another),
        HEALTH_TEST(a_feed_that_shrinks_is_told_of_until_somebody_accepts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
