#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acknowledgement.h"
#include "conduct/conduct.h"
#include "connection/connection.h"
#include "devices.h"
#include "dialect.h"
#include "exchange/device_bound.h"
#include "exchange/methods.h"
#include "exchange/twins.h"
#include "identity/identity.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "subscriptions.h"
#include "work.h"

#define COUNTER(variable, counter_name, counter_help)                                              \
    static struct picket_counter variable = {.name = counter_name, .help = counter_help}

static struct picket_counter connects_accepted = {
    .name = "hub_connects_accepted", .help = "devices accepted", .is_work = true};
static struct picket_counter messages_taken = {
    .name = "hub_messages_taken", .help = "messages of devices put into the log", .is_work = true};
COUNTER(messages_repeated, "hub_messages_repeated",
        "messages sent again while the first was still on its way; not put into the log again");
COUNTER(messages_acknowledged_late, "hub_messages_delayed",
        "times that a connection had to wait because the log was full");
COUNTER(messages_dropped, "hub_messages_dropped",
        "messages with QoS 0 dropped because the log was full");
COUNTER(requests_misnamed, "hub_requests_malformed",
        "twin requests and method results taken without an answer: their topic names no request");

void session_register_counters(void)
{
    struct picket_counter *const counters[] = {&connects_accepted, &messages_taken,
                                               &messages_repeated, &messages_acknowledged_late,
                                               &messages_dropped,  &requests_misnamed};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        picket_counter_register(counters[i]);
}

static void end_malformed(struct connection *connection, const uint8_t *packet,
                          const struct mqtt_header *header, const struct mqtt_fault *fault)
{
    size_t whole = header->bytes + (size_t)header->remaining;
    if (fault->offset < whole)
        connection_end(connection, ENDING_MALFORMED, "malformed %s: byte %zu (0x%02x): %s",
                       mqtt_type_name(header->type), fault->offset, packet[fault->offset],
                       fault->what);
    else
        connection_end(connection, ENDING_MALFORMED, "malformed %s: byte %zu (its end): %s",
                       mqtt_type_name(header->type), fault->offset, fault->what);
}

/* ---- CONNECT ---- */

static bool name_connection(struct connection *connection, const struct identity *identity)
{
    size_t device_bytes = strlen(identity->device) + 1;
    size_t module_bytes = strlen(identity->module) + 1;
    char *names = malloc(device_bytes + module_bytes);
    if (names == NULL)
        return false;
    memcpy(names, identity->device, device_bytes);
    memcpy(names + device_bytes, identity->module, module_bytes);
    connection->device = names;
    connection->module = names + device_bytes;
    return true;
}

/* Into hub->bag, NUL-terminated; returns the size. What is added fits behind the longest topic. */
static size_t make_bag(struct picket_hub *hub, struct slice bag, bool retain, bool is_will)
{
    size_t size = bag.size;
    memcpy(hub->bag, bag.bytes, size);
    if (is_will) /* as Azure IoT Hub marks it for whoever reads it */
        dialect_bag_append(hub->bag, &size, sizeof hub->bag - 1, "iothub-MessageType=Will");
    if (retain)
        dialect_bag_append(hub->bag, &size, sizeof hub->bag - 1, "mqtt-retain=true");
    hub->bag[size] = '\0';
    return size;
}

/* False: it was refused, or there is no memory. */
static bool take_will(struct connection *connection, const struct mqtt_connect *connect)
{
    struct slice bag;
    if (!connect->has_will)
        return true;
    if (dialect_published(connect->will_topic, connection->device, connection->module, &bag) !=
        DIALECT_EVENTS) {
        hub_activity_refused(connection, ENDING_WRONG_WILL);
        hub_activity_trespass(connection, TALLY_FOREIGN_WILL, connect->will_topic);
        connection_refuse(connection, ENDING_WRONG_WILL, MQTT_NOT_AUTHORIZED,
                          "refused: its will is not for its own events topic");
        return false;
    }
    size_t bag_bytes = make_bag(connection->hub, bag, connect->will_retain, true);
    size_t payload_bytes = connect->will_payload.size;
    struct will *will = malloc(sizeof *will + bag_bytes + 1 + payload_bytes);
    if (will == NULL) {
        connection_end(connection, ENDING_NO_MEMORY, "no memory for its will");
        return false;
    }
    will->bag_bytes = (uint32_t)bag_bytes;
    will->payload_bytes = (uint32_t)payload_bytes;
    memcpy(will->content, connection->hub->bag, bag_bytes + 1);
    if (payload_bytes > 0)
        memcpy(will->content + bag_bytes + 1, connect->will_payload.bytes, payload_bytes);
    connection->will = will;
    return true;
}

static void accept_device(struct connection *connection, const struct mqtt_connect *connect,
                          const struct identity *identity)
{
    uint8_t connack[MQTT_CONNACK_BYTES];
    connection->credential = identity->credential;
    connection->expires_s = identity->expires_s;
    connection->keep_alive_s = connect->keep_alive_s;
    devices_enter(connection);
    connection_authenticated(connection);
    hub_activity_connected(connection);
    picket_count(&connects_accepted, 1);
    picket_say(PICKET_DEBUG, "hub", "device %s: connected with %s %s", connection->device,
               SSL_get_version(connection->ssl), SSL_get_cipher_name(connection->ssl));
    bool resumed = subscriptions_resume(connection, connect->clean_session);
    connection_send(connection, connack, mqtt_write_connack(connack, MQTT_ACCEPTED, resumed));
    subscriptions_begin(connection);
}

/* Who proved its credential and comes too often is told to come later; what it has stays. */
static bool enter(struct connection *connection)
{
    char sentence[160];
    int64_t wait_ms;
    enum ending ending = conduct_enter(connection, &wait_ms);
    if (ending == ENDING_NONE)
        return true;
    if (ending == ENDING_NO_MEMORY) {
        connection_end(connection, ending, "no memory for it");
        return false;
    }
    if (ending == ENDING_HELD_OFF)
        snprintf(sentence, sizeof sentence,
                 "held off for another %lld s: it connects too often; do two have its credential?",
                 (long long)(wait_ms + 999) / 1000);
    else
        snprintf(sentence, sizeof sentence,
                 "refused: the device has had %u connections with its modules within %lld s",
                 connection->hub->config.device_connections_max, (long long)wait_ms / 1000);
    hub_activity_refused(connection, ending);
    connection_refuse(connection, ending, MQTT_UNAVAILABLE, sentence);
    return false;
}

static bool establish(const struct connection *connection, const struct mqtt_connect *connect,
                      struct identity *identity, struct refusal *refusal)
{
    const struct picket_hub *hub = connection->hub;
    const struct proof proof = {.connect = connect,
                                .certificate = SSL_get0_peer_certificate(connection->ssl),
                                .chain = SSL_get_peer_cert_chain(connection->ssl)};
    const struct gate gate = {.host_name = hub->host_name,
                              .registry = &hub->registry,
                              .admission = hub->admission,
                              .now_s = picket_unix_ms() / 1000};
    return identity_establish(identity, &proof, &gate, refusal);
}

static bool take_connect(struct connection *connection, const uint8_t *packet,
                         const struct mqtt_header *header)
{
    struct mqtt_connect connect;
    struct mqtt_fault fault;
    struct identity identity;
    struct refusal refusal;
    if (!mqtt_parse_connect(&connect, packet, header, &fault)) {
        end_malformed(connection, packet, header, &fault);
        return false;
    }
    if (!connect.supported) {
        connection_refuse(connection, ENDING_WRONG_PROTOCOL, MQTT_WRONG_PROTOCOL,
                          "refused: speaks another protocol level than MQTT 3.1.1");
        return false;
    }
    bool known = establish(connection, &connect, &identity, &refusal);
    if (identity.device[0] != '\0' && !name_connection(connection, &identity)) {
        connection_end(connection, ENDING_NO_MEMORY, "no memory for its name");
        return false;
    }
    if (!known) {
        if (refusal.device_is_known)
            hub_activity_refused(connection, refusal.ending);
        connection_refuse(connection, refusal.ending, refusal.code, refusal.sentence);
        return false;
    }
    if (!take_will(connection, &connect) || !enter(connection))
        return false;
    accept_device(connection, &connect, &identity);
    return true;
}

/* ---- PUBLISH ---- */

int session_append(struct picket_hub *hub, const struct picket_log_message *message,
                   uint64_t *position)
{
    int status = picket_log_append(hub->log, message, position);
    if (status == PICKET_OK)
        picket_count(&messages_taken, 1);
    return status;
}

static int append(struct connection *connection, const char *properties, const char *payload,
                  size_t payload_bytes, uint64_t *position)
{
    struct picket_log_message message = {
        .device = connection->device,
        .module = connection->module,
        .received_ms = picket_unix_ms(),
        .properties = properties,
        .payload = (const uint8_t *)payload,
        .payload_bytes = payload_bytes,
    };
    return session_append(connection->hub, &message, position);
}

static void wait_for_log(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    if (hub->resuming == connection) { /* it goes on waiting */
        work_queue_first(connection, WORK_WAITING);
        return;
    }
    picket_count(&messages_acknowledged_late, 1);
    work_queue(connection, WORK_WAITING);
}

/* False: not now. Nobody overtakes those that wait already. */
static int append_in_turn(struct connection *connection, const struct mqtt_publish *publish,
                          uint64_t *position)
{
    struct picket_hub *hub = connection->hub;
    if (!TAILQ_EMPTY(&hub->queues[WORK_WAITING]) && hub->resuming != connection)
        return PICKET_BUSY;
    int status = PICKET_NO_MEMORY;
    if (acknowledgement_reserve(&hub->acknowledgements))
        status =
            append(connection, hub->bag, publish->payload.bytes, publish->payload.size, position);
    if (status == PICKET_OK && hub->resuming == connection)
        hub->resuming = NULL;
    if (status != PICKET_OK)
        hub->log_may_have_room = false;
    return status;
}

static bool take_event(struct connection *connection, const struct mqtt_publish *publish)
{
    static struct picket_say_limit limit;
    uint64_t position = 0;
    int status = append_in_turn(connection, publish, &position);
    if (status == PICKET_OK) {
        hub_activity_message(connection, connection->hub->bag, publish->payload.size);
        if (publish->qos > 0)
            acknowledgement_add(connection, publish->packet_id, position);
        return true;
    }
    if (status == PICKET_CLOSED) {
        connection_end(connection, ENDING_STOPPED, "the log is closed");
        return false;
    }
    if (status == PICKET_INVALID) {
        connection_end(connection, ENDING_TOO_LARGE,
                       "a message of %zu bytes exceeds what the log holds", publish->payload.size);
        return false;
    }
    if (publish->qos == 0) {
        picket_count(&messages_dropped, 1);
        hub_activity_count(connection, TALLY_DROPPED, 1);
        picket_say_limited(&limit, PICKET_WARNING, "hub",
                           "device %s: a message with QoS 0 was dropped: the log is full",
                           connection->device);
        return true;
    }
    wait_for_log(connection);
    return false;
}

/* PUBACKs keep the order of their messages, so this one too waits for what was sent before. It says
 * that the request was received; what became of it, its answer says. */
static void acknowledge_request(struct connection *connection, const struct mqtt_publish *publish)
{
    struct acknowledgements *acknowledgements = &connection->hub->acknowledgements;
    if (publish->qos > 0 && acknowledgement_reserve(acknowledgements)) {
        acknowledgement_add(connection, publish->packet_id, acknowledgements->last_position);
        work_schedule(connection->hub);
    }
}

/* A twin request or a method result. */
static bool take_request(struct connection *connection, enum dialect_topic kind,
                         const struct mqtt_publish *publish)
{
    static struct picket_say_limit limit;
    struct dialect_request request;
    const char *wrong = dialect_request_parse(&request, publish->topic);
    acknowledge_request(connection, publish);
    if (wrong != NULL) {
        picket_count(&requests_misnamed, 1);
        picket_say_limited(&limit, PICKET_WARNING, "hub",
                           "device %s: a request cannot be answered: %s: %.*s", connection->device,
                           wrong, (int)(publish->topic.size < 200 ? publish->topic.size : 200),
                           publish->topic.bytes);
    } else if (kind == DIALECT_METHOD_RESULT) {
        methods_take(connection, &request, publish->payload);
    } else {
        twins_take(connection, kind, &request, publish->payload);
    }
    return connection_is_open(connection);
}

static bool take_allowed_publish(struct connection *connection, const struct mqtt_publish *publish)
{
    struct slice bag;
    enum dialect_topic kind =
        dialect_published(publish->topic, connection->device, connection->module, &bag);
    switch (kind) {
    case DIALECT_EVENTS:
        make_bag(connection->hub, bag, publish->retain, false);
        return take_event(connection, publish);
    case DIALECT_TWIN_GET:
    case DIALECT_TWIN_REPORT:
    case DIALECT_METHOD_RESULT:
        return take_request(connection, kind, publish);
    case DIALECT_FOREIGN_TOPIC:
        break;
    }
    hub_activity_trespass(connection, TALLY_FOREIGN_PUBLISH, publish->topic);
    connection_end(
        connection, ENDING_FOREIGN_TOPIC, "published to a topic that is not its own: %.*s",
        (int)(publish->topic.size < 200 ? publish->topic.size : 200), publish->topic.bytes);
    return false;
}

static bool take_publish(struct connection *connection, const uint8_t *packet,
                         const struct mqtt_header *header)
{
    struct mqtt_publish publish;
    struct mqtt_fault fault;
    if (!mqtt_parse_publish(&publish, packet, header, &fault)) {
        end_malformed(connection, packet, header, &fault);
        return false;
    }
    if (publish.qos == 2) {
        connection_end(connection, ENDING_QOS_2, "published with QoS 2, which is not offered");
        return false;
    }
    if (publish.payload.size > connection->hub->config.message_bytes_max) {
        connection_end(connection, ENDING_TOO_LARGE, "message of %zu bytes exceeds %u",
                       publish.payload.size, connection->hub->config.message_bytes_max);
        return false;
    }
    if (publish.duplicate && publish.qos == 1 &&
        acknowledgement_is_awaited(connection, publish.packet_id)) {
        picket_count(&messages_repeated, 1);
        hub_activity_count(connection, TALLY_REPEATED, 1);
        return true;
    }
    if (publish.qos == 1 && connection->in_flight >= HUB_IN_FLIGHT_MAX) {
        connection->window_full = true;
        return false;
    }
    return take_allowed_publish(connection, &publish);
}

/* ---- SUBSCRIBE, UNSUBSCRIBE, and the rest ---- */

static bool take_filters(struct connection *connection, const uint8_t *packet,
                         const struct mqtt_header *header)
{
    struct mqtt_filters filters;
    struct mqtt_fault fault;
    if (!mqtt_parse_filters(&filters, packet, header, &fault)) {
        end_malformed(connection, packet, header, &fault);
        return false;
    }
    return filters.with_qos ? subscriptions_take_subscribe(connection, &filters)
                            : subscriptions_take_unsubscribe(connection, &filters);
}

static bool take_empty(struct connection *connection, const uint8_t *packet,
                       const struct mqtt_header *header)
{
    struct mqtt_fault fault;
    uint8_t pingresp[MQTT_PINGRESP_BYTES];
    if (!mqtt_parse_empty(header, &fault)) {
        end_malformed(connection, packet, header, &fault);
        return false;
    }
    if (header->type == MQTT_DISCONNECT) {
        connection_end(connection, ENDING_BY_DEVICE, "disconnected");
        return false;
    }
    connection_send(connection, pingresp, mqtt_write_pingresp(pingresp));
    return connection_is_open(connection);
}

/* Of a message to the device; one of a message that is not on its way does no harm. */
static bool take_puback(struct connection *connection, const uint8_t *packet,
                        const struct mqtt_header *header)
{
    uint16_t packet_id;
    struct mqtt_fault fault;
    if (mqtt_parse_packet_id(&packet_id, packet, header, &fault)) {
        device_bound_acknowledged(connection, packet_id);
        return true;
    }
    end_malformed(connection, packet, header, &fault);
    return false;
}

bool session_take(struct connection *connection, const uint8_t *packet,
                  const struct mqtt_header *header)
{
    if (connection->state == CONNECTION_ANONYMOUS)
        return take_connect(connection, packet, header);
    switch (header->type) {
    case MQTT_PUBLISH:
        return take_publish(connection, packet, header);
    case MQTT_PUBACK:
        return take_puback(connection, packet, header);
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        return take_filters(connection, packet, header);
    case MQTT_PINGREQ:
    case MQTT_DISCONNECT:
        return take_empty(connection, packet, header);
    default:
        connection_end(connection, ENDING_MALFORMED, "%s, which a connected client does not send",
                       mqtt_type_name(header->type));
        return false;
    }
}
