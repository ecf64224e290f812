/* Searches as they begin, end, and are shown; start and stop of who searches. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hunter_internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"

enum {
    QUIET_MS = 3000,
    LONGEST_MS = 60000,
    NICEST = 19,
    FOUND_KEPT_MAX = 50000 /* by all searches that have ended */
};

static struct picket_counter hunts = {
    .name = "service_hunts", .help = "searches of stored events ended", .is_work = true};
static struct picket_counter hunts_failed = {.name = "service_hunts_failed",
                                             .help = "searches of stored events that failed"};
static struct picket_counter hits_left_out = {
    .name = "service_hunt_hits_left_out",
    .help =
        "flows that a search found, left out: of more devices and indicators than one tells of"};
static struct picket_counter events_damaged = {
    .name = "service_hunt_events_damaged",
    .help = "stored events whose flows a search could not read"};

const char *picket_hunt_state_name(int state)
{
    static const char *const names[] = {"waiting", "running", "done", "cancelled", "failed"};
    return state >= 0 && state < (int)(sizeof names / sizeof names[0]) ? names[state] : "unknown";
}

/* ---- records, with the lock held ---- */

static bool has_ended(const struct hunt_record *record)
{
    return record->status.state > PICKET_HUNT_RUNNING;
}

static struct hunt_record *find_record(struct picket_hunter *hunter, int64_t id)
{
    struct hunt_record *record = hunter->records;
    while (record != NULL && record->status.id != id)
        record = record->next;
    return record;
}

void hunter_add(struct picket_hunter *hunter, struct hunt_record *record)
{
    record->status.id = ++hunter->last_id;
    record->next = hunter->records;
    hunter->records = record;
}

static void remove_record(struct picket_hunter *hunter, struct hunt_record *record)
{
    struct hunt_record **at = &hunter->records;
    while (*at != record)
        at = &(*at)->next;
    *at = record->next;
    hunt_record_free(record);
}

/* The newest of those that have ended stay, as far as there is room. */
static void forget_old(struct picket_hunter *hunter)
{
    size_t ended = 0, found = 0;
    for (struct hunt_record *record = hunter->records, *next; record != NULL; record = next) {
        next = record->next;
        if (!has_ended(record))
            continue;
        found += record->hunt.gathered.count;
        if (++ended > PICKET_HUNTS_KEPT || (ended > 1 && found > FOUND_KEPT_MAX))
            remove_record(hunter, record);
    }
}

/* ---- running one ---- */

int hunter_run(struct picket_hunter *hunter, struct hunt_record *record, struct picket_error *error)
{
    int status = hunt_record_search(record, &hunter->stopping, error);
    if (status == PICKET_OK && atomic_load(&hunter->stopping))
        return picket_fail(error, PICKET_CLOSED, "picket is being stopped");
    bool raises = record->status.alert && !atomic_load(&record->is_cancelled);
    return status == PICKET_OK
               ? hunt_record_tell(record, raises ? hunter->config.service : NULL, error)
               : status;
}

void hunter_begin(struct hunt_record *record)
{
    record->status.state = PICKET_HUNT_RUNNING;
    record->status.started_ms = picket_unix_ms();
}

static void say_ended(const struct picket_hunt_status *status, const struct picket_error *error)
{
    if (status->state == PICKET_HUNT_FAILED)
        picket_say(PICKET_WARNING, "service", "the search of stored events for %s failed: %s",
                   status->what, error->text);
    if (status->damaged > 0)
        picket_say(PICKET_WARNING, "service",
                   "the flows of %lld stored events could not be searched, the last of event %lld: "
                   "they are damaged",
                   (long long)status->damaged, (long long)status->damaged_event);
    if (status->left_out > 0)
        picket_say(PICKET_WARNING, "service",
                   "a search of stored events found %lld flows of more than %d devices and "
                   "indicators: these are left out",
                   (long long)status->left_out, PICKET_HUNT_FOUND_MAX);
}

void hunter_end(struct picket_hunter *hunter, struct hunt_record *record, int result,
                const struct picket_error *error)
{
    hunt_record_settle(record);
    pthread_mutex_lock(&hunter->lock);
    record->status.state = result == PICKET_CLOSED              ? PICKET_HUNT_CANCELLED
                           : result != PICKET_OK                ? PICKET_HUNT_FAILED
                           : atomic_load(&record->is_cancelled) ? PICKET_HUNT_CANCELLED
                                                                : PICKET_HUNT_DONE;
    record->status.ended_ms = picket_unix_ms();
    if (result != PICKET_OK)
        snprintf(record->status.problem, sizeof record->status.problem, "%.255s", error->text);
    struct picket_hunt_status status = hunt_record_status(record);
    forget_old(hunter);
    pthread_mutex_unlock(&hunter->lock);
    picket_count(&hunts, 1);
    picket_count(&hunts_failed, status.state == PICKET_HUNT_FAILED);
    picket_count(&hits_left_out, (uint64_t)status.left_out);
    picket_count(&events_damaged, (uint64_t)status.damaged);
    say_ended(&status, error);
}

void hunter_be_nice(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICEST); /* on Linux: of this thread */
}

/* ---- looking on ---- */

static int no_record(int64_t id, struct picket_error *error)
{
    return picket_fail(error, PICKET_NOT_FOUND, "there is no hunt %lld, or not any more",
                       (long long)id);
}

int picket_hunter_status(struct picket_hunter *hunter, int64_t id, picket_hunt_visit visit,
                         void *context, struct picket_error *error)
{
    bool is_found = id == 0;
    pthread_mutex_lock(&hunter->lock);
    for (struct hunt_record *record = hunter->records; record != NULL; record = record->next) {
        if (id != 0 && record->status.id != id)
            continue;
        struct picket_hunt_status status = hunt_record_status(record);
        visit(context, &status);
        is_found = true;
    }
    pthread_mutex_unlock(&hunter->lock);
    return is_found ? PICKET_OK : no_record(id, error);
}

/* With the lock held. */
static void cancel_record(struct picket_hunter *hunter, struct hunt_record *record)
{
    atomic_store(&record->is_cancelled, true);
    if (has_ended(record))
        remove_record(hunter, record);
    else if (record->status.state == PICKET_HUNT_WAITING) {
        record->status.state = PICKET_HUNT_CANCELLED;
        record->status.ended_ms = picket_unix_ms();
    }
}

int picket_hunter_cancel(struct picket_hunter *hunter, int64_t id, struct picket_error *error)
{
    pthread_mutex_lock(&hunter->lock);
    struct hunt_record *record = find_record(hunter, id);
    if (record != NULL)
        cancel_record(hunter, record);
    pthread_mutex_unlock(&hunter->lock);
    return record != NULL ? PICKET_OK : no_record(id, error);
}

int picket_hunter_found(struct picket_hunter *hunter, int64_t id, size_t after, size_t limit,
                        picket_hunt_found_visit visit, void *context, struct picket_error *error)
{
    pthread_mutex_lock(&hunter->lock);
    struct hunt_record *record = find_record(hunter, id);
    bool is_over = record != NULL && has_ended(record);
    size_t count = is_over ? record->hunt.gathered.count : 0;
    for (size_t i = after; i < count && i - after < limit; i++)
        hunt_record_show(record, i, visit, context);
    pthread_mutex_unlock(&hunter->lock);
    if (record == NULL)
        return no_record(id, error);
    return is_over ? PICKET_OK
                   : picket_fail(error, PICKET_BUSY, "hunt %lld has not ended", (long long)id);
}

/* ---- start and stop ---- */

static int start_searcher(struct picket_hunter *hunter, struct searcher *searcher, const char *name,
                          void *(*run)(void *context), struct picket_error *error)
{
    int status = picket_store_open(&searcher->store, hunter->config.store_folder, error);
    if (status != PICKET_OK)
        return status;
    searcher->is_started = picket_thread_start(&searcher->thread, name, run, hunter) == 0;
    return searcher->is_started ? PICKET_OK
                                : picket_fail(error, PICKET_NO_MEMORY, "no thread for hunts");
}

static void stop_searcher(struct searcher *searcher)
{
    if (searcher->is_started)
        pthread_join(searcher->thread, NULL);
    if (searcher->store != NULL)
        picket_store_close(searcher->store);
}

int picket_hunter_start(struct picket_hunter **hunter, const struct picket_hunter_config *config,
                        struct picket_error *error)
{
    struct picket_hunter *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for hunts");
    started->config = *config;
    if (config->quiet_ms == 0)
        started->config.quiet_ms = QUIET_MS;
    if (config->longest_ms == 0)
        started->config.longest_ms = LONGEST_MS;
    pthread_mutex_init(&started->lock, NULL);
    picket_condition_init(&started->changed);
    picket_counter_register(&hunts);
    picket_counter_register(&hunts_failed);
    picket_counter_register(&hits_left_out);
    picket_counter_register(&events_damaged);
    int status = start_searcher(started, &started->arrivals, "hunt", hunter_run_arrivals, error);
    if (status == PICKET_OK)
        status = start_searcher(started, &started->asked, "hunt asked", hunter_run_asked, error);
    if (status != PICKET_OK) {
        picket_hunter_stop(started);
        return status;
    }
    *hunter = started;
    return PICKET_OK;
}

void picket_hunter_stop(struct picket_hunter *hunter)
{
    if (hunter == NULL)
        return;
    pthread_mutex_lock(&hunter->lock);
    atomic_store(&hunter->stopping, true);
    pthread_cond_broadcast(&hunter->changed);
    pthread_mutex_unlock(&hunter->lock);
    arrivals_stop(&hunter->config.intel->arrivals);
    stop_searcher(&hunter->arrivals);
    stop_searcher(&hunter->asked);
    while (hunter->records != NULL)
        remove_record(hunter, hunter->records);
    pthread_cond_destroy(&hunter->changed);
    pthread_mutex_destroy(&hunter->lock);
    free(hunter);
}
