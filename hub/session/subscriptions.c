#include "subscriptions.h"

#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"
#include "exchange/device_bound.h"
#include "exchange/methods.h"
#include "exchange/publish.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"

static struct picket_counter refused = {
    .name = "hub_subscriptions_refused",
    .help = "topic filters refused with 0x80: not the device's own"};
static struct picket_counter unkept = {
    .name = "hub_subscriptions_unkept",
    .help =
        "times that subscriptions could not be kept for the next connection: the store failed or "
        "too much waited"};

void subscriptions_register_counters(void)
{
    picket_counter_register(&refused);
    picket_counter_register(&unkept);
}

static void count_unkept(const struct connection *connection, const char *why)
{
    static struct picket_say_limit limit;
    picket_count(&unkept, 1);
    picket_say_limited(&limit, PICKET_WARNING, "hub",
                       "device %s: what it subscribes to is not kept for its next connection: %s",
                       connection->device, why);
}

/* ---- from one connection to the next ---- */

/* With a bit that this hub does not know there may be a subscription that it would not honour. */
static bool is_known(uint32_t kept)
{
    uint32_t known = SUBSCRIPTION_QOS_1;
    for (unsigned filter = DIALECT_TWIN_RESULTS; filter <= DIALECT_MODULE_ALL; filter++)
        known |= 1u << filter;
    return (kept & ~known) == 0;
}

bool subscriptions_resume(struct connection *connection, bool clean_session)
{
    const struct hub_registry *registry = &connection->hub->registry;
    struct picket_error error;
    uint32_t kept = 0;
    if (registry->session != NULL &&
        registry->session(registry->context, connection->device, connection->module, &kept,
                          &error) != PICKET_OK)
        count_unkept(connection, error.text);
    connection->keeps_session = !clean_session;
    if (clean_session && kept != 0)
        exchange_put_session(connection, 0, (struct slice){"", 0});
    if (clean_session)
        return false;
    if (!is_known(kept)) {
        count_unkept(connection, "what is stored of it is damaged, or of a newer Picket");
        kept = 0;
    }
    connection->subscriptions = connection->subscriptions_kept = (uint16_t)kept;
    return kept != 0;
}

void subscriptions_begin(struct connection *connection)
{
    if (connection_is_open(connection) && subscriptions_have(connection, DIALECT_METHODS))
        methods_subscribed(connection);
    if (connection_is_open(connection) && subscriptions_have(connection, DIALECT_DEVICE_BOUND) &&
        !device_bound_subscribed(connection))
        connection_end(connection, ENDING_NO_MEMORY, "no memory for messages to it");
}

void subscriptions_answer(struct connection *connection, const struct exchange_request *request)
{
    if (request->status == PICKET_OK)
        connection->subscriptions_kept = (uint16_t)request->number;
    else
        count_unkept(connection, request->problem);
    connection_send(connection, (const uint8_t *)request->payload, request->payload_bytes);
    subscriptions_begin(connection);
    publish_flush(connection);
}

/* Sends the SUBACK or UNSUBACK, at once if there is nothing to be kept. */
static bool answer(struct connection *connection, const uint8_t *packet, size_t size)
{
    const struct slice content = {(const char *)packet, size};
    int status = PICKET_CLOSED;
    if (connection->keeps_session && connection->subscriptions != connection->subscriptions_kept) {
        status = exchange_put_session(connection, connection->subscriptions, content);
        if (status == PICKET_OK)
            return true;
        if (status != PICKET_CLOSED)
            count_unkept(connection, "too much waits");
    }
    connection_send(connection, packet, size);
    subscriptions_begin(connection);
    return connection_is_open(connection);
}

/* ---- SUBSCRIBE, UNSUBSCRIBE ---- */

static enum tally_kind kind_of_trespass(struct slice filter)
{
    bool wild = memchr(filter.bytes, '#', filter.size) != NULL ||
                memchr(filter.bytes, '+', filter.size) != NULL;
    return wild ? TALLY_FOREIGN_WILDCARD : TALLY_FOREIGN_SUBSCRIBE;
}

static uint8_t subscribe(struct connection *connection, const struct mqtt_filter *filter)
{
    static struct picket_say_limit limit;
    enum dialect_filter kind =
        dialect_filtered(filter->topic, connection->device, connection->module);
    if (kind == DIALECT_FOREIGN_FILTER) {
        picket_count(&refused, 1);
        hub_activity_trespass(connection, kind_of_trespass(filter->topic), filter->topic);
        picket_say_limited(&limit, PICKET_WARNING, "hub",
                           "device %s: subscription refused, not its own: %.*s", connection->device,
                           (int)(filter->topic.size < 200 ? filter->topic.size : 200),
                           filter->topic.bytes);
        return MQTT_SUBSCRIPTION_REFUSED;
    }
    connection->subscriptions |= (uint16_t)(1u << kind);
    if (kind == DIALECT_DEVICE_BOUND && filter->qos == 0)
        connection->subscriptions &= (uint16_t)~SUBSCRIPTION_QOS_1;
    else if (kind == DIALECT_DEVICE_BOUND)
        connection->subscriptions |= SUBSCRIPTION_QOS_1;
    return filter->qos < 1 ? filter->qos : 1;
}

bool subscriptions_take_subscribe(struct connection *connection, struct mqtt_filters *filters)
{
    struct mqtt_filter filter;
    uint8_t *suback = malloc(MQTT_SUBACK_HEAD_BYTES + filters->count);
    if (suback == NULL) {
        connection_end(connection, ENDING_NO_MEMORY, "no memory for a SUBACK");
        return false;
    }
    size_t size = mqtt_write_suback(suback, filters->packet_id, filters->count);
    while (mqtt_next_filter(filters, &filter))
        suback[size++] = subscribe(connection, &filter);
    bool open = answer(connection, suback, size);
    free(suback);
    return open;
}

bool subscriptions_take_unsubscribe(struct connection *connection, struct mqtt_filters *filters)
{
    uint8_t unsuback[4];
    struct mqtt_filter filter;
    while (mqtt_next_filter(filters, &filter)) {
        enum dialect_filter kind =
            dialect_filtered(filter.topic, connection->device, connection->module);
        connection->subscriptions &= (uint16_t) ~(1u << kind);
        if (kind == DIALECT_DEVICE_BOUND)
            connection->subscriptions &= (uint16_t)~SUBSCRIPTION_QOS_1;
    }
    return answer(connection, unsuback, mqtt_write_unsuback(unsuback, filters->packet_id));
}
