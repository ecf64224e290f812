#include "picket/service/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/output.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"
#include "pipeline.h"
#include "preparer.h"

enum {
    BATCH_MESSAGES = 1000,
    BATCH_MESSAGES_MAX = 100000,
    TAKE_TIMEOUT_MS = 500,
    FIRST_RETRY_MS = 50,
    LONGEST_RETRY_MS = 5000,
    TIDY_INTERVAL_MS = 10000,
    AGING_INTERVAL_MS = 5 /* while old events are left */
};

static struct picket_counter batches_failed = {
    .name = "service_batches_failed",
    .help = "attempts to commit a batch that failed, to be repeated"};

struct picket_service {
    struct picket_log *log;
    struct preparer *preparer;
    struct pipeline pipeline;
    struct output **outputs; /* of alerts, then of routes */
    size_t alert_outputs, output_count;
    const char **alert_targets;
    char **names; /* what the targets point to */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* around what follows */
    pthread_cond_t stopped;
    bool stopping;
    struct picket_service_status status;
    struct raising *raising; /* whose turn it is to raise; NULL: nobody waits */
    bool ended;              /* the thread looks at it no more */
    pthread_cond_t raised;
};

/* Findings on their way from another thread. */
struct raising {
    picket_findings give;
    void *context;
    int64_t told;
    struct picket_error *error;
    int status;
    bool is_done;
};

/* ---- one batch after another ---- */

static void note_stall(struct picket_service *service, const struct picket_error *error)
{
    picket_count(&batches_failed, 1);
    pthread_mutex_lock(&service->lock);
    bool first = service->status.stalled_since_ms == 0;
    if (first)
        service->status.stalled_since_ms = picket_unix_ms();
    snprintf(service->status.problem, sizeof service->status.problem, "%s", error->text);
    pthread_mutex_unlock(&service->lock);
    if (first)
        picket_say(PICKET_ERROR, "service",
                   "nothing can be committed: %s; devices get no acknowledgements until it can",
                   error->text);
}

static void note_progress(struct picket_service *service)
{
    pthread_mutex_lock(&service->lock);
    int64_t since_ms = service->status.stalled_since_ms;
    if (since_ms != 0)
        memset(&service->status, 0, sizeof service->status);
    pthread_mutex_unlock(&service->lock);
    if (since_ms != 0)
        picket_say(PICKET_NOTICE, "service", "commits again after %lld s",
                   (long long)((picket_unix_ms() - since_ms) / 1000));
}

/* True if the service is to stop. */
static bool wait_ms(struct picket_service *service, int64_t time_ms)
{
    struct timespec until = picket_deadline(time_ms);
    pthread_mutex_lock(&service->lock);
    int waited = 0;
    while (waited == 0 && !service->stopping)
        waited = pthread_cond_timedwait(&service->stopped, &service->lock, &until);
    bool stop = service->stopping;
    pthread_mutex_unlock(&service->lock);
    return stop;
}

static void wake_outputs(struct picket_service *service, const struct pipeline_result *result)
{
    for (size_t i = 0; i < service->output_count; i++)
        if (i < service->alert_outputs ? result->alerts : result->telemetry)
            output_wake(service->outputs[i]);
}

/* Tries until it is committed; the devices' acknowledgements wait meanwhile. False: it is not, and
 * the service is to stop. */
static bool commit_batch(struct picket_service *service,
                         const struct prepared_message *const *messages, int count)
{
    int64_t retry_ms = FIRST_RETRY_MS;
    for (;;) {
        struct pipeline_result result;
        struct picket_error error = {0};
        if (pipeline_process(&service->pipeline, messages, count, &result, &error) == PICKET_OK) {
            note_progress(service);
            picket_log_commit(service->log, messages[count - 1]->message->position);
            preparer_release(service->preparer);
            wake_outputs(service, &result);
            return true;
        }
        note_stall(service, &error);
        if (wait_ms(service, retry_ms))
            return false;
        retry_ms = retry_ms * 2 < LONGEST_RETRY_MS ? retry_ms * 2 : LONGEST_RETRY_MS;
    }
}

/* While messages come, each batch tidies up; while none come, this does. A failure is told by the
 * next batch, which meets it too. */
static void tidy_when_idle(struct picket_service *service, int64_t *next_ms)
{
    struct picket_error error = {0};
    struct pipeline_result result = {.old_left = false};
    if (picket_monotonic_ms() < *next_ms)
        return;
    pipeline_tidy(&service->pipeline, &result, &error);
    *next_ms = picket_monotonic_ms() + (result.old_left ? AGING_INTERVAL_MS : TIDY_INTERVAL_MS);
}

static int take_timeout_ms(int64_t next_tidy_ms)
{
    int64_t left_ms = next_tidy_ms - picket_monotonic_ms();
    return left_ms < 1 ? 1 : left_ms < TAKE_TIMEOUT_MS ? (int)left_ms : TAKE_TIMEOUT_MS;
}

static void raise_for_others(struct picket_service *service)
{
    pthread_mutex_lock(&service->lock);
    struct raising *raising = service->raising;
    pthread_mutex_unlock(&service->lock);
    if (raising == NULL)
        return;
    struct pipeline_result result;
    raising->status = pipeline_raise(&service->pipeline, raising->give, raising->context, &result,
                                     raising->error);
    raising->told = raising->status == PICKET_OK ? result.told : 0;
    if (raising->status == PICKET_OK)
        wake_outputs(service, &result);
    pthread_mutex_lock(&service->lock);
    service->raising = NULL;
    raising->is_done = true;
    pthread_cond_broadcast(&service->raised);
    pthread_mutex_unlock(&service->lock);
}

static void end_raising(struct picket_service *service)
{
    pthread_mutex_lock(&service->lock);
    service->ended = true;
    pthread_cond_broadcast(&service->raised);
    pthread_mutex_unlock(&service->lock);
}

int picket_service_raise(struct picket_service *service, picket_findings give, void *context,
                         int64_t *told, struct picket_error *error)
{
    struct raising raising = {.give = give, .context = context, .error = error};
    pthread_mutex_lock(&service->lock);
    while (service->raising != NULL && !service->ended)
        pthread_cond_wait(&service->raised, &service->lock);
    if (!service->ended)
        service->raising = &raising;
    while (!raising.is_done && !service->ended)
        pthread_cond_wait(&service->raised, &service->lock);
    bool is_done = raising.is_done;
    if (service->raising == &raising)
        service->raising = NULL;
    pthread_mutex_unlock(&service->lock);
    *told = raising.told;
    return is_done ? raising.status
                   : picket_fail(error, PICKET_CLOSED, "the service is being stopped");
}

static void *run(void *context)
{
    struct picket_service *service = context;
    const struct prepared_message *const *messages;
    int64_t next_tidy_ms = 0;
    int count;
    while ((count = preparer_take(service->preparer, &messages, take_timeout_ms(next_tidy_ms))) >=
           0) {
        raise_for_others(service);
        if (count == 0)
            tidy_when_idle(service, &next_tidy_ms);
        if (count > 0 && !commit_batch(service, messages, count))
            break;
    }
    end_raising(service);
    return NULL;
}

/* ---- start and stop ---- */

static int check_output(const struct picket_output_config *config, const char *const *names,
                        size_t count, struct picket_error *error)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (config->name == NULL || config->name[0] == '\0' || strlen(config->name) > 64 ||
        strspn(config->name, allowed) != strlen(config->name))
        return picket_fail(error, PICKET_INVALID,
                           "output %s: a name has 1 to 64 letters, digits, - and _",
                           config->name != NULL ? config->name : "");
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], config->name) == 0)
            return picket_fail(error, PICKET_EXISTS, "output %s: the name is used twice",
                               config->name);
    char setting[PICKET_OUTPUT_SETTING_BYTES];
    int status = picket_output_check(config, setting, error);
    if (status != PICKET_OK)
        picket_fail_in(error, "output %s: %s", config->name, setting);
    return status;
}

static int start_output(struct picket_service *service, const struct picket_output_config *config,
                        const char *store_folder, struct picket_error *error)
{
    size_t i = service->output_count;
    int status = check_output(config, (const char *const *)service->names, i, error);
    if (status != PICKET_OK)
        return status;
    status = output_start(&service->outputs[i], config, store_folder, error);
    if (status != PICKET_OK)
        return status;
    service->output_count++;
    service->names[i] = strdup(config->name);
    return service->names[i] != NULL
               ? PICKET_OK
               : picket_fail(error, PICKET_NO_MEMORY, "no memory for outputs");
}

static int start_outputs(struct picket_service *service, const struct picket_service_config *config,
                         struct picket_error *error)
{
    size_t total = config->output_count + config->route_count;
    service->outputs = calloc(total + 1, sizeof *service->outputs);
    service->names = calloc(total + 1, sizeof *service->names);
    service->alert_targets = calloc(config->output_count + 1, sizeof *service->alert_targets);
    if (service->outputs == NULL || service->names == NULL || service->alert_targets == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for outputs");
    int status = PICKET_OK;
    service->alert_outputs = config->output_count;
    for (size_t i = 0; i < config->output_count && status == PICKET_OK; i++) {
        status = start_output(service, &config->outputs[i], config->store_folder, error);
        service->alert_targets[i] = service->names[i];
    }
    for (size_t i = 0; i < config->route_count && status == PICKET_OK; i++)
        status = start_output(service, &config->routes[i], config->store_folder, error);
    return status;
}

static void init_pipeline(struct picket_service *service,
                          const struct picket_service_config *config, struct picket_intel *intel)
{
    struct pipeline *pipeline = &service->pipeline;
    pipeline->detector_count = detectors_table(pipeline->detectors, intel);
    pipeline->alert_targets = service->alert_targets;
    pipeline->routes = config->routes;
    pipeline->route_count = config->route_count;
    pipeline->bounds = config->bounds;
}

static int batch_max_of(const struct picket_service_config *config)
{
    return config->batch_messages_max > 0 && config->batch_messages_max <= BATCH_MESSAGES_MAX
               ? (int)config->batch_messages_max
               : BATCH_MESSAGES;
}

int picket_service_start(struct picket_service **service,
                         const struct picket_service_config *config, struct picket_log *log,
                         struct picket_intel *intel, struct picket_error *error)
{
    struct picket_service *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the service");
    pthread_mutex_init(&started->lock, NULL);
    picket_condition_init(&started->stopped);
    picket_condition_init(&started->raised);
    pipeline_register_counters();
    output_register_counters();
    picket_counter_register(&batches_failed);
    started->log = log;
    int status = picket_store_open(&started->pipeline.store, config->store_folder, error);
    if (status == PICKET_OK)
        status = start_outputs(started, config, error);
    if (status == PICKET_OK) {
        init_pipeline(started, config, intel);
        status =
            preparer_start(&started->preparer, log, batch_max_of(config),
                           started->pipeline.detectors, started->pipeline.detector_count, error);
    }
    if (status == PICKET_OK) {
        started->started = picket_thread_start(&started->thread, "service", run, started) == 0;
        if (!started->started)
            status = picket_fail(error, PICKET_NO_MEMORY, "no thread for the service");
    }
    if (status != PICKET_OK) {
        picket_service_stop(started);
        return status;
    }
    *service = started;
    return PICKET_OK;
}

void picket_service_stop(struct picket_service *service)
{
    if (service == NULL)
        return;
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    pthread_cond_signal(&service->stopped);
    pthread_mutex_unlock(&service->lock);
    if (service->started)
        pthread_join(service->thread, NULL);
    preparer_stop(service->preparer);
    for (size_t i = 0; i < service->output_count; i++) {
        output_stop(service->outputs[i]);
        free(service->names[i]);
    }
    if (service->pipeline.store != NULL)
        picket_store_close(service->pipeline.store);
    arena_free(&service->pipeline.arena);
    free(service->outputs);
    free(service->names);
    free(service->alert_targets);
    pthread_cond_destroy(&service->raised);
    pthread_cond_destroy(&service->stopped);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

void picket_service_status(struct picket_service *service, struct picket_service_status *status)
{
    pthread_mutex_lock(&service->lock);
    *status = service->status;
    pthread_mutex_unlock(&service->lock);
}

bool picket_service_output_status(struct picket_service *service, const char *name,
                                  struct picket_output_status *status)
{
    for (size_t i = 0; i < service->output_count; i++) {
        if (strcmp(service->names[i], name) != 0)
            continue;
        output_status(service->outputs[i], status);
        return true;
    }
    return false;
}
