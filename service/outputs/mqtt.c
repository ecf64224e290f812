/* Publishes each item to an MQTT broker, QoS 1. The broker's PUBACK confirms it; all that are sent
 * together are in flight at once, in order. The connection is kept until something fails. */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../secret.h"
#include "mqtt_connection.h"
#include "picket/base/time.h"

enum {
    PORT = 1883,
    TLS_PORT = 8883,
    WAIT_MS = 200,
    PATIENCE_MS = 20000, /* without any answer */
    NOT_ANSWERED = -1,
    REFUSED = 0x80 /* and above */
};

struct flight {
    int id;
    int reason; /* NOT_ANSWERED, or the PUBACK's */
};

struct mqtt {
    struct mqtt_broker broker;
    struct mqtt_connection *connection; /* NULL: there is none */
    const char *topic;
    char client_id[100];
    struct flight flights[DELIVERIES_TOGETHER];
    size_t flight_count, answered;
};

static int mqtt_check(const struct picket_output_config *config, char *setting,
                      struct picket_error *error)
{
    struct broker_location location;
    char host[BROKER_HOST_BYTES];
    uint16_t port;
    snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "location");
    int status = broker_location_parse(config->location, "mqtt", &location, error);
    if (status == PICKET_OK && strchr(location.brokers, ',') != NULL)
        status =
            picket_fail(error, PICKET_INVALID, "\"%.100s\": one broker only", location.brokers);
    if (status == PICKET_OK)
        status = broker_parse(location.brokers, strlen(location.brokers), host, &port, error);
    if (status == PICKET_OK)
        status = topic_template_check(location.topic, error);
    if (status == PICKET_OK)
        status = broker_check_tls(config, "mqtt", location.is_tls, setting, error);
    return status;
}

/* ---- connection ---- */

static void note_answer(void *context, int id, int reason)
{
    struct mqtt *mqtt = context;
    for (size_t i = 0; i < mqtt->flight_count; i++) {
        struct flight *flight = &mqtt->flights[i];
        if (flight->id != id || flight->reason != NOT_ANSWERED)
            continue;
        flight->reason = reason;
        mqtt->answered++;
        return;
    }
}

static void hang_up(struct mqtt *mqtt)
{
    if (mqtt->connection != NULL)
        mqtt_connection_close(mqtt->connection);
    mqtt->connection = NULL;
}

/* One that the broker has closed meanwhile is no failure: another one is opened. */
static int be_connected(struct mqtt *mqtt, struct picket_error *error)
{
    struct picket_error ignored;
    if (mqtt->connection != NULL &&
        mqtt_connection_step(mqtt->connection, 0, &ignored) == PICKET_OK)
        return PICKET_OK;
    hang_up(mqtt);
    return mqtt_connection_open(&mqtt->connection, &mqtt->broker, error);
}

static int mqtt_idle(void *state, struct picket_error *error)
{
    return be_connected(state, error);
}

/* ---- sending ---- */

static int publish(struct mqtt *mqtt, const struct delivery *item, struct picket_error *error)
{
    char *topic = topic_render(mqtt->topic, item->device, item->module);
    struct flight *flight = &mqtt->flights[mqtt->flight_count];
    if (topic == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a topic");
    *flight = (struct flight){.reason = NOT_ANSWERED};
    int status = mqtt_connection_publish(mqtt->connection, topic, item, &flight->id, error);
    mqtt->flight_count += status == PICKET_OK;
    free(topic);
    return status;
}

static int await_answers(struct mqtt *mqtt, struct picket_error *error)
{
    int64_t since_ms = picket_monotonic_ms();
    while (mqtt->answered < mqtt->flight_count) {
        size_t before = mqtt->answered;
        if (atomic_load(mqtt->broker.stopping) != 0)
            return picket_fail(error, PICKET_CLOSED, "stopping");
        int status = mqtt_connection_step(mqtt->connection, WAIT_MS, error);
        if (status != PICKET_OK)
            return status;
        if (mqtt->answered > before)
            since_ms = picket_monotonic_ms();
        else if (picket_monotonic_ms() - since_ms > PATIENCE_MS)
            return picket_fail(error, PICKET_IO, "%s:%u: the broker does not acknowledge",
                               mqtt->broker.host, mqtt->broker.port);
    }
    return PICKET_OK;
}

/* How many, from the first on, the broker has taken. */
static size_t count_taken(const struct mqtt *mqtt)
{
    size_t taken = 0;
    while (taken < mqtt->flight_count && mqtt->flights[taken].reason != NOT_ANSWERED &&
           mqtt->flights[taken].reason < REFUSED)
        taken++;
    return taken;
}

/* The first that was not taken was refused by name, which says more than how the connection fared.
 */
static int refusal_of(const struct mqtt *mqtt, struct sending *sending, struct picket_error *error)
{
    int reason = mqtt->flights[sending->sent].reason;
    sending->answered = reason != MQTT_RC_QUOTA_EXCEEDED;
    return picket_fail(error, PICKET_IO, "the broker refuses the message: %s",
                       mosquitto_reason_string(reason));
}

static int mqtt_send(void *state, const struct delivery *items, size_t count,
                     struct sending *sending, struct picket_error *error)
{
    struct mqtt *mqtt = state;
    struct picket_error later = {0};
    mqtt->flight_count = mqtt->answered = 0;
    int status = be_connected(mqtt, error);
    if (status != PICKET_OK)
        return status;
    for (size_t i = 0; i < count && status == PICKET_OK; i++)
        status = publish(mqtt, &items[i], error);
    bool is_bad_item = status == PICKET_INVALID;
    if (status == PICKET_OK || is_bad_item) {
        int awaited = await_answers(mqtt, &later);
        if (awaited != PICKET_OK) {
            is_bad_item = false;
            status = picket_fail(error, awaited, "%s", later.text);
        }
    }
    sending->sent = count_taken(mqtt);
    if (sending->sent == count)
        return PICKET_OK;
    if (sending->sent < mqtt->flight_count && mqtt->flights[sending->sent].reason != NOT_ANSWERED)
        status = refusal_of(mqtt, sending, error);
    else
        sending->answered =
            is_bad_item || (status == PICKET_IO && mqtt_connection_was_refused(mqtt->connection));
    hang_up(mqtt);
    return status;
}

/* ---- open and close ---- */

static void mqtt_close(void *state)
{
    struct mqtt *mqtt = state;
    hang_up(mqtt);
    free(mqtt);
}

static int check_readable(const char *path, struct picket_error *error)
{
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (path != NULL && file == NULL)
        return picket_fail(error, PICKET_IO, "%s: %m", path);
    if (file != NULL)
        fclose(file);
    return PICKET_OK;
}

static int check_files(const struct picket_output_config *config, struct picket_error *error)
{
    char password[SECRET_BYTES];
    int status = PICKET_OK;
    if (config->password_file != NULL) {
        status = secret_read(config->password_file, password, error);
        explicit_bzero(password, sizeof password);
    }
    if (status == PICKET_OK)
        status = check_readable(config->ca_file, error);
    if (status == PICKET_OK)
        status = check_readable(config->certificate_file, error);
    if (status == PICKET_OK)
        status = check_readable(config->key_file, error);
    return status;
}

/* One that no other installation has: a broker ends the older of two connections with one name. */
static void name_client(struct mqtt *mqtt, const struct picket_output_config *config)
{
    uint32_t number = 0;
    RAND_bytes((unsigned char *)&number, sizeof number);
    if (config->client_id != NULL)
        mqtt->broker.client_id = config->client_id;
    else
        snprintf(mqtt->client_id, sizeof mqtt->client_id, "picket-%.64s-%08x", config->name,
                 number);
}

static int mqtt_open(void **state, const struct picket_output_config *config,
                     const atomic_int *stopping, struct picket_error *error)
{
    struct broker_location location;
    int status = check_files(config, error);
    if (status == PICKET_OK)
        status = broker_location_parse(config->location, "mqtt", &location, error);
    if (status != PICKET_OK)
        return status;
    struct mqtt *mqtt = calloc(1, sizeof *mqtt);
    if (mqtt == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a connection");
    mqtt->topic = location.topic;
    mqtt->broker = (struct mqtt_broker){.config = config,
                                        .stopping = stopping,
                                        .is_tls = location.is_tls,
                                        .port = location.is_tls ? TLS_PORT : PORT,
                                        .client_id = mqtt->client_id,
                                        .answer = note_answer,
                                        .context = mqtt};
    name_client(mqtt, config);
    status = broker_parse(location.brokers, strlen(location.brokers), mqtt->broker.host,
                          &mqtt->broker.port, error);
    if (status != PICKET_OK) {
        free(mqtt);
        return status;
    }
    *state = mqtt;
    return PICKET_OK;
}

const struct sender mqtt_sender = {.together = DELIVERIES_TOGETHER,
                                   .check = mqtt_check,
                                   .open = mqtt_open,
                                   .send = mqtt_send,
                                   .idle = mqtt_idle,
                                   .close = mqtt_close};
