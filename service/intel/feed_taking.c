#include "feed_taking.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/feed_parts.h"

enum { REQUESTS_MAX = 4, SHRINK_FROM = 20 /* indicators: fewer may halve by chance */ };

/* ---- fetching and reading, without the lock ---- */

int feed_enter_request(struct picket_intel *intel, struct picket_error *error)
{
    if (atomic_fetch_add(&intel->requests, 1) < REQUESTS_MAX)
        return PICKET_OK;
    atomic_fetch_sub(&intel->requests, 1);
    return picket_fail(error, PICKET_BUSY, "%d feeds are being read on request already",
                       REQUESTS_MAX);
}

void feed_leave_request(struct picket_intel *intel)
{
    atomic_fetch_sub(&intel->requests, 1);
}

/* The lock is held for as long as they take to copy. */
static int each_part(void *context, const char *feed, picket_feed_part_visit visit,
                     void *visit_context, struct picket_error *error)
{
    struct picket_intel *intel = context;
    pthread_mutex_lock(&intel->changing);
    int status = picket_store_feed_parts(intel->store, feed, visit, visit_context, error);
    pthread_mutex_unlock(&intel->changing);
    return status;
}

int feed_get(struct picket_intel *intel, const struct picket_feed *feed, bool conditional,
             struct fetched *fetched, struct picket_error *error)
{
    const struct feed_how how = {conditional, &intel->stopping, {each_part, intel}};
    return feed_fetch(fetched, feed, &how, error);
}

/* ---- taking it in, with the lock ---- */

/* Fewer than these are not taken without a person's yes. */
static int64_t least_of(const struct picket_feed *feed, bool accept_shrink)
{
    if (accept_shrink || feed->indicators == 0)
        return 0;
    return feed->indicators < SHRINK_FROM ? 1 : (feed->indicators + 1) / 2;
}

/* With the lock held; the feed has a number in the table. */
static int store_and_publish(struct picket_intel *intel, const char *name, uint16_t number,
                             const struct feed_reading *reading, int64_t least,
                             struct picket_feed_delta *delta, struct picket_error *error)
{
    struct taking taking;
    if (!intel_begin_taking(intel, number, &taking))
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory", name);
    int status = picket_store_indicators_replace_at_least(
        intel->store, name, reading->indicators.items, reading->indicators.count, least,
        intel_take_change, &taking, delta, error);
    if (status == PICKET_OK)
        status = intel_publish(intel, &taking, error);
    else
        table_batch_free(taking.batch);
    malloc_trim(0); /* what a large feed took is given back to the system, not kept for next time */
    return status;
}

/* With the lock held: a feed that is not in the table yet gets a number, and keeps it if all goes
 * well. */
static int take_indicators(struct picket_intel *intel, const struct picket_feed *feed,
                           const struct feed_reading *reading, int64_t least,
                           struct picket_feed_delta *delta, struct picket_error *error)
{
    struct table *table = intel->published.table;
    uint16_t number = table_feed_number(table, feed->name);
    bool is_new = number == 0;
    if (is_new)
        number = intel_add_to_table(intel, feed);
    if (number == 0)
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory, or too many feeds",
                           feed->name);
    int status = store_and_publish(intel, feed->name, number, reading, least, delta, error);
    if (status != PICKET_OK && is_new && !intel->table_lacks)
        intel_remove_from_table(intel, number);
    return status;
}

/* What is shown of the last reading. */
static void keep_problems(struct picket_intel *intel, const char *name,
                          const struct feed_reading *reading)
{
    struct picket_feed_problem problems[FEED_PROBLEMS_SHOWN];
    struct picket_error error = {0};
    for (size_t i = 0; i < reading->problem_count; i++)
        problems[i] = (struct picket_feed_problem){.file = reading->problems[i].file,
                                                   .line = reading->problems[i].line,
                                                   .text = reading->problems[i].text,
                                                   .reason = reading->problems[i].reason};
    if (picket_store_feed_problems_put(intel->store, name, problems, reading->problem_count,
                                       &error) != PICKET_OK)
        picket_say(PICKET_WARNING, "service", "feed %s: its problems cannot be kept: %s", name,
                   error.text);
}

static int fail_for_shrinking(struct picket_feed *feed, const struct picket_feed_delta *delta,
                              struct picket_error *error)
{
    feed->waits = true;
    feed->would_hold = delta->added + delta->kept;
    return picket_fail(error, PICKET_DENIED,
                       "%s: holds %lld indicators, of %lld that were there; they stay, until it "
                       "grows again or somebody says that it is right (picket feed refresh %s "
                       "--accept-shrink)",
                       feed->source, (long long)feed->would_hold, (long long)feed->indicators,
                       feed->name);
}

/* After the indicators: if this fails, or does not come to it, the same parts are fetched again. */
static int keep_parts(struct picket_intel *intel, struct picket_feed *feed,
                      const struct feed_parts *parts, struct picket_error *error)
{
    struct picket_feed_part *items = malloc((parts->count + 1) * sizeof *items);
    if (items == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory", feed->name);
    for (size_t i = 0; i < parts->count; i++)
        items[i] = feed_parts_at(parts, i);
    int status = picket_store_feed_parts_change(intel->store, feed->name, parts->whole, items,
                                                parts->count, error);
    free(items);
    return status;
}

int feed_take_in(struct picket_intel *intel, struct picket_feed *feed, struct fetched *fetched,
                 bool accept_shrink, struct picket_feed_delta *delta, struct picket_error *error)
{
    const struct feed_reading *reading = &fetched->reading;
    int64_t now_ms = arrivals_now_ms(&intel->arrivals);
    for (size_t i = 0; i < reading->indicators.count; i++)
        reading->indicators.items[i].first_seen_ms = now_ms; /* the store keeps what it knows */
    feed->waits = false;
    int status = take_indicators(intel, feed, reading, least_of(feed, accept_shrink), delta, error);
    if (status == PICKET_DENIED)
        return fail_for_shrinking(feed, delta, error);
    if (status == PICKET_OK && fetched->has_parts)
        status = keep_parts(intel, feed, &fetched->parts, error);
    if (status != PICKET_OK)
        return status;
    memcpy(feed->cursor, fetched->cursor, sizeof feed->cursor);
    if (fetched->has_parts && fetched->parts.whole)
        feed->whole_ms = now_ms;
    feed->tried_ms = feed->loaded_ms = feed->succeeded_ms = now_ms;
    feed->indicators = delta->added + delta->kept;
    feed->skipped = (int64_t)reading->skipped;
    feed->problem[0] = '\0';
    feed->not_before_ms = 0;
    feed->last = *delta;
    memcpy(feed->etag, fetched->etag, sizeof feed->etag);
    memcpy(feed->last_modified, fetched->last_modified, sizeof feed->last_modified);
    keep_problems(intel, feed->name, reading);
    return picket_store_feed_put(intel->store, feed, error);
}

void feed_fill_report(struct picket_feed_report *report, const struct picket_feed *feed,
                      const struct picket_feed_delta *delta, const struct feed_reading *reading,
                      int64_t started_ms)
{
    if (report == NULL)
        return;
    report->feed = *feed;
    report->delta = *delta;
    report->duration_ms = picket_monotonic_ms() - started_ms;
    report->passed_over = (int64_t)reading->passed_over;
    report->problem_count = reading->problem_count;
    memcpy(report->problems, reading->problems, sizeof report->problems);
}
