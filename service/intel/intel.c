#include "intel_internal.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "matcher.h"
#include "picket/base/diagnostics.h"

/* ---- the table: built from the store, and published ---- */

struct loading {
    struct table_builder *builder;
    struct picket_feed *feeds; /* as many as the builder has, in the same order */
    int feed_count;
    int last; /* the feed of the last indicator: they come feed by feed */
    bool failed;
};

static void load_feed(void *context, const struct picket_feed *feed)
{
    struct loading *loading = context;
    struct picket_feed *feeds =
        realloc(loading->feeds, ((size_t)loading->feed_count + 1) * sizeof *feeds);
    if (feeds == NULL ||
        table_add_feed(loading->builder, feed->name, feed->match_special_purpose) < 0) {
        loading->failed = true;
        loading->feeds = feeds != NULL ? feeds : loading->feeds;
        return;
    }
    loading->feeds = feeds;
    feeds[loading->feed_count++] = *feed;
}

static void load_indicator(void *context, const char *feed,
                           const struct picket_indicator *indicator)
{
    struct loading *loading = context;
    if (loading->last >= loading->feed_count ||
        strcmp(loading->feeds[loading->last].name, feed) != 0)
        for (loading->last = 0; loading->last < loading->feed_count; loading->last++)
            if (strcmp(loading->feeds[loading->last].name, feed) == 0)
                break;
    if (loading->last < loading->feed_count && !loading->failed)
        loading->failed = !table_add(loading->builder, loading->last, indicator);
}

static int load_table(struct picket_store *store, struct table **table, struct picket_error *error)
{
    struct loading loading = {.builder = table_builder_new()};
    if (loading.builder == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    int status = picket_store_feeds(store, load_feed, &loading, error);
    if (status == PICKET_OK)
        status = picket_store_indicators(store, NULL, load_indicator, &loading, error);
    free(loading.feeds);
    if (status == PICKET_OK && loading.failed)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    if (status == PICKET_OK)
        return table_build(loading.builder, table, error);
    table_builder_free(loading.builder);
    return status;
}

int intel_publish(struct picket_intel *intel, struct picket_error *error)
{
    struct table *fresh;
    int status = load_table(intel->store, &fresh, error);
    if (status != PICKET_OK)
        return status;
    published_swap(&intel->published, fresh);
    malloc_trim(0); /* what building took is given back to the system, not kept for next time */
    return PICKET_OK;
}

/* ---- start and stop ---- */

int picket_intel_start(struct picket_intel **intel, const char *store_folder,
                       struct picket_error *error)
{
    struct picket_intel *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for intelligence");
    pthread_mutex_init(&started->changing, NULL);
    int status = picket_store_open(&started->store, store_folder, error);
    if (status == PICKET_OK)
        status = intel_publish(started, error);
    if (status == PICKET_OK)
        status = refresher_start(&started->refresher, started, error);
    if (status != PICKET_OK) {
        picket_intel_stop(started);
        return status;
    }
    *intel = started;
    return PICKET_OK;
}

void picket_intel_interrupt(struct picket_intel *intel)
{
    atomic_store(&intel->stopping, 1);
}

void picket_intel_stop(struct picket_intel *intel)
{
    if (intel == NULL)
        return;
    picket_intel_interrupt(intel);
    if (intel->refresher != NULL)
        refresher_stop(intel->refresher);
    if (intel->store != NULL)
        picket_store_close(intel->store);
    table_free(intel->published.table);
    pthread_mutex_destroy(&intel->changing);
    free(intel);
}

/* ---- lookups ---- */

static size_t visit_entry(const struct table *table, uint8_t family, uint32_t entry, bool special,
                          picket_match_visit visit, void *context)
{
    uint32_t first, end = table_records(table, family, entry, &first);
    for (uint32_t record = first; record < end; record++) {
        struct table_match found;
        table_record(table, family, entry, record, &found);
        struct picket_match match = {
            .feed = found.feed->name,
            .prefix = found.prefix,
            .port = found.port,
            .confidence = found.confidence,
            .first_seen_ms = found.first_seen_ms,
            .valid_until_ms = found.valid_until_ms,
            .line = found.line,
            .tags = found.tags,
            .suppressed = special && !found.feed->match_special_purpose,
        };
        visit(context, &match);
    }
    return end - first;
}

size_t picket_intel_lookup(struct picket_intel *intel, const struct picket_address *address,
                           picket_match_visit visit, void *context)
{
    size_t found = 0;
    bool special = picket_address_special_purpose(address) != NULL;
    const struct table *table = published_read(&intel->published);
    for (uint32_t entry = table_find(table, address); entry != TABLE_NONE;
         entry = table_parent(table, address->family, entry))
        found += visit_entry(table, address->family, entry, special, visit, context);
    published_done(&intel->published);
    return found;
}

size_t picket_intel_indicator_count(struct picket_intel *intel)
{
    size_t count = table_indicators(published_read(&intel->published));
    published_done(&intel->published);
    return count;
}

/* What a match yields is written within the same read-side section, which only delays the freeing
 * of an old table. */
static int inspect(void *state, const struct picket_event *event, picket_yield yield, void *context)
{
    struct picket_intel *intel = state;
    if (event->flow_count == 0)
        return PICKET_OK;
    int status = matcher_inspect(published_read(&intel->published), event, yield, context);
    published_done(&intel->published);
    return status;
}

static uint64_t stamp(void *state)
{
    return published_stamp(&((struct picket_intel *)state)->published);
}

static uint64_t look_ahead(void *state, const struct picket_event *event)
{
    struct picket_intel *intel = state;
    uint64_t before = stamp(state);
    bool finds = matcher_finds(published_read(&intel->published), event);
    published_done(&intel->published);
    return finds ? 0 : before;
}

struct picket_detector picket_intel_detector(struct picket_intel *intel)
{
    return (struct picket_detector){.name = "intelligence",
                                    .state = intel,
                                    .inspect = inspect,
                                    .look_ahead = look_ahead,
                                    .stamp = stamp};
}
