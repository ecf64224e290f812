#include "device_bound.h"

#include <stdio.h>
#include <stdlib.h>

#include "connection/connection.h"
#include "picket/base/counter.h"
#include "publish.h"
#include "session/dialect.h"
#include "session/subscriptions.h"

static struct picket_counter sent = {.name = "hub_device_messages_sent",
                                     .help = "messages sent to devices, each delivery",
                                     .is_work = true};
static struct picket_counter completed = {.name = "hub_device_messages_completed",
                                          .help = "messages that devices have acknowledged",
                                          .is_work = true};
static struct picket_counter failed = {
    .name = "hub_device_messages_failed",
    .help = "times that messages to a device could not be taken from the store, to be tried again"};

void device_bound_register_counters(void)
{
    struct picket_counter *const counters[] = {&sent, &completed, &failed};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        picket_counter_register(counters[i]);
}

struct device_bound {
    int64_t after_id; /* the last one that was sent */
    bool wanted;      /* there may be more */
    bool asked;       /* the exchange is taking some */
    uint16_t last_packet_id;
    int count; /* on their way */
    struct {
        int64_t id;
        uint16_t packet_id;
    } on_way[DEVICE_BOUND_WINDOW];
};

static bool is_qos_1(const struct connection *connection)
{
    return (connection->subscriptions & SUBSCRIPTION_QOS_1) != 0;
}

/* Not while it has to read what it got already. */
static bool may_take(const struct connection *connection)
{
    const struct device_bound *bound = connection->device_bound;
    return bound != NULL && bound->wanted && !bound->asked &&
           subscriptions_have(connection, DIALECT_DEVICE_BOUND) &&
           bound->count <= DEVICE_BOUND_WINDOW / 2 && connection->unsent_ms == 0 &&
           !publish_is_over_bound(connection->hub);
}

static void take(struct connection *connection)
{
    struct device_bound *bound = connection->device_bound;
    if (!may_take(connection))
        return;
    int status =
        exchange_take_messages(connection, bound->after_id, DEVICE_BOUND_WINDOW - bound->count);
    bound->asked = status == PICKET_OK;
    bound->wanted = status == PICKET_NO_MEMORY; /* at the next sweep */
}

bool device_bound_subscribed(struct connection *connection)
{
    if (connection->module[0] != '\0') /* messages are for devices, not for modules */
        return true;
    if (connection->device_bound == NULL)
        connection->device_bound = calloc(1, sizeof *connection->device_bound);
    if (connection->device_bound == NULL)
        return false;
    device_bound_queued(connection);
    return true;
}

void device_bound_queued(struct connection *connection)
{
    if (connection->device_bound == NULL)
        return;
    connection->device_bound->wanted = true;
    take(connection);
}

void device_bound_check(struct connection *connection)
{
    take(connection);
}

/* ---- sending ---- */

static bool is_on_way(const struct device_bound *bound, uint16_t packet_id)
{
    for (int i = 0; i < bound->count; i++)
        if (bound->on_way[i].packet_id == packet_id)
            return true;
    return false;
}

static uint16_t next_packet_id(struct device_bound *bound)
{
    do {
        if (++bound->last_packet_id == 0)
            bound->last_packet_id = 1;
    } while (is_on_way(bound, bound->last_packet_id));
    return bound->last_packet_id;
}

static void send_message(struct connection *connection, const struct exchange_message *message)
{
    struct device_bound *bound = connection->device_bound;
    char topic[EXCHANGE_BAG_BYTES_MAX + PICKET_DEVICE_ID_BYTES + 64];
    uint16_t packet_id = is_qos_1(connection) ? next_packet_id(bound) : 0;
    snprintf(topic, sizeof topic, "devices/%s/messages/devicebound/%s", connection->device,
             message->content);
    publish(connection, slice_of(topic), message->payload, is_qos_1(connection) ? 1 : 0, packet_id);
    if (!connection_is_open(connection))
        return;
    picket_count(&sent, 1);
    hub_activity_count(connection, TALLY_SENT, 1);
    bound->after_id = message->id;
    if (!is_qos_1(connection)) {
        hub_activity_count(connection, TALLY_COMPLETED, 1);
        exchange_message_done(connection, message->id);
        return;
    }
    bound->on_way[bound->count].id = message->id;
    bound->on_way[bound->count].packet_id = packet_id;
    bound->count++;
}

void device_bound_answer(struct connection *connection, struct exchange_request *request)
{
    struct device_bound *bound = connection->device_bound;
    const struct exchange_message *message;
    bound->asked = false;
    if (request->status != PICKET_OK) {
        bound->wanted = true; /* at the next sweep */
        picket_count(&failed, 1);
        return;
    }
    if (!subscriptions_have(connection, DIALECT_DEVICE_BOUND)) { /* not any more */
        bound->wanted = true;
        return;
    }
    /* Its window was kept free for as many as were asked for. */
    STAILQ_FOREACH(message, &request->messages, next)
    {
        send_message(connection, message);
        if (!connection_is_open(connection)) /* and `bound` has gone with it */
            return;
    }
    bound->wanted = bound->wanted || request->more;
    publish_flush(connection);
}

bool device_bound_acknowledged(struct connection *connection, uint16_t packet_id)
{
    struct device_bound *bound = connection->device_bound;
    int at = 0;
    while (bound != NULL && at < bound->count && bound->on_way[at].packet_id != packet_id)
        at++;
    if (bound == NULL || at == bound->count)
        return false;
    exchange_message_done(connection, bound->on_way[at].id);
    picket_count(&completed, 1);
    hub_activity_count(connection, TALLY_COMPLETED, 1);
    bound->count--;
    for (; at < bound->count; at++)
        bound->on_way[at] = bound->on_way[at + 1];
    take(connection);
    return true;
}
