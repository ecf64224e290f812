#include "intel_internal.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel/matching/matcher.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

/* ---- the table ---- */

struct loading {
    struct table *table;
    struct expiry expiry;
    struct table_batch *batch;
    char name[65]; /* of the feed of the last indicator: they come feed by feed */
    uint16_t feed;
    struct expiry_change change; /* of that feed */
    bool failed;
};

static uint16_t add_to_table(struct table *table, struct expiry *expiry,
                             const struct picket_feed *feed)
{
    struct table_feed added = {.name = feed->name,
                               .match_special_purpose = feed->match_special_purpose,
                               .match_own_networks = feed->match_own_networks,
                               .role = (uint8_t)feed->role};
    uint16_t number = table_add_feed(table, &added);
    if (number != 0)
        expiry_add_feed(expiry, number, feed->name);
    return number;
}

uint16_t intel_add_to_table(struct picket_intel *intel, const struct picket_feed *feed)
{
    return add_to_table(intel->published.table, &intel->expiry, feed);
}

void intel_remove_from_table(struct picket_intel *intel, uint16_t feed)
{
    table_remove_feed(intel->published.table, feed);
    expiry_remove_feed(&intel->expiry, feed);
}

static void load_feed(void *context, const struct picket_feed *feed)
{
    struct loading *loading = context;
    if (add_to_table(loading->table, &loading->expiry, feed) == 0)
        loading->failed = true;
}

static void end_feed(struct loading *loading)
{
    if (loading->feed != 0)
        expiry_changed(&loading->expiry, loading->feed, &loading->change);
}

static void begin_feed(struct loading *loading, const char *feed)
{
    end_feed(loading);
    snprintf(loading->name, sizeof loading->name, "%s", feed);
    loading->feed = table_feed_number(loading->table, feed);
    loading->change = expiry_change_of(&loading->expiry, loading->feed);
}

static void load_indicator(void *context, const char *feed,
                           const struct picket_indicator *indicator)
{
    struct loading *loading = context;
    if (strcmp(loading->name, feed) != 0)
        begin_feed(loading, feed);
    if (loading->feed != 0 && !loading->failed && expiry_take(&loading->change, indicator))
        loading->failed = !table_put(loading->batch, loading->feed, indicator);
}

static int read_all(struct picket_store *store, struct loading *loading, struct picket_error *error)
{
    if (!expiry_open(&loading->expiry) || loading->table == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    int status = picket_store_feeds(store, load_feed, loading, error);
    loading->batch = table_batch_new(loading->table);
    if (loading->batch == NULL)
        loading->failed = true;
    if (status == PICKET_OK && !loading->failed)
        status = picket_store_indicators(store, NULL, load_indicator, loading, error);
    end_feed(loading);
    if (status == PICKET_OK && loading->failed)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    return status;
}

static int load_table(struct picket_intel *intel, struct table **table, struct picket_error *error)
{
    struct loading loading = {.table = table_new()};
    int status = read_all(intel->store, &loading, error);
    if (status == PICKET_OK)
        status = table_apply(loading.batch, error);
    else
        table_batch_free(loading.batch);
    if (status != PICKET_OK) {
        table_free(loading.table);
    } else {
        *table = loading.table;
        expiry_swap(&intel->expiry, &loading.expiry);
    }
    expiry_close(&loading.expiry);
    malloc_trim(0); /* what building took is given back to the system, not kept for next time */
    return status;
}

static int build_anew(struct picket_intel *intel, struct picket_error *error)
{
    struct table *fresh;
    int status = load_table(intel, &fresh, error);
    intel->table_lacks = status != PICKET_OK;
    if (status == PICKET_OK)
        published_swap(&intel->published, fresh);
    return status;
}

/* ---- changes ---- */

bool intel_begin_taking(struct picket_intel *intel, uint16_t feed, struct taking *taking)
{
    *taking = (struct taking){.batch = table_batch_new(intel->published.table),
                              .feed = feed,
                              .expiry = expiry_change_of(&intel->expiry, feed)};
    return taking->batch != NULL;
}

void intel_take_change(void *context, const struct picket_indicator *before,
                       const struct picket_indicator *now)
{
    struct taking *taking = context;
    taking->brings |=
        now != NULL && (before == NULL || before->first_seen_ms != now->first_seen_ms);
    if (before != NULL)
        expiry_take_out(&taking->expiry, before);
    if (now != NULL && expiry_take(&taking->expiry, now))
        table_put(taking->batch, taking->feed, now);
    else if (before != NULL)
        table_take_out(taking->batch, taking->feed, before);
}

static int publish(struct picket_intel *intel, struct taking *taking, struct picket_error *error)
{
    struct picket_error problem = {0};
    if (intel->table_lacks) {
        table_batch_free(taking->batch);
        return build_anew(intel, error);
    }
    int status = table_apply(taking->batch, &problem);
    published_changed(&intel->published);
    if (status != PICKET_OK)
        return build_anew(intel, error);
    expiry_changed(&intel->expiry, taking->feed, &taking->expiry);
    return PICKET_OK;
}

int intel_publish(struct picket_intel *intel, struct taking *taking, struct picket_error *error)
{
    if (taking->brings)
        arrivals_begin(&intel->arrivals);
    int status = publish(intel, taking, error);
    if (taking->brings)
        arrivals_end(&intel->arrivals);
    return status;
}

/* ---- start and stop ---- */

/* Whatever comes after it is inspected with what is loaded now. */
static int know_newest_event(struct picket_intel *intel, struct picket_error *error)
{
    int64_t first, end = 0;
    struct picket_hunted hunted = {0};
    int status =
        picket_store_events_between(intel->store, INT64_MIN, INT64_MAX, &first, &end, error);
    if (status == PICKET_OK)
        status = picket_store_hunted_get(intel->store, &hunted, error);
    arrivals_start(&intel->arrivals, end > 0 ? end - 1 : 0,
                   hunted.to_ms > hunted.mark_ms ? hunted.to_ms : hunted.mark_ms);
    return status;
}

int picket_intel_start(struct picket_intel **intel, const char *store_folder,
                       struct picket_error *error)
{
    struct picket_intel *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for intelligence");
    pthread_mutex_init(&started->changing, NULL);
    pthread_mutex_init(&started->looking_up, NULL);
    silences_open(&started->silences);
    arrivals_open(&started->arrivals);
    int status = picket_store_open(&started->store, store_folder, error);
    if (status == PICKET_OK)
        status = picket_store_open(&started->listed, store_folder, error);
    if (status == PICKET_OK && !expiry_open(&started->expiry))
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for intelligence");
    if (status == PICKET_OK)
        status = know_newest_event(started, error);
    if (status == PICKET_OK)
        status = load_table(started, &started->published.table, error);
    if (status == PICKET_OK)
        status = feed_health_open(&started->health, store_folder, error);
    if (status == PICKET_OK)
        status = refresher_start(&started->refresher, started, error);
    if (status == PICKET_OK)
        status = sweeper_start(&started->sweeper, started, store_folder, error);
    if (status != PICKET_OK) {
        picket_intel_stop(started);
        return status;
    }
    started->watch = feed_watch_start(started);
    *intel = started;
    return PICKET_OK;
}

void picket_intel_tell(struct picket_intel *intel, struct picket_log *log)
{
    feed_health_tell(intel->health, log);
    refresher_wake(intel->refresher);
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
    feed_watch_stop(intel->watch); /* it asks the refresher */
    if (intel->sweeper != NULL)
        sweeper_stop(intel->sweeper);
    if (intel->refresher != NULL)
        refresher_stop(intel->refresher);
    feed_health_close(intel->health); /* the refresher looks at it */
    if (intel->store != NULL)
        picket_store_close(intel->store);
    if (intel->listed != NULL)
        picket_store_close(intel->listed);
    table_free(intel->published.table);
    expiry_close(&intel->expiry);
    silences_close(&intel->silences);
    arrivals_close(&intel->arrivals);
    pthread_mutex_destroy(&intel->looking_up);
    pthread_mutex_destroy(&intel->changing);
    free(intel);
}

/* ---- what the store has of an indicator ---- */

void intel_take_listing(void *context, const char *feed, const struct picket_indicator *indicator)
{
    struct listing *listing = context;
    (void)feed;
    listing->first_seen_ms = indicator->first_seen_ms;
    listing->listed_ms = indicator->listed_ms;
    listing->line = indicator->line;
    listing->severity = indicator->severity;
    listing->tlp = indicator->tlp;
    snprintf(listing->tags, sizeof listing->tags, "%s", indicator->tags);
    snprintf(listing->malware, sizeof listing->malware, "%s", indicator->malware);
    snprintf(listing->reference, sizeof listing->reference, "%s", indicator->reference);
}

static bool look_up_listing(void *context, struct listing *listing)
{
    struct picket_intel *intel = context;
    struct picket_error error = {0};
    const struct table_match *match = &listing->match;
    struct picket_indicator which = {
        .prefix = match->prefix, .port = match->port, .protocol = match->protocol};
    pthread_mutex_lock(&intel->looking_up);
    int status = picket_store_indicator(intel->listed, match->feed->name, &which,
                                        intel_take_listing, listing, &error);
    pthread_mutex_unlock(&intel->looking_up);
    if (status != PICKET_OK && status != PICKET_NOT_FOUND)
        picket_say(PICKET_WARNING, "service", "feed %s: what it says of a match: %s",
                   match->feed->name, error.text);
    return status != PICKET_NOT_FOUND;
}

/* ---- lookups ---- */

/* What is asked about, and the table that answers. */
struct lookup {
    struct picket_intel *intel;
    const struct table *table;
    const struct picket_address *address;
    struct traffic traffic;
};

/* What the store has of a match too. False: it is listed no more. */
static bool fill_match(struct picket_intel *intel, const struct table_match *found,
                       struct listing *listing, struct picket_match *match)
{
    listing->match = *found;
    if (!look_up_listing(intel, listing))
        return false;
    *match = (struct picket_match){
        .feed = found->feed->name,
        .prefix = found->prefix,
        .port = found->port,
        .protocol = found->protocol,
        .confidence = found->confidence,
        .severity = listing->severity,
        .tlp = listing->tlp,
        .first_seen_ms = listing->first_seen_ms,
        .listed_ms = listing->listed_ms,
        .valid_until_ms = found->valid_until_ms,
        .line = listing->line,
        .tags = listing->tags,
        .malware = listing->malware,
        .reference = listing->reference,
        .role = found->feed->role,
    };
    return true;
}

/* The narrowest indicator of an allow list that silences the threat. */
static bool find_allowing(const struct lookup *lookup, const struct table_match *threat,
                          struct table_match *allow)
{
    struct table_walk walk;
    table_walk(&walk, lookup->table, lookup->address);
    while (table_walk_next(&walk, allow))
        if (outcome_of(&lookup->traffic, allow) == PICKET_OUTCOME_ALLOWS &&
            outcome_is_allowed(&lookup->traffic, threat, allow))
            return true;
    return false;
}

/* False: it is listed no more. */
static bool visit_match(const struct lookup *lookup, const struct table_match *found,
                        picket_match_visit visit, void *context)
{
    struct listing listing = {.line = 0}, allow_listing = {.line = 0};
    struct picket_match match, allowed_by;
    struct table_match allow;
    if (!fill_match(lookup->intel, found, &listing, &match))
        return false;
    match.outcome = outcome_of(&lookup->traffic, found);
    if (match.outcome == PICKET_OUTCOME_ALERT && find_allowing(lookup, found, &allow) &&
        fill_match(lookup->intel, &allow, &allow_listing, &allowed_by)) {
        match.outcome = PICKET_OUTCOME_ALLOWED;
        match.allowed_by = &allowed_by;
    }
    match.suppressed = match.role == PICKET_FEED_THREAT && match.outcome != PICKET_OUTCOME_ALERT;
    visit(context, &match);
    return true;
}

size_t picket_intel_lookup_flow(struct picket_intel *intel, const struct picket_address *address,
                                uint16_t port, uint8_t protocol, picket_match_visit visit,
                                void *context)
{
    size_t found = 0;
    struct table_match match;
    struct table_walk walk;
    struct lookup lookup = {intel,
                            published_read(&intel->published),
                            address,
                            {.port = port,
                             .any_port = port == 0,
                             .protocol = protocol,
                             .at_ms = picket_unix_ms(),
                             .is_special_purpose = picket_address_special_purpose(address) != NULL,
                             .is_own = own_network_of(&intel->own_networks, address) != NULL}};
    table_walk(&walk, lookup.table, address);
    while (table_walk_next(&walk, &match))
        found += visit_match(&lookup, &match, visit, context);
    published_done();
    return found;
}

size_t picket_intel_lookup(struct picket_intel *intel, const struct picket_address *address,
                           picket_match_visit visit, void *context)
{
    return picket_intel_lookup_flow(intel, address, 0, 0, visit, context);
}

void picket_intel_own_networks(struct picket_intel *intel, const struct picket_prefix *prefixes,
                               size_t count)
{
    intel->own_networks = (struct own_networks){prefixes, count};
}

bool picket_intel_own_network(struct picket_intel *intel, const struct picket_address *address,
                              struct picket_prefix *prefix)
{
    const struct picket_prefix *own = own_network_of(&intel->own_networks, address);
    if (own != NULL)
        *prefix = *own;
    return own != NULL;
}

int64_t picket_intel_feed_expired(struct picket_intel *intel, const char *feed)
{
    return expiry_count(&intel->expiry, feed);
}

uint64_t picket_intel_silenced(struct picket_intel *intel, const char *list)
{
    return silences_of(&intel->silences, list);
}

size_t picket_intel_indicator_count(struct picket_intel *intel)
{
    size_t count = table_indicators(published_read(&intel->published));
    published_done();
    return count;
}

/* Who searches stored events is to know what was found as it came. */
struct live_yield {
    struct picket_intel *intel;
    int64_t event_id;
    picket_yield yield;
    void *context;
};

static int yield_live(void *context, const struct picket_finding *finding)
{
    struct live_yield *live = context;
    arrivals_found(&live->intel->arrivals, live->event_id, finding->subject);
    return live->yield(live->context, finding);
}

static void approach(void *state, int64_t event_id)
{
    arrivals_event(&((struct picket_intel *)state)->arrivals, event_id);
}

/* What a match yields is written while the table is being read, which only delays that what has
 * gone from it is given back. */
static int inspect(void *state, const struct picket_event *event, picket_yield yield, void *context)
{
    struct picket_intel *intel = state;
    struct live_yield live = {intel, event->event_id, yield, context};
    struct listings listings = {look_up_listing, intel};
    struct matching matching = {
        .listings = &listings, .own_networks = intel->own_networks, .silences = &intel->silences};
    if (event->flow_count == 0)
        return PICKET_OK;
    matching.table = published_read(&intel->published);
    int status = matcher_inspect(&matching, event, yield_live, &live);
    published_done();
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
    struct matching matching = {.table = published_read(&intel->published),
                                .own_networks = intel->own_networks};
    bool finds = matcher_finds(&matching, event);
    published_done();
    return finds ? 0 : before;
}

struct picket_detector picket_intel_detector(struct picket_intel *intel)
{
    return (struct picket_detector){.name = "intelligence",
                                    .state = intel,
                                    .inspect = inspect,
                                    .approach = approach,
                                    .look_ahead = look_ahead,
                                    .stamp = stamp};
}
