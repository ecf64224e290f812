#include "methods.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"
#include "internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "publish.h"
#include "session/devices.h"
#include "session/dialect.h"
#include "session/subscriptions.h"

static struct picket_counter answered = {
    .name = "hub_methods_answered", .help = "method calls that devices answered", .is_work = true};
static struct picket_counter missed = {
    .name = "hub_methods_unconnected",
    .help = "method calls whose device was not connected and subscribed in time"};
static struct picket_counter timed_out = {.name = "hub_methods_unanswered",
                                          .help = "method calls that were not answered in time"};
static struct picket_counter refused = {
    .name = "hub_methods_refused",
    .help = "method calls refused: too many, or devices have too much to read"};
static struct picket_counter late = {
    .name = "hub_methods_late",
    .help = "method results that nobody waits for, or larger than 131,072 bytes"};

void methods_register_counters(void)
{
    struct picket_counter *const counters[] = {&answered, &missed, &timed_out, &refused, &late};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        picket_counter_register(counters[i]);
}

struct picket_hub_call {
    TAILQ_ENTRY(picket_hub_call) next;
    uint64_t number;
    int64_t timeout_ms;
    int64_t deadline_ms; /* monotonic; of the queue it is in */
    struct slice payload;
    const char *module; /* these point into content */
    const char *name;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t change;
    int shares; /* who waits, and the hub */
    bool ended;
    int status; /* enum picket_status */
    int result;
    char *answer;
    size_t answer_bytes;

    char content[]; /* device, module, name, payload */
};

/* ---- a call ---- */

static void let_go(struct picket_hub_call *call)
{
    pthread_mutex_lock(&call->lock);
    int left = --call->shares;
    pthread_mutex_unlock(&call->lock);
    if (left > 0)
        return;
    pthread_cond_destroy(&call->change);
    pthread_mutex_destroy(&call->lock);
    free(call->answer);
    free(call);
}

static void end(struct picket_hub_call *call, int status)
{
    pthread_mutex_lock(&call->lock);
    call->status = status;
    call->ended = true;
    pthread_cond_signal(&call->change);
    pthread_mutex_unlock(&call->lock);
    let_go(call);
}

static struct picket_hub_call *make_call(const struct picket_hub_method *method)
{
    struct slice device = slice_of(method->device), module = slice_of(method->module);
    struct slice name = slice_of(method->name), payload = {method->payload, method->payload_bytes};
    struct picket_hub_call *call =
        calloc(1, sizeof *call + device.size + module.size + name.size + payload.size + 4);
    if (call == NULL)
        return NULL;
    char *at = call->content;
    slice_copy(&at, device);
    call->module = slice_copy(&at, module);
    call->name = slice_copy(&at, name);
    call->payload = (struct slice){slice_copy(&at, payload), payload.size};
    call->timeout_ms = (int64_t)method->timeout_s * 1000;
    call->deadline_ms = picket_monotonic_ms() + (int64_t)method->connect_timeout_s * 1000;
    call->shares = 2;
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->change, NULL);
    return call;
}

/* ---- from other threads ---- */

static bool is_name_character(char character)
{
    return character > 0x20 && character < 0x7f && strchr("/+#?&", character) == NULL;
}

static int check_method(const struct picket_hub_method *method, struct picket_error *error)
{
    size_t length = strlen(method->name);
    bool good = length > 0 && length <= PICKET_HUB_METHOD_NAME_MAX;
    for (size_t i = 0; i < length && good; i++)
        good = is_name_character(method->name[i]);
    if (!good)
        return picket_fail(error, PICKET_INVALID,
                           "method \"%.100s\": expected 1 to %d printable ASCII characters without "
                           "space and / + # ? &",
                           method->name, PICKET_HUB_METHOD_NAME_MAX);
    if (method->payload_bytes > PICKET_HUB_METHOD_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "method %s: a payload of %zu bytes exceeds %d",
                           method->name, method->payload_bytes, PICKET_HUB_METHOD_BYTES_MAX);
    return PICKET_OK;
}

static int enqueue(struct methods *methods, struct picket_hub_call *call,
                   struct picket_error *error)
{
    int status = PICKET_OK;
    pthread_mutex_lock(&methods->lock);
    if (methods->stopped)
        status = picket_fail(error, PICKET_CLOSED, "the hub is stopping");
    else if (methods->count >= METHODS_CALLS_MAX)
        status = picket_fail(error, PICKET_BUSY, "%d method calls wait already", METHODS_CALLS_MAX);
    if (status == PICKET_OK) {
        TAILQ_INSERT_TAIL(&methods->started, call, next);
        methods->count++;
    }
    pthread_mutex_unlock(&methods->lock);
    return status;
}

int picket_hub_call_start(struct picket_hub *hub, const struct picket_hub_method *method,
                          struct picket_hub_call **call, struct picket_error *error)
{
    int status = check_method(method, error);
    if (status != PICKET_OK)
        return status;
    struct picket_hub_call *started = make_call(method);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "method %s: no memory", method->name);
    status = enqueue(&hub->methods, started, error);
    if (status != PICKET_OK) {
        picket_count(&refused, 1);
        started->shares = 1;
        let_go(started);
        return status;
    }
    *call = started;
    uv_async_send(&hub->wake);
    return PICKET_OK;
}

static int describe(const struct picket_hub_call *call, struct picket_error *error)
{
    switch (call->status) {
    case PICKET_OK:
        return PICKET_OK;
    case PICKET_NOT_FOUND:
        return picket_fail(error, PICKET_NOT_FOUND,
                           "device %s: is not connected, or does not subscribe to methods",
                           call->content);
    case PICKET_IO:
        return picket_fail(error, PICKET_IO, "device %s: did not answer %s within %lld s",
                           call->content, call->name, (long long)call->timeout_ms / 1000);
    case PICKET_BUSY:
        return picket_fail(error, PICKET_BUSY, "device %s: devices have too much to read already",
                           call->content);
    case PICKET_CLOSED:
        return picket_fail(error, PICKET_CLOSED, "the hub is stopping");
    default:
        return picket_fail(error, call->status, "device %s: no memory for its answer",
                           call->content);
    }
}

int picket_hub_call_wait(struct picket_hub_call *call, struct picket_hub_method_result *result,
                         struct picket_error *error)
{
    pthread_mutex_lock(&call->lock);
    while (!call->ended)
        pthread_cond_wait(&call->change, &call->lock);
    *result = (struct picket_hub_method_result){call->result, call->answer, call->answer_bytes};
    call->answer = NULL;
    pthread_mutex_unlock(&call->lock);
    int status = describe(call, error);
    let_go(call);
    return status;
}

/* ---- the loop ---- */

static void finish(struct picket_hub *hub, struct call_queue *queue, struct picket_hub_call *call,
                   int status)
{
    TAILQ_REMOVE(queue, call, next);
    pthread_mutex_lock(&hub->methods.lock);
    hub->methods.count--;
    pthread_mutex_unlock(&hub->methods.lock);
    end(call, status);
}

static void count_of(struct picket_hub *hub, const struct picket_hub_call *call,
                     enum tally_kind kind)
{
    hub_activity_count_of(hub, call->content, call->module, kind, 1);
}

static bool is_of(const struct picket_hub_call *call, const struct connection *connection)
{
    return strcmp(call->content, connection->device) == 0 &&
           strcmp(call->module, connection->module) == 0;
}

static bool takes_methods(const struct connection *connection)
{
    return connection != NULL && subscriptions_have(connection, DIALECT_METHODS);
}

/* Moves it from waiting to sent. */
static void send_call(struct connection *connection, struct picket_hub_call *call)
{
    struct methods *methods = &connection->hub->methods;
    char topic[PICKET_HUB_METHOD_NAME_MAX + 64];
    if (publish_is_over_bound(connection->hub)) {
        picket_count(&refused, 1);
        count_of(connection->hub, call, TALLY_NOT_SENT);
        finish(connection->hub, &methods->waiting, call, PICKET_BUSY);
        return;
    }
    call->number = ++methods->last_number;
    call->deadline_ms = picket_monotonic_ms() + call->timeout_ms;
    TAILQ_REMOVE(&methods->waiting, call, next);
    TAILQ_INSERT_TAIL(&methods->sent, call, next);
    snprintf(topic, sizeof topic, "$iothub/methods/POST/%s/?$rid=%" PRIx64, call->name,
             call->number);
    publish(connection, slice_of(topic), call->payload, 0, 0);
}

static struct picket_hub_call *next_started(struct methods *methods)
{
    pthread_mutex_lock(&methods->lock);
    struct picket_hub_call *call = TAILQ_FIRST(&methods->started);
    if (call != NULL)
        TAILQ_REMOVE(&methods->started, call, next);
    pthread_mutex_unlock(&methods->lock);
    return call;
}

void methods_run(struct picket_hub *hub)
{
    struct picket_hub_call *call;
    while ((call = next_started(&hub->methods)) != NULL) {
        struct connection *connection = devices_find(hub, call->content, call->module);
        TAILQ_INSERT_TAIL(&hub->methods.waiting, call, next);
        count_of(hub, call, TALLY_INVOKED);
        if (takes_methods(connection)) {
            send_call(connection, call);
            publish_flush(connection);
        }
    }
    methods_check(hub, picket_monotonic_ms());
}

void methods_subscribed(struct connection *connection)
{
    struct picket_hub_call *call = TAILQ_FIRST(&connection->hub->methods.waiting);
    while (call != NULL) {
        struct picket_hub_call *after = TAILQ_NEXT(call, next);
        if (is_of(call, connection))
            send_call(connection, call);
        if (!connection_is_open(connection))
            return;
        call = after;
    }
}

static struct picket_hub_call *find_sent(const struct connection *connection, struct slice rid)
{
    char number[24];
    struct picket_hub_call *call;
    TAILQ_FOREACH(call, &connection->hub->methods.sent, next)
    {
        snprintf(number, sizeof number, "%" PRIx64, call->number);
        if (slice_equals(rid, number) && is_of(call, connection))
            return call;
    }
    return NULL;
}

void methods_take(struct connection *connection, const struct dialect_request *request,
                  struct slice payload)
{
    static struct picket_say_limit limit;
    struct picket_hub_call *call = find_sent(connection, request->rid);
    if (call == NULL || payload.size > PICKET_HUB_METHOD_BYTES_MAX) {
        picket_count(&late, 1);
        hub_activity_count(connection, TALLY_LATE, 1);
        picket_say_limited(&limit, PICKET_NOTICE, "hub",
                           "device %s: a method result of %zu bytes %s", connection->device,
                           payload.size, call == NULL ? "that nobody waits for" : "exceeds 131072");
        return;
    }
    call->result = request->status;
    call->answer_bytes = payload.size;
    call->answer = malloc(payload.size + 1);
    if (call->answer != NULL) {
        char *at = call->answer;
        slice_copy(&at, payload);
    }
    picket_count(&answered, 1);
    hub_activity_count(connection, tally_of_status(request->status), 1);
    finish(connection->hub, &connection->hub->methods.sent, call,
           call->answer != NULL ? PICKET_OK : PICKET_NO_MEMORY);
}

static void check_queue(struct picket_hub *hub, struct call_queue *queue, int64_t now_ms,
                        int status, struct picket_counter *counter, enum tally_kind kind)
{
    struct picket_hub_call *call = TAILQ_FIRST(queue);
    while (call != NULL) {
        struct picket_hub_call *after = TAILQ_NEXT(call, next);
        if (now_ms >= call->deadline_ms) {
            picket_count(counter, 1);
            count_of(hub, call, kind);
            finish(hub, queue, call, status);
        }
        call = after;
    }
}

void methods_check(struct picket_hub *hub, int64_t now_ms)
{
    check_queue(hub, &hub->methods.waiting, now_ms, PICKET_NOT_FOUND, &missed, TALLY_UNCONNECTED);
    check_queue(hub, &hub->methods.sent, now_ms, PICKET_IO, &timed_out, TALLY_TIMED_OUT);
}

/* ---- start and stop ---- */

/* Numbers begin anywhere, so that an answer to an earlier hub is hardly taken for one to this. */
void methods_open(struct methods *methods)
{
    uint32_t first;
    TAILQ_INIT(&methods->waiting);
    TAILQ_INIT(&methods->sent);
    TAILQ_INIT(&methods->started);
    pthread_mutex_init(&methods->lock, NULL);
    methods->last_number = RAND_bytes((unsigned char *)&first, sizeof first) == 1 ? first : 0;
}

static void end_all(struct call_queue *queue)
{
    struct picket_hub_call *call;
    while ((call = TAILQ_FIRST(queue)) != NULL) {
        TAILQ_REMOVE(queue, call, next);
        end(call, PICKET_CLOSED);
    }
}

void methods_stop(struct methods *methods)
{
    pthread_mutex_lock(&methods->lock);
    methods->stopped = true;
    end_all(&methods->started);
    pthread_mutex_unlock(&methods->lock);
    end_all(&methods->waiting);
    end_all(&methods->sent);
}

void methods_close(struct methods *methods)
{
    pthread_mutex_destroy(&methods->lock);
}
