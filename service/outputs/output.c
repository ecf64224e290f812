#include "output.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"
#include "picket/store/store.h"

enum {
    IDLE_MS = 5000,             /* a wake-up missed costs no more than this */
    ATTEMPTS_BEFORE_OTHERS = 5, /* at an item that the receiver answers no to */
    FIRST_RETRY_MS = 500,
    LONGEST_RETRY_MS = 60 * 1000
};

static struct picket_counter delivered = {.name = "service_output_deliveries",
                                          .help = "items that outputs and routes confirmed",
                                          .is_work = true};
static struct picket_counter failed = {
    .name = "service_output_failures",
    .help = "attempts of outputs and routes that failed, to be repeated"};
static struct picket_counter set_aside = {
    .name = "service_output_set_aside",
    .help = "items that a receiver refused while it took others, kept aside until the next start"};
static struct picket_counter vanished = {.name = "service_output_vanished",
                                         .help = "items whose alert was gone before it was sent"};

struct output {
    const struct picket_output_config *config;
    const char *target; /* its name */
    const struct sender *sender;
    void *state;
    struct picket_store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake;
    atomic_int stopping;
    unsigned failures;                  /* in a row */
    int64_t refused_id;                 /* the item that the receiver answers no to, 0: none */
    unsigned refusals;                  /* how often in a row */
    struct picket_output_status status; /* under the lock */
};

void output_register_counters(void)
{
    picket_counter_register(&delivered);
    picket_counter_register(&failed);
    picket_counter_register(&set_aside);
    picket_counter_register(&vanished);
}

/* Waits until woken, stopped, or time_ms have passed; what wakes early only if that is asked for.
 */
static void wait_ms(struct output *output, int64_t time_ms, bool wakes_early)
{
    struct timespec until = picket_deadline(time_ms);
    pthread_mutex_lock(&output->lock);
    int waited = 0;
    while (waited == 0 && atomic_load(&output->stopping) == 0 && !(wakes_early && output->wake))
        waited = pthread_cond_timedwait(&output->woken, &output->lock, &until);
    output->wake = false;
    pthread_mutex_unlock(&output->lock);
}

/* 0.5 s, 1 s, 2 s ... 60 s, each between half of it and all of it, so that many do not retry at
 * once. */
static int64_t retry_ms(unsigned failures)
{
    int64_t longest = LONGEST_RETRY_MS;
    if (failures < 8)
        longest = (int64_t)FIRST_RETRY_MS << (failures - 1);
    if (longest > LONGEST_RETRY_MS)
        longest = LONGEST_RETRY_MS;
    unsigned seed = (unsigned)picket_monotonic_ms() ^ failures << 16;
    return longest / 2 + rand_r(&seed) % (longest / 2 + 1);
}

/* True if it is not what is known already. */
static bool keep_status(struct output *output, const char *problem)
{
    struct picket_output_status *status = &output->status;
    pthread_mutex_lock(&output->lock);
    bool is_new = strncmp(status->problem, problem, sizeof status->problem - 1) != 0;
    snprintf(status->problem, sizeof status->problem, "%s", problem);
    if (problem[0] == '\0')
        status->failing_since_ms = 0;
    else if (status->failing_since_ms == 0)
        status->failing_since_ms = picket_unix_ms();
    pthread_mutex_unlock(&output->lock);
    return is_new;
}

static void note_failure(struct output *output, const char *problem)
{
    picket_count(&failed, 1);
    output->failures++;
    if (keep_status(output, problem))
        picket_say(PICKET_WARNING, "service", "output %s: %s; it will be tried again",
                   output->target, problem);
}

static void note_success(struct output *output, size_t sent)
{
    picket_count(&delivered, sent);
    if (output->failures > 0)
        picket_say(PICKET_NOTICE, "service", "output %s: delivers again after %u failed attempts",
                   output->target, output->failures);
    output->failures = 0;
    keep_status(output, "");
}

/* The end of what the sender is given at once: all up to one that is gone. One that was answered no
 * to goes alone, so that those behind it are not sent again at each attempt. */
static size_t end_of_run(const struct output *output, const struct delivery *items, size_t start,
                         size_t count)
{
    size_t end = start;
    if (items[start].id == output->refused_id)
        count = start + 1;
    while (end < count && items[end].body != NULL)
        end++;
    return end;
}

/* Sends in order until one fails. *done: how many of the items are done with; *sending: how the
 * last of the sender's calls ended. */
static int send_items(struct output *output, struct delivery *items, size_t count, size_t *done,
                      struct sending *sending, struct picket_error *error)
{
    *done = 0;
    while (*done < count) {
        size_t end = end_of_run(output, items, *done, count);
        int status = PICKET_OK;
        *sending = (struct sending){.sent = 0};
        if (end > *done)
            status =
                output->sender->send(output->state, items + *done, end - *done, sending, error);
        *done += sending->sent;
        if (sending->sent > 0)
            note_success(output, sending->sent);
        if (status != PICKET_OK)
            return status;
        if (*done < count && items[*done].body == NULL) {
            picket_count(&vanished, 1);
            ++*done;
        }
    }
    return PICKET_OK;
}

/* ---- items that a receiver refuses ---- */

/* True: it was answered no to often enough to find out whether others are. One that has been set
 * aside before is asked once. */
static bool is_suspect(struct output *output, const struct delivery *item)
{
    output->refusals = output->refused_id == item->id ? output->refusals + 1 : 1;
    output->refused_id = item->id;
    return item->refusals > 0 || output->refusals >= ATTEMPTS_BEFORE_OTHERS;
}

/* One of those behind it, the next first, and another each time: the receiver may refuse more than
 * one. NULL: there is none. */
static const struct delivery *choose_other(const struct output *output,
                                           const struct delivery *items, size_t count)
{
    unsigned tried = output->refusals >= ATTEMPTS_BEFORE_OTHERS
                         ? output->refusals - ATTEMPTS_BEFORE_OTHERS
                         : output->refusals - 1;
    for (size_t i = 0; i + 1 < count; i++) {
        const struct delivery *other = &items[1 + (tried + i) % (count - 1)];
        if (other->body != NULL)
            return other;
    }
    return NULL;
}

/* True: it is confirmed, and done with. */
static bool deliver_alone(struct output *output, const struct delivery *item,
                          struct sending *sending)
{
    struct picket_error ignored = {0};
    *sending = (struct sending){.sent = 0};
    if (output->sender->send(output->state, item, 1, sending, &ignored) != PICKET_OK)
        return false;
    note_success(output, 1);
    return picket_store_outbox_done_one(output->store, output->target, item->id, &ignored) ==
           PICKET_OK;
}

static bool keep_aside(struct output *output, const struct delivery *item, const char *reason)
{
    static struct picket_say_limit limit;
    struct picket_error error = {0};
    if (picket_store_outbox_set_aside(output->store, output->target, item->id, reason, &error) !=
        PICKET_OK)
        return false;
    picket_count(&set_aside, 1);
    picket_say_limited(&limit, PICKET_WARNING, "service",
                       "output %s: item %lld (alert %lld) set aside until the next start: %s, and "
                       "took one behind it",
                       output->target, (long long)item->id, (long long)item->alert_id, reason);
    return true;
}

/* The first of the items was answered no to. If the receiver takes one behind it, and still not the
 * first, then it is the item, and is set aside. True: the way is free. */
static bool pass_refused(struct output *output, const struct delivery *items, size_t count,
                         const char *reason)
{
    struct sending sending;
    if (!is_suspect(output, items))
        return false;
    const struct delivery *other = choose_other(output, items, count);
    if (other == NULL || !deliver_alone(output, other, &sending))
        return false;
    if (deliver_alone(output, items, &sending))
        return true;
    return sending.answered && keep_aside(output, items, reason);
}

/* ---- rounds ---- */

/* What was not sent, and why; returns how long to wait. */
static int64_t after_failure(struct output *output, const struct delivery *items, size_t count,
                             const struct sending *sending, const struct picket_error *error)
{
    if (atomic_load(&output->stopping) != 0)
        return FIRST_RETRY_MS;
    if (sending->answered && pass_refused(output, items, count, error->text))
        return 0;
    note_failure(output, error->text);
    int64_t wait = retry_ms(output->failures);
    return wait > sending->retry_after_ms ? wait : sending->retry_after_ms;
}

/* There is nothing to send. */
static int look_after(struct output *output, struct picket_error *error)
{
    if (output->sender->idle == NULL)
        return PICKET_OK;
    int status = output->sender->idle(output->state, error);
    if (status == PICKET_OK && output->failures > 0)
        note_success(output, 0);
    return status;
}

/* One round; returns how long to wait, 0 when there may be more. */
static int64_t work(struct output *output)
{
    struct delivery items[DELIVERIES_TOGETHER];
    struct sending sending = {.sent = 0};
    struct picket_error error = {0}, done_error = {0};
    size_t count = 0, done = 0;
    int status = deliveries_load(output->store, output->config, items, output->sender->together,
                                 &count, &error);
    if (status == PICKET_OK)
        status = count > 0 ? send_items(output, items, count, &done, &sending, &error)
                           : look_after(output, &error);
    if (done > 0 && picket_store_outbox_done(output->store, output->target, items[done - 1].id,
                                             &done_error) != PICKET_OK) {
        status = PICKET_IO;
        error = done_error;
        sending = (struct sending){.sent = 0};
    }
    int64_t wait = count > 0 ? 0 : IDLE_MS; /* few may be so for their size */
    if (status != PICKET_OK)
        wait = after_failure(output, items + done, count - done, &sending, &error);
    deliveries_free(items, count);
    return wait;
}

static void *run(void *context)
{
    struct output *output = context;
    while (atomic_load(&output->stopping) == 0) {
        int64_t time_ms = work(output);
        if (time_ms > 0)
            wait_ms(output, time_ms, output->failures == 0);
    }
    return NULL;
}

static void free_output(struct output *output)
{
    if (output->state != NULL)
        output->sender->close(output->state);
    if (output->store != NULL)
        picket_store_close(output->store);
    pthread_cond_destroy(&output->woken);
    pthread_mutex_destroy(&output->lock);
    free(output);
}

/* Whoever starts anew may have mended what refused them. */
static int put_back(struct output *output, struct picket_error *error)
{
    int64_t count;
    int status = picket_store_outbox_put_back(output->store, output->target, &count, error);
    if (status == PICKET_OK && count > 0)
        picket_say(PICKET_NOTICE, "service",
                   "output %s: %lld items that were set aside are sent again", output->target,
                   (long long)count);
    return status;
}

int output_start(struct output **output, const struct picket_output_config *config,
                 const char *store_folder, struct picket_error *error)
{
    struct output *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for output %s", config->name);
    pthread_mutex_init(&started->lock, NULL);
    picket_condition_init(&started->woken);
    started->config = config;
    started->target = config->name;
    started->sender = sender_of(config->kind);
    int status = picket_store_open(&started->store, store_folder, error);
    if (status == PICKET_OK)
        status = put_back(started, error);
    if (status == PICKET_OK) {
        status = started->sender->open(&started->state, config, &started->stopping, error);
        if (status != PICKET_OK)
            picket_fail_in(error, "output %s", config->name);
    }
    if (status == PICKET_OK &&
        picket_thread_start(&started->thread, started->target, run, started) != 0)
        status = picket_fail(error, PICKET_NO_MEMORY, "no thread for output %s", config->name);
    if (status != PICKET_OK) {
        free_output(started);
        return status;
    }
    *output = started;
    return PICKET_OK;
}

void output_wake(struct output *output)
{
    pthread_mutex_lock(&output->lock);
    output->wake = true;
    pthread_cond_signal(&output->woken);
    pthread_mutex_unlock(&output->lock);
}

void output_status(struct output *output, struct picket_output_status *status)
{
    pthread_mutex_lock(&output->lock);
    *status = output->status;
    pthread_mutex_unlock(&output->lock);
}

void output_stop(struct output *output)
{
    atomic_store(&output->stopping, 1);
    output_wake(output);
    pthread_join(output->thread, NULL);
    free_output(output);
}
