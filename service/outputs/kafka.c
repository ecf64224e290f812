/* Produces each item to a Kafka topic, by librdkafka: idempotent, acknowledged by all replicas in
 * sync, with the device as the key, so that what a device sent stays in order. A delivery report
 * confirms it.
 *
 *     librdkafka's threads: brokers ─▶ queue ─▶ rd_kafka_poll() on the output's thread: callbacks
 *
 * librdkafka repeats by itself what fails on the way. When it gives up, or says that no broker can
 * be reached, its client is ended, and another one made for the next attempt: with the password and
 * the certificates that are there by then. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../secret.h"
#include "../text.h"
#include "broker.h"
#include "delivery.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

enum {
    WAIT_MS = 200,       /* how late stopping is noticed */
    PATIENCE_MS = 25000, /* beyond message.timeout.ms */
    GRACE_MS = 3000,     /* for a problem to pass */
    METADATA_MS = 1000,
    METADATA_TRIES = 5,
};

struct report {
    bool is_in;
    rd_kafka_resp_err_t error;
};

struct kafka {
    const struct picket_output_config *config;
    const atomic_int *stopping;
    struct broker_location location;
    rd_kafka_t *client; /* NULL: there is none */
    bool is_proven;     /* a broker has answered, and knows the topic */
    int64_t problem_ms; /* since when there is a problem, monotonic; 0: there is none */
    char problem[200];
    struct report reports[DELIVERIES_TOGETHER];
    size_t produced, reported;
};

/* ---- settings ---- */

/* These follow from other settings, or from what is promised. */
static const char *const own_properties[] = {
    "bootstrap.servers",  "metadata.broker.list",     "security.protocol", "sasl.username",
    "sasl.password",      "ssl.ca.location",          "ssl.key.location",  "acks",
    "enable.idempotence", "ssl.certificate.location", "transactional.id",  "request.required.acks",
};

static bool is_own(const char *name)
{
    for (size_t i = 0; i < sizeof own_properties / sizeof own_properties[0]; i++)
        if (strcmp(own_properties[i], name) == 0)
            return true;
    return strncmp(name, "test.mock.", 10) == 0; /* confirms what no broker has */
}

static bool is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strstr(name, ".pem") != NULL;
}

static int set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                        struct picket_error *error)
{
    char reason[300];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return PICKET_OK;
    return picket_fail(error, PICKET_INVALID, "%s",
                       is_secret(name) ? "librdkafka does not take its value" : reason);
}

static int check_property(const struct picket_output_property *property, rd_kafka_conf_t *conf,
                          struct picket_error *error)
{
    if (is_own(property->name))
        return picket_fail(error, PICKET_INVALID,
                           "is not to be set here: it follows from location, user, password_file "
                           "and the like, or from what Picket guarantees");
    return set_property(conf, property->name, property->value, error);
}

static int check_properties(const struct picket_output_config *config, char *setting,
                            struct picket_error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int status = PICKET_OK;
    for (size_t i = 0; i < config->property_count && status == PICKET_OK; i++) {
        snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "librdkafka.%s", config->properties[i].name);
        status = check_property(&config->properties[i], conf, error);
    }
    rd_kafka_conf_destroy(conf);
    return status;
}

static int check_topic(const char *topic, struct picket_error *error)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (strlen(topic) <= 249 && topic[strspn(topic, allowed)] == '\0')
        return PICKET_OK;
    return picket_fail(error, PICKET_INVALID,
                       "topic \"%.100s\": expected at most 249 letters, digits, . _ and -", topic);
}

static int kafka_check(const struct picket_output_config *config, char *setting,
                       struct picket_error *error)
{
    struct broker_location location;
    snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "location");
    int status = broker_location_parse(config->location, "kafka", &location, error);
    if (status == PICKET_OK)
        status = check_topic(location.topic, error);
    if (status == PICKET_OK)
        status = broker_check_tls(config, "kafka", location.is_tls, setting, error);
    if (status == PICKET_OK && config->user != NULL && config->password_file == NULL)
        status = setting_wrong(setting, "user", error, "password_file is missing beside it");
    return status == PICKET_OK ? check_properties(config, setting, error) : status;
}

/* ---- what librdkafka tells, on the output's thread ---- */

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *context)
{
    struct kafka *kafka = context;
    struct report *report = message->_private;
    (void)client;
    if (report->is_in)
        return;
    *report = (struct report){.is_in = true, .error = message->err};
    kafka->reported++;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        kafka->problem_ms = 0;
}

/* "… failed: Connection refused (after 0ms in state CONNECT)": what differs each time is cut off.
 */
static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    struct kafka *kafka = context;
    const char *cut = strstr(reason, " (after ");
    size_t length = cut != NULL ? (size_t)(cut - reason) : strlen(reason);
    (void)client;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || kafka->problem_ms == 0)
        text_clean(reason, length, kafka->problem, sizeof kafka->problem);
    if (kafka->problem_ms == 0)
        kafka->problem_ms = picket_monotonic_ms();
}

/* On librdkafka's threads. What matters comes by the callbacks above, too. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client, (void)level;
    picket_say(PICKET_DEBUG, "service", "kafka: %s: %s", facility, text);
}

/* ---- its client ---- */

static void end_client(struct kafka *kafka)
{
    if (kafka->client == NULL)
        return;
    rd_kafka_purge(kafka->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                      RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(kafka->client);
    kafka->client = NULL;
    kafka->is_proven = false;
    kafka->problem_ms = 0;
}

static int set_password(rd_kafka_conf_t *conf, const struct picket_output_config *config,
                        struct picket_error *error)
{
    char password[SECRET_BYTES];
    if (config->user == NULL)
        return PICKET_OK;
    int status = secret_read(config->password_file, password, error);
    if (status == PICKET_OK)
        status = set_property(conf, "sasl.username", config->user, error);
    if (status == PICKET_OK)
        status = set_property(conf, "sasl.password", password, error);
    explicit_bzero(password, sizeof password);
    return status;
}

static const char *protocol_of(const struct kafka *kafka)
{
    if (kafka->config->user != NULL)
        return kafka->location.is_tls ? "sasl_ssl" : "sasl_plaintext";
    return kafka->location.is_tls ? "ssl" : "plaintext";
}

static int configure(const struct kafka *kafka, rd_kafka_conf_t *conf, struct picket_error *error)
{
    const struct picket_output_config *config = kafka->config;
    const struct picket_output_property ours[] = {
        {"client.id", "picket"},
        {"bootstrap.servers", kafka->location.brokers},
        {"security.protocol", protocol_of(kafka)},
        {"enable.idempotence", "true"}, /* and so acks=all */
        {"message.timeout.ms", "20000"},
        {"sasl.mechanism", config->user != NULL ? "SCRAM-SHA-512" : NULL},
        {"ssl.ca.location", config->ca_file},
        {"ssl.certificate.location", config->certificate_file},
        {"ssl.key.location", config->key_file},
    };
    int status = PICKET_OK;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0] && status == PICKET_OK; i++)
        if (ours[i].value != NULL)
            status = set_property(conf, ours[i].name, ours[i].value, error);
    for (size_t i = 0; i < config->property_count && status == PICKET_OK; i++)
        status = set_property(conf, config->properties[i].name, config->properties[i].value, error);
    return status == PICKET_OK ? set_password(conf, config, error) : status;
}

static int have_client(struct kafka *kafka, struct picket_error *error)
{
    char reason[300];
    if (kafka->client != NULL)
        return PICKET_OK;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    int status = configure(kafka, conf, error);
    if (status == PICKET_OK)
        kafka->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (kafka->client != NULL)
        return PICKET_OK;
    rd_kafka_conf_destroy(conf);
    return status != PICKET_OK ? status : picket_fail(error, PICKET_INVALID, "%s", reason);
}

/* True: there is a problem that does not pass. */
static bool is_stuck(const struct kafka *kafka)
{
    return kafka->problem_ms != 0 && picket_monotonic_ms() - kafka->problem_ms > GRACE_MS;
}

/* The brokers' own words, if there are any. */
static int fail_for(const struct kafka *kafka, rd_kafka_resp_err_t code, struct picket_error *error)
{
    bool is_local = code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
                    code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    return picket_fail(error, PICKET_IO, "%s",
                       is_local && kafka->problem_ms != 0 ? kafka->problem
                                                          : rd_kafka_err2str(code));
}

/* ---- before there is anything to send ---- */

static rd_kafka_resp_err_t ask_for_topic(struct kafka *kafka)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka->client, kafka->location.topic, NULL);
    if (topic == NULL)
        return rd_kafka_last_error();
    rd_kafka_resp_err_t code = rd_kafka_metadata(kafka->client, 0, topic, &metadata, METADATA_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code =
            metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_poll(kafka->client, 0);
    return code;
}

static int prove(struct kafka *kafka, struct picket_error *error)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int i = 0; i < METADATA_TRIES && code != RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (atomic_load(kafka->stopping) != 0)
            return picket_fail(error, PICKET_CLOSED, "stopping");
        code = ask_for_topic(kafka);
    }
    kafka->is_proven = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!kafka->is_proven)
        return fail_for(kafka, code, error);
    kafka->problem_ms = 0;
    return PICKET_OK;
}

static int kafka_idle(void *state, struct picket_error *error)
{
    struct kafka *kafka = state;
    int status = have_client(kafka, error);
    if (status != PICKET_OK)
        return status;
    rd_kafka_poll(kafka->client, 0);
    if (!kafka->is_proven || kafka->problem_ms != 0)
        status = prove(kafka, error);
    if (status != PICKET_OK)
        end_client(kafka);
    return status;
}

/* ---- sending ---- */

static rd_kafka_headers_t *headers_of(const struct kafka *kafka, const struct delivery *item)
{
    struct delivery_labels labels;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(DELIVERY_LABELS_MAX);
    delivery_label(item, kafka->config, &labels);
    for (size_t i = 0; i < labels.count; i++)
        rd_kafka_header_add(headers, labels.labels[i].name, -1, labels.labels[i].value, -1);
    return headers;
}

static rd_kafka_resp_err_t produce_once(struct kafka *kafka, const struct delivery *item,
                                        struct report *report)
{
    rd_kafka_headers_t *headers = headers_of(kafka, item);
    /* librdkafka's macro casts const away; what it points to is copied. */
    char *key = item->device[0] != '\0' ? (char *)(uintptr_t)item->device : NULL;
    *report = (struct report){.is_in = false};
    rd_kafka_resp_err_t code = rd_kafka_producev(
        kafka->client, RD_KAFKA_V_TOPIC(kafka->location.topic),
        RD_KAFKA_V_KEY(key, strlen(item->device)), RD_KAFKA_V_VALUE(item->body, item->body_bytes),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(report), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers);
    return code;
}

static rd_kafka_resp_err_t produce(struct kafka *kafka, const struct delivery *item)
{
    rd_kafka_resp_err_t code;
    while ((code = produce_once(kafka, item, &kafka->reports[kafka->produced])) ==
               RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           kafka->reported < kafka->produced && atomic_load(kafka->stopping) == 0)
        rd_kafka_poll(kafka->client, WAIT_MS);
    kafka->produced += code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return code;
}

static int await_reports(struct kafka *kafka, struct picket_error *error)
{
    int64_t until_ms = picket_monotonic_ms() + PATIENCE_MS;
    while (kafka->reported < kafka->produced) {
        if (atomic_load(kafka->stopping) != 0)
            return picket_fail(error, PICKET_CLOSED, "stopping");
        rd_kafka_poll(kafka->client, WAIT_MS);
        if (is_stuck(kafka) || picket_monotonic_ms() > until_ms)
            return fail_for(kafka, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, error);
    }
    return PICKET_OK;
}

static size_t count_taken(const struct kafka *kafka)
{
    size_t taken = 0;
    while (taken < kafka->produced && kafka->reports[taken].is_in &&
           kafka->reports[taken].error == RD_KAFKA_RESP_ERR_NO_ERROR)
        taken++;
    return taken;
}

/* Errors of librdkafka's own are below 0, and not about the message. Some of the brokers' pass. */
static bool is_answer_to_item(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
        return false;
    default:
        return code > 0;
    }
}

static int kafka_send(void *state, const struct delivery *items, size_t count,
                      struct sending *sending, struct picket_error *error)
{
    struct kafka *kafka = state;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    kafka->produced = kafka->reported = 0;
    int status = have_client(kafka, error);
    if (status != PICKET_OK)
        return status;
    for (size_t i = 0; i < count && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        code = produce(kafka, &items[i]);
    status = await_reports(kafka, error);
    sending->sent = count_taken(kafka);
    if (sending->sent == count) {
        kafka->is_proven = true;
        return PICKET_OK;
    }
    if (status == PICKET_OK && sending->sent < kafka->produced)
        code = kafka->reports[sending->sent].error;
    sending->answered = status == PICKET_OK && is_answer_to_item(code);
    if (status == PICKET_OK)
        status = fail_for(kafka, code, error);
    if (!sending->answered || rd_kafka_fatal_error(kafka->client, NULL, 0) != 0)
        end_client(kafka);
    return status;
}

/* ---- open and close ---- */

static void kafka_close(void *state)
{
    struct kafka *kafka = state;
    end_client(kafka);
    free(kafka);
}

/* With the client, so that what librdkafka thinks of the settings and files is known at the start.
 */
static int kafka_open(void **state, const struct picket_output_config *config,
                      const atomic_int *stopping, struct picket_error *error)
{
    struct kafka *kafka = calloc(1, sizeof *kafka);
    if (kafka == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a connection");
    kafka->config = config;
    kafka->stopping = stopping;
    int status = broker_location_parse(config->location, "kafka", &kafka->location, error);
    if (status == PICKET_OK)
        status = have_client(kafka, error);
    if (status == PICKET_OK)
        *state = kafka;
    else
        kafka_close(kafka);
    return status;
}

const struct sender kafka_sender = {.together = DELIVERIES_TOGETHER,
                                    .check = kafka_check,
                                    .open = kafka_open,
                                    .send = kafka_send,
                                    .idle = kafka_idle,
                                    .close = kafka_close};
