/* Adding, removing and refreshing feeds. A feed is fetched and read without the lock, for that may
 * take minutes, and then taken into store and table with it, whole or not at all. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed_coverage.h"
#include "feed_reader.h"
#include "feed_source.h"
#include "intel_internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

enum { REQUESTS_MAX = 4 };

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

struct fetched {
    struct feed_source source;
    struct feed_reading reading;
};

static void free_fetched(struct fetched *fetched)
{
    feed_source_free(&fetched->source);
    feed_reading_free(&fetched->reading);
}

/* Half of all addresses are no list, whatever its role: of threats, each flow would be an alert;
 * allowed, hardly any. Who means that, puts it into a list of his own. */
static int check_coverage(const struct picket_feed *feed, const struct indicator_list *list,
                          struct picket_error *error)
{
    static const char *const then[] = {
        [PICKET_FEED_THREAT] = "it would match whatever a device talks to",
        [PICKET_FEED_ALLOW] = "it would silence alerts on whatever a device talks to",
        [PICKET_FEED_SHARED] = "it would weaken alerts on whatever a device talks to"};
    double share = feed_ipv4_share(list);
    if (share < 0.5)
        return PICKET_OK;
    return picket_fail(error, PICKET_INVALID, "%s: covers %.2f %% of all IPv4 addresses; %s",
                       feed->source, share * 100, then[feed->role]);
}

/* What is a list of threats, and what may replace what is there. */
static int check_content(const struct picket_feed *feed, const struct feed_reading *reading,
                         struct picket_error *error)
{
    if (reading->indicators.count == 0 && feed->indicators > 0)
        return picket_fail(error, PICKET_INVALID,
                           "%s: holds no indicator any more; the %lld that were there stay",
                           feed->source, (long long)feed->indicators);
    if (reading->indicators.count == 0 && reading->skipped > 0)
        return picket_fail(error, PICKET_INVALID, "%s: holds no indicator; line %u (\"%.60s\"): %s",
                           feed->source, reading->problems[0].line, reading->problems[0].text,
                           reading->problems[0].reason);
    return check_coverage(feed, &reading->indicators, error);
}

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

static int fetch(struct picket_intel *intel, const struct picket_feed *feed, bool conditional,
                 struct fetched *fetched, struct picket_error *error)
{
    memset(fetched, 0, sizeof *fetched);
    const struct feed_request request = {
        .location = feed->source,
        .etag = conditional ? feed->etag : "",
        .last_modified = conditional ? feed->last_modified : "",
        .access = &feed->access,
        .max_bytes = feed_max_bytes(feed),
        .cancel = &intel->stopping,
    };
    int status = feed_source_fetch(&fetched->source, &request, error);
    if (status != PICKET_OK || fetched->source.not_modified)
        return status;
    int format = feed_format_named(feed->format[0] != '\0' ? feed->format : "auto");
    struct feed_options options = {.format = (enum feed_format)format,
                                   .confidence = feed->confidence};
    status = feed_read(&fetched->reading, fetched->source.bytes.text,
                       fetched->source.bytes.size_bytes, &options, error);
    if (status != PICKET_OK) {
        picket_fail_in(error, "%s", feed->source);
        return status;
    }
    return check_content(feed, &fetched->reading, error);
}

/* ---- taking it in, with the lock ---- */

/* With the lock held; the feed has a number in the table. */
static int store_and_publish(struct picket_intel *intel, const char *name, uint16_t number,
                             const struct feed_reading *reading, struct picket_feed_delta *delta,
                             struct picket_error *error)
{
    struct taking taking = {intel_change(intel), number};
    if (taking.batch == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory", name);
    int status = picket_store_indicators_replace(intel->store, name, reading->indicators.items,
                                                 reading->indicators.count, intel_take_change,
                                                 &taking, delta, error);
    if (status == PICKET_OK)
        status = intel_publish(intel, taking.batch, error);
    else
        table_batch_free(taking.batch);
    malloc_trim(0); /* what a large feed took is given back to the system, not kept for next time */
    return status;
}

/* With the lock held: a feed that is not in the table yet gets a number, and keeps it if all goes
 * well. */
static int take_indicators(struct picket_intel *intel, const struct picket_feed *feed,
                           const struct feed_reading *reading, struct picket_feed_delta *delta,
                           struct picket_error *error)
{
    struct table *table = intel->published.table;
    uint16_t number = table_feed_number(table, feed->name);
    bool is_new = number == 0;
    if (is_new)
        number = intel_add_to_table(table, feed);
    if (number == 0)
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory, or too many feeds",
                           feed->name);
    int status = store_and_publish(intel, feed->name, number, reading, delta, error);
    if (status != PICKET_OK && is_new && !intel->table_lacks)
        table_remove_feed(table, number);
    return status;
}

static int take(struct picket_intel *intel, struct picket_feed *feed, struct fetched *fetched,
                struct picket_feed_delta *delta, struct picket_error *error)
{
    const struct feed_reading *reading = &fetched->reading;
    int64_t now_ms = picket_unix_ms();
    for (size_t i = 0; i < reading->indicators.count; i++)
        reading->indicators.items[i].first_seen_ms = now_ms; /* the store keeps what it knows */
    int status = take_indicators(intel, feed, reading, delta, error);
    if (status != PICKET_OK)
        return status;
    feed->tried_ms = feed->loaded_ms = now_ms;
    feed->indicators = delta->added + delta->kept;
    feed->skipped = (int64_t)reading->skipped;
    feed->problem[0] = '\0';
    memcpy(feed->etag, fetched->source.etag, sizeof feed->etag);
    memcpy(feed->last_modified, fetched->source.last_modified, sizeof feed->last_modified);
    return picket_store_feed_put(intel->store, feed, error);
}

/* problem: "" for none, but nothing new either. */
static void note_attempt(struct picket_intel *intel, struct picket_feed *feed, const char *problem)
{
    struct picket_error error = {0};
    feed->tried_ms = picket_unix_ms();
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

static int check_feed(const struct picket_feed *feed, struct picket_error *error)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strnlen(feed->name, sizeof feed->name);
    if (size == 0 || size == sizeof feed->name || strspn(feed->name, allowed) != size)
        return picket_fail(error, PICKET_INVALID,
                           "a feed's name has 1 to 64 letters, digits, and . _ -");
    if (feed->confidence < 0 || feed->confidence > 100)
        return picket_fail(error, PICKET_INVALID, "feed %s: confidence %d is not within 0 to 100",
                           feed->name, feed->confidence);
    if (feed->format[0] != '\0' && feed_format_named(feed->format) < 0)
        return picket_fail(error, PICKET_INVALID,
                           "feed %s: format %s is none of auto, plain, csv, ndjson", feed->name,
                           feed->format);
    return PICKET_OK;
}

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
    status = take(intel, feed, fetched, delta, error);
    if (status != PICKET_OK)
        picket_store_feed_remove(intel->store, feed->name, NULL);
    return status;
}

static void begin_feed(struct picket_feed *feed)
{
    if (feed->format[0] == '\0')
        memcpy(feed->format, "auto", 5);
    feed->added_ms = picket_unix_ms();
    feed->tried_ms = feed->loaded_ms = feed->indicators = feed->skipped = 0;
    feed->etag[0] = feed->last_modified[0] = feed->problem[0] = '\0';
}

static int add_feed(struct picket_intel *intel, const struct picket_feed *feed,
                    struct picket_feed_report *report, struct picket_error *error)
{
    int64_t started_ms = picket_monotonic_ms();
    struct picket_feed_delta delta = {0};
    struct fetched fetched;
    int status = check_feed(feed, error);
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
    free_fetched(&fetched);
    refresher_wake(intel->refresher);
    return status;
}

/* Nothing is read, so it counts as loaded. */
static int make_list(struct picket_intel *intel, const struct picket_feed *list,
                     struct picket_feed *made, struct picket_error *error)
{
    *made = *list;
    begin_feed(made);
    made->loaded_ms = made->added_ms;
    made->refresh_s = 0;
    int status = picket_store_feed_put(intel->store, made, error);
    if (status != PICKET_OK || intel->table_lacks)
        return status;
    if (intel_add_to_table(intel->published.table, made) != 0)
        return PICKET_OK;
    picket_store_feed_remove(intel->store, made->name, NULL);
    return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory, or too many feeds",
                       made->name);
}

int kept_list_ensure(struct picket_intel *intel, const struct picket_feed *list,
                     struct picket_error *error)
{
    struct picket_feed made;
    int status = check_is_new(intel, list->name, error);
    if (status == PICKET_EXISTS)
        return PICKET_OK;
    return status == PICKET_OK ? make_list(intel, list, &made, error) : status;
}

static int add_list(struct picket_intel *intel, const struct picket_feed *list,
                    struct picket_feed_report *report, struct picket_error *error)
{
    struct picket_feed made;
    int status = check_feed(list, error);
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
    struct taking taking = {intel_change(intel), table_feed_number(table, name)};
    if (taking.batch == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "feed %s: no memory", name);
    int status = picket_store_indicators(intel->store, name, take_out, &taking, error);
    if (status == PICKET_OK)
        status = picket_store_feed_remove(intel->store, name, error);
    if (status != PICKET_OK) {
        table_batch_free(taking.batch);
        return status;
    }
    status = intel_publish(intel, taking.batch, error);
    malloc_trim(0);
    if (taking.feed != 0 && intel->published.table == table)
        table_remove_feed(table, taking.feed);
    return status;
}

int picket_intel_feed_remove(struct picket_intel *intel, const char *name,
                             struct picket_error *error)
{
    pthread_mutex_lock(&intel->changing);
    int status = remove_feed(intel, name, error);
    pthread_mutex_unlock(&intel->changing);
    return status;
}

/* ---- refreshing ---- */

/* With the lock held: what was fetched for `asked` is taken in if the feed is still that one. */
static int refresh_fetched(struct picket_intel *intel, const struct picket_feed *asked,
                           struct fetched *fetched, int fetch_status, struct picket_feed *feed,
                           struct picket_feed_delta *delta, struct picket_error *error)
{
    struct picket_error lookup = {0};
    int status = intel_find_feed(intel, asked->name, feed, &lookup);
    if (status != PICKET_OK)
        return picket_fail(error, status, "%s", lookup.text);
    if (feed->added_ms != asked->added_ms || strcmp(feed->source, asked->source) != 0)
        return picket_fail(error, PICKET_BUSY, "feed %s was replaced meanwhile", feed->name);
    if (fetch_status != PICKET_OK) {
        if (fetch_status != PICKET_CLOSED)
            note_attempt(intel, feed, error->text);
        return fetch_status;
    }
    if (fetched->source.not_modified) {
        delta->kept = feed->indicators;
        note_attempt(intel, feed, "");
        return PICKET_OK;
    }
    status = take(intel, feed, fetched, delta, error);
    if (status != PICKET_OK) {
        /* Whatever the store has, lookups do not: the next attempt must not be told "not modified".
         */
        feed->etag[0] = feed->last_modified[0] = '\0';
        note_attempt(intel, feed, error->text);
    }
    return status;
}

int intel_refresh(struct picket_intel *intel, const char *name, bool conditional,
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
    status = fetch(intel, &asked, conditional, &fetched, error);
    pthread_mutex_lock(&intel->changing);
    status = refresh_fetched(intel, &asked, &fetched, status, &feed, &delta, error);
    pthread_mutex_unlock(&intel->changing);
    fill_report(report, &feed, &delta, &fetched.reading, started_ms);
    free_fetched(&fetched);
    return status;
}

int picket_intel_feed_refresh(struct picket_intel *intel, const char *name,
                              struct picket_feed_report *report, struct picket_error *error)
{
    int status = enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = intel_refresh(intel, name, false, report, error);
    leave_request(intel);
    return status;
}
