#include "hunt_target.h"

#include <stdlib.h>
#include <string.h>

void hunt_target_free(struct hunt_target *target)
{
    free(target->indicators);
    target->indicators = NULL;
}

/* ---- which feeds, and which of their indicators ---- */

struct loading {
    const struct hunt_target *target;
    struct hunt *hunt;
    struct table_batch *batch; /* NULL while they are counted */
    struct picket_feed *feeds; /* to be read */
    size_t feed_count;
    const struct picket_feed *feed; /* at hand */
    uint16_t number;                /* in the table */
    int64_t count;
    bool failed;
};

static bool is_sought(const struct hunt_target *target, const struct picket_feed *feed)
{
    if (feed->role != PICKET_FEED_THREAT)
        return false;
    switch (target->kind) {
    case HUNT_ARRIVALS: /* what it has read since may hold some; lists change at any time */
        return picket_feed_is_kept(feed) || feed->loaded_ms > target->after_ms;
    case HUNT_FEED:
        return strcmp(feed->name, target->feed) == 0;
    default:
        return target->kind == HUNT_ALL;
    }
}

/* For all there is a table already. */
static bool is_weighed(const struct hunt_target *target, const struct picket_feed *feed)
{
    return feed->role != PICKET_FEED_THREAT && target->kind != HUNT_ALL &&
           (target->kind != HUNT_INDICATORS || target->weighs_lists);
}

static void note_feed(void *context, const struct picket_feed *feed)
{
    struct loading *loading = context;
    if (!is_sought(loading->target, feed) && !is_weighed(loading->target, feed))
        return;
    struct picket_feed *feeds =
        realloc(loading->feeds, (loading->feed_count + 1) * sizeof *loading->feeds);
    if (feeds == NULL) {
        loading->failed = true;
        return;
    }
    loading->feeds = feeds;
    loading->feeds[loading->feed_count++] = *feed;
}

static bool has_arrived(const struct hunt_target *target, const struct picket_indicator *indicator)
{
    return target->kind != HUNT_ARRIVALS || (indicator->first_seen_ms > target->after_ms &&
                                             indicator->first_seen_ms <= target->to_ms);
}

static void count_indicator(void *context, const char *feed,
                            const struct picket_indicator *indicator)
{
    struct loading *loading = context;
    (void)feed;
    loading->count += has_arrived(loading->target, indicator);
}

static void note_coming(struct hunt *hunt, const struct picket_indicator *indicator)
{
    if (hunt->first_came_ms == 0 || indicator->first_seen_ms < hunt->first_came_ms)
        hunt->first_came_ms = indicator->first_seen_ms;
}

static void take_indicator(void *context, const char *feed,
                           const struct picket_indicator *indicator)
{
    struct loading *loading = context;
    bool is_threat = loading->feed->role == PICKET_FEED_THREAT;
    (void)feed;
    if (loading->failed || (is_threat && !has_arrived(loading->target, indicator)))
        return;
    if (is_threat && loading->target->kind == HUNT_ARRIVALS)
        note_coming(loading->hunt, indicator);
    loading->failed =
        (is_threat && !picket_address_filter_add(&loading->hunt->filter, &indicator->prefix)) ||
        (loading->batch != NULL && !table_put(loading->batch, loading->number, indicator));
}

/* ---- reading ---- */

static int visit_feeds(struct loading *loading, struct picket_store *store, bool only_threats,
                       picket_indicator_visit visit, struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < loading->feed_count && status == PICKET_OK; i++) {
        const struct picket_feed *feed = loading->feed = &loading->feeds[i];
        if (only_threats && feed->role != PICKET_FEED_THREAT)
            continue;
        if (loading->batch != NULL) {
            struct table_feed added = {.name = feed->name,
                                       .match_special_purpose = feed->match_special_purpose,
                                       .match_own_networks = feed->match_own_networks,
                                       .role = (uint8_t)feed->role};
            loading->number = table_add_feed(loading->hunt->table, &added);
            loading->failed |= loading->number == 0;
        }
        status = picket_store_indicators(store, feed->name, visit, loading, error);
        if (status == PICKET_NOT_FOUND)
            status = PICKET_OK; /* it was removed meanwhile */
    }
    return status;
}

/* Whoever asks for an address by its name means it, whatever it is. */
static void take_asked(struct loading *loading)
{
    static const struct table_feed asked = {
        .name = HUNT_ASKED, .match_special_purpose = true, .match_own_networks = true};
    static const struct picket_feed feed = {.role = PICKET_FEED_THREAT};
    loading->feed = &feed;
    loading->number = table_add_feed(loading->hunt->table, &asked);
    loading->failed |= loading->number == 0;
    for (size_t i = 0; i < loading->target->count; i++)
        take_indicator(loading, HUNT_ASKED, &loading->target->indicators[i]);
}

static int fill(struct loading *loading, struct picket_store *store, struct picket_error *error)
{
    const struct hunt_target *target = loading->target;
    if (target->kind != HUNT_ALL) {
        loading->hunt->table = table_new();
        loading->batch =
            loading->hunt->table != NULL ? table_batch_new(loading->hunt->table) : NULL;
        loading->failed |= loading->batch == NULL;
    }
    loading->failed |= !picket_address_filter_init(&loading->hunt->filter, (size_t)loading->count);
    if (target->kind == HUNT_INDICATORS && !loading->failed)
        take_asked(loading);
    int status =
        loading->failed ? PICKET_OK : visit_feeds(loading, store, false, take_indicator, error);
    if (status == PICKET_OK && loading->failed)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for what a hunt looks for");
    if (loading->batch != NULL && status == PICKET_OK)
        return table_apply(loading->batch, error);
    table_batch_free(loading->batch);
    return status;
}

int hunt_target_load(const struct hunt_target *target, struct picket_store *store,
                     struct hunt *hunt, int64_t *indicators, struct picket_error *error)
{
    struct loading loading = {.target = target, .hunt = hunt, .count = (int64_t)target->count};
    int status = picket_store_feeds(store, note_feed, &loading, error);
    if (status == PICKET_OK)
        status = visit_feeds(&loading, store, true, count_indicator, error);
    if (status == PICKET_OK && loading.failed)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for what a hunt looks for");
    if (status == PICKET_OK && loading.count > 0)
        status = fill(&loading, store, error);
    *indicators = loading.count;
    free(loading.feeds);
    return status;
}
