/* Refreshes feeds when they are due: every refresh_s after a success; after failures sooner at
 * first, then less and less often. A few threads, so that a slow server holds up its own feeds. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intel_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"

enum {
    WORKERS = 4, /* feeds that are fetched at a time, each of FEED_SOURCE_BYTES_MAX at most */
    FIRST_RETRY_S = 30,
    LONGEST_RETRY_S = 6 * 3600,
    LOOK_AGAIN_MS = 60 * 1000,           /* clocks may be set while we sleep */
    LEFT_ALONE_MS_MAX = 25 * 3600 * 1000 /* longer no server asked for: the clock was set back */
};

/* What is remembered of a feed's attempts. The store has their time too, but may be unable to take
 * it. */
struct attempts {
    struct attempts *next;
    char name[65];
    unsigned failures; /* in a row */
    int64_t tried_ms;
    bool is_under_way;
    bool is_asked_for; /* now, whenever it would be due */
};

struct refresher {
    struct picket_intel *intel;
    pthread_t threads[WORKERS];
    int thread_count;
    pthread_mutex_t lock; /* around what follows */
    pthread_cond_t woken;
    unsigned wakes;
    bool stop;
    pthread_mutex_t picking; /* around the attempts; taken before intel->changing */
    struct attempts *attempts;
};

static struct attempts *attempts_of(const struct refresher *refresher, const char *name)
{
    struct attempts *attempts = refresher->attempts;
    while (attempts != NULL && strcmp(attempts->name, name) != 0)
        attempts = attempts->next;
    return attempts;
}

/* NULL: no memory. */
static struct attempts *remember(struct refresher *refresher, const char *name)
{
    struct attempts *attempts = attempts_of(refresher, name);
    if (attempts != NULL)
        return attempts;
    attempts = calloc(1, sizeof *attempts);
    if (attempts == NULL)
        return NULL;
    snprintf(attempts->name, sizeof attempts->name, "%s", name);
    attempts->next = refresher->attempts;
    refresher->attempts = attempts;
    return attempts;
}

static struct attempts *begin_attempt(struct refresher *refresher, const char *name)
{
    struct attempts *attempts = remember(refresher, name);
    if (attempts == NULL)
        return NULL;
    attempts->is_under_way = true;
    attempts->is_asked_for = false;
    return attempts;
}

static void end_attempt(struct refresher *refresher, struct attempts *attempts, bool failed)
{
    pthread_mutex_lock(&refresher->picking);
    attempts->failures = failed ? attempts->failures + 1 : 0;
    attempts->tried_ms = picket_unix_ms();
    attempts->is_under_way = false;
    pthread_mutex_unlock(&refresher->picking);
}

/* After the nth failure 30 s × 2^(n−1), but not longer than six hours or the feed's own interval,
 * whichever is longer; and never more often than it is refreshed anyway. */
static int64_t wait_s(const struct picket_feed *feed, unsigned failures)
{
    if (failures == 0)
        return feed->refresh_s;
    int64_t longest = feed->refresh_s > LONGEST_RETRY_S ? feed->refresh_s : LONGEST_RETRY_S;
    int64_t first = feed->refresh_s < FIRST_RETRY_S ? feed->refresh_s : FIRST_RETRY_S;
    int64_t wait = failures > 20 ? longest : first << (failures - 1);
    return wait < longest ? wait : longest;
}

struct due {
    struct refresher *refresher;
    int64_t now_ms;
    int64_t next_ms; /* the earliest time at which one is due */
    char name[65];   /* of the one most overdue, "" if none is */
};

/* When the feed is due, as of now; INT64_MAX: only on request. */
static int64_t due_ms(const struct picket_feed *feed, const struct attempts *attempts,
                      int64_t now_ms)
{
    if (feed->refresh_s == 0)
        return INT64_MAX;
    if (attempts != NULL && attempts->is_asked_for)
        return now_ms;
    int64_t tried_ms = feed->tried_ms;
    if (attempts != NULL && attempts->tried_ms > tried_ms)
        tried_ms = attempts->tried_ms;
    if (tried_ms > now_ms) /* the clock was set back */
        return now_ms;
    int64_t at_ms = tried_ms + wait_s(feed, attempts != NULL ? attempts->failures : 0) * 1000;
    bool wants_rest = feed->not_before_ms - now_ms <= LEFT_ALONE_MS_MAX;
    return wants_rest && feed->not_before_ms > at_ms ? feed->not_before_ms : at_ms;
}

static void look_at(void *context, const struct picket_feed *feed)
{
    struct due *due = context;
    const struct attempts *attempts = attempts_of(due->refresher, feed->name);
    if (attempts != NULL && attempts->is_under_way)
        return;
    int64_t at_ms = due_ms(feed, attempts, due->now_ms);
    if (at_ms >= due->next_ms)
        return;
    due->next_ms = at_ms;
    memcpy(due->name, feed->name, sizeof due->name);
}

static void refresh(struct refresher *refresher, struct attempts *attempts)
{
    struct picket_feed_report report;
    struct picket_error error = {0};
    const char *name = attempts->name;
    int status = intel_refresh(refresher->intel, name, (struct refresh_how){.conditional = true},
                               &report, &error);
    end_attempt(refresher, attempts, status != PICKET_OK);
    const struct picket_feed_delta *delta = &report.delta;
    if (status == PICKET_OK && (delta->added > 0 || delta->removed > 0 || delta->changed > 0))
        picket_say(PICKET_NOTICE, "service",
                   "feed %s: %lld indicators came, %lld went, %lld changed, %lld stay as they were",
                   name, (long long)delta->added, (long long)delta->removed,
                   (long long)delta->changed, (long long)(delta->kept - delta->changed));
    if (status != PICKET_OK && status != PICKET_CLOSED)
        picket_say(PICKET_WARNING, "service", "feed %s: not refreshed: %s", name, error.text);
}

/* The feed most overdue that nobody else is at, or NULL and how long to sleep. */
static struct attempts *pick(struct refresher *refresher, int64_t *sleep_ms)
{
    struct attempts *attempts = NULL;
    struct due due = {.refresher = refresher, .now_ms = picket_unix_ms()};
    due.next_ms = due.now_ms + LOOK_AGAIN_MS;
    pthread_mutex_lock(&refresher->picking);
    pthread_mutex_lock(&refresher->intel->changing);
    int status = picket_store_feeds(refresher->intel->store, look_at, &due, NULL);
    pthread_mutex_unlock(&refresher->intel->changing);
    *sleep_ms = LOOK_AGAIN_MS;
    if (status == PICKET_OK && due.name[0] != '\0' && due.next_ms > due.now_ms)
        *sleep_ms = due.next_ms - due.now_ms;
    else if (status == PICKET_OK && due.name[0] != '\0')
        attempts = begin_attempt(refresher, due.name);
    pthread_mutex_unlock(&refresher->picking);
    return attempts;
}

/* Refreshes one feed if one is due, or looks how all are; returns how long to sleep. */
static int64_t work(struct refresher *refresher)
{
    int64_t sleep_ms;
    struct attempts *attempts = pick(refresher, &sleep_ms);
    if (attempts == NULL) {
        feed_health_look(refresher->intel->health, picket_unix_ms());
        return sleep_ms;
    }
    refresh(refresher, attempts);
    return 0;
}

static void *run(void *context)
{
    struct refresher *refresher = context;
    int64_t sleep_ms = 0;
    unsigned seen_wakes = 0;
    pthread_mutex_lock(&refresher->lock);
    while (!refresher->stop) {
        if (sleep_ms > 0 && refresher->wakes == seen_wakes) {
            struct timespec until = picket_deadline(sleep_ms);
            pthread_cond_timedwait(&refresher->woken, &refresher->lock, &until);
        }
        seen_wakes = refresher->wakes;
        if (refresher->stop)
            break;
        pthread_mutex_unlock(&refresher->lock);
        sleep_ms = work(refresher);
        pthread_mutex_lock(&refresher->lock);
    }
    pthread_mutex_unlock(&refresher->lock);
    return NULL;
}

static void release(struct refresher *refresher)
{
    while (refresher->attempts != NULL) {
        struct attempts *next = refresher->attempts->next;
        free(refresher->attempts);
        refresher->attempts = next;
    }
    pthread_mutex_destroy(&refresher->picking);
    pthread_cond_destroy(&refresher->woken);
    pthread_mutex_destroy(&refresher->lock);
    free(refresher);
}

int refresher_start(struct refresher **refresher, struct picket_intel *intel,
                    struct picket_error *error)
{
    struct refresher *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for intelligence");
    started->intel = intel;
    pthread_mutex_init(&started->lock, NULL);
    pthread_mutex_init(&started->picking, NULL);
    picket_condition_init(&started->woken);
    while (started->thread_count < WORKERS &&
           picket_thread_start(&started->threads[started->thread_count], "feeds", run, started) ==
               0)
        started->thread_count++;
    if (started->thread_count < WORKERS) {
        refresher_stop(started);
        return picket_fail(error, PICKET_NO_MEMORY, "no threads for refreshing feeds");
    }
    *refresher = started;
    return PICKET_OK;
}

void refresher_stop(struct refresher *refresher)
{
    pthread_mutex_lock(&refresher->lock);
    refresher->stop = true;
    pthread_cond_broadcast(&refresher->woken);
    pthread_mutex_unlock(&refresher->lock);
    for (int i = 0; i < refresher->thread_count; i++)
        pthread_join(refresher->threads[i], NULL);
    release(refresher);
}

void refresher_wake(struct refresher *refresher)
{
    pthread_mutex_lock(&refresher->lock);
    refresher->wakes++;
    pthread_cond_broadcast(&refresher->woken);
    pthread_mutex_unlock(&refresher->lock);
}

void refresher_ask(struct refresher *refresher, const char *name)
{
    pthread_mutex_lock(&refresher->picking);
    struct attempts *attempts = remember(refresher, name);
    if (attempts != NULL)
        attempts->is_asked_for = true;
    pthread_mutex_unlock(&refresher->picking);
    refresher_wake(refresher);
}

int64_t refresher_next_ms(struct refresher *refresher, const struct picket_feed *feed)
{
    pthread_mutex_lock(&refresher->picking);
    int64_t at_ms = due_ms(feed, attempts_of(refresher, feed->name), picket_unix_ms());
    pthread_mutex_unlock(&refresher->picking);
    return at_ms != INT64_MAX ? at_ms : 0;
}
