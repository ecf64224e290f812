/* Who searches: a thread for what comes, another for what is asked for. */
#include "picket/service/hunter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hunt_record.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"

enum {
    QUIET_MS = 3000,
    LONGEST_MS = 60000,
    NICEST = 19, /* whoever inspects and commits goes first */
    COMMIT_WAIT_MS = 5000,
    COMMIT_LOOK_MS = 50,
    RETRY_MS = 10000,
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

/* A thread, and its own handle of the store. */
struct searcher {
    struct picket_store *store;
    pthread_t thread;
    bool is_started;
};

struct picket_hunter {
    struct picket_hunter_config config;
    struct searcher arrivals, asked;
    atomic_bool stopping;
    pthread_mutex_t lock; /* around what follows */
    pthread_cond_t changed;
    struct hunt_record *records; /* newest first */
    int64_t last_id;
};

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

static void add_record(struct picket_hunter *hunter, struct hunt_record *record)
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

static int run_record(struct picket_hunter *hunter, struct hunt_record *record,
                      struct picket_error *error)
{
    int status = hunt_record_search(record, &hunter->stopping, error);
    if (status == PICKET_OK && atomic_load(&hunter->stopping))
        return picket_fail(error, PICKET_CLOSED, "picket is being stopped");
    bool raises = record->status.alert && !atomic_load(&record->is_cancelled);
    return status == PICKET_OK
               ? hunt_record_tell(record, raises ? hunter->config.service : NULL, error)
               : status;
}

/* With the lock held: nobody else takes it away then. */
static void begin_record(struct hunt_record *record)
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

static void end_record(struct picket_hunter *hunter, struct hunt_record *record, int result,
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

/* ---- what comes ---- */

/* Indicators first seen after one time and up to the other, in the events before one. */
struct search {
    int64_t after_ms, to_ms, end_event;
    struct arrivals_notes *notes; /* what was found as it came; NULL: nobody has noted it */
    struct picket_store *store;
    const struct hunt *hunt;
};

struct alert_look {
    int64_t seen_ms, before_ms;
    bool is_covered;
};

static void look_at_alert(void *context, const struct picket_alert *alert)
{
    struct alert_look *look = context;
    look->is_covered |= alert->raised_ms < look->before_ms &&
                        alert->first_seen_ms <= look->seen_ms &&
                        look->seen_ms <= alert->last_seen_ms;
}

/* Whether a live alert tells of that time, one that was raised before the other. */
static bool was_alerted(struct picket_store *store, const struct hunt_hit *hit, int64_t before_ms)
{
    char subject[PICKET_PREFIX_TEXT_BYTES];
    struct alert_look look = {.seen_ms = hit->seen_ms, .before_ms = before_ms};
    const struct picket_alert_query query = {
        .device = hit->device,
        .type = PICKET_ALERT_LISTED,
        .subject = picket_prefix_format(hit->prefix, subject),
        .since_ms = hit->seen_ms,
    };
    picket_store_alerts(store, &query, look_at_alert, &look, NULL);
    return look.is_covered;
}

/* What another feed, or this one earlier, had listed already was told of then. */
static bool is_known(void *context, const struct hunt_hit *hit)
{
    const struct search *search = context;
    if (search->notes == NULL)
        return was_alerted(search->store, hit, INT64_MAX);
    return arrivals_notes_have(search->notes, hit->event_id, &hit->flow->remote) ||
           was_alerted(search->store, hit, search->hunt->first_came_ms);
}

static bool is_told(void *context, const struct hunt_hit *hit)
{
    return was_alerted(context, hit, INT64_MAX);
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
    add_record(hunter, record);
    begin_record(record);
    pthread_mutex_unlock(&hunter->lock);
    status = run_record(hunter, record, error); /* one that its owner has ended counts as done */
    end_record(hunter, record, status, error);
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

static void be_nice(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICEST); /* on Linux: of this thread */
}

static void *run_arrivals(void *context)
{
    struct picket_hunter *hunter = context;
    const struct picket_hunter_config *config = &hunter->config;
    struct picket_hunted hunted = {0};
    struct picket_error error = {0};
    be_nice();
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

/* ---- what is asked for ---- */

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
        begin_record(record);
    pthread_mutex_unlock(&hunter->lock);
    return record;
}

static void *run_asked(void *context)
{
    struct picket_hunter *hunter = context;
    struct hunt_record *record;
    be_nice();
    while ((record = wait_for_asked(hunter)) != NULL) {
        struct picket_error error = {0};
        int status = hunt_record_load(record, &error);
        if (status == PICKET_OK)
            status = run_record(hunter, record, &error);
        end_record(hunter, record, status, &error);
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
        add_record(hunter, record);
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
    int status = start_searcher(started, &started->arrivals, "hunt", run_arrivals, error);
    if (status == PICKET_OK)
        status = start_searcher(started, &started->asked, "hunt asked", run_asked, error);
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
