/* Adding and removing feeds, and changing their settings. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed_settings.h"
#include "feed_taking.h"
#include "intel/fetching/feed_taxii.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/feed_parts.h"

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
    status = feed_take_in(intel, feed, fetched, false, delta, error);
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
    status = feed_get(intel, &added, false, &fetched, error);
    if (status == PICKET_OK) {
        pthread_mutex_lock(&intel->changing);
        status = add_fetched(intel, &added, &fetched, &delta, error);
        pthread_mutex_unlock(&intel->changing);
    }
    feed_fill_report(report, &added, &delta, &fetched.reading, started_ms);
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
    int status = feed_enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = add_feed(intel, feed, report, error);
    feed_leave_request(intel);
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
    int status = feed_enter_request(intel, error);
    if (status != PICKET_OK)
        return status;
    status = feed_taxii_collections(url, access, &intel->stopping, visit, context, error);
    feed_leave_request(intel);
    return status;
}

int64_t picket_intel_feed_next_ms(struct picket_intel *intel, const struct picket_feed *feed)
{
    return refresher_next_ms(intel->refresher, feed);
}
