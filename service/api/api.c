#include "picket/service/api.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api_internal.h"
#include "api_stores.h"
#include "audit.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"

struct picket_api {
    struct picket_api_config config;
    char *socket_path;
    struct MHD_Daemon *daemon;
    struct api_stores stores;
    int64_t started_ms;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t change;
    bool stopping;
    int active; /* requests being answered */
};

static struct picket_counter refused = {.name = "api_requests_refused",
                                        .help = "API requests answered with an error"};

/* ---- for the resources ---- */

const struct picket_api_config *api_config(const struct picket_api *api)
{
    return &api->config;
}

int64_t api_started_ms(const struct picket_api *api)
{
    return api->started_ms;
}

struct picket_store *api_store_borrow(struct picket_api *api, struct picket_error *error)
{
    return api_stores_borrow(&api->stores, error);
}

void api_store_return(struct picket_api *api, struct picket_store *store)
{
    api_stores_return(&api->stores, store);
}

bool api_pause(struct picket_api *api, int milliseconds)
{
    struct timespec until = picket_deadline(milliseconds);
    pthread_mutex_lock(&api->lock);
    while (!api->stopping && pthread_cond_timedwait(&api->change, &api->lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !api->stopping;
    pthread_mutex_unlock(&api->lock);
    return go_on;
}

/* ---- answers ---- */

void api_answer_json(struct api_answer *answer, unsigned status, json_t *body)
{
    json_decref(answer->body);
    answer->status = body ? status : 500;
    answer->body = body;
}

void api_answer_refuse(struct api_answer *answer, unsigned status, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    picket_count(&refused, 1);
    api_answer_json(answer, status,
                    json_pack("{s:o, s:i}", "error", api_json_text(text), "status", (int)status));
}

unsigned api_http_status(int status)
{
    switch (status) {
    case PICKET_INVALID:
        return 400;
    case PICKET_DENIED:
        return 403;
    case PICKET_NOT_FOUND:
        return 404;
    case PICKET_EXISTS:
        return 409;
    case PICKET_BUSY:
    case PICKET_CLOSED:
        return 503;
    case PICKET_FULL:
        return 507;
    default:
        return 500;
    }
}

void api_answer_error(struct api_answer *answer, const struct picket_error *error)
{
    api_answer_refuse(answer, api_http_status(error->status), "%s", error->text);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct api_answer *answer)
{
    static const char no_memory[] = "{\"error\": \"out of memory\", \"status\": 500}\n";
    char *text =
        answer->body ? json_dumps(answer->body, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE)
             : MHD_create_response_from_buffer(sizeof no_memory - 1, (void *)(uintptr_t)no_memory,
                                               MHD_RESPMEM_PERSISTENT);
    json_decref(answer->body);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->allow[0])
        MHD_add_response_header(response, "Allow", answer->allow);
    enum MHD_Result result = MHD_queue_response(connection, text ? answer->status : 500, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- requests ---- */

/* A request as it comes in. */
struct incoming {
    char *uri; /* as sent, for what cannot be seen after decoding */
    char *body;
    size_t body_bytes;
    size_t body_capacity;
    size_t body_bytes_max;
    size_t drained_bytes;
    bool begun;
    bool answered;
};

static void count_active(struct picket_api *api, int by)
{
    pthread_mutex_lock(&api->lock);
    api->active += by;
    pthread_cond_broadcast(&api->change);
    pthread_mutex_unlock(&api->lock);
}

static void *incoming_begins(void *context, const char *uri, struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    struct incoming *incoming = calloc(1, sizeof *incoming);
    if (incoming && !(incoming->uri = strdup(uri))) {
        free(incoming);
        return NULL;
    }
    return incoming;
}

static void incoming_ends(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_RequestTerminationCode how)
{
    struct incoming *incoming = *state;
    (void)connection;
    (void)how;
    if (incoming && incoming->answered)
        count_active(context, -1);
    if (incoming) {
        free(incoming->uri);
        free(incoming->body);
        free(incoming);
    }
    *state = NULL;
}

static bool incoming_reserve(struct incoming *incoming, size_t bytes)
{
    if (bytes <= incoming->body_capacity)
        return true;
    size_t capacity = bytes + incoming->body_capacity;
    char *body = realloc(incoming->body, capacity);
    if (!body)
        return false;
    incoming->body = body;
    incoming->body_capacity = capacity;
    return true;
}

/* MHD_NO closes the connection: more was sent than we are ready to throw away. */
static enum MHD_Result incoming_body(struct incoming *incoming, const char *data,
                                     size_t *size_bytes)
{
    size_t bytes = *size_bytes;
    *size_bytes = 0;
    if (incoming->drained_bytes || incoming->body_bytes + bytes > incoming->body_bytes_max) {
        incoming->drained_bytes += bytes;
        return incoming->drained_bytes <= API_DRAIN_BYTES_MAX ? MHD_YES : MHD_NO;
    }
    if (!incoming_reserve(incoming, incoming->body_bytes + bytes))
        return MHD_NO;
    memcpy(incoming->body + incoming->body_bytes, data, bytes);
    incoming->body_bytes += bytes;
    return MHD_YES;
}

static enum MHD_Result take_query_value(void *context, enum MHD_ValueKind kind, const char *name,
                                        const char *value)
{
    struct api_request *request = context;
    (void)kind;
    if (request->query_count < API_QUERY_MAX) {
        request->query[request->query_count].name = name;
        request->query[request->query_count].value = value ? value : "";
    }
    request->query_count++;
    return MHD_YES;
}

static void answer_request(struct api_request *request, const struct incoming *incoming,
                           struct MHD_Connection *connection, struct api_answer *answer)
{
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query_value, request);
    if (incoming->drained_bytes) {
        api_answer_refuse(answer, 413, "the body is larger than %zu bytes",
                          incoming->body_bytes_max);
    } else if (strstr(incoming->uri, "%00")) {
        /* The decoded text would end there, and name another resource than was meant. */
        api_answer_refuse(answer, 400, "the address holds a NUL (%%00)");
    } else if (request->query_count > API_QUERY_MAX) {
        api_answer_refuse(answer, 400, "more than %d query parameters", API_QUERY_MAX);
    } else {
        api_route(request, answer);
    }
}

/* The kernel knows who has connected. */
static void name_peer(struct MHD_Connection *connection, struct api_request *request)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    bool known = info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    request->uid = known ? (int64_t)peer.uid : -1;
    request->pid = known ? (int64_t)peer.pid : 0;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size_bytes, void **state)
{
    struct incoming *incoming = *state;
    (void)version;
    if (!incoming)
        return MHD_NO;
    if (!incoming->begun) {
        incoming->begun = true;
        incoming->body_bytes_max = api_body_bytes_max(path);
        return MHD_YES;
    }
    if (*size_bytes > 0)
        return incoming_body(incoming, data, size_bytes);
    struct api_request request = {.api = context,
                                  .method = method,
                                  .path = path,
                                  .argument = "",
                                  .body_text = incoming->body,
                                  .body_bytes = incoming->body_bytes};
    struct api_answer answer = {0};
    incoming->answered = true;
    name_peer(connection, &request);
    count_active(context, 1);
    answer_request(&request, incoming, connection, &answer);
    return send_answer(connection, &answer);
}

/* ---- start and stop ---- */

static void on_daemon_message(void *context, const char *format, va_list arguments)
{
    char text[300];
    (void)context;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof text, format, arguments);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = 0;
    picket_say(PICKET_DEBUG, "service", "API: %s", text);
}

static int start_daemon(struct picket_api *api, int socket_fd, struct picket_error *error)
{
    api->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                                       MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG,
                                   0, NULL, NULL, on_request, api, MHD_OPTION_EXTERNAL_LOGGER,
                                   on_daemon_message, NULL, /* first: it sees the others' errors */
                                   MHD_OPTION_LISTEN_SOCKET, (MHD_socket)socket_fd,
                                   MHD_OPTION_CONNECTION_LIMIT, (unsigned)API_CONNECTIONS_MAX,
                                   MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)API_IDLE_S,
                                   MHD_OPTION_URI_LOG_CALLBACK, incoming_begins, NULL,
                                   MHD_OPTION_NOTIFY_COMPLETED, incoming_ends, api, MHD_OPTION_END);
    if (api->daemon)
        return PICKET_OK;
    close(socket_fd);
    return picket_fail(error, PICKET_IO, "API socket %s: the HTTP server does not start",
                       api->socket_path);
}

static void destroy(struct picket_api *api)
{
    api_stores_stop(&api->stores);
    pthread_cond_destroy(&api->change);
    pthread_mutex_destroy(&api->lock);
    free(api->socket_path);
    free(api);
}

static struct picket_api *create(const struct picket_api_config *config)
{
    struct picket_api *api = calloc(1, sizeof *api);
    if (!api || !(api->socket_path = strdup(config->socket_path))) {
        free(api);
        return NULL;
    }
    api->config = *config;
    api->started_ms = picket_unix_ms();
    api_stores_start(&api->stores, config->store_folder);
    pthread_mutex_init(&api->lock, NULL);
    picket_condition_init(&api->change);
    picket_counter_register(&refused);
    audit_register_counters();
    return api;
}

int picket_api_start(struct picket_api **api, const struct picket_api_config *config,
                     struct picket_error *error)
{
    int socket_fd;
    struct picket_api *created = create(config);
    if (!created)
        return picket_fail(error, PICKET_NO_MEMORY, "API: out of memory");
    int status = api_socket_listen(config->socket_path, &socket_fd, error);
    if (status == PICKET_OK && (status = start_daemon(created, socket_fd, error)) != PICKET_OK)
        unlink(config->socket_path);
    if (status != PICKET_OK) {
        destroy(created);
        return status;
    }
    audit_start(created);
    *api = created;
    return PICKET_OK;
}

/* Wakes those that wait, and lets what is under way be answered; a feed being read may take longer
 * than we wait, and its client then gets none. */
static void finish_requests(struct picket_api *api)
{
    struct timespec until = picket_deadline(API_STOP_MS);
    pthread_mutex_lock(&api->lock);
    api->stopping = true;
    pthread_cond_broadcast(&api->change);
    while (api->active > 0 && pthread_cond_timedwait(&api->change, &api->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&api->lock);
}

void picket_api_stop(struct picket_api *api)
{
    if (!api)
        return;
    unlink(api->socket_path);
    MHD_socket listener = MHD_quiesce_daemon(api->daemon);
    finish_requests(api);
    MHD_stop_daemon(api->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    destroy(api);
}
