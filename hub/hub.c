#include "picket/hub/hub.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "conduct/addresses.h"
#include "conduct/conduct.h"
#include "connection/connection.h"
#include "connection/input_budget.h"
#include "connection/listener.h"
#include "connection/sources.h"
#include "connection/tls.h"
#include "exchange/device_bound.h"
#include "exchange/methods.h"
#include "exchange/twins.h"
#include "identity/expiry.h"
#include "internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "picket/base/time.h"
#include "session/acknowledgement.h"
#include "session/devices.h"
#include "session/session.h"
#include "session/subscriptions.h"
#include "session/wills.h"
#include "work.h"

enum { DESCRIPTORS_OF_OTHERS = 256 }; /* store, API, outputs ... of the same process */

/* ---- waking the loop from the log's thread ---- */

/* The log outlives the hub and may call long after it. A waker is therefore never freed; a process
 * has one for each hub it ever started. */

static pthread_mutex_t wakers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct waker *wakers;

static struct waker *make_waker(uv_async_t *async)
{
    struct waker *waker = calloc(1, sizeof *waker);
    if (waker == NULL)
        return NULL;
    pthread_mutex_init(&waker->lock, NULL);
    waker->async = async;
    pthread_mutex_lock(&wakers_lock);
    waker->next = wakers;
    wakers = waker;
    pthread_mutex_unlock(&wakers_lock);
    return waker;
}

static void on_durable(void *context, uint64_t position)
{
    struct waker *waker = context;
    atomic_store(&waker->durable, position);
    pthread_mutex_lock(&waker->lock);
    if (waker->async != NULL)
        uv_async_send(waker->async);
    pthread_mutex_unlock(&waker->lock);
}

static void silence_waker(struct waker *waker)
{
    pthread_mutex_lock(&waker->lock);
    waker->async = NULL;
    pthread_mutex_unlock(&waker->lock);
}

/* ---- the loop ---- */

static void end_all(struct picket_hub *hub)
{
    for (uint32_t i = 0; i < hub->slots_used; i++)
        if (hub->slots[i].connection != NULL)
            connection_end(hub->slots[i].connection, ENDING_STOPPED, "the hub stops");
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void recheck_changed_devices(struct picket_hub *hub)
{
    pthread_mutex_lock(&hub->changed_lock);
    struct changed_device *changed = hub->changed;
    hub->changed = NULL;
    pthread_mutex_unlock(&hub->changed_lock);
    while (changed != NULL) {
        struct changed_device *next = changed->next;
        if (!hub->stopped)
            devices_recheck(hub, changed->id);
        free(changed);
        changed = next;
    }
}

static struct queue_change *take_queue_changes(struct picket_hub *hub)
{
    pthread_mutex_lock(&hub->changed_lock);
    struct queue_change *changes = hub->queue_changes;
    hub->queue_changes = NULL;
    pthread_mutex_unlock(&hub->changed_lock);
    return changes;
}

/* When the hub has stopped, they are only counted. */
static void look_for_messages(struct picket_hub *hub)
{
    struct queue_change *change = take_queue_changes(hub);
    while (change != NULL) {
        struct queue_change *next = change->next;
        struct connection *connection = hub->stopped ? NULL : devices_find(hub, change->id, "");
        hub_activity_count_of(hub, change->id, "", change->kind, change->count);
        if (connection != NULL && change->kind == TALLY_QUEUED)
            device_bound_queued(connection);
        free(change);
        change = next;
    }
}

static struct twin_change *next_twin_change(struct picket_hub *hub)
{
    pthread_mutex_lock(&hub->changed_lock);
    struct twin_change *change = STAILQ_FIRST(&hub->twin_changes);
    if (change != NULL)
        STAILQ_REMOVE_HEAD(&hub->twin_changes, next);
    pthread_mutex_unlock(&hub->changed_lock);
    return change;
}

static void tell_twin_changes(struct picket_hub *hub)
{
    struct twin_change *change;
    while ((change = next_twin_change(hub)) != NULL) {
        struct connection *connection =
            hub->stopped ? NULL : devices_find(hub, change->content, change->module);
        hub_activity_count_of(hub, change->content, change->module, TALLY_DESIRED, 1);
        if (connection != NULL)
            twins_tell(connection, change->version, change->patch);
        free(change);
    }
}

static void stop_loop(struct picket_hub *hub)
{
    if (hub->stopped)
        return;
    hub->stopped = true;
    handshakes_stop(hub);
    end_all(hub);
    exchange_count_losses(hub);
    tell_twin_changes(hub);
    look_for_messages(hub);
    hub_activity_flush(hub);
    wills_drop_all(hub);
    methods_stop(&hub->methods);
    silence_waker(hub->waker);
    exchange_silence(&hub->exchange);
    uv_walk(&hub->loop, close_handle, NULL);
}

static bool is_vouched_for(const struct connection *connection, const struct admission *admission)
{
    return connection->state != CONNECTION_ACCEPTED ||
           connection->credential.kind != CREDENTIAL_CA ||
           credential_is_of_authorities(&connection->credential, admission);
}

static void recheck_admission(struct connection *connection, const struct admission *admission)
{
    char reason[IP_FILTER_REASON_BYTES];
    if (!ip_filter_admits(&admission->filter, &connection->address))
        connection_end(connection, ENDING_FILTERED, "the IP filter has changed: %s",
                       ip_filter_reason(&admission->filter, &connection->address, reason));
    else if (!is_vouched_for(connection, admission))
        connection_end(connection, ENDING_DEVICE_CHANGED,
                       "the CA that its certificate leads to was removed");
}

static void take_admission(struct picket_hub *hub)
{
    pthread_mutex_lock(&hub->changed_lock);
    struct admission *next = hub->next_admission;
    hub->next_admission = NULL;
    pthread_mutex_unlock(&hub->changed_lock);
    if (next == NULL)
        return;
    admission_free(hub->admission);
    hub->admission = next;
    for (uint32_t i = 0; i < hub->slots_used; i++)
        if (hub->slots[i].connection != NULL)
            recheck_admission(hub->slots[i].connection, next);
}

static void on_wake(uv_async_t *async)
{
    struct picket_hub *hub = async->data;
    if (atomic_load(&hub->stopping)) {
        stop_loop(hub);
        return;
    }
    take_admission(hub);
    recheck_changed_devices(hub);
    tell_twin_changes(hub);
    methods_run(hub);
    look_for_messages(hub);
    hub->log_may_have_room = true;
    work_schedule(hub);
    work_round(hub);
}

static void on_shaken(uv_async_t *async)
{
    work_schedule(async->data);
}

static void on_sweep(uv_timer_t *timer)
{
    struct picket_hub *hub = timer->data;
    int64_t now_ms = picket_monotonic_ms();
    int64_t unix_s = picket_unix_ms() / 1000;
    for (uint32_t i = 0; i < hub->slots_used; i++)
        if (hub->slots[i].connection != NULL)
            connection_check(hub->slots[i].connection, now_ms, unix_s);
    methods_check(hub, now_ms);
    exchange_check(hub, now_ms);
    hub_activity_sweep(hub, now_ms);
    expiry_check(hub, now_ms);
    conduct_sweep(hub, now_ms);
    listener_resume(hub);
    /* A log may get room in other ways than by a commit that we are told of. */
    hub->log_may_have_room = true;
    if (!TAILQ_EMPTY(&hub->queues[WORK_WAITING]) || !STAILQ_EMPTY(&hub->wills))
        work_schedule(hub);
}

static void *run(void *context)
{
    struct picket_hub *hub = context;
    uv_run(&hub->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* OpenSSL writes without MSG_NOSIGNAL; and signals are the program's, not this thread's. */
static int start_thread(struct picket_hub *hub)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = picket_thread_start(&hub->thread, "hub", run, hub);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

/* ---- start ---- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value > 0 ? value : fallback;
}

static void fill_bounds(struct picket_hub_config *config)
{
    config->connections_max = or_default(config->connections_max, 20000);
    config->message_bytes_max = or_default(config->message_bytes_max, 262144);
    config->connect_timeout_s = or_default(config->connect_timeout_s, 30);
    config->certificate_warning_s = or_default(config->certificate_warning_s, 30 * 86400);
    config->activity_interval_s = or_default(config->activity_interval_s, ACTIVITY_ORDINARY_S);
    config->handshakes_max = or_default(config->handshakes_max, 1000);
    config->handshakes_per_address_max = or_default(config->handshakes_per_address_max, 250);
    if (config->input_bytes_max == 0)
        config->input_bytes_max = 64 << 20;
    if (config->output_bytes_max == 0)
        config->output_bytes_max = 64 << 20;
}

static int check_config(const struct picket_hub_config *config, struct picket_error *error)
{
    if (config->host_name == NULL || config->host_name[0] == '\0')
        return picket_fail(error, PICKET_INVALID, "hub: host_name is missing");
    if (config->certificate_file == NULL || config->key_file == NULL)
        return picket_fail(error, PICKET_INVALID, "hub: certificate_file or key_file is missing");
    if (config->message_bytes_max > 64u << 20)
        return picket_fail(error, PICKET_INVALID, "hub: message_bytes_max %u exceeds 67108864",
                           config->message_bytes_max);
    uint32_t needed = MQTT_HEADER_BYTES_MAX + hub_publish_bytes_max(config);
    if (config->input_bytes_max < needed)
        return picket_fail(error, PICKET_INVALID,
                           "hub: input_bytes_max %llu is less than one message may need, %u",
                           (unsigned long long)config->input_bytes_max, needed);
    if (config->connections_max > 1u << 20)
        return picket_fail(error, PICKET_INVALID, "hub: connections_max %u exceeds 1048576",
                           config->connections_max);
    return PICKET_OK;
}

/* A connection is a descriptor. The soft limit is there to be raised; the hard one is the
 * operator's. */
static void raise_descriptor_limit(uint32_t connections_max)
{
    struct rlimit limit;
    rlim_t wanted = connections_max + DESCRIPTORS_OF_OTHERS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < connections_max)
        picket_say(PICKET_NOTICE, "hub",
                   "%llu file descriptors are allowed: fewer than hub.limits.connections %u needs",
                   (unsigned long long)limit.rlim_cur, connections_max);
}

static int make_tables(struct picket_hub *hub, struct picket_error *error)
{
    raise_descriptor_limit(hub->config.connections_max);
    hub->free_slot = UINT32_MAX;
    hub->slots = calloc(hub->config.connections_max, sizeof *hub->slots);
    hub->host_name = strdup(hub->config.host_name);
    if (hub->config.store_folder != NULL)
        hub->store_folder = strdup(hub->config.store_folder);
    for (int i = 0; i < WORK_QUEUES; i++)
        TAILQ_INIT(&hub->queues[i]);
    TAILQ_INIT(&hub->unauthenticated);
    STAILQ_INIT(&hub->wills);
    hub_activity_open(&hub->activity);
    STAILQ_INIT(&hub->twin_changes);
    addresses_open(hub);
    if (hub->slots == NULL || hub->host_name == NULL || !devices_open(hub) || !sources_open(hub) ||
        !conduct_open(hub) || !acknowledgement_open(&hub->acknowledgements))
        return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory for %u connections",
                           hub->config.connections_max);
    return PICKET_OK;
}

static int start_loop(struct picket_hub *hub, struct picket_error *error)
{
    int result = uv_async_init(&hub->loop, &hub->wake, on_wake);
    if (result == 0)
        result = uv_async_init(&hub->loop, &hub->shaken, on_shaken);
    if (result == 0)
        result = uv_timer_init(&hub->loop, &hub->sweep);
    if (result == 0)
        result = uv_idle_init(&hub->loop, &hub->work);
    if (result == 0)
        result = uv_timer_start(&hub->sweep, on_sweep, HUB_SWEEP_MS, HUB_SWEEP_MS);
    if (result != 0)
        return picket_fail(error, PICKET_IO, "hub: event loop: %s", uv_strerror(result));
    hub->wake.data = hub->shaken.data = hub->sweep.data = hub->work.data = hub;
    hub->waker = make_waker(&hub->wake);
    if (hub->waker == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory");
    return listener_start(hub, error);
}

static void free_twin_changes(struct picket_hub *hub)
{
    struct twin_change *change;
    while ((change = next_twin_change(hub)) != NULL)
        free(change);
}

static void free_queue_changes(struct picket_hub *hub)
{
    struct queue_change *change = take_queue_changes(hub);
    while (change != NULL) {
        struct queue_change *next = change->next;
        free(change);
        change = next;
    }
}

static void free_hub(struct picket_hub *hub)
{
    exchange_close(&hub->exchange);
    handshakes_close(&hub->handshakes);
    methods_stop(&hub->methods);
    methods_close(&hub->methods);
    free_twin_changes(hub);
    free_queue_changes(hub);
    listener_close(hub);
    SSL_CTX_free(hub->tls);
    devices_close(hub);
    sources_close(hub);
    addresses_close(hub);
    conduct_close(hub);
    pthread_mutex_destroy(&hub->conduct.lock);
    acknowledgement_close(&hub->acknowledgements);
    if (hub->registry.close != NULL)
        hub->registry.close(hub->registry.context);
    pthread_mutex_destroy(&hub->changed_lock);
    hub_activity_close(&hub->activity);
    admission_free(hub->admission);
    admission_free(hub->next_admission);
    free(hub->slots);
    free(hub->host_name);
    free(hub->store_folder);
    free(hub);
}

static void close_loop(struct picket_hub *hub)
{
    uv_walk(&hub->loop, close_handle, NULL);
    uv_run(&hub->loop, UV_RUN_DEFAULT);
    uv_loop_close(&hub->loop);
}

static int start_with_loop(struct picket_hub *hub, struct picket_error *error)
{
    int status = start_loop(hub, error);
    if (status != PICKET_OK)
        return status;
    picket_log_on_durable(hub->log, on_durable, hub->waker);
    status = exchange_start(&hub->exchange, &hub->wake, error);
    if (status == PICKET_OK)
        status = handshakes_start(&hub->handshakes, &hub->shaken, error);
    int result = status == PICKET_OK ? start_thread(hub) : 0;
    if (status == PICKET_OK && result == 0)
        return PICKET_OK;
    silence_waker(hub->waker);
    exchange_stop(&hub->exchange);
    handshakes_stop(hub);
    if (status != PICKET_OK)
        return status;
    return picket_fail(error, PICKET_IO, "hub: no thread: %s", strerror(result));
}

static int prepare(struct picket_hub *hub, struct picket_error *error)
{
    int status = check_config(&hub->config, error);
    if (status == PICKET_OK)
        status = make_tables(hub, error);
    if (status == PICKET_OK)
        status = admission_load(&hub->admission, hub->store_folder, error);
    if (status == PICKET_OK)
        status = listener_open(hub, error);
    if (status != PICKET_OK)
        return status;
    hub->tls = tls_server_context(hub->config.certificate_file, hub->config.key_file, error);
    if (hub->tls == NULL)
        return PICKET_INVALID;
    hub->certificate_until_s = tls_server_until(hub->tls);
    return PICKET_OK;
}

int hub_start_with_registry(struct picket_hub **out, const struct picket_hub_config *config,
                            const struct hub_registry *registry, const struct hub_keeper *keeper,
                            struct picket_log *log, struct picket_error *error)
{
    struct picket_hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL) {
        if (registry->close != NULL)
            registry->close(registry->context);
        if (keeper != NULL)
            keeper->close(keeper->context);
        return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory");
    }
    hub->config = *config;
    hub->registry = *registry;
    hub->log = log;
    hub->reserve_fd = -1;
    exchange_open(&hub->exchange, keeper);
    handshakes_open(&hub->handshakes);
    methods_open(&hub->methods);
    pthread_mutex_init(&hub->changed_lock, NULL);
    pthread_mutex_init(&hub->conduct.lock, NULL);
    TAILQ_INIT(&hub->conduct.idle);
    fill_bounds(&hub->config);
    ending_register_counters();
    session_register_counters();
    input_budget_register_counters();
    conduct_register_counters();
    addresses_register_counters();
    wills_register_counters();
    hub_activity_register_counters();
    twins_register_counters();
    exchange_register_counters();
    methods_register_counters();
    device_bound_register_counters();
    subscriptions_register_counters();
    int status = prepare(hub, error);
    if (status == PICKET_OK && uv_loop_init(&hub->loop) != 0)
        status = picket_fail(error, PICKET_IO, "hub: no event loop");
    else if (status == PICKET_OK) {
        status = start_with_loop(hub, error);
        if (status != PICKET_OK)
            close_loop(hub);
    }
    if (status != PICKET_OK) {
        free_hub(hub);
        return status;
    }
    *out = hub;
    return PICKET_OK;
}

/* ---- from other threads ---- */

void picket_hub_stop(struct picket_hub *hub)
{
    if (hub == NULL)
        return;
    atomic_store(&hub->stopping, true);
    uv_async_send(&hub->wake);
    pthread_join(hub->thread, NULL);
    exchange_stop(&hub->exchange);
    uv_loop_close(&hub->loop);
    recheck_changed_devices(hub);
    free_hub(hub);
}

uint16_t picket_hub_port(const struct picket_hub *hub)
{
    return hub->port;
}

void picket_hub_device_changed(struct picket_hub *hub, const char *device)
{
    struct changed_device *changed = malloc(sizeof *changed);
    if (changed == NULL) {
        picket_say(PICKET_ERROR, "hub", "device %s: stays connected: no memory to end it", device);
        return;
    }
    snprintf(changed->id, sizeof changed->id, "%s", device);
    pthread_mutex_lock(&hub->changed_lock);
    changed->next = hub->changed;
    hub->changed = changed;
    pthread_mutex_unlock(&hub->changed_lock);
    uv_async_send(&hub->wake);
}

static enum tally_kind tally_of(enum picket_hub_messages what)
{
    switch (what) {
    case PICKET_HUB_MESSAGES_QUEUED:
        return TALLY_QUEUED;
    case PICKET_HUB_MESSAGES_PURGED:
        return TALLY_PURGED;
    case PICKET_HUB_MESSAGES_EXPIRED:
        return TALLY_EXPIRED;
    case PICKET_HUB_MESSAGES_REFUSED_FULL:
        return TALLY_REFUSED_FULL;
    default:
        return TALLY_REFUSED_LARGE;
    }
}

void picket_hub_messages_changed(struct picket_hub *hub, const char *device,
                                 enum picket_hub_messages what, uint64_t count)
{
    struct queue_change *change = malloc(sizeof *change);
    if (change == NULL)
        return; /* it gets the message with the next one, or when it connects again */
    change->kind = tally_of(what);
    change->count = count;
    snprintf(change->id, sizeof change->id, "%s", device);
    pthread_mutex_lock(&hub->changed_lock);
    change->next = hub->queue_changes;
    hub->queue_changes = change;
    pthread_mutex_unlock(&hub->changed_lock);
    uv_async_send(&hub->wake);
}

void picket_hub_twin_changed(struct picket_hub *hub, const char *device, const char *module,
                             int64_t version, const char *patch)
{
    size_t device_bytes = strlen(device) + 1, module_bytes = strlen(module) + 1;
    size_t patch_bytes = strlen(patch) + 1;
    struct twin_change *change = malloc(sizeof *change + device_bytes + module_bytes + patch_bytes);
    if (change == NULL) {
        picket_say(PICKET_ERROR, "hub", "device %s: no memory to tell it of its twin", device);
        return;
    }
    change->version = version;
    change->module = change->content + device_bytes;
    change->patch = change->module + module_bytes;
    memcpy(change->content, device, device_bytes);
    memcpy(change->content + device_bytes, module, module_bytes);
    memcpy(change->content + device_bytes + module_bytes, patch, patch_bytes);
    pthread_mutex_lock(&hub->changed_lock);
    STAILQ_INSERT_TAIL(&hub->twin_changes, change, next);
    pthread_mutex_unlock(&hub->changed_lock);
    uv_async_send(&hub->wake);
}

int picket_hub_admission_changed(struct picket_hub *hub, struct picket_error *error)
{
    struct admission *admission;
    int status = admission_load(&admission, hub->store_folder, error);
    if (status != PICKET_OK)
        return status;
    pthread_mutex_lock(&hub->changed_lock);
    struct admission *overtaken = hub->next_admission;
    hub->next_admission = admission;
    pthread_mutex_unlock(&hub->changed_lock);
    admission_free(overtaken);
    uv_async_send(&hub->wake);
    return PICKET_OK;
}

void picket_hub_statistics(struct picket_hub *hub, struct picket_hub_statistics *out)
{
    *out = (struct picket_hub_statistics){
        .connections = atomic_load(&hub->connection_count),
        .devices_connected = atomic_load(&hub->device_count),
        .certificate_until_s = hub->certificate_until_s,
        .awaiting_durable = atomic_load(&hub->awaiting_count),
    };
}

void picket_hub_device_statistics(struct picket_hub *hub, const char *device,
                                  struct picket_hub_device_statistics *out)
{
    conduct_look(hub, device, out);
}
