#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_bound.h"
#include "internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/thread.h"
#include "session/subscriptions.h"
#include "twins.h"

static struct picket_counter isolated = {
    .name = "hub_exchange_isolated",
    .help = "requests of devices that failed by themselves: what is kept of the device is damaged "
            "or cannot be read"};

void exchange_register_counters(void)
{
    picket_counter_register(&isolated);
}

enum { GROUP_REQUESTS = 256, GROUP_ANSWER_BYTES = 4 << 20, ANSWERED_A_ROUND = 256 };

/* ---- the exchange's thread ---- */

static bool writes(const struct exchange_request *request)
{
    return request->kind != EXCHANGE_TWIN_GET;
}

static void note(struct exchange_request *request, int status, const struct picket_error *error)
{
    request->status = status;
    if (status != PICKET_OK)
        snprintf(request->problem, sizeof request->problem, "%.*s",
                 (int)sizeof request->problem - 1, error->text);
}

/* One for which there is no memory makes the group fail: the order is kept. */
static void copy_message(void *context, int64_t id, const char *bag, const uint8_t *payload,
                         size_t payload_bytes)
{
    struct exchange_request *request = context;
    size_t bag_bytes = strlen(bag) + 1;
    size_t bytes = sizeof(struct exchange_message) + bag_bytes + payload_bytes;
    struct exchange_message *message = malloc(bytes);
    if (message == NULL) {
        request->status = PICKET_NO_MEMORY;
        return;
    }
    message->id = id;
    memcpy(message->content, bag, bag_bytes);
    if (payload_bytes > 0)
        memcpy(message->content + bag_bytes, payload, payload_bytes);
    message->payload = (struct slice){message->content + bag_bytes, payload_bytes};
    STAILQ_INSERT_TAIL(&request->messages, message, next);
    request->answer_bytes += bytes;
}

static int take_messages(const struct hub_keeper *keeper, struct exchange_request *request,
                         struct picket_error *error)
{
    int status =
        keeper->messages_take(keeper->context, request->device, request->number, request->count,
                              DEVICE_BOUND_BYTES, copy_message, request, &request->more, error);
    if (status == PICKET_OK && request->status != PICKET_OK)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for messages to a device");
    return status;
}

static int perform_kind(const struct hub_keeper *keeper, struct exchange_request *request,
                        struct picket_error *error)
{
    switch (request->kind) {
    case EXCHANGE_TWIN_GET:
        return keeper->twin_get(keeper->context, request->device, request->module, &request->answer,
                                error);
    case EXCHANGE_TWIN_REPORT:
        return keeper->twin_report(keeper->context, request->device, request->module,
                                   request->payload, request->payload_bytes, &request->version,
                                   error);
    case EXCHANGE_SESSION:
        return keeper->session_put(keeper->context, request->device, request->module,
                                   (uint32_t)request->number, error);
    case EXCHANGE_MESSAGES:
        return take_messages(keeper, request, error);
    case EXCHANGE_MESSAGE_DONE:
        return keeper->message_done(keeper->context, request->device, request->number, error);
    default:
        return keeper->messages_expire(keeper->context, error);
    }
}

static void perform(const struct hub_keeper *keeper, struct exchange_request *request)
{
    struct picket_error error = {0};
    if (request->failed)
        return;
    note(request, perform_kind(keeper, request, &error), &error);
    request->answer_bytes += request->answer != NULL ? strlen(request->answer) : 0;
}

static void drop_answer(struct exchange_request *request)
{
    struct exchange_message *message;
    while ((message = STAILQ_FIRST(&request->messages)) != NULL) {
        STAILQ_REMOVE_HEAD(&request->messages, next);
        free(message);
    }
    free(request->answer);
    request->answer = NULL;
    request->answer_bytes = 0;
}

static bool is_refusal(int status)
{
    return status == PICKET_INVALID || status == PICKET_NOT_FOUND || status == PICKET_EXISTS ||
           status == PICKET_BUSY;
}

static size_t answer_bytes_of(const struct exchange_request *request)
{
    return sizeof *request + request->answer_bytes;
}

static bool has_failed(const struct exchange_request *request)
{
    return request->status != PICKET_OK && !is_refusal(request->status);
}

/* What a device is told of it: not which file of ours it was. */
static const char *sentence_of(int status)
{
    switch (status) {
    case PICKET_FULL:
        return "disk full; try again later";
    case PICKET_BUSY:
        return "what is kept is in use; try again later";
    case PICKET_NO_MEMORY:
        return "no memory; try again later";
    default:
        return "what is kept of it is damaged or cannot be read or written";
    }
}

static void note_failure(struct exchange_request *request, int status)
{
    request->status = status;
    snprintf(request->problem, sizeof request->problem, "%s", sentence_of(status));
}

/* Nothing of the group has happened: nor is anything that was read in it true. */
static void fail_all(struct exchange_queue *group, int status, const struct picket_error *error)
{
    static struct picket_say_limit limit;
    struct exchange_request *request;
    picket_say_limited(&limit, PICKET_ERROR, "hub", "requests of devices failed: %s", error->text);
    STAILQ_FOREACH(request, group, next)
    {
        drop_answer(request);
        note_failure(request, status);
    }
}

/* Performs the requests of todo, as far as a group goes, and moves them to group. */
static int perform_group(const struct hub_keeper *keeper, struct exchange_queue *todo,
                         struct exchange_queue *group, struct picket_error *error)
{
    struct exchange_request *request;
    size_t bytes = 0;
    int status = PICKET_OK;
    for (int i = 0; i < GROUP_REQUESTS && bytes < GROUP_ANSWER_BYTES && status == PICKET_OK; i++) {
        request = STAILQ_FIRST(todo);
        if (request == NULL)
            break;
        STAILQ_REMOVE_HEAD(todo, next);
        STAILQ_INSERT_TAIL(group, request, next);
        perform(keeper, request);
        bytes += answer_bytes_of(request);
        if (!request->failed && has_failed(request))
            status = picket_fail(error, request->status, "%s", request->problem);
    }
    return status;
}

static bool any_writes(const struct exchange_queue *todo)
{
    const struct exchange_request *request;
    int i = 0;
    STAILQ_FOREACH(request, todo, next)
    {
        if (writes(request))
            return true;
        if (++i == GROUP_REQUESTS)
            break;
    }
    return false;
}

/* What is kept of one device may be damaged: its request, the last of the group, fails alone. The
 * group goes back to todo to be done again without it; in it the request keeps its place. */
static void isolate(struct exchange_queue *todo, struct exchange_queue *group)
{
    static struct picket_say_limit limit;
    struct exchange_request *request, *last = NULL;
    STAILQ_FOREACH(request, group, next)
    {
        drop_answer(request);
        if (!request->failed && !has_failed(request))
            request->status = PICKET_OK;
        last = request;
    }
    last->failed = true;
    picket_count(&isolated, 1);
    picket_say_limited(&limit, PICKET_ERROR, "hub", "device %s: its request failed by itself: %s",
                       last->device[0] != '\0' ? last->device : "(none)", last->problem);
    note_failure(last, last->status);
    STAILQ_CONCAT(group, todo);
    STAILQ_CONCAT(todo, group);
}

/* *again: it is to be done again. A full disk, or too little memory, is nobody's own fault. A
 * transaction only where something is written: readers wait for nobody. */
static int try_group(const struct hub_keeper *keeper, struct exchange_queue *todo,
                     struct exchange_queue *group, bool *again)
{
    struct picket_error error = {0};
    bool transaction = any_writes(todo);
    int status = transaction ? keeper->begin(keeper->context, &error) : PICKET_OK;
    if (status != PICKET_OK) {
        STAILQ_CONCAT(group, todo);
        fail_all(group, status, &error);
        return status;
    }
    status = perform_group(keeper, todo, group, &error);
    if (status != PICKET_OK && transaction)
        keeper->rollback(keeper->context);
    if (status != PICKET_OK && status != PICKET_FULL && status != PICKET_NO_MEMORY) {
        isolate(todo, group);
        *again = true;
        return status;
    }
    if (status == PICKET_OK && transaction)
        status = keeper->commit(keeper->context, &error);
    if (status != PICKET_OK)
        fail_all(group, status, &error);
    return status;
}

/* ---- messages that were lost ---- */

static void note_loss(void *context, const char *device, bool expired, int64_t count)
{
    struct exchange *exchange = context;
    struct message_loss *loss = malloc(sizeof *loss);
    if (loss == NULL)
        return;
    loss->expired = expired;
    loss->count = count;
    snprintf(loss->device, sizeof loss->device, "%s", device);
    STAILQ_INSERT_TAIL(&exchange->losing, loss, next);
}

static void drop_losses(struct message_losses *losses)
{
    struct message_loss *loss;
    while ((loss = STAILQ_FIRST(losses)) != NULL) {
        STAILQ_REMOVE_HEAD(losses, next);
        free(loss);
    }
}

/* Each time it has to be done again, one more has failed, and is not asked any more. */
static void do_group(struct exchange *exchange, struct exchange_queue *todo,
                     struct exchange_queue *group)
{
    bool again = true;
    while (again) {
        again = false;
        if (try_group(&exchange->keeper, todo, group, &again) != PICKET_OK)
            drop_losses(&exchange->losing);
    }
}

static void hand_over(struct exchange *exchange, struct exchange_queue *group)
{
    const struct exchange_request *request;
    size_t bytes = 0;
    STAILQ_FOREACH(request, group, next)
    bytes += answer_bytes_of(request);
    pthread_mutex_lock(&exchange->lock);
    STAILQ_CONCAT(&exchange->done, group);
    STAILQ_CONCAT(&exchange->lost, &exchange->losing);
    exchange->answer_bytes += bytes;
    if (exchange->wake != NULL)
        uv_async_send(exchange->wake);
    pthread_mutex_unlock(&exchange->lock);
}

/* False: it is over. At the end what is to do is still done, however many answers nobody takes. */
static bool take_todo(struct exchange *exchange, struct exchange_queue *todo)
{
    pthread_mutex_lock(&exchange->lock);
    while (!exchange->stopping &&
           (STAILQ_EMPTY(&exchange->todo) || exchange->answer_bytes > EXCHANGE_ANSWER_BYTES_MAX))
        pthread_cond_wait(&exchange->change, &exchange->lock);
    STAILQ_CONCAT(todo, &exchange->todo);
    pthread_mutex_unlock(&exchange->lock);
    return !STAILQ_EMPTY(todo);
}

static void put_back(struct exchange *exchange, struct exchange_queue *todo)
{
    pthread_mutex_lock(&exchange->lock);
    STAILQ_CONCAT(todo, &exchange->todo);
    STAILQ_CONCAT(&exchange->todo, todo);
    pthread_mutex_unlock(&exchange->lock);
}

static void perform_todo(struct exchange *exchange, struct exchange_queue *todo)
{
    struct exchange_queue group = STAILQ_HEAD_INITIALIZER(group);
    do_group(exchange, todo, &group);
    put_back(exchange, todo);
    hand_over(exchange, &group);
}

static void *run(void *context)
{
    struct exchange *exchange = context;
    struct exchange_queue todo = STAILQ_HEAD_INITIALIZER(todo);
    exchange->keeper.on_messages_lost(exchange->keeper.context, note_loss, exchange);
    while (take_todo(exchange, &todo))
        perform_todo(exchange, &todo);
    return NULL;
}

void exchange_perform(struct exchange *exchange)
{
    struct exchange_queue todo = STAILQ_HEAD_INITIALIZER(todo);
    pthread_mutex_lock(&exchange->lock);
    STAILQ_CONCAT(&todo, &exchange->todo);
    pthread_mutex_unlock(&exchange->lock);
    if (!STAILQ_EMPTY(&todo))
        perform_todo(exchange, &todo);
}

/* ---- start and stop ---- */

void exchange_open(struct exchange *exchange, const struct hub_keeper *keeper)
{
    if (keeper != NULL)
        exchange->keeper = *keeper;
    pthread_mutex_init(&exchange->lock, NULL);
    pthread_cond_init(&exchange->change, NULL);
    STAILQ_INIT(&exchange->todo);
    STAILQ_INIT(&exchange->done);
    STAILQ_INIT(&exchange->lost);
    STAILQ_INIT(&exchange->losing);
}

int exchange_start(struct exchange *exchange, uv_async_t *wake, struct picket_error *error)
{
    exchange->wake = wake;
    if (exchange->keeper.begin == NULL)
        return PICKET_OK;
    int failed = picket_thread_start(&exchange->thread, "hub exchange", run, exchange);
    exchange->started = failed == 0;
    return failed == 0 ? PICKET_OK
                       : picket_fail(error, PICKET_IO, "hub: no thread: %s", strerror(failed));
}

void exchange_silence(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    exchange->wake = NULL;
    pthread_mutex_unlock(&exchange->lock);
}

void exchange_stop(struct exchange *exchange)
{
    if (!exchange->started)
        return;
    pthread_mutex_lock(&exchange->lock);
    exchange->stopping = true;
    pthread_cond_signal(&exchange->change);
    pthread_mutex_unlock(&exchange->lock);
    pthread_join(exchange->thread, NULL);
    exchange->started = false;
}

static void free_request(struct exchange_request *request)
{
    drop_answer(request);
    free(request);
}

void exchange_close(struct exchange *exchange)
{
    struct exchange_request *request;
    while ((request = STAILQ_FIRST(&exchange->done)) != NULL) {
        STAILQ_REMOVE_HEAD(&exchange->done, next);
        free_request(request);
    }
    drop_losses(&exchange->lost);
    drop_losses(&exchange->losing);
    if (exchange->keeper.close != NULL)
        exchange->keeper.close(exchange->keeper.context);
    pthread_cond_destroy(&exchange->change);
    pthread_mutex_destroy(&exchange->lock);
}

/* ---- the loop ---- */

/* connection NULL: of nobody's. */
static struct exchange_request *make_request(const struct connection *connection,
                                             enum exchange_kind kind, struct slice rid,
                                             struct slice payload)
{
    struct slice device = slice_of(connection != NULL ? connection->device : "");
    struct slice module = slice_of(connection != NULL ? connection->module : "");
    struct exchange_request *request =
        calloc(1, sizeof *request + device.size + module.size + rid.size + payload.size + 4);
    if (request == NULL)
        return NULL;
    char *at = request->content;
    request->kind = kind;
    request->slot = connection != NULL ? connection->slot : 0;
    request->generation =
        connection != NULL ? connection->hub->slots[connection->slot].generation : 0;
    request->device = slice_copy(&at, device);
    request->module = slice_copy(&at, module);
    request->rid = slice_copy(&at, rid);
    request->payload = slice_copy(&at, payload);
    request->payload_bytes = payload.size;
    STAILQ_INIT(&request->messages);
    return request;
}

static void put(struct exchange *exchange, struct exchange_request *request)
{
    pthread_mutex_lock(&exchange->lock);
    STAILQ_INSERT_TAIL(&exchange->todo, request, next);
    pthread_cond_signal(&exchange->change);
    pthread_mutex_unlock(&exchange->lock);
}

static bool is_bounded(enum exchange_kind kind)
{
    return kind == EXCHANGE_TWIN_GET || kind == EXCHANGE_TWIN_REPORT || kind == EXCHANGE_SESSION;
}

static int put_bounded(struct connection *connection, enum exchange_kind kind, struct slice rid,
                       struct slice payload, int64_t number)
{
    struct exchange *exchange = &connection->hub->exchange;
    if (!exchange->started)
        return PICKET_CLOSED;
    if (connection->requests >= EXCHANGE_OF_CONNECTION_MAX ||
        exchange->count >= EXCHANGE_REQUESTS_MAX ||
        payload.size > EXCHANGE_BYTES_MAX - exchange->bytes)
        return PICKET_BUSY;
    struct exchange_request *request = make_request(connection, kind, rid, payload);
    if (request == NULL)
        return PICKET_NO_MEMORY;
    request->number = number;
    connection->requests++;
    exchange->count++;
    exchange->bytes += payload.size;
    put(exchange, request);
    return PICKET_OK;
}

int exchange_put(struct connection *connection, enum exchange_kind kind, struct slice rid,
                 struct slice payload)
{
    return put_bounded(connection, kind, rid, payload, 0);
}

int exchange_put_session(struct connection *connection, uint32_t subscriptions, struct slice answer)
{
    return put_bounded(connection, EXCHANGE_SESSION, (struct slice){"", 0}, answer, subscriptions);
}

static int put_number(struct exchange *exchange, struct connection *connection,
                      enum exchange_kind kind, int64_t number, int count)
{
    const struct slice none = {"", 0};
    if (!exchange->started)
        return PICKET_CLOSED;
    struct exchange_request *request = make_request(connection, kind, none, none);
    if (request == NULL)
        return PICKET_NO_MEMORY;
    request->number = number;
    request->count = count;
    put(exchange, request);
    return PICKET_OK;
}

int exchange_take_messages(struct connection *connection, int64_t after_id, int count)
{
    return put_number(&connection->hub->exchange, connection, EXCHANGE_MESSAGES, after_id, count);
}

/* Without memory it stays, and is sent again on the next connection. */
void exchange_message_done(struct connection *connection, int64_t id)
{
    put_number(&connection->hub->exchange, connection, EXCHANGE_MESSAGE_DONE, id, 0);
}

void exchange_check(struct picket_hub *hub, int64_t now_ms)
{
    if (now_ms - hub->exchange.expiry_ms < EXCHANGE_EXPIRY_MS)
        return;
    hub->exchange.expiry_ms = now_ms;
    put_number(&hub->exchange, NULL, EXCHANGE_EXPIRY, 0, 0);
}

static struct exchange_request *take_answer(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    struct exchange_request *request = STAILQ_FIRST(&exchange->done);
    if (request != NULL) {
        STAILQ_REMOVE_HEAD(&exchange->done, next);
        exchange->answer_bytes -= answer_bytes_of(request);
        if (exchange->answer_bytes <= EXCHANGE_ANSWER_BYTES_MAX)
            pthread_cond_signal(&exchange->change);
    }
    pthread_mutex_unlock(&exchange->lock);
    return request;
}

static struct connection *who_asked(const struct picket_hub *hub,
                                    const struct exchange_request *request)
{
    const struct slot *slot = &hub->slots[request->slot];
    return slot->generation == request->generation ? slot->connection : NULL;
}

/* Nobody waits to hear that a message is done, or what expired. */
static void answer(struct connection *connection, struct exchange_request *request)
{
    if (is_bounded(request->kind))
        connection->requests--;
    if (request->kind == EXCHANGE_SESSION)
        subscriptions_answer(connection, request);
    else if (request->kind == EXCHANGE_MESSAGES)
        device_bound_answer(connection, request);
    else if (is_bounded(request->kind))
        twins_answer(connection, request);
}

void exchange_count_losses(struct picket_hub *hub)
{
    struct exchange *exchange = &hub->exchange;
    struct message_losses lost = STAILQ_HEAD_INITIALIZER(lost);
    const struct message_loss *loss;
    pthread_mutex_lock(&exchange->lock);
    STAILQ_CONCAT(&lost, &exchange->lost);
    pthread_mutex_unlock(&exchange->lock);
    STAILQ_FOREACH(loss, &lost, next)
    hub_activity_count_of(hub, loss->device, "",
                          loss->expired ? TALLY_EXPIRED : TALLY_UNDELIVERABLE,
                          (uint64_t)loss->count);
    drop_losses(&lost);
}

void exchange_run(struct picket_hub *hub)
{
    struct exchange *exchange = &hub->exchange;
    struct exchange_request *request;
    for (int i = 0; i < ANSWERED_A_ROUND && (request = take_answer(exchange)) != NULL; i++) {
        struct connection *connection = who_asked(hub, request);
        if (is_bounded(request->kind)) {
            exchange->count--;
            exchange->bytes -= request->payload_bytes;
        }
        if (request->kind == EXCHANGE_TWIN_GET || request->kind == EXCHANGE_TWIN_REPORT)
            twins_count(hub, connection, request);
        if (connection != NULL)
            answer(connection, request);
        free_request(request);
    }
    exchange_count_losses(hub);
}

bool exchange_is_due(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    bool due = !STAILQ_EMPTY(&exchange->done);
    pthread_mutex_unlock(&exchange->lock);
    return due;
}
