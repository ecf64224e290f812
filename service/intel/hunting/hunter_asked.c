/* Who searches for what is asked for, and what may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hunter_internal.h"
#include "told.h"

/* ---- searching ---- */

static struct hunt_record *next_asked(struct picket_hunter *hunter)
{
    struct hunt_record *oldest = NULL;
    for (struct hunt_record *record = hunter->records; record != NULL; record = record->next)
        if (record->status.state == PICKET_HUNT_WAITING)
            oldest = record;
    return oldest;
}

/* NULL: it is to stop. */
static struct hunt_record *wait_for_asked(struct picket_hunter *hunter)
{
    struct hunt_record *record = NULL;
    pthread_mutex_lock(&hunter->lock);
    while (!atomic_load(&hunter->stopping) && (record = next_asked(hunter)) == NULL)
        pthread_cond_wait(&hunter->changed, &hunter->lock);
    if (atomic_load(&hunter->stopping))
        record = NULL;
    if (record != NULL)
        hunter_begin(record);
    pthread_mutex_unlock(&hunter->lock);
    return record;
}

void *hunter_run_asked(void *context)
{
    struct picket_hunter *hunter = context;
    struct hunt_record *record;
    hunter_be_nice();
    while ((record = wait_for_asked(hunter)) != NULL) {
        struct picket_error error = {0};
        int status = hunt_record_load(record, &error);
        if (status == PICKET_OK)
            status = hunter_run(hunter, record, &error);
        hunter_end(hunter, record, status, &error);
    }
    return NULL;
}

/* ---- asking ---- */

struct feed_look {
    const char *name;
    bool is_there;
    int role;
};

static void look_at_feed(void *context, const struct picket_feed *feed)
{
    struct feed_look *look = context;
    if (strcmp(feed->name, look->name) != 0)
        return;
    look->is_there = true;
    look->role = feed->role;
}

static int check_feed(struct picket_hunter *hunter, const char *name, struct picket_error *error)
{
    struct feed_look look = {.name = name};
    struct picket_intel *intel = hunter->config.intel;
    pthread_mutex_lock(&intel->changing);
    int status = picket_store_feeds(intel->store, look_at_feed, &look, error);
    pthread_mutex_unlock(&intel->changing);
    if (status != PICKET_OK)
        return status;
    if (!look.is_there)
        return picket_fail(error, PICKET_NOT_FOUND, "there is no feed %s", name);
    if (look.role != PICKET_FEED_THREAT)
        return picket_fail(error, PICKET_INVALID, "feed %s lists no threats: its role is %s", name,
                           picket_feed_role_name(look.role));
    return PICKET_OK;
}

static int copy_indicators(struct hunt_record *record, const struct picket_hunt_request *request,
                           struct picket_error *error)
{
    struct hunt_target *target = &record->target;
    target->indicators = calloc(request->count, sizeof *target->indicators);
    if (target->indicators == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for %zu indicators", request->count);
    for (size_t i = 0; i < request->count; i++) {
        target->indicators[i] = request->indicators[i];
        target->indicators[i].valid_until_ms = 0; /* that it is asked for says enough */
        target->indicators[i].tags = target->indicators[i].malware =
            target->indicators[i].reference = "";
    }
    target->count = request->count;
    target->kind = HUNT_INDICATORS;
    target->weighs_lists = request->alert;
    snprintf(record->status.what, sizeof record->status.what, "%zu indicator%s", request->count,
             request->count == 1 ? "" : "s");
    return PICKET_OK;
}

static int aim(struct picket_hunter *hunter, struct hunt_record *record,
               const struct picket_hunt_request *request, struct picket_error *error)
{
    if (request->count > 0)
        return copy_indicators(record, request, error);
    bool is_feed = request->feed[0] != '\0';
    record->target.kind = is_feed ? HUNT_FEED : HUNT_ALL;
    snprintf(record->target.feed, sizeof record->target.feed, "%s", request->feed);
    snprintf(record->status.what, sizeof record->status.what, "%s%s",
             is_feed ? "feed " : "all indicators", request->feed);
    return is_feed ? check_feed(hunter, request->feed, error) : PICKET_OK;
}

static bool is_told(void *context, const struct hunt_hit *hit)
{
    return told_live(context, hit, INT64_MAX);
}

static void set_range(struct hunt_record *record, const struct picket_hunt_request *request)
{
    struct hunt_range *range = &record->hunt.range;
    if (request->since_ms != 0)
        range->since_ms = request->since_ms;
    if (request->until_ms != 0)
        range->until_ms = request->until_ms;
    snprintf(range->device, sizeof range->device, "%s", request->device);
    record->status.since_ms = request->since_ms;
    record->status.until_ms = request->until_ms;
    snprintf(record->status.device, sizeof record->status.device, "%s", request->device);
    record->status.alert = request->alert;
    record->status.automatic = request->leaves_out_told;
    if (request->leaves_out_told)
        record->hunt.known = (struct hunt_known){is_told, record->store};
}

static int queue_record(struct picket_hunter *hunter, struct hunt_record *record,
                        struct picket_error *error)
{
    int waiting = 0;
    pthread_mutex_lock(&hunter->lock);
    for (struct hunt_record *other = hunter->records; other != NULL; other = other->next)
        waiting += other->status.state == PICKET_HUNT_WAITING;
    if (waiting < PICKET_HUNTS_WAITING_MAX)
        hunter_add(hunter, record);
    pthread_cond_broadcast(&hunter->changed);
    pthread_mutex_unlock(&hunter->lock);
    return waiting < PICKET_HUNTS_WAITING_MAX
               ? PICKET_OK
               : picket_fail(error, PICKET_BUSY, "%d hunts are waiting already",
                             PICKET_HUNTS_WAITING_MAX);
}

int picket_hunter_ask(struct picket_hunter *hunter, const struct picket_hunt_request *request,
                      int64_t *id, struct picket_error *error)
{
    struct hunt_record *record = hunt_record_new(hunter->config.intel, hunter->asked.store);
    if (record == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a hunt");
    set_range(record, request);
    int status = aim(hunter, record, request, error);
    if (status == PICKET_OK)
        status = queue_record(hunter, record, error);
    if (status == PICKET_OK)
        *id = record->status.id;
    else
        hunt_record_free(record);
    return status;
}
