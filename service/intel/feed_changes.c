/* Adding, removing and refreshing feeds. A feed is fetched and read without the lock, for that may
 * take minutes, and then taken into store and table with it, whole or not at all. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed_settings.h"
#include "intel/fetching/feed_fetch.h"
#include "intel/fetching/feed_taxii.h"
#include "intel_internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/feed_parts.h"

enum { REQUESTS_MAX = 4, SHRINK_FROM = 20 /* indicators: fewer may halve by chance */ };

static struct picket_counter failures = {.name = "service_feed_failures",
                                         .help = "times a feed could not be refreshed"};

/* ---- finding one ---- */

struct feed_search {
    const char *name;
    struct picket_feed *feed;
    bool found;
};

static void compare_name(void *context, const struct picket_feed *feed)
{
    struct feed_search *search = context;
    if (strcmp(feed->name, search->name) != 0)
        return;
    *search->feed = *feed;
    search->found = true;
}

int intel_find_feed(struct picket_intel *intel, const char *name, struct picket_feed *feed,
                    struct picket_error *error)
{
    struct feed_search search = {name, feed, false};
    int status = picket_store_feeds(intel->store, compare_name, &search, error);
    if (status == PICKET_OK && !search.found)
        status = picket_fail(error, PICKET_NOT_FOUND, "there is no feed %s", name);
    return status;
}

/* ---- fetching and reading, without the lock ---- */

/* On request each in the asker's thread: so many at a time, since each may be large. */
static int enter_request(struct picket_intel *intel, struct picket_error *error)
{
    if (atomic_fetch_add(&intel->requests, 1) < REQUESTS_MAX)
        return PICKET_OK;
    atomic_fetch_sub(&intel->requests, 1);
    return picket_fail(error, PICKET_BUSY, "%d feeds are being read on request already",
                       REQUESTS_MAX);
}

static void leave_request(struct picket_intel *intel)
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

static int fetch(struct picket_intel *intel, const struct picket_feed *feed, bool conditional,
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

static int take(struct picket_intel *intel, struct picket_feed *feed, struct fetched *fetched,
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

static void fill_report(struct picket_feed_report *report, const struct picket_feed *feed,
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

/* ---- adding ---- */

/* With the lock held. */
static int check_is_new(struct picket_intel *intel, const char *name, struct picket_error *error)
{
    struct picket_feed existing;
    struct picket_error not_found = {0};
    int status = intel_find_feed(intel, name, &existing, &not_found);
    if (status == PICKET_OK)
        return picket_fail(error, PICKET_EXISTS, "there is a feed %s already", name);
    return status == PICKET_NOT_FOUND ? PICKET_OK
                                      : picket_fail(error, status, "%s", not_found.text);
}

static int add_fetched(struct picket_intel *intel, struct picket_feed *feed,
                       struct fetched *fetched, struct picket_feed_delta *delta,
                       struct picket_error *error)
{
    int status = check_is_new(intel, feed->name, error);
    if (status == PICKET_OK)
        status = picket_store_feed_put(intel->store, feed, error);
    if (status != PICKET_OK)
        return status;
    feed->last_duration_ms = fetched->duration_ms;
    status = take(intel, feed, fetched, false, delta, error);
    if (status != PICKET_OK)
        picket_store_feed_remove(intel->store, feed->name, NULL);
    return status;
}

static void begin_feed(struct picket_feed *feed)
{
    if (feed->format[0] == '\0')
        memcpy(feed->format, "auto", 5);
    feed->added_ms = picket_unix_ms();
    feed->tried_ms = feed->loaded_ms = feed->succeeded_ms = 0;
    feed->indicators = feed->skipped = 0;
    feed->etag[0] = feed->last_modified[0] = feed->problem[0] = '\0';
}

static int add_feed(struct picket_intel *intel, const struct picket_feed *feed,
                    struct picket_feed_report *report, struct picket_error *error)
{
    int64_t started_ms = picket_monotonic_ms();
    struct picket_feed_delta delta = {0};
    struct fetched fetched;
    int status = feed_settings_check(feed, error);
    if (status != PICKET_OK)
        return status;
    struct picket_feed added = *feed;
    begin_feed(&added);
    pthread_mutex_lock(&intel->changing);
    status = check_is_new(intel, added.name, error);
    pthread_mutex_unlock(&intel->changing);
    if (status != PICKET_OK)
        return status;
    status = fetch(intel, &added, false, &fetched, error);
    if (status == PICKET_OK) {
        pthread_mutex_lock(&intel->changing);
        status = add_fetched(intel, &added, &fetched, &delta, error);
        pthread_mutex_unlock(&intel->changing);
    }
    fill_report(report, &added, &delta, &fetched.reading, started_ms);
    feed_fetched_free(&fetched);
    refresher_wake(intel->refresher);
    feed_watch_look_again(intel->watch);
    return status;
}

/* Nothing is read, so it counts as loaded. */
static int make_list(struct picket_intel *intel, const struct picket_feed *list,
                     struct picket_feed *made, struct picket_error *error)
{
    *made = *list;
    begin_feed(made);
    made->loaded_ms = made->succeeded_ms = made->added_ms;
    made->refresh_s = 0;
    int status = picket_store_feed_put(intel->store, made, error);
    if (status != PICKET_OK || intel->table_lacks)
        return status;
    if (intel_add_to_table(intel, made) != 0)
        return PICKET_OK;
    picket_store_feed_remove(intel->store, made->name, NULL);
    return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory, or too many feeds",
                       made->name);
}

int kept_list_ensure(struct picket_intel *intel, const struct picket_feed *list,
                     struct picket_error *error)
{
    struct picket_feed made, existing;
    struct picket_error not_found = {0};
    if (intel_find_feed(intel, list->name, &existing, &not_found) != PICKET_OK)
        return not_found.status == PICKET_NOT_FOUND
                   ? make_list(intel, list, &made, error)
                   : picket_fail(error, not_found.status, "%s", not_found.text);
    if (existing.role != list->role)
        return picket_fail(error, PICKET_EXISTS,
                           "feed %s has the role %s; a list of the role %s is kept by that name",
                           list->name, picket_feed_role_name(existing.role),
                           picket_feed_role_name(list->role));
    return PICKET_OK;
}

static int add_list(struct picket_intel *intel, const struct picket_feed *list,
                    struct picket_feed_report *report, struct picket_error *error)
{
    struct picket_feed made;
    int status = feed_settings_check(list, error);
    if (status != PICKET_OK)
        return status;
    pthread_mutex_lock(&intel->changing);
    status = check_is_new(intel, list->name, error);
    if (status == PICKET_OK)
        status = make_list(intel, list, &made, error);
    pthread_mutex_unlock(&intel->changing);
    if (status == PICKET_OK && report != NULL)
        *report = (struct picket_feed_report){.feed = made};
    return status;
}

int picket_intel_feed_add(struct picket_intel *intel, const struct picket_feed *feed,
                          struct picket_feed_report *report, struct picket_error *error)
{
    if (picket_feed_is_kept(feed))
        return add_list(intel, feed, report, error);
    int status = enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = add_feed(intel, feed, report, error);
    leave_request(intel);
    return status;
}

/* ---- removing ---- */

static void take_out(void *context, const char *feed, const struct picket_indicator *indicator)
{
    struct taking *taking = context;
    (void)feed;
    table_take_out(taking->batch, taking->feed, indicator);
}

/* With the lock held. */
static int remove_feed(struct picket_intel *intel, const char *name, struct picket_error *error)
{
    struct table *table = intel->published.table;
    struct taking taking;
    if (!intel_begin_taking(intel, table_feed_number(table, name), &taking))
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory", name);
    int status = picket_store_indicators(intel->store, name, take_out, &taking, error);
    if (status == PICKET_OK)
        status = picket_store_feed_remove(intel->store, name, error);
    if (status != PICKET_OK) {
        table_batch_free(taking.batch);
        return status;
    }
    status = intel_publish(intel, &taking, error);
    malloc_trim(0);
    if (taking.feed != 0 && intel->published.table == table)
        intel_remove_from_table(intel, taking.feed);
    return status;
}

int picket_intel_feed_remove(struct picket_intel *intel, const char *name,
                             struct picket_error *error)
{
    pthread_mutex_lock(&intel->changing);
    int status = remove_feed(intel, name, error);
    pthread_mutex_unlock(&intel->changing);
    refresher_wake(intel->refresher); /* who looks how feeds are */
    feed_watch_look_again(intel->watch);
    return status;
}

/* ---- refreshing ---- */

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
    status = take(intel, feed, fetched, accept_shrink, delta, error);
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
        fill_report(report, &feed, &delta, &(struct feed_reading){0}, started_ms);
        return how.conditional ? PICKET_OK : PICKET_BUSY;
    }
    status = fetch(intel, &asked, how.conditional, &fetched, error);
    pthread_mutex_lock(&intel->changing);
    status =
        refresh_fetched(intel, &asked, &fetched, status, how.accept_shrink, &feed, &delta, error);
    pthread_mutex_unlock(&intel->changing);
    fill_report(report, &feed, &delta, &fetched.reading, started_ms);
    feed_fetched_free(&fetched);
    return status;
}

static int refresh_on_request(struct picket_intel *intel, const char *name, bool accept_shrink,
                              struct picket_feed_report *report, struct picket_error *error)
{
    int status = enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = intel_refresh(intel, name, (struct refresh_how){.accept_shrink = accept_shrink},
                           report, error);
    leave_request(intel);
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

/* ---- changing settings ---- */

static bool matches_otherwise(const struct picket_feed *a, const struct picket_feed *b)
{
    return a->match_special_purpose != b->match_special_purpose ||
           a->match_own_networks != b->match_own_networks || a->role != b->role;
}

/* With the lock held: the table knows of the feed what lookups need. */
static int tell_table(struct picket_intel *intel, struct picket_error *error)
{
    struct taking nothing;
    if (!intel_begin_taking(intel, 0, &nothing))
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    intel->table_lacks = true;
    return intel_publish(intel, &nothing, error);
}

/* With the lock held. What is known of the feed, and its indicators, stay. */
static int change_feed(struct picket_intel *intel, const struct picket_feed *wanted,
                       struct picket_feed *feed, struct picket_error *error)
{
    struct picket_feed before;
    int status = intel_find_feed(intel, wanted->name, &before, error);
    if (status == PICKET_OK && before.changed_ms != wanted->changed_ms)
        status = picket_fail(error, PICKET_BUSY, "feed %s was changed meanwhile", wanted->name);
    if (status == PICKET_OK && picket_feed_is_kept(&before) != picket_feed_is_kept(wanted))
        status = picket_fail(error, PICKET_INVALID,
                             "feed %s: a list kept here and a feed with a source do not become one "
                             "another",
                             wanted->name);
    if (status != PICKET_OK)
        return status;
    *feed = *wanted;
    int64_t now_ms = picket_unix_ms();
    feed->changed_ms = now_ms > before.changed_ms ? now_ms : before.changed_ms + 1;
    feed->not_before_ms = 0;
    if (picket_feed_is_kept(feed))
        feed->refresh_s = 0; /* there is nothing to read */
    if (feed_settings_read_otherwise(&before, feed)) {
        feed->etag[0] = feed->last_modified[0] = feed->cursor[0] = '\0';
        feed->whole_ms = 0;
    }
    status = picket_store_feed_put(intel->store, feed, error);
    if (status == PICKET_OK && strcmp(before.source, feed->source) != 0)
        status = picket_store_feed_parts_change(intel->store, feed->name, true, NULL, 0, error);
    if (status == PICKET_OK && matches_otherwise(&before, feed))
        status = tell_table(intel, error);
    return status;
}

int picket_intel_feed_change(struct picket_intel *intel, const struct picket_feed *wanted,
                             struct picket_feed *changed, struct picket_error *error)
{
    int status = feed_settings_check(wanted, error);
    if (status != PICKET_OK)
        return status;
    pthread_mutex_lock(&intel->changing);
    status = change_feed(intel, wanted, changed, error);
    pthread_mutex_unlock(&intel->changing);
    if (status == PICKET_OK && !picket_feed_is_kept(changed))
        refresher_ask(intel->refresher, wanted->name);
    feed_watch_look_again(intel->watch);
    return status;
}

int picket_intel_collections(struct picket_intel *intel, const char *url,
                             const struct picket_feed_access *access, picket_collection_visit visit,
                             void *context, struct picket_error *error)
{
    int status = enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = feed_taxii_collections(url, access, &intel->stopping, visit, context, error);
    leave_request(intel);
    return status;
}

int64_t picket_intel_feed_next_ms(struct picket_intel *intel, const struct picket_feed *feed)
{
    return refresher_next_ms(intel->refresher, feed);
}
