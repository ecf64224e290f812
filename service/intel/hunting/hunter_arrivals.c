/* Who searches for what comes, by itself. */
#include <stdio.h>

#include "hunter_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"
#include "told.h"

enum { COMMIT_WAIT_MS = 5000, COMMIT_LOOK_MS = 50, RETRY_MS = 10000 };

/* Indicators first seen after one time and up to the other, in the events before one. */
struct search {
    int64_t after_ms, to_ms, end_event;
    struct arrivals_notes *notes; /* what was found as it came; NULL: nobody has noted it */
    struct picket_store *store;
    const struct hunt *hunt;
};

/* What another feed, or this one earlier, had listed already was told of then. */
static bool is_known(void *context, const struct hunt_hit *hit)
{
    const struct search *search = context;
    if (search->notes == NULL)
        return told_live(search->store, hit, INT64_MAX);
    return arrivals_notes_have(search->notes, hit->event_id, &hit->flow->remote) ||
           told_live(search->store, hit, search->hunt->first_came_ms);
}

static struct hunt_record *arrivals_record(struct picket_hunter *hunter, struct search *search)
{
    struct hunt_record *record = hunt_record_new(hunter->config.intel, hunter->arrivals.store);
    if (record == NULL)
        return NULL;
    record->status.automatic = record->status.alert = true;
    record->target.kind = HUNT_ARRIVALS;
    record->target.after_ms = search->after_ms;
    record->target.to_ms = search->to_ms;
    record->hunt.range.end_event = search->end_event;
    record->hunt.known = (struct hunt_known){is_known, search};
    search->hunt = &record->hunt;
    return record;
}

/* Where nothing is stored, nothing is read for it. */
static bool has_events(struct picket_hunter *hunter, const struct search *search)
{
    int64_t first = 0, end;
    return picket_store_events_between(hunter->arrivals.store, INT64_MIN, INT64_MAX, &first, &end,
                                       NULL) != PICKET_OK ||
           (first > 0 && first < search->end_event);
}

/* If any has come, which is not known before all feeds that have changed are read. */
static int search_arrivals(struct picket_hunter *hunter, struct search *search,
                           struct picket_error *error)
{
    if (!has_events(hunter, search))
        return PICKET_OK;
    struct hunt_record *record = arrivals_record(hunter, search);
    if (record == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a search");
    int status = hunt_record_load(record, error);
    int64_t count = atomic_load(&record->hunt.progress.indicators);
    if (status != PICKET_OK || count == 0) {
        hunt_record_free(record);
        return status;
    }
    snprintf(record->status.what, sizeof record->status.what, "%lld new indicator%s",
             (long long)count, count == 1 ? "" : "s");
    pthread_mutex_lock(&hunter->lock);
    hunter_add(hunter, record);
    hunter_begin(record);
    pthread_mutex_unlock(&hunter->lock);
    status = hunter_run(hunter, record, error); /* one that its owner has ended counts as done */
    hunter_end(hunter, record, status, error);
    return status;
}

static bool wait_ms(struct picket_hunter *hunter, int64_t time_ms)
{
    struct timespec until = picket_deadline(time_ms);
    pthread_mutex_lock(&hunter->lock);
    int waited = 0;
    while (waited == 0 && !atomic_load(&hunter->stopping))
        waited = pthread_cond_timedwait(&hunter->changed, &hunter->lock, &until);
    pthread_mutex_unlock(&hunter->lock);
    return !atomic_load(&hunter->stopping);
}

/* Until it is done, for there may be no memory or no disk for a while. False: it is to stop. */
static bool search_surely(struct picket_hunter *hunter, struct search *search)
{
    for (;;) {
        struct picket_error error = {0};
        static struct picket_say_limit limit;
        int status = search_arrivals(hunter, search, &error);
        if (status == PICKET_OK)
            return true;
        if (status == PICKET_CLOSED || atomic_load(&hunter->stopping))
            return false;
        picket_say_limited(&limit, PICKET_WARNING, "service",
                           "stored events cannot be searched for new indicators: %s", error.text);
        if (!wait_ms(hunter, RETRY_MS))
            return false;
    }
}

static void keep(struct picket_hunter *hunter, const struct picket_hunted *hunted)
{
    struct picket_error error = {0};
    if (picket_store_hunted_put(hunter->arrivals.store, hunted, &error) != PICKET_OK)
        picket_say(
            PICKET_WARNING, "service",
            "how far stored events were searched cannot be kept: %s; the next start searches "
            "them again",
            error.text);
}

/* Events that were begun with before the search was made up may still be on their way to the disk.
 */
static void wait_for_commit(struct picket_hunter *hunter, int64_t end_event)
{
    int64_t until_ms = picket_monotonic_ms() + COMMIT_WAIT_MS, first, end = 0;
    do {
        picket_store_events_between(hunter->arrivals.store, INT64_MIN, INT64_MAX, &first, &end,
                                    NULL);
    } while (end < end_event && picket_monotonic_ms() < until_ms &&
             wait_ms(hunter, COMMIT_LOOK_MS));
}

/* Up to *hunted->to_ms; false: it is to stop. */
static bool search_and_keep(struct picket_hunter *hunter, struct picket_hunted *hunted,
                            struct arrivals_notes *notes)
{
    struct search search = {.after_ms = hunted->mark_ms,
                            .to_ms = hunted->to_ms,
                            .end_event = hunted->end_event,
                            .notes = notes,
                            .store = hunter->arrivals.store};
    if (!search_surely(hunter, &search))
        return false;
    *hunted = (struct picket_hunted){.mark_ms = hunted->to_ms};
    keep(hunter, hunted);
    return true;
}

/* What had come when the last run ended, and was not searched for. What events of that run were
 * inspected with is not known any more but by the alerts that came of it. */
static bool search_what_was_left(struct picket_hunter *hunter, struct picket_hunted *hunted)
{
    const struct arrivals *arrivals = &hunter->config.intel->arrivals;
    if (hunted->mark_ms == 0) { /* the first start: what is there was matched as it came */
        hunted->mark_ms = arrivals->start_ms;
        keep(hunter, hunted);
        return true;
    }
    /* Events begun with that never came to the disk gave their ids to those of this run. */
    if (hunted->end_event > arrivals->start_event + 1)
        hunted->end_event = arrivals->start_event + 1;
    if (hunted->to_ms != 0 && !search_and_keep(hunter, hunted, NULL))
        return false;
    hunted->to_ms = arrivals->start_ms;
    hunted->end_event = arrivals->start_event + 1;
    return search_and_keep(hunter, hunted, NULL);
}

static bool search_what_came(struct picket_hunter *hunter, struct picket_hunted *hunted)
{
    struct picket_intel *intel = hunter->config.intel;
    struct arrivals_notes notes = {.items = NULL};
    pthread_mutex_lock(&intel->changing);
    arrivals_make_up(&intel->arrivals, &hunted->to_ms, &hunted->end_event);
    pthread_mutex_unlock(&intel->changing);
    keep(hunter, hunted);
    wait_for_commit(hunter, hunted->end_event);
    arrivals_take_notes(&intel->arrivals, hunted->end_event, &notes);
    bool goes_on = search_and_keep(hunter, hunted, &notes);
    arrivals_notes_free(&notes);
    return goes_on;
}

void *hunter_run_arrivals(void *context)
{
    struct picket_hunter *hunter = context;
    const struct picket_hunter_config *config = &hunter->config;
    struct picket_hunted hunted = {0};
    struct picket_error error = {0};
    hunter_be_nice();
    if (picket_store_hunted_get(hunter->arrivals.store, &hunted, &error) != PICKET_OK) {
        picket_say(PICKET_ERROR, "service", "stored events are not searched for new indicators: %s",
                   error.text);
        return NULL;
    }
    bool goes_on = search_what_was_left(hunter, &hunted);
    while (goes_on && arrivals_wait(&config->intel->arrivals, config->quiet_ms, config->longest_ms))
        goes_on = search_what_came(hunter, &hunted);
    return NULL;
}
