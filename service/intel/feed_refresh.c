/* Refreshing feeds: on request, and when they are due. */
#include <stdio.h>
#include <string.h>

#include "feed_taking.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

static struct picket_counter failures = {.name = "service_feed_failures",
                                         .help = "times a feed could not be refreshed"};

/* problem: "" for none, but nothing new either. */
static void note_attempt(struct picket_intel *intel, struct picket_feed *feed, const char *problem)
{
    struct picket_error error = {0};
    feed->tried_ms = picket_unix_ms();
    if (problem[0] == '\0')
        feed->succeeded_ms = feed->tried_ms;
    snprintf(feed->problem, sizeof feed->problem, "%s", problem);
    picket_count(&failures, problem[0] != '\0');
    if (picket_store_feed_put(intel->store, feed, &error) != PICKET_OK)
        picket_say(PICKET_WARNING, "service", "feed %s: its state cannot be kept: %s", feed->name,
                   error.text);
}

static void note_failure(struct picket_intel *intel, struct picket_feed *feed,
                         const struct fetched *fetched, int status, const char *problem)
{
    if (status == PICKET_CLOSED)
        return;
    feed->waits = false;
    feed->not_before_ms =
        fetched->retry_after_s > 0 ? picket_unix_ms() + 1000 * fetched->retry_after_s : 0;
    note_attempt(intel, feed, problem);
}

/* A manifest may be another, and say the same of all events. */
static void take_stamps(struct picket_feed *feed, const struct fetched *fetched)
{
    if (!fetched->has_parts || (fetched->etag[0] == '\0' && fetched->last_modified[0] == '\0'))
        return;
    memcpy(feed->etag, fetched->etag, sizeof feed->etag);
    memcpy(feed->last_modified, fetched->last_modified, sizeof feed->last_modified);
}

/* With the lock held: what was fetched for `asked` is taken in if the feed is still that one. */
static int refresh_fetched(struct picket_intel *intel, const struct picket_feed *asked,
                           struct fetched *fetched, int fetch_status, bool accept_shrink,
                           struct picket_feed *feed, struct picket_feed_delta *delta,
                           struct picket_error *error)
{
    struct picket_error lookup = {0};
    int status = intel_find_feed(intel, asked->name, feed, &lookup);
    if (status != PICKET_OK)
        return picket_fail(error, status, "%s", lookup.text);
    if (feed->added_ms != asked->added_ms || feed->changed_ms != asked->changed_ms)
        return picket_fail(error, PICKET_BUSY, "feed %s was changed meanwhile", feed->name);
    if (fetch_status != PICKET_OK) {
        note_failure(intel, feed, fetched, fetch_status, error->text);
        return fetch_status;
    }
    if (fetched->not_modified) {
        delta->kept = feed->indicators;
        feed->waits = false;
        feed->not_before_ms = 0;
        take_stamps(feed, fetched);
        note_attempt(intel, feed, "");
        return PICKET_OK;
    }
    feed->last_duration_ms = fetched->duration_ms;
    status = feed_take_in(intel, feed, fetched, accept_shrink, delta, error);
    if (status != PICKET_OK) {
        /* Whatever the store has, lookups do not: the next attempt must not be told "not modified".
         */
        if (status != PICKET_DENIED)
            feed->etag[0] = feed->last_modified[0] = '\0';
        note_attempt(intel, feed, error->text);
    }
    return status;
}

/* Half a file is no list. The feed is read as soon as it is written. */
static bool is_being_written(struct picket_intel *intel, const struct picket_feed *feed,
                             struct picket_error *error)
{
    char file[256];
    if (!feed_watch_is_written(intel->watch, feed->name, file, sizeof file))
        return false;
    picket_fail(error, PICKET_BUSY, "%s: %s is being written; it is read when that is done",
                feed->source, file);
    return true;
}

int intel_refresh(struct picket_intel *intel, const char *name, struct refresh_how how,
                  struct picket_feed_report *report, struct picket_error *error)
{
    struct picket_error own = {0};
    struct picket_feed asked, feed;
    struct picket_feed_delta delta = {0};
    struct fetched fetched;
    int64_t started_ms = picket_monotonic_ms();
    error = error != NULL ? error : &own;
    pthread_mutex_lock(&intel->changing);
    int status = intel_find_feed(intel, name, &asked, error);
    pthread_mutex_unlock(&intel->changing);
    if (status == PICKET_OK && picket_feed_is_kept(&asked))
        status = picket_fail(error, PICKET_INVALID,
                             "feed %s is a list kept here: there is nothing to read again", name);
    if (status != PICKET_OK)
        return status;
    feed = asked;
    if (is_being_written(intel, &asked, error)) {
        feed_fill_report(report, &feed, &delta, &(struct feed_reading){0}, started_ms);
        return how.conditional ? PICKET_OK : PICKET_BUSY;
    }
    status = feed_get(intel, &asked, how.conditional, &fetched, error);
    pthread_mutex_lock(&intel->changing);
    status =
        refresh_fetched(intel, &asked, &fetched, status, how.accept_shrink, &feed, &delta, error);
    pthread_mutex_unlock(&intel->changing);
    feed_fill_report(report, &feed, &delta, &fetched.reading, started_ms);
    feed_fetched_free(&fetched);
    return status;
}

static int refresh_on_request(struct picket_intel *intel, const char *name, bool accept_shrink,
                              struct picket_feed_report *report, struct picket_error *error)
{
    int status = feed_enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = intel_refresh(intel, name, (struct refresh_how){.accept_shrink = accept_shrink},
                           report, error);
    feed_leave_request(intel);
    refresher_wake(intel->refresher); /* who looks how feeds are */
    return status;
}

int picket_intel_feed_refresh(struct picket_intel *intel, const char *name,
                              struct picket_feed_report *report, struct picket_error *error)
{
    return refresh_on_request(intel, name, false, report, error);
}

int picket_intel_feed_accept(struct picket_intel *intel, const char *name,
                             struct picket_feed_report *report, struct picket_error *error)
{
    return refresh_on_request(intel, name, true, report, error);
}
