#include "hub_connection.h"

#include <errno.h>
#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/base/wait.h"
#include "picket/wire/message.h"
#include "sas_token.h"

enum {
    KEEP_ALIVE_S = 60,
    LOOP_MS = 200,          /* how late the thread may notice that something is wanted of it */
    ANSWER_TIME_MS = 15000, /* from TCP to CONNACK */
    DRAIN_TIME_MS = 10000,  /* for PUBACKs before the token is renewed */
    STABLE_TIME_MS = 30000, /* a connection that lasted so long was a good one */
    BACK_OFF_MIN_MS = 1000,
    BACK_OFF_MAX_MS = 120000,
    RENEW_BEFORE_MAX_S = 300
};

static char twin_results[] = "$iothub/twin/res/#"; /* libmosquitto wants them writable */
static char twin_desired[] = "$iothub/twin/PATCH/properties/desired/#";

enum state { STATE_DOWN, STATE_CONNECTING, STATE_CONNECTED };

struct hub_connection {
    struct hub_connection_config config;
    struct mosquitto *mosquitto;
    char topic[DEVICE_ID_BYTES_MAX + 160];
    pthread_t thread;

    /* Under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum state state;
    bool draining; /* no new messages: the token is being renewed, or it ends */
    bool stopping;
    bool ended;
    unsigned in_flight;
    bool twin_is_new;
    struct hub_message *received[HUB_RECEIVED_MAX]; /* the oldest first */
    unsigned received_count;
    char last_log[300]; /* what libmosquitto said of errors since it began to connect */

    /* The thread's alone, on which on_connect() runs, too. */
    int64_t stop_at_ms; /* set under the mutex before stopping */
    unsigned failures;  /* in a row */
    bool connected_before;
    int refusal; /* CONNACK's return code, 0 for none */
};

static void set_state(struct hub_connection *connection, enum state state)
{
    pthread_mutex_lock(&connection->mutex);
    connection->state = state;
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->mutex);
}

static bool is_in_state(struct hub_connection *connection, enum state state)
{
    pthread_mutex_lock(&connection->mutex);
    bool is = connection->state == state;
    pthread_mutex_unlock(&connection->mutex);
    return is;
}

static unsigned in_flight(struct hub_connection *connection)
{
    pthread_mutex_lock(&connection->mutex);
    unsigned count = connection->in_flight;
    pthread_mutex_unlock(&connection->mutex);
    return count;
}

static bool is_stopping(struct hub_connection *connection)
{
    pthread_mutex_lock(&connection->mutex);
    bool stopping = connection->stopping;
    pthread_mutex_unlock(&connection->mutex);
    return stopping;
}

/* MQTT 3.1.1, table 3.1, with what it means at an IoT hub. */
static const char *refusal_text(int code)
{
    switch (code) {
    case 1:
        return "the hub does not speak MQTT 3.1.1";
    case 2:
        return "the hub does not accept the device id";
    case 3:
        return "the hub is not available";
    case 4:
        return "user name or password are malformed";
    case 5:
        return "not authorized: the device is unknown or disabled, or the key, the HostName or "
               "this "
               "machine's clock is wrong";
    default:
        return "for a reason that MQTT 3.1.1 does not have";
    }
}

static void on_connect(struct mosquitto *mosquitto, void *context, int code)
{
    (void)mosquitto;
    struct hub_connection *connection = context;
    connection->refusal = code;
    if (code != 0)
        return;
    picket_say(PICKET_NOTICE, "agent", "hub %s:%u: connected as %s",
               connection->config.device.host_name, connection->config.port,
               connection->config.device.device_id);
    set_state(connection, STATE_CONNECTED);
    char *filters[] = {twin_results, twin_desired};
    mosquitto_subscribe_multiple(mosquitto, NULL, 2, filters, 0, 0, NULL);
}

static void mark_twin_new(struct hub_connection *connection)
{
    pthread_mutex_lock(&connection->mutex);
    connection->twin_is_new = true;
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->mutex);
}

/* A hub that grants less has no twins. */
static void on_subscribe(struct mosquitto *mosquitto, void *context, int message_id, int count,
                         const int *granted)
{
    (void)mosquitto;
    (void)message_id;
    for (int i = 0; i < count; i++)
        if (granted[i] > 2)
            return;
    mark_twin_new(context);
}

/* In one piece of memory. */
static struct hub_message *copy_message(const struct mosquitto_message *message)
{
    size_t topic_bytes = strlen(message->topic) + 1, payload_bytes = (size_t)message->payloadlen;
    struct hub_message *copy = malloc(sizeof *copy + topic_bytes + payload_bytes + 1);
    if (copy == NULL)
        return NULL;
    copy->topic = (char *)(copy + 1);
    copy->payload = copy->topic + topic_bytes;
    copy->payload_bytes = payload_bytes;
    memcpy(copy->topic, message->topic, topic_bytes);
    if (payload_bytes > 0)
        memcpy(copy->payload, message->payload, payload_bytes);
    copy->payload[payload_bytes] = '\0';
    return copy;
}

static void on_message(struct mosquitto *mosquitto, void *context,
                       const struct mosquitto_message *message)
{
    (void)mosquitto;
    struct hub_connection *connection = context;
    struct hub_message *copy =
        message->payloadlen <= HUB_RECEIVED_BYTES_MAX ? copy_message(message) : NULL;
    pthread_mutex_lock(&connection->mutex);
    if (copy != NULL && connection->received_count < HUB_RECEIVED_MAX) {
        connection->received[connection->received_count++] = copy;
        copy = NULL;
    } else {
        connection->twin_is_new = true;
    }
    pthread_mutex_unlock(&connection->mutex);
    free(copy);
}

static void on_publish(struct mosquitto *mosquitto, void *context, int message_id)
{
    (void)mosquitto;
    (void)message_id;
    struct hub_connection *connection = context;
    pthread_mutex_lock(&connection->mutex);
    if (connection->in_flight > 0)
        connection->in_flight--;
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->mutex);
}

/* The only place where libmosquitto tells what TLS did not like; it may take several lines. Runs on
 * the publishing thread, too. */
static void on_log(struct mosquitto *mosquitto, void *context, int level, const char *text)
{
    (void)mosquitto;
    struct hub_connection *connection = context;
    if (level != MOSQ_LOG_ERR) {
        picket_say(PICKET_DEBUG, "agent", "mqtt: %s", text);
        return;
    }
    pthread_mutex_lock(&connection->mutex);
    size_t used = strlen(connection->last_log);
    snprintf(connection->last_log + used, sizeof connection->last_log - used, "%s%s",
             used > 0 ? " " : "", text);
    pthread_mutex_unlock(&connection->mutex);
}

static int renew_password(struct hub_connection *connection, struct picket_error *error)
{
    const struct connection_string *device = &connection->config.device;
    static const char client[] = "picket-agent%2F" PICKET_VERSION;
    char user[sizeof device->host_name + sizeof device->device_id + 96];
    char token[SAS_TOKEN_BYTES];
    int64_t expiry_s = picket_unix_ms() / 1000 + connection->config.token_life_s;
    int status = sas_token_make(device, expiry_s, token, error);
    if (status != PICKET_OK)
        return status;
    snprintf(user, sizeof user, "%s/%s/?api-version=2021-04-12&DeviceClientType=%s",
             device->host_name, device->device_id, client);
    int code = mosquitto_username_pw_set(connection->mosquitto, user, token);
    if (code != MOSQ_ERR_SUCCESS)
        return picket_fail(error, PICKET_NO_MEMORY, "%s", mosquitto_strerror(code));
    return PICKET_OK;
}

static void describe_with_log(struct hub_connection *connection, int code, char *text,
                              size_t size_bytes)
{
    pthread_mutex_lock(&connection->mutex);
    snprintf(text, size_bytes, "%s%s%s", mosquitto_strerror(code),
             connection->last_log[0] != '\0' ? " " : "", connection->last_log);
    pthread_mutex_unlock(&connection->mutex);
}

static void describe(struct hub_connection *connection, int code, char *text, size_t size_bytes)
{
    if (connection->refusal != 0)
        snprintf(text, size_bytes, "refused with code %d: %s", connection->refusal,
                 refusal_text(connection->refusal));
    else if (code == MOSQ_ERR_ERRNO)
        snprintf(text, size_bytes, "%s", strerror(errno));
    else if (code == MOSQ_ERR_CONN_LOST)
        snprintf(text, size_bytes, "the other side closed it");
    else
        describe_with_log(connection, code, text, size_bytes);
}

static int open_connection(struct hub_connection *connection, char *reason, size_t size_bytes)
{
    struct picket_error error;
    connection->refusal = 0;
    pthread_mutex_lock(&connection->mutex);
    connection->last_log[0] = '\0';
    pthread_mutex_unlock(&connection->mutex);
    if (renew_password(connection, &error) != PICKET_OK) {
        snprintf(reason, size_bytes, "%s", error.text);
        return PICKET_IO;
    }
    set_state(connection, STATE_CONNECTING);
    int code = connection->connected_before
                   ? mosquitto_reconnect(connection->mosquitto)
                   : mosquitto_connect(connection->mosquitto, connection->config.device.host_name,
                                       connection->config.port, KEEP_ALIVE_S);
    if (code == MOSQ_ERR_SUCCESS) {
        connection->connected_before = true;
        return PICKET_OK;
    }
    describe(connection, code, reason, size_bytes);
    return PICKET_IO;
}

/* The token's end is told in wall-clock time, and this is the monotonic time at which to renew it.
 */
static int64_t renewal_ms(const struct hub_connection *connection)
{
    uint32_t before_s = connection->config.token_life_s / 4;
    if (before_s > RENEW_BEFORE_MAX_S)
        before_s = RENEW_BEFORE_MAX_S;
    return picket_monotonic_ms() + ((int64_t)connection->config.token_life_s - before_s) * 1000;
}

static void start_draining(struct hub_connection *connection)
{
    pthread_mutex_lock(&connection->mutex);
    connection->draining = true;
    pthread_mutex_unlock(&connection->mutex);
}

/* When the connection is to be ended from this side: INT64_MAX for not yet. */
static int64_t end_at(struct hub_connection *connection, int64_t renew_ms)
{
    if (is_stopping(connection))
        return connection->stop_at_ms;
    return picket_monotonic_ms() >= renew_ms ? renew_ms + DRAIN_TIME_MS : INT64_MAX;
}

/* Carries messages until the connection ends. True: this side ended it, all is well. */
static bool carry(struct hub_connection *connection, char *reason, size_t size_bytes)
{
    int64_t answer_by_ms = picket_monotonic_ms() + ANSWER_TIME_MS;
    int64_t renew_ms = renewal_ms(connection);
    for (;;) {
        int code = mosquitto_loop(connection->mosquitto, LOOP_MS, 1);
        if (code != MOSQ_ERR_SUCCESS || connection->refusal != 0) {
            describe(connection, code, reason, size_bytes);
            return false;
        }
        int64_t now_ms = picket_monotonic_ms();
        if (is_in_state(connection, STATE_CONNECTING) && now_ms > answer_by_ms) {
            snprintf(reason, size_bytes, "no answer to CONNECT");
            return false;
        }
        int64_t end_ms = end_at(connection, renew_ms);
        if (end_ms == INT64_MAX)
            continue;
        start_draining(connection);
        if (now_ms >= end_ms || in_flight(connection) == 0)
            return true;
    }
}

/* Says good-bye if that is possible; otherwise the socket is closed by the next reconnect. */
static void close_connection(struct hub_connection *connection)
{
    int64_t until_ms = picket_monotonic_ms() + 1000;
    if (mosquitto_disconnect(connection->mosquitto) != MOSQ_ERR_SUCCESS)
        return;
    while (picket_monotonic_ms() < until_ms &&
           mosquitto_loop(connection->mosquitto, LOOP_MS, 1) == MOSQ_ERR_SUCCESS)
        continue;
}

/* Exponential, and at random between half and all of it, so that devices of one hub spread. */
static uint32_t back_off_ms(unsigned failures)
{
    uint32_t most = BACK_OFF_MIN_MS, random;
    for (unsigned i = 1; i < failures && most < BACK_OFF_MAX_MS; i++)
        most *= 2;
    if (most > BACK_OFF_MAX_MS)
        most = BACK_OFF_MAX_MS;
    host_random(NULL, &random, sizeof random);
    return most / 2 + random % (most / 2 + 1);
}

static void timed_wait(struct hub_connection *connection, int64_t time_ms)
{
    struct timespec until = picket_deadline(time_ms);
    pthread_cond_timedwait(&connection->changed, &connection->mutex, &until);
}

static void pause_until(struct hub_connection *connection, int64_t until_ms)
{
    pthread_mutex_lock(&connection->mutex);
    for (int64_t left; !connection->stopping && (left = until_ms - picket_monotonic_ms()) > 0;)
        timed_wait(connection, left);
    pthread_mutex_unlock(&connection->mutex);
}

/* What to look at; libmosquitto says only what TLS met. */
static const char *advice(const char *reason)
{
    return strstr(reason, "certificate verify failed")
               ? " (--ca has to name the authority of the hub's certificate)"
               : "";
}

static void one_connection(struct hub_connection *connection)
{
    char reason[600] = "";
    int64_t began_ms = picket_monotonic_ms();
    bool good = open_connection(connection, reason, sizeof reason) == PICKET_OK &&
                carry(connection, reason, sizeof reason);
    bool was_connected = is_in_state(connection, STATE_CONNECTED);
    set_state(connection, STATE_DOWN);
    if (good) {
        close_connection(connection);
        connection->failures = 0;
    } else if (was_connected && picket_monotonic_ms() - began_ms >= STABLE_TIME_MS) {
        connection->failures = 1;
    } else {
        connection->failures++;
    }
    pthread_mutex_lock(&connection->mutex);
    connection->draining = connection->stopping;
    pthread_mutex_unlock(&connection->mutex);
    if (good || is_stopping(connection))
        return;
    uint32_t pause_ms = back_off_ms(connection->failures);
    picket_say(PICKET_WARNING, "agent", "hub %s:%u: %s: %s%s; trying again in %u.%u s",
               connection->config.device.host_name, connection->config.port,
               was_connected ? "connection lost" : "not connected", reason, advice(reason),
               pause_ms / 1000, pause_ms % 1000 / 100);
    pause_until(connection, picket_monotonic_ms() + pause_ms);
}

static void *run_thread(void *context)
{
    struct hub_connection *connection = context;
    while (!is_stopping(connection))
        one_connection(connection);
    pthread_mutex_lock(&connection->mutex);
    connection->ended = true;
    pthread_cond_broadcast(&connection->changed);
    pthread_mutex_unlock(&connection->mutex);
    return NULL;
}

static int configure_tls(struct hub_connection *connection, struct picket_error *error)
{
    const char *ca_file = connection->config.ca_file;
    FILE *readable = ca_file != NULL ? fopen(ca_file, "re") : NULL;
    if (ca_file != NULL && readable == NULL)
        return picket_fail(error, PICKET_IO, "--ca %s: cannot be opened: %s", ca_file,
                           strerror(errno));
    if (readable != NULL)
        fclose(readable);
    int code = mosquitto_tls_set(connection->mosquitto, ca_file,
                                 ca_file == NULL ? "/etc/ssl/certs" : NULL, NULL, NULL, NULL);
    if (code == MOSQ_ERR_SUCCESS)
        code = mosquitto_tls_opts_set(connection->mosquitto, 1, "tlsv1.2", NULL);
    return code == MOSQ_ERR_SUCCESS ? PICKET_OK
                                    : picket_fail(error, PICKET_INVALID, "TLS cannot be set up: %s",
                                                  mosquitto_strerror(code));
}

static int configure(struct hub_connection *connection, struct picket_error *error)
{
    const char *id = connection->config.device.device_id;
    snprintf(connection->topic, sizeof connection->topic, "devices/%s/messages/events/%s", id,
             PICKET_WIRE_TOPIC_PROPERTIES);
    /* Not a clean session, as IoT Hub devices have it. */
    connection->mosquitto = mosquitto_new(id, false, connection);
    if (connection->mosquitto == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "libmosquitto: %s", strerror(errno));
    mosquitto_int_option(connection->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    mosquitto_threaded_set(connection->mosquitto, true);
    mosquitto_max_inflight_messages_set(connection->mosquitto, HUB_IN_FLIGHT_MAX);
    mosquitto_connect_callback_set(connection->mosquitto, on_connect);
    mosquitto_publish_callback_set(connection->mosquitto, on_publish);
    mosquitto_subscribe_callback_set(connection->mosquitto, on_subscribe);
    mosquitto_message_callback_set(connection->mosquitto, on_message);
    mosquitto_log_callback_set(connection->mosquitto, on_log);
    return configure_tls(connection, error);
}

static void release(struct hub_connection *connection)
{
    if (connection->mosquitto != NULL)
        mosquitto_destroy(connection->mosquitto);
    mosquitto_lib_cleanup();
    for (unsigned i = 0; i < connection->received_count; i++)
        free(connection->received[i]);
    pthread_cond_destroy(&connection->changed);
    pthread_mutex_destroy(&connection->mutex);
    explicit_bzero(&connection->config.device, sizeof connection->config.device);
    free(connection);
}

int hub_connection_start(struct hub_connection **connection,
                         const struct hub_connection_config *config, struct picket_error *error)
{
    struct hub_connection *started = calloc(1, sizeof *started);
    if (started == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the hub's connection");
    mosquitto_lib_init();
    started->config = *config;
    pthread_mutex_init(&started->mutex, NULL);
    picket_condition_init(&started->changed);
    int status = configure(started, error);
    if (status == PICKET_OK && pthread_create(&started->thread, NULL, run_thread, started) != 0)
        status = picket_fail(error, PICKET_NO_MEMORY, "no thread for the hub's connection");
    if (status != PICKET_OK) {
        release(started);
        return status;
    }
    *connection = started;
    return PICKET_OK;
}

/* With the mutex. */
static bool takes_messages(const struct hub_connection *connection)
{
    return connection->state == STATE_CONNECTED && !connection->draining;
}

bool hub_connection_ready(struct hub_connection *connection)
{
    pthread_mutex_lock(&connection->mutex);
    bool ready = takes_messages(connection);
    pthread_mutex_unlock(&connection->mutex);
    return ready;
}

/* The place is taken before libmosquitto is called, without the mutex: its callbacks take it. */
static int publish(struct hub_connection *connection, const char *topic, const void *bytes,
                   uint32_t size_bytes, struct picket_error *error)
{
    pthread_mutex_lock(&connection->mutex);
    int status = !takes_messages(connection)                  ? PICKET_CLOSED
                 : connection->in_flight >= HUB_IN_FLIGHT_MAX ? PICKET_BUSY
                                                              : PICKET_OK;
    connection->in_flight += status == PICKET_OK;
    pthread_mutex_unlock(&connection->mutex);
    if (status != PICKET_OK)
        return picket_fail(error, status, "hub: %s",
                           status == PICKET_BUSY ? "too many messages wait for acknowledgement"
                                                 : "not connected");
    int code =
        mosquitto_publish(connection->mosquitto, NULL, topic, (int)size_bytes, bytes, 1, false);
    /* Not connected any more: libmosquitto has queued it nevertheless, and sends it later. */
    if (code == MOSQ_ERR_SUCCESS || code == MOSQ_ERR_NO_CONN)
        return PICKET_OK;
    pthread_mutex_lock(&connection->mutex);
    connection->in_flight--;
    pthread_mutex_unlock(&connection->mutex);
    return picket_fail(error, PICKET_IO, "hub: a message of %u bytes was not taken: %s", size_bytes,
                       mosquitto_strerror(code));
}

int hub_connection_publish(struct hub_connection *connection, const void *bytes,
                           uint32_t size_bytes, struct picket_error *error)
{
    return publish(connection, connection->topic, bytes, size_bytes, error);
}

int hub_connection_request(struct hub_connection *connection, const char *topic,
                           const char *payload, struct picket_error *error)
{
    return publish(connection, topic, payload, (uint32_t)strlen(payload), error);
}

bool hub_connection_twin_is_new(struct hub_connection *connection)
{
    pthread_mutex_lock(&connection->mutex);
    bool is_new = connection->twin_is_new;
    connection->twin_is_new = false;
    pthread_mutex_unlock(&connection->mutex);
    return is_new;
}

struct hub_message *hub_connection_take(struct hub_connection *connection)
{
    struct hub_message *message = NULL;
    pthread_mutex_lock(&connection->mutex);
    if (connection->received_count > 0) {
        message = connection->received[0];
        connection->received_count--;
        memmove(connection->received, connection->received + 1,
                connection->received_count * sizeof connection->received[0]);
    }
    pthread_mutex_unlock(&connection->mutex);
    return message;
}

void hub_connection_wait(struct hub_connection *connection, uint32_t time_ms)
{
    pthread_mutex_lock(&connection->mutex);
    timed_wait(connection, time_ms);
    pthread_mutex_unlock(&connection->mutex);
}

unsigned hub_connection_stop(struct hub_connection *connection, uint32_t time_ms)
{
    enum { GRACE_MS = 2000 };
    pthread_mutex_lock(&connection->mutex);
    connection->stop_at_ms = picket_monotonic_ms() + time_ms;
    connection->stopping = true;
    pthread_cond_broadcast(&connection->changed);
    int64_t until_ms = connection->stop_at_ms + GRACE_MS;
    for (int64_t left; !connection->ended && (left = until_ms - picket_monotonic_ms()) > 0;)
        timed_wait(connection, left);
    bool ended = connection->ended;
    unsigned unacknowledged = connection->in_flight;
    pthread_mutex_unlock(&connection->mutex);
    if (!ended) {
        /* It is in the middle of connect(2), which cannot be called back; the process ends anyway.
         */
        pthread_detach(connection->thread);
        return unacknowledged;
    }
    pthread_join(connection->thread, NULL);
    release(connection);
    return unacknowledged;
}
