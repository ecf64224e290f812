#include "session_world.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/sources.h"
#include "picket/base/diagnostics.h"
#include "session/acknowledgement.h"
#include "session/devices.h"

void check(bool holds)
{
    if (!holds)
        abort();
}

/* ---- time ---- */

struct world world;
struct picket_hub *hub;
struct waker waker;

int64_t __wrap_picket_monotonic_ms(void)
{
    return world.now_ms;
}

int64_t __wrap_picket_unix_ms(void)
{
    return BEGIN_UNIX_S * INT64_C(1000) + world.now_ms - BEGIN_MS;
}

/* ---- registry, keeper, log ---- */

static struct picket_log *device_log;

static int find(void *context, const char *id, struct picket_device_identity *device,
                struct picket_error *error)
{
    (void)context;
    memset(device, 0, sizeof *device);
    if (strcmp(id, "d") != 0 && strcmp(id, "e") != 0)
        return picket_fail(error, PICKET_NOT_FOUND, "no device %s", id);
    device->enabled = world.device_is_enabled || id[0] == 'e';
    memset(device->primary_key, 0x5A, PICKET_KEY_BYTES_MAX);
    device->primary_key_bytes = PICKET_KEY_BYTES_MAX;
    return PICKET_OK;
}

static int session(void *context, const char *device, const char *module, uint32_t *subscriptions,
                   struct picket_error *error)
{
    (void)context;
    (void)device;
    (void)module;
    (void)error;
    *subscriptions = world.session_kept;
    return PICKET_OK;
}

static int say(struct picket_error *error)
{
    return world.keeper_status == PICKET_OK
               ? PICKET_OK
               : picket_fail(error, world.keeper_status, "\"the\" keeper\n");
}

static int begin(void *context, struct picket_error *error)
{
    (void)context;
    return world.keeper_status == PICKET_CLOSED ? say(error) : PICKET_OK;
}

static int commit(void *context, struct picket_error *error)
{
    (void)context;
    return world.keeper_status == PICKET_IO ? say(error) : PICKET_OK;
}

static void rollback(void *context)
{
    (void)context;
}

static int twin_get(void *context, const char *device, const char *module, char **json,
                    struct picket_error *error)
{
    (void)context;
    (void)device;
    (void)module;
    *json = say(error) == PICKET_OK ? strdup("{\"desired\":{},\"reported\":{}}") : NULL;
    return world.keeper_status;
}

static int twin_report(void *context, const char *device, const char *module, const char *patch,
                       size_t patch_bytes, int64_t *version, struct picket_error *error)
{
    (void)context;
    (void)device;
    (void)module;
    check(patch[patch_bytes] == '\0');
    *version = 7;
    return say(error);
}

static int session_put(void *context, const char *device, const char *module,
                       uint32_t subscriptions, struct picket_error *error)
{
    (void)context;
    (void)device;
    (void)module;
    if (say(error) == PICKET_OK)
        world.session_kept = subscriptions;
    return world.keeper_status;
}

static int messages_take(void *context, const char *device, int64_t after_id, int count_max,
                         size_t bytes_max, keeper_message_visit visit, void *visit_context,
                         bool *more, struct picket_error *error)
{
    (void)context;
    (void)device;
    (void)bytes_max;
    if (say(error) != PICKET_OK)
        return world.keeper_status;
    for (int i = 0; i < count_max && world.messages_waiting > 0; i++, world.messages_waiting--) {
        if (world.next_message_id <= after_id)
            world.next_message_id = after_id + 1;
        visit(visit_context, world.next_message_id++, "p=v", (const uint8_t *)"hello", 5);
    }
    *more = world.messages_waiting > 0;
    return PICKET_OK;
}

static int message_done(void *context, const char *device, int64_t id, struct picket_error *error)
{
    (void)context;
    (void)device;
    check(id > 0 && id < world.next_message_id);
    return say(error);
}

static int messages_expire(void *context, struct picket_error *error)
{
    (void)context;
    return say(error);
}

static void close_keeper(void *context)
{
    (void)context;
}

static void on_messages_lost(void *context, keeper_messages_lost lost, void *lost_context)
{
    (void)context;
    (void)lost;
    (void)lost_context;
}

static const struct hub_keeper keeper = {.begin = begin,
                                         .commit = commit,
                                         .rollback = rollback,
                                         .twin_get = twin_get,
                                         .twin_report = twin_report,
                                         .session_put = session_put,
                                         .messages_take = messages_take,
                                         .message_done = message_done,
                                         .on_messages_lost = on_messages_lost,
                                         .messages_expire = messages_expire,
                                         .close = close_keeper};

static void on_durable(void *context, uint64_t position)
{
    (void)context;
    atomic_store(&waker.durable, position);
    hub->log_may_have_room = true;
}

void commit_log(int most)
{
    const struct picket_log_message *messages;
    int count = picket_log_read(device_log, &messages, most, 0);
    if (count > 0)
        picket_log_commit(device_log, messages[count - 1].position);
}

/* ---- the hub, without its thread ---- */

static SSL_CTX *tls;
char tokens[3][300];

static void make_token(char *out, size_t size, const char *resource)
{
    uint8_t key[PICKET_KEY_BYTES_MAX], digest[EVP_MAX_MD_SIZE];
    char text[100], signature[64], escaped[120];
    unsigned bytes = 0;
    size_t used = 0;
    memset(key, 0x5A, sizeof key);
    snprintf(text, sizeof text, "%s\n%d", resource, BEGIN_UNIX_S + TOKEN_LIFE_S);
    HMAC(EVP_sha256(), key, sizeof key, (const uint8_t *)text, strlen(text), digest, &bytes);
    EVP_EncodeBlock((unsigned char *)signature, digest, (int)bytes);
    for (const char *c = signature; *c != '\0'; c++)
        used += (size_t)snprintf(escaped + used, sizeof escaped - used,
                                 *c == '+' || *c == '/' || *c == '=' ? "%%%02X" : "%c", *c);
    snprintf(out, size, "SharedAccessSignature sr=%s&sig=%s&se=%d", resource, escaped,
             BEGIN_UNIX_S + TOKEN_LIFE_S);
}

static void prepare_once(void)
{
    if (tls != NULL)
        return;
    picket_diagnostics_threshold((enum picket_level) - 1); /* nobody reads it */
    tls = SSL_CTX_new(TLS_server_method());
    make_token(tokens[0], sizeof tokens[0], "h%2Fdevices%2Fd");
    make_token(tokens[1], sizeof tokens[1], "h%2Fdevices%2Fd%2Fmodules%2Fm");
    make_token(tokens[2], sizeof tokens[2], "h%2Fdevices%2Fe");
}

static void on_wake(uv_async_t *async)
{
    methods_run(async->data);
}

void world_open(void)
{
    struct picket_error error;
    const struct picket_log_limits limits = {.messages = 24, .bytes = 1 << 20};
    prepare_once();
    world = (struct world){.now_ms = BEGIN_MS, .device_is_enabled = true, .next_message_id = 1};
    hub = calloc(1, sizeof *hub);
    hub->config = (struct picket_hub_config){.connections_max = PEERS + 2,
                                             .message_bytes_max = 131072,
                                             .connect_timeout_s = 30,
                                             .handshakes_max = 100,
                                             .handshakes_per_address_max = 100,
                                             .input_bytes_max = 300000,
                                             .output_bytes_max = 4096,
                                             .device_packets_per_s = 100,
                                             .device_bytes_per_s = 100000,
                                             .device_connections_max = 2,
                                             .device_connects_per_minute = 2,
                                             .address_connections_per_s = 1,
                                             .address_refusals_per_minute = 1};
    hub->host_name = strdup("h");
    hub->registry = (struct hub_registry){find, NULL, NULL, session};
    hub->tls = tls;
    hub->free_slot = UINT32_MAX;
    hub->reserve_fd = -1;
    hub->slots = calloc(hub->config.connections_max, sizeof *hub->slots);
    for (int i = 0; i < WORK_QUEUES; i++)
        TAILQ_INIT(&hub->queues[i]);
    TAILQ_INIT(&hub->unauthenticated);
    STAILQ_INIT(&hub->wills);
    STAILQ_INIT(&hub->twin_changes);
    TAILQ_INIT(&hub->conduct.idle);
    pthread_mutex_init(&hub->conduct.lock, NULL);
    hub_activity_open(&hub->activity);
    addresses_open(hub);
    methods_open(&hub->methods);
    handshakes_open(&hub->handshakes);
    exchange_open(&hub->exchange, &keeper);
    hub->exchange.started = true; /* by us */
    waker.durable = 0;
    hub->waker = &waker;
    check(picket_log_open_direct(&device_log, &limits, &error) == PICKET_OK);
    hub->log = device_log;
    picket_log_on_durable(device_log, on_durable, NULL);
    check(devices_open(hub) && sources_open(hub) && conduct_open(hub) &&
          acknowledgement_open(&hub->acknowledgements));
    check(admission_load(&hub->admission, NULL, &error) == PICKET_OK);
    check(uv_loop_init(&hub->loop) == 0 && uv_async_init(&hub->loop, &hub->wake, on_wake) == 0 &&
          uv_idle_init(&hub->loop, &hub->work) == 0);
    hub->wake.data = hub->work.data = hub;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Nothing is left of anybody. */
static void check_accounts(void)
{
    check(hub->input_bytes == 0 && hub->output_bytes == 0 && hub->wills_bytes == 0);
    check(hub->unauthenticated_count == 0 && TAILQ_EMPTY(&hub->unauthenticated));
    check(atomic_load(&hub->connection_count) == 0 && atomic_load(&hub->device_count) == 0);
    check(atomic_load(&hub->awaiting_count) == 0);
    check(hub->acknowledgements.first == hub->acknowledgements.end);
    check(hub->exchange.count == 0 && hub->exchange.bytes == 0 && hub->exchange.answer_bytes == 0);
    check(hub->methods.count == 0);
    for (int i = 0; i < WORK_QUEUES; i++)
        check(TAILQ_EMPTY(&hub->queues[i]));
    const struct conduct *conduct;
    TAILQ_FOREACH(conduct, &hub->conduct.idle, in_idle)
    check(atomic_load(&conduct->connected) == 0);
}

void world_close(void)
{
    check_accounts();
    exchange_close(&hub->exchange);
    methods_close(&hub->methods);
    handshakes_close(&hub->handshakes);
    uv_walk(&hub->loop, close_handle, NULL);
    uv_run(&hub->loop, UV_RUN_DEFAULT);
    check(uv_loop_close(&hub->loop) == 0);
    devices_close(hub);
    sources_close(hub);
    addresses_close(hub);
    conduct_close(hub);
    pthread_mutex_destroy(&hub->conduct.lock);
    acknowledgement_close(&hub->acknowledgements);
    hub_activity_close(&hub->activity);
    admission_free(hub->admission);
    picket_log_close(device_log);
    picket_log_destroy(device_log);
    free(hub->slots);
    free(hub->host_name);
    free(hub);
}
