/* Takes out of memory what expired an hour ago, and removes from kept lists what did so a month
 * ago.
 *
 * What a feed has is read without the lock, for it may be millions, and only counts if nothing of
 * it has changed meanwhile; kept lists, which change all the time, know by an index what expires.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "intel_internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"

enum {
    SWEEP_EVERY_MS = 60 * 1000, /* a feed, and clocks may be set while we sleep */
    SWEEP_SHARE = 50,           /* and reading it takes 2 % of the time at most */
    FORGET_EVERY_MS = 60 * 60 * 1000,
};
static const int64_t forget_after_ms = (int64_t)30 * 24 * 3600 * 1000;

static struct picket_counter expired = {.name = "service_indicators_expired",
                                        .is_work = true,
                                        .help = "indicators taken out of memory, since they are "
                                                "not valid any more"};
static struct picket_counter forgotten = {.name = "service_indicators_forgotten",
                                          .is_work = true,
                                          .help = "indicators removed from kept lists, 30 days "
                                                  "after they expired"};

struct sweeper {
    struct picket_intel *intel;
    struct picket_store *store; /* read while others change what there is */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* around stop */
    pthread_cond_t stopping;
    bool stop;
    pthread_mutex_t sweeping; /* around store and what follows */
    int64_t forget_ms;        /* when to look for what expired long ago */
};

/* A feed to be swept, as it is known when that begins. */
struct sweep {
    struct table *table;
    uint16_t feed;
    char name[65];
    uint64_t changes;
    int64_t from_ms, until_ms, next_ms;
    struct taking taking;
    int64_t found;
};

/* ---- which ---- */

static bool is_due(const struct feed_expiry *feed, int64_t now_ms)
{
    bool waits =
        feed->not_before_ms > now_ms &&
        feed->not_before_ms - now_ms < INT64_C(24) * 3600 * 1000; /* the clock's own step */
    return feed->name[0] != '\0' && feed->next_ms <= now_ms - EXPIRY_GRACE_MS && !waits;
}

/* With the lock held: the next due from that number on; false if there is none. */
static bool begin_sweep(struct picket_intel *intel, uint16_t from, int64_t now_ms,
                        struct sweep *sweep)
{
    const struct expiry *expiry = &intel->expiry;
    uint32_t feed = from;
    while (feed <= expiry->used && !is_due(&expiry->feeds[feed], now_ms))
        feed++;
    if (feed > expiry->used || intel->table_lacks)
        return false;
    const struct feed_expiry *due = &expiry->feeds[feed];
    *sweep = (struct sweep){.table = intel->published.table,
                            .feed = (uint16_t)feed,
                            .changes = due->changes,
                            .from_ms = due->out_until_ms,
                            .until_ms = now_ms - EXPIRY_GRACE_MS,
                            .next_ms = EXPIRY_NEVER};
    memcpy(sweep->name, due->name, sizeof sweep->name);
    return intel_begin_taking(intel, sweep->feed, &sweep->taking);
}

/* ---- one feed ---- */

static void look_at(void *context, const char *feed, const struct picket_indicator *indicator)
{
    struct sweep *sweep = context;
    int64_t valid_until_ms = indicator->valid_until_ms;
    (void)feed;
    if (valid_until_ms == 0 || valid_until_ms <= sweep->from_ms)
        return;
    if (valid_until_ms > sweep->until_ms) {
        if (valid_until_ms < sweep->next_ms)
            sweep->next_ms = valid_until_ms;
        return;
    }
    table_take_out(sweep->taking.batch, sweep->feed, indicator);
    sweep->found++;
}

/* With the lock held. */
static int end_sweep(struct picket_intel *intel, struct sweep *sweep, struct picket_error *error)
{
    struct feed_expiry *feed = &intel->expiry.feeds[sweep->feed];
    sweep->taking.expiry = (struct expiry_change){
        .out_until_ms = sweep->until_ms, .next_ms = sweep->next_ms, .expired = sweep->found};
    feed->next_ms = EXPIRY_NEVER;
    int status = intel_publish(intel, &sweep->taking, error);
    picket_count(&expired, (uint64_t)sweep->found);
    return status;
}

/* With the lock held: the list and its index are as the table has them. */
static int sweep_list(struct picket_intel *intel, struct sweep *sweep, struct picket_error *error)
{
    int64_t next_ms;
    int status = picket_store_kept_expiring(intel->store, sweep->name, sweep->from_ms,
                                            sweep->until_ms, look_at, sweep, &next_ms, error);
    sweep->next_ms = next_ms;
    if (status == PICKET_OK)
        return end_sweep(intel, sweep, error);
    table_batch_free(sweep->taking.batch);
    return status;
}

static bool is_as_it_was(const struct picket_intel *intel, const struct sweep *sweep)
{
    const struct feed_expiry *feed = &intel->expiry.feeds[sweep->feed];
    return intel->published.table == sweep->table && feed->changes == sweep->changes &&
           strcmp(feed->name, sweep->name) == 0 && !intel->table_lacks;
}

/* Without the lock; takes it to end. */
static int sweep_feed(struct sweeper *sweeper, struct sweep *sweep, struct picket_error *error)
{
    struct picket_intel *intel = sweeper->intel;
    int status = picket_store_indicators(sweeper->store, sweep->name, look_at, sweep, error);
    pthread_mutex_lock(&intel->changing);
    if (status == PICKET_OK && is_as_it_was(intel, sweep))
        status = end_sweep(intel, sweep, error);
    else
        table_batch_free(sweep->taking.batch); /* it is tried again */
    pthread_mutex_unlock(&intel->changing);
    return status == PICKET_NOT_FOUND ? PICKET_OK : status; /* it was removed meanwhile */
}

static void find_kind(void *context, const struct picket_feed *feed)
{
    struct picket_feed *found = context;
    if (strcmp(feed->name, found->name) == 0)
        *found = *feed;
}

/* With the lock held. */
static bool is_kept_list(struct picket_intel *intel, const char *name)
{
    struct picket_feed found = {.source = "unknown"};
    memcpy(found.name, name, sizeof found.name);
    picket_store_feeds(intel->store, find_kind, &found, NULL);
    return picket_feed_is_kept(&found);
}

static void end_pace(struct picket_intel *intel, const struct sweep *sweep, int64_t now_ms,
                     int64_t took_ms)
{
    int64_t wait_ms = took_ms * SWEEP_SHARE;
    pthread_mutex_lock(&intel->changing);
    struct feed_expiry *feed = &intel->expiry.feeds[sweep->feed];
    if (strcmp(feed->name, sweep->name) == 0)
        feed->not_before_ms = now_ms + (wait_ms > SWEEP_EVERY_MS ? wait_ms : SWEEP_EVERY_MS);
    pthread_mutex_unlock(&intel->changing);
}

static bool sweep_one(struct sweeper *sweeper, struct sweep *sweep, int64_t now_ms)
{
    struct picket_error error = {0};
    struct picket_intel *intel = sweeper->intel;
    int64_t started_ms = picket_monotonic_ms();
    pthread_mutex_lock(&intel->changing);
    bool kept = is_kept_list(intel, sweep->name);
    int status = kept ? sweep_list(intel, sweep, &error) : PICKET_OK;
    pthread_mutex_unlock(&intel->changing);
    if (!kept)
        status = sweep_feed(sweeper, sweep, &error);
    if (status != PICKET_OK)
        picket_say(PICKET_WARNING, "service", "feed %s: what expired stays in memory: %s",
                   sweep->name, error.text);
    end_pace(intel, sweep, now_ms, picket_monotonic_ms() - started_ms);
    if (sweep->found > 0)
        malloc_trim(0);
    return status == PICKET_OK;
}

/* ---- what expired long ago ---- */

static void forget_one(void *context, const char *list, const struct picket_indicator *indicator)
{
    struct picket_intel *intel = context;
    uint16_t feed = table_feed_number(intel->published.table, list);
    struct expiry_change change = expiry_change_of(&intel->expiry, feed);
    expiry_take_out(&change, indicator);
    expiry_changed(&intel->expiry, feed, &change);
    picket_count(&forgotten, 1);
}

static void forget(struct sweeper *sweeper, int64_t now_ms)
{
    struct picket_intel *intel = sweeper->intel;
    struct picket_error error = {0};
    bool more = true;
    while (more) {
        pthread_mutex_lock(&intel->changing);
        int status = picket_store_kept_forget(intel->store, now_ms - forget_after_ms, forget_one,
                                              intel, &more, &error);
        pthread_mutex_unlock(&intel->changing);
        if (status != PICKET_OK)
            picket_say(PICKET_WARNING, "service", "kept lists: what expired long ago stays: %s",
                       error.text);
    }
}

/* ---- all ---- */

/* False: one could not be swept. */
static bool sweep_all(struct sweeper *sweeper, int64_t now_ms)
{
    struct picket_intel *intel = sweeper->intel;
    struct sweep sweep;
    bool all = true;
    for (uint32_t from = 1; from <= TABLE_FEEDS_MAX; from = sweep.feed + 1u) {
        pthread_mutex_lock(&intel->changing);
        bool any = begin_sweep(intel, (uint16_t)from, now_ms, &sweep);
        pthread_mutex_unlock(&intel->changing);
        if (!any)
            break;
        all &= sweep_one(sweeper, &sweep, now_ms);
    }
    return all;
}

void sweeper_sweep(struct sweeper *sweeper, int64_t now_ms)
{
    pthread_mutex_lock(&sweeper->sweeping);
    if (sweep_all(sweeper, now_ms) && now_ms >= sweeper->forget_ms) {
        forget(sweeper, now_ms);
        sweeper->forget_ms = now_ms + FORGET_EVERY_MS;
    }
    pthread_mutex_unlock(&sweeper->sweeping);
}

static void *run(void *context)
{
    struct sweeper *sweeper = context;
    pthread_mutex_lock(&sweeper->lock);
    while (!sweeper->stop) {
        pthread_mutex_unlock(&sweeper->lock);
        sweeper_sweep(sweeper, picket_unix_ms());
        pthread_mutex_lock(&sweeper->lock);
        struct timespec until = picket_deadline(SWEEP_EVERY_MS);
        while (!sweeper->stop &&
               pthread_cond_timedwait(&sweeper->stopping, &sweeper->lock, &until) == 0)
            continue;
    }
    pthread_mutex_unlock(&sweeper->lock);
    return NULL;
}

int sweeper_start(struct sweeper **sweeper, struct picket_intel *intel, const char *store_folder,
                  struct picket_error *error)
{
    struct sweeper *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for intelligence");
    picket_counter_register(&expired);
    picket_counter_register(&forgotten);
    started->intel = intel;
    pthread_mutex_init(&started->lock, NULL);
    pthread_mutex_init(&started->sweeping, NULL);
    picket_condition_init(&started->stopping);
    int status = picket_store_open(&started->store, store_folder, error);
    if (status == PICKET_OK) {
        started->started = picket_thread_start(&started->thread, "expiry", run, started) == 0;
        if (!started->started)
            status = picket_fail(error, PICKET_NO_MEMORY, "no thread for what expires");
    }
    if (status != PICKET_OK) {
        sweeper_stop(started);
        return status;
    }
    *sweeper = started;
    return PICKET_OK;
}

void sweeper_stop(struct sweeper *sweeper)
{
    pthread_mutex_lock(&sweeper->lock);
    sweeper->stop = true;
    pthread_cond_signal(&sweeper->stopping);
    pthread_mutex_unlock(&sweeper->lock);
    if (sweeper->started)
        pthread_join(sweeper->thread, NULL);
    if (sweeper->store != NULL)
        picket_store_close(sweeper->store);
    pthread_cond_destroy(&sweeper->stopping);
    pthread_mutex_destroy(&sweeper->sweeping);
    pthread_mutex_destroy(&sweeper->lock);
    free(sweeper);
}
