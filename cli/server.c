#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/hub/hub.h"
#include "picket/log/log.h"
#include "picket/service/api.h"
#include "picket/service/hunter.h"
#include "picket/service/intel.h"
#include "picket/service/service.h"
#include "reserving.h"

struct server {
    const struct picket_config *config;
    int lock_fd;
    struct picket_log *log;
    struct picket_intel *intel;
    struct picket_service *service;
    struct picket_hunter *hunter;
    struct picket_api *api;
    struct reserving *reserving;
    /* The API's threads ask for the hub while it comes and goes. */
    pthread_mutex_t hub_lock;
    struct picket_hub *hub;
};

/* ---- one process a data folder ---- */

static int make_folders(const char *folder, struct picket_error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = 0;
        if (mkdir(path, slash ? 0755 : 0700) != 0 && errno != EEXIST)
            return picket_fail(error, PICKET_IO, "data folder %s: cannot make it: %s", path,
                               strerror(errno));
        if (!slash)
            return PICKET_OK;
        *slash = '/';
    }
}

/* Two processes on one store would send every alert twice. The kernel lets go of the lock however
 * the process ends. */
static int lock_folder(struct server *server, struct picket_error *error)
{
    char path[4200];
    const char *folder = server->config->data_folder;
    int status = make_folders(folder, error);
    if (status != PICKET_OK)
        return status;
    snprintf(path, sizeof path, "%s/picket.lock", folder);
    server->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (server->lock_fd < 0)
        return picket_fail(error, PICKET_IO, "data folder %s: cannot write there: %s", folder,
                           strerror(errno));
    if (flock(server->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return picket_fail(error, PICKET_EXISTS, "data folder %s: another picket serve uses it",
                           folder);
    return PICKET_OK;
}

/* A connection is a descriptor, and the usual soft limit is 1,024. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- what the API asks of the hub ---- */

static json_t *time_json(int64_t unix_s)
{
    char text[PICKET_TIME_TEXT_BYTES];
    return unix_s ? json_string(picket_time_format(unix_s * 1000, text)) : json_null();
}

/* The hub's own certificate, beside those of CAs that the API has put there. */
static void add_ending(json_t *status, const struct picket_hub_config *config, int64_t until_s)
{
    int64_t now_s = picket_unix_ms() / 1000;
    if (until_s == 0 || until_s > now_s + config->certificate_warning_s)
        return;
    json_array_insert_new(json_object_get(status, "certificates_ending"), 0,
                          json_pack("{s:s, s:s, s:o, s:b}", "of", "hub", "name", config->host_name,
                                    "until", time_json(until_s), "expired", until_s <= now_s));
}

static void add_status(void *context, void *json_object)
{
    struct server *server = context;
    const struct picket_hub_config *config = &server->config->hub;
    struct picket_hub_statistics statistics = {0};
    pthread_mutex_lock(&server->hub_lock);
    uint16_t port = server->hub ? picket_hub_port(server->hub) : 0;
    if (server->hub)
        picket_hub_statistics(server->hub, &statistics);
    pthread_mutex_unlock(&server->hub_lock);
    if (port == 0)
        return;
    json_object_set_new(json_object, "hub",
                        json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:o}", "host_name",
                                  config->host_name, "address", config->address, "port", (int)port,
                                  "connections", (json_int_t)statistics.connections,
                                  "devices_connected", (json_int_t)statistics.devices_connected,
                                  "awaiting_durable", (json_int_t)statistics.awaiting_durable,
                                  "certificate_until", time_json(statistics.certificate_until_s)));
    add_ending(json_object, config, statistics.certificate_until_s);
}

static void add_device_status(void *context, const char *device, void *json_object)
{
    struct server *server = context;
    struct picket_hub_device_statistics statistics;
    pthread_mutex_lock(&server->hub_lock);
    bool runs = server->hub != NULL;
    if (runs)
        picket_hub_device_statistics(server->hub, device, &statistics);
    pthread_mutex_unlock(&server->hub_lock);
    if (!runs)
        return;
    json_object_set_new(json_object, "hub",
                        json_pack("{s:I, s:I, s:I}", "connections",
                                  (json_int_t)statistics.connections, "held_back",
                                  (json_int_t)statistics.held_back, "held_off_s",
                                  (json_int_t)(statistics.held_off_ms + 999) / 1000));
}

static void device_changed(void *context, const char *device)
{
    struct server *server = context;
    pthread_mutex_lock(&server->hub_lock);
    if (server->hub)
        picket_hub_device_changed(server->hub, device);
    pthread_mutex_unlock(&server->hub_lock);
}

static void twin_changed(void *context, const char *device, const char *module, int64_t version,
                         const char *patch)
{
    struct server *server = context;
    pthread_mutex_lock(&server->hub_lock);
    if (server->hub)
        picket_hub_twin_changed(server->hub, device, module, version, patch);
    pthread_mutex_unlock(&server->hub_lock);
}

static int admission_changed(void *context, struct picket_error *error)
{
    struct server *server = context;
    pthread_mutex_lock(&server->hub_lock);
    int status = server->hub ? picket_hub_admission_changed(server->hub, error) : PICKET_OK;
    pthread_mutex_unlock(&server->hub_lock);
    return status;
}

static void messages_changed(void *context, const char *device, enum picket_api_messages what,
                             uint64_t count)
{
    static const enum picket_hub_messages names[] = {
        [PICKET_API_MESSAGES_QUEUED] = PICKET_HUB_MESSAGES_QUEUED,
        [PICKET_API_MESSAGES_PURGED] = PICKET_HUB_MESSAGES_PURGED,
        [PICKET_API_MESSAGES_EXPIRED] = PICKET_HUB_MESSAGES_EXPIRED,
        [PICKET_API_MESSAGES_REFUSED_FULL] = PICKET_HUB_MESSAGES_REFUSED_FULL,
        [PICKET_API_MESSAGES_REFUSED_LARGE] = PICKET_HUB_MESSAGES_REFUSED_LARGE};
    struct server *server = context;
    pthread_mutex_lock(&server->hub_lock);
    if (server->hub)
        picket_hub_messages_changed(server->hub, device, names[what], count);
    pthread_mutex_unlock(&server->hub_lock);
}

/* The hub is not held while the device thinks: the call outlives it if need be. */
static int start_call(struct server *server, const struct picket_api_method *method,
                      struct picket_hub_call **call, struct picket_error *error)
{
    const struct picket_hub_method asked = {.device = method->device,
                                            .module = method->module,
                                            .name = method->name,
                                            .payload = method->payload,
                                            .payload_bytes = method->payload_bytes,
                                            .timeout_s = method->timeout_s,
                                            .connect_timeout_s = method->connect_timeout_s};
    pthread_mutex_lock(&server->hub_lock);
    int status = server->hub ? picket_hub_call_start(server->hub, &asked, call, error)
                             : picket_fail(error, PICKET_CLOSED, "the hub does not run");
    pthread_mutex_unlock(&server->hub_lock);
    return status;
}

static int invoke_method(void *context, const struct picket_api_method *method,
                         struct picket_api_method_result *result, struct picket_error *error)
{
    struct picket_hub_method_result answer;
    struct picket_hub_call *call;
    int status = start_call(context, method, &call, error);
    if (status == PICKET_OK)
        status = picket_hub_call_wait(call, &answer, error);
    if (status == PICKET_OK)
        *result =
            (struct picket_api_method_result){answer.status, answer.payload, answer.payload_bytes};
    return status;
}

/* ---- parts ---- */

static int start_log(struct server *server, struct picket_error *error)
{
    return picket_log_open_direct(&server->log, &server->config->log, error);
}

static int start_intel(struct server *server, struct picket_error *error)
{
    const struct picket_config *config = server->config;
    int status = picket_intel_start(&server->intel, config->data_folder, error);
    if (status != PICKET_OK)
        return status;
    picket_intel_own_networks(server->intel, config->own_networks, config->own_network_count);
    picket_intel_tell(server->intel, server->log);
    return PICKET_OK;
}

static int start_service(struct server *server, struct picket_error *error)
{
    const struct picket_config *config = server->config;
    const struct picket_service_config service = {.store_folder = config->data_folder,
                                                  .outputs = config->outputs,
                                                  .output_count = config->output_count,
                                                  .routes = config->routes,
                                                  .route_count = config->route_count,
                                                  .batch_messages_max = config->batch_messages_max,
                                                  .bounds = config->bounds};
    return picket_service_start(&server->service, &service, server->log, server->intel, error);
}

static int start_hunter(struct server *server, struct picket_error *error)
{
    const struct picket_hunter_config hunter = {.store_folder = server->config->data_folder,
                                                .intel = server->intel,
                                                .service = server->service};
    return picket_hunter_start(&server->hunter, &hunter, error);
}

/* Without it all is as it was, and slower at first. */
static int start_reserving(struct server *server, struct picket_error *error)
{
    (void)error;
    server->reserving = reserving_start(server->config->data_folder);
    return PICKET_OK;
}

static int start_api(struct server *server, struct picket_error *error)
{
    const struct picket_config *config = server->config;
    const struct picket_api_config api = {.socket_path = config->api_socket,
                                          .store_folder = config->data_folder,
                                          .host_name = config->hub.host_name,
                                          .log = server->log,
                                          .intel = server->intel,
                                          .service = server->service,
                                          .hunter = server->hunter,
                                          .outputs = config->outputs,
                                          .output_count = config->output_count,
                                          .routes = config->routes,
                                          .route_count = config->route_count,
                                          .audit_age_s = config->audit_age_s,
                                          .event_age_s = config->bounds.event_age_s,
                                          .bytes = config->bounds.bytes,
                                          .certificate_warning_s =
                                              config->hub.certificate_warning_s,
                                          .add_status = add_status,
                                          .add_device_status = add_device_status,
                                          .device_changed = device_changed,
                                          .twin_changed = twin_changed,
                                          .admission_changed = admission_changed,
                                          .messages_changed = messages_changed,
                                          .invoke_method = invoke_method,
                                          .context = server};
    return picket_api_start(&server->api, &api, error);
}

static int start_hub(struct server *server, struct picket_error *error)
{
    struct picket_hub *hub;
    int status = picket_hub_start(&hub, &server->config->hub, server->log, error);
    if (status != PICKET_OK)
        return status;
    pthread_mutex_lock(&server->hub_lock);
    server->hub = hub;
    pthread_mutex_unlock(&server->hub_lock);
    return PICKET_OK;
}

static void stop_hub(struct server *server)
{
    pthread_mutex_lock(&server->hub_lock);
    struct picket_hub *hub = server->hub;
    server->hub = NULL;
    pthread_mutex_unlock(&server->hub_lock);
    if (hub)
        picket_hub_stop(hub);
}

int server_start(struct server **server, const struct picket_config *config,
                 struct picket_error *error)
{
    static int (*const start[])(struct server *, struct picket_error *) = {
        lock_folder,  start_log,       start_intel, start_service,
        start_hunter, start_reserving, start_api,   start_hub};
    struct server *created = calloc(1, sizeof *created);
    if (!created)
        return picket_fail(error, PICKET_NO_MEMORY, "out of memory");
    created->config = config;
    created->lock_fd = -1;
    pthread_mutex_init(&created->hub_lock, NULL);
    raise_descriptor_limit();
    for (size_t i = 0; i < sizeof start / sizeof start[0]; i++) {
        int status = start[i](created, error);
        if (status != PICKET_OK) {
            server_stop(created);
            return status;
        }
    }
    *server = created;
    return PICKET_OK;
}

/* Of what has been started. */
void server_stop(struct server *server)
{
    stop_hub(server);
    if (server->intel)
        picket_intel_interrupt(server->intel);
    if (server->api)
        picket_api_stop(server->api);
    reserving_stop(server->reserving);
    picket_hunter_stop(server->hunter);
    if (server->log)
        picket_log_close(server->log);
    if (server->service)
        picket_service_stop(server->service);
    if (server->intel)
        picket_intel_stop(server->intel);
    if (server->log)
        picket_log_destroy(server->log);
    if (server->lock_fd >= 0)
        close(server->lock_fd);
    pthread_mutex_destroy(&server->hub_lock);
    free(server);
}

uint16_t server_port(const struct server *server)
{
    return picket_hub_port(server->hub);
}
