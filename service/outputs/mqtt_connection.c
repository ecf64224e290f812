#include "mqtt_connection.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../secret.h"
#include "../text.h"
#include "picket/base/time.h"

enum {
    KEEP_ALIVE_S = 30, /* idle() comes every few seconds */
    TCP_TIME_MS = 5000,
    ANSWER_TIME_MS = 10000, /* to CONNECT, TLS included */
    WAIT_MS = 200,          /* how late stopping is noticed */
    STEP_PACKETS = 64,
    NO_ANSWER = -1,
    REFUSED = 0x80 /* and above: an error, in MQTT 5 */
};

struct mqtt_connection {
    struct mqtt_broker *broker;
    struct mosquitto *mosquitto;
    bool is_reached; /* TCP */
    int connack;     /* its reason; NO_ANSWER: there was none yet */
    int ended;       /* the reason in the broker's DISCONNECT; 0: there was none */
    char log[200];   /* what libmosquitto said of errors */
};

/* libmosquitto tries the first address of a name only. An address to come from leaves those of its
 * family. */
static const char *const families[] = {NULL, "0.0.0.0", "::"};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* ---- what libmosquitto tells ---- */

static void on_connect(struct mosquitto *mosquitto, void *context, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct mqtt_connection *connection = context;
    (void)mosquitto, (void)flags, (void)properties;
    connection->connack = reason;
}

/* Also called for errors of its own, which are below REFUSED. */
static void on_disconnect(struct mosquitto *mosquitto, void *context, int reason,
                          const mosquitto_property *properties)
{
    struct mqtt_connection *connection = context;
    (void)mosquitto, (void)properties;
    if (reason >= REFUSED)
        connection->ended = reason;
}

static void on_publish(struct mosquitto *mosquitto, void *context, int id, int reason,
                       const mosquitto_property *properties)
{
    struct mqtt_connection *connection = context;
    (void)mosquitto, (void)properties;
    connection->broker->answer(connection->broker->context, id, reason);
}

/* The only place where it tells what TLS did not like: "… error:0A000086:SSL routines::certificate
 * verify failed". */
static void on_log(struct mosquitto *mosquitto, void *context, int level, const char *text)
{
    struct mqtt_connection *connection = context;
    (void)mosquitto;
    if (level != MOSQ_LOG_ERR)
        return;
    const char *colons = strstr(text, "::"), *said = colons != NULL ? colons + 2 : text;
    size_t used = strlen(connection->log);
    if (used > 0 && used + 3 < sizeof connection->log)
        used += (size_t)snprintf(connection->log + used, sizeof connection->log - used, ", ");
    text_clean(said, strlen(said), connection->log + used, sizeof connection->log - used);
}

static int no_password(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer, (void)size, (void)is_writing, (void)context;
    return 0; /* instead of asking for it on a terminal */
}

/* ---- errors ---- */

static int fail(const struct mqtt_connection *connection, struct picket_error *error,
                const char *what, const char *why)
{
    const struct mqtt_broker *broker = connection->broker;
    return picket_fail(error, PICKET_IO, "%s:%u: %s%s%s", broker->host, broker->port, what,
                       why[0] != '\0' ? ": " : "", why);
}

static const char *refusal_text(const struct mqtt_connection *connection)
{
    return connection->broker->is_old ? mosquitto_connack_string(connection->connack)
                                      : mosquitto_reason_string(connection->connack);
}

/* code: of libmosquitto, with the errno that it left. */
static int fail_with(const struct mqtt_connection *connection, struct picket_error *error, int code,
                     int error_number)
{
    bool is_accepted = connection->connack == 0;
    if (connection->connack > 0)
        return fail(connection, error, "the broker refuses the connection",
                    refusal_text(connection));
    if (connection->ended != 0)
        return fail(connection, error, "the broker ended the connection",
                    mosquitto_reason_string(connection->ended));
    if (connection->log[0] != '\0')
        return fail(connection, error, is_accepted ? "connection lost" : "no connection",
                    connection->log);
    if (code == MOSQ_ERR_EAI)
        return fail(connection, error, "no connection", gai_strerror(error_number));
    if (code == MOSQ_ERR_ERRNO && error_number != 0 && error_number != EPROTO)
        return fail(connection, error, is_accepted ? "connection lost" : "no connection",
                    strerror(error_number));
    if (code == MOSQ_ERR_KEEPALIVE)
        return fail(connection, error, "connection lost", "the broker does not answer");
    return fail(connection, error, "the broker closed the connection", "");
}

bool mqtt_connection_was_refused(const struct mqtt_connection *connection)
{
    switch (connection->ended) {
    case MQTT_RC_SERVER_UNAVAILABLE:
    case MQTT_RC_SERVER_BUSY:
    case MQTT_RC_SERVER_SHUTTING_DOWN:
    case MQTT_RC_KEEP_ALIVE_TIMEOUT:
    case MQTT_RC_SESSION_TAKEN_OVER:
    case MQTT_RC_MESSAGE_RATE_TOO_HIGH:
    case MQTT_RC_QUOTA_EXCEEDED:
    case MQTT_RC_ADMINISTRATIVE_ACTION:
    case MQTT_RC_USE_ANOTHER_SERVER:
    case MQTT_RC_SERVER_MOVED:
    case MQTT_RC_CONNECTION_RATE_EXCEEDED:
        return false;
    default:
        return connection->connack == 0;
    }
}

/* ---- driving it ---- */

static bool is_in_handshake(const struct mqtt_connection *connection)
{
    const SSL *ssl = mosquitto_ssl_get(connection->mosquitto);
    return ssl != NULL && !SSL_is_init_finished(ssl);
}

static short wanted_events(const struct mqtt_connection *connection)
{
    if (!connection->is_reached)
        return POLLOUT;
    if (is_in_handshake(connection))
        return SSL_want_write(mosquitto_ssl_get(connection->mosquitto)) ? POLLOUT : POLLIN;
    return mosquitto_want_write(connection->mosquitto) ? POLLIN | POLLOUT : POLLIN;
}

static int note_reached(struct mqtt_connection *connection, int descriptor,
                        struct picket_error *error)
{
    int problem = 0;
    socklen_t size = sizeof problem;
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) != 0)
        problem = errno;
    /* With TLS, libmosquitto has tried to write already, and taken the error with it. */
    if (problem == 0 && getpeername(descriptor, (struct sockaddr *)&peer, &peer_size) != 0)
        problem = errno == ENOTCONN ? ECONNREFUSED : errno;
    if (problem != 0)
        return fail(connection, error, "no connection", strerror(problem));
    connection->is_reached = true;
    return PICKET_OK;
}

/* mosquitto_loop_read() carries on the handshake, too. */
static int read_and_write(struct mqtt_connection *connection, short events,
                          struct picket_error *error)
{
    struct mosquitto *mosquitto = connection->mosquitto;
    bool was_in_handshake = is_in_handshake(connection);
    int code = MOSQ_ERR_SUCCESS;
    errno = 0;
    if (was_in_handshake || (events & ~POLLOUT) != 0)
        code = mosquitto_loop_read(mosquitto, STEP_PACKETS);
    if (code == MOSQ_ERR_SUCCESS && was_in_handshake && (events & (POLLERR | POLLHUP)) != 0)
        return fail(connection, error, "no connection", "closed during the TLS handshake");
    if (code == MOSQ_ERR_SUCCESS && !is_in_handshake(connection) &&
        mosquitto_socket(mosquitto) >= 0 && mosquitto_want_write(mosquitto))
        code = mosquitto_loop_write(mosquitto, STEP_PACKETS);
    if (code == MOSQ_ERR_SUCCESS && mosquitto_socket(mosquitto) >= 0)
        code = mosquitto_loop_misc(mosquitto);
    bool is_gone = code != MOSQ_ERR_SUCCESS || mosquitto_socket(mosquitto) < 0;
    return is_gone ? fail_with(connection, error, code, errno) : PICKET_OK;
}

int mqtt_connection_step(struct mqtt_connection *connection, int timeout_ms,
                         struct picket_error *error)
{
    struct pollfd watched = {.fd = mosquitto_socket(connection->mosquitto),
                             .events = wanted_events(connection)};
    if (watched.fd < 0)
        return fail_with(connection, error, MOSQ_ERR_CONN_LOST, 0);
    /* A broker may hold back its acknowledgements until ours, TCP's, has come, and that is held
     * back for 40 ms when there is nothing to send along with it. */
    setsockopt(watched.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    if (poll(&watched, 1, timeout_ms) < 0 && errno != EINTR)
        return fail(connection, error, "poll", strerror(errno));
    if (!connection->is_reached) {
        if (watched.revents == 0)
            return PICKET_OK;
        int status = note_reached(connection, watched.fd, error);
        if (status != PICKET_OK)
            return status;
    }
    return read_and_write(connection, watched.revents, error);
}

/* ---- opening ---- */

static void initialize(void)
{
    mosquitto_lib_init();
}

static int set_password(struct mqtt_connection *connection, struct picket_error *error)
{
    const struct picket_output_config *config = connection->broker->config;
    char password[SECRET_BYTES];
    if (config->user == NULL)
        return PICKET_OK;
    if (config->password_file == NULL)
        return mosquitto_username_pw_set(connection->mosquitto, config->user, NULL) ==
                       MOSQ_ERR_SUCCESS
                   ? PICKET_OK
                   : picket_fail(error, PICKET_NO_MEMORY, "no memory for a user");
    int status = secret_read(config->password_file, password, error);
    if (status == PICKET_OK && mosquitto_username_pw_set(connection->mosquitto, config->user,
                                                         password) != MOSQ_ERR_SUCCESS)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for a password");
    explicit_bzero(password, sizeof password);
    return status;
}

static int set_tls(struct mqtt_connection *connection, struct picket_error *error)
{
    const struct picket_output_config *config = connection->broker->config;
    if (!connection->broker->is_tls)
        return PICKET_OK;
    int code = mosquitto_tls_set(connection->mosquitto, config->ca_file,
                                 config->ca_file == NULL ? X509_get_default_cert_dir() : NULL,
                                 config->certificate_file, config->key_file, no_password);
    if (code == MOSQ_ERR_SUCCESS && config->ca_file == NULL)
        code = mosquitto_int_option(connection->mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    return code == MOSQ_ERR_SUCCESS ? PICKET_OK
                                    : picket_fail(error, PICKET_IO,
                                                  "ca_file, certificate_file or key_file cannot be "
                                                  "read");
}

static int configure(struct mqtt_connection *connection, struct picket_error *error)
{
    struct mosquitto *mosquitto = connection->mosquitto;
    mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                         connection->broker->is_old ? MQTT_PROTOCOL_V311 : MQTT_PROTOCOL_V5);
    mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, DELIVERIES_TOGETHER);
    mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(mosquitto, on_connect);
    mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
    mosquitto_publish_v5_callback_set(mosquitto, on_publish);
    mosquitto_log_callback_set(mosquitto, on_log);
    int status = set_password(connection, error);
    return status == PICKET_OK ? set_tls(connection, error) : status;
}

static int await_acceptance(struct mqtt_connection *connection, struct picket_error *error)
{
    int64_t start_ms = picket_monotonic_ms();
    while (connection->connack == NO_ANSWER) {
        int64_t passed_ms = picket_monotonic_ms() - start_ms;
        if (atomic_load(connection->broker->stopping) != 0)
            return picket_fail(error, PICKET_CLOSED, "stopping");
        if (passed_ms > (connection->is_reached ? TCP_TIME_MS + ANSWER_TIME_MS : TCP_TIME_MS))
            return fail(connection, error, "no connection",
                        connection->is_reached ? "no answer to CONNECT" : "no answer");
        int status = mqtt_connection_step(connection, WAIT_MS, error);
        if (status != PICKET_OK)
            return status;
    }
    return connection->connack == 0 ? PICKET_OK
                                    : fail_with(connection, error, MOSQ_ERR_CONN_REFUSED, 0);
}

static void destroy(struct mqtt_connection *connection)
{
    if (connection->mosquitto != NULL)
        mosquitto_destroy(connection->mosquitto);
    free(connection);
}

static struct mqtt_connection *make(struct mqtt_broker *broker)
{
    struct mqtt_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->broker = broker;
    connection->connack = NO_ANSWER;
    connection->mosquitto = mosquitto_new(broker->client_id, true, connection);
    if (connection->mosquitto != NULL)
        return connection;
    free(connection);
    return NULL;
}

/* How far an attempt got. */
struct attempt {
    bool is_reached;
    int connack;
};

static int try_family(struct mqtt_connection **out, struct mqtt_broker *broker, unsigned family,
                      struct attempt *attempt, struct picket_error *error)
{
    struct mqtt_connection *connection = make(broker);
    if (connection == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a connection");
    int status = configure(connection, error);
    if (status == PICKET_OK) {
        errno = 0;
        int code = mosquitto_connect_bind_async(connection->mosquitto, broker->host, broker->port,
                                                KEEP_ALIVE_S, families[family]);
        status = code == MOSQ_ERR_SUCCESS ? await_acceptance(connection, error)
                                          : fail_with(connection, error, code, errno);
    }
    *attempt = (struct attempt){connection->is_reached, connection->connack};
    if (status == PICKET_OK)
        *out = connection;
    else
        destroy(connection);
    return status;
}

static int try_families(struct mqtt_connection **connection, struct mqtt_broker *broker,
                        struct attempt *attempt, struct picket_error *error)
{
    int status = try_family(connection, broker, broker->family, attempt, error);
    unsigned first = broker->family;
    for (unsigned i = 1; i < FAMILIES && status == PICKET_IO && !attempt->is_reached; i++) {
        struct picket_error other = {0};
        broker->family = (first + i) % FAMILIES;
        status = try_family(connection, broker, broker->family, attempt, &other);
        if (attempt->is_reached && status != PICKET_OK && error != NULL)
            *error = other;
    }
    if (!attempt->is_reached)
        broker->family = first;
    return status;
}

int mqtt_connection_open(struct mqtt_connection **connection, struct mqtt_broker *broker,
                         struct picket_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct attempt attempt;
    pthread_once(&once, initialize);
    int status = try_families(connection, broker, &attempt, error);
    if (status == PICKET_OK || broker->is_old ||
        attempt.connack != MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION)
        return status;
    broker->is_old = true;
    return try_families(connection, broker, &attempt, error);
}

void mqtt_connection_close(struct mqtt_connection *connection)
{
    if (connection->connack == 0)
        mosquitto_disconnect(connection->mosquitto);
    destroy(connection);
}

/* ---- publishing ---- */

static mosquitto_property *properties_of(const struct mqtt_connection *connection,
                                         const struct delivery *item)
{
    const struct picket_output_config *config = connection->broker->config;
    struct delivery_labels labels;
    mosquitto_property *properties = NULL;
    if (connection->broker->is_old)
        return NULL;
    if (item->alert_id > 0 || config->payload == PICKET_PAYLOAD_JSON)
        mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, "application/json");
    delivery_label(item, config, &labels);
    for (size_t i = 0; i < labels.count; i++)
        mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY,
                                           labels.labels[i].name, labels.labels[i].value);
    return properties;
}

int mqtt_connection_publish(struct mqtt_connection *connection, const char *topic,
                            const struct delivery *item, int *id, struct picket_error *error)
{
    mosquitto_property *properties = properties_of(connection, item);
    errno = 0;
    int code = mosquitto_publish_v5(connection->mosquitto, id, topic, (int)item->body_bytes,
                                    item->body, 1, false, properties);
    int error_number = errno;
    mosquitto_property_free_all(&properties);
    switch (code) {
    case MOSQ_ERR_SUCCESS:
        return PICKET_OK;
    case MOSQ_ERR_OVERSIZE_PACKET:
        return picket_fail(error, PICKET_INVALID,
                           "the message of %zu bytes is larger than the broker takes",
                           item->body_bytes);
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
        return fail(connection, error, "the broker does not take messages with QoS 1", "");
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_MALFORMED_UTF8:
        return picket_fail(error, PICKET_INVALID, "the message cannot be published: %s",
                           mosquitto_strerror(code));
    default:
        return fail_with(connection, error, code, error_number);
    }
}
