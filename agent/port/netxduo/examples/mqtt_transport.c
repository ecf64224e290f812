/* A device with an MQTT client of its own: the agent sends through it, on the thread that polls.
 * The topic is the application's; Picket's hub and others like it take
 * "devices/DEVICE/messages/events/" PICKET_WIRE_TOPIC_PROPERTIES. */
#include <string.h>

#include "nx_api.h"
#include "nxd_mqtt_client.h"

#include "picket/netxduo/netxduo.h"

/* PICKET_AGENT_MESSAGE_FLOWS_MAX flows, IPv6 at worst, and what stands around them. */
static CHAR message_bytes[PICKET_AGENT_MESSAGE_FLOWS_MAX * 64 + 1024];

/* The client, and the message that was handed to it last. */
static struct {
    NXD_MQTT_CLIENT *client;
    const CHAR *topic;
    USHORT packet_id;
    volatile bool waited_at_the_end; /* of the connection, for its acknowledgement */
} way;

static bool is_queued(void)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    const NX_PACKET *packet = way.client->message_transmit_queue_head;
    while (packet != NX_NULL && *(const USHORT *)packet->nx_packet_data_start != way.packet_id)
        packet = packet->nx_packet_queue_next;
    tx_interrupt_control(posture);
    return packet != NX_NULL;
}

static VOID disconnected(NXD_MQTT_CLIENT *client)
{
    (void)client;
    way.waited_at_the_end = way.waited_at_the_end || is_queued();
}

static bool connected(void *context)
{
    (void)context;
    return way.client->nxd_mqtt_client_state == NXD_MQTT_CLIENT_STATE_CONNECTED;
}

static bool append(void *context, const void *piece, size_t size_bytes)
{
    size_t *used = context;
    if (size_bytes > sizeof message_bytes - *used)
        return false;
    memcpy(message_bytes + *used, piece, size_bytes);
    *used += size_bytes;
    return true;
}

/* The client keeps a copy until the message is acknowledged, also of what it could not transmit.
 * With its mutex held, nobody else takes the identifier that is next. */
static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    size_t used = 0;
    (void)context;
    if (!picket_wire_encode(message, append, &used))
        return PICKET_SEND_REFUSED;
    tx_mutex_get(way.client->nxd_mqtt_client_mutex_ptr, TX_WAIT_FOREVER);
    way.packet_id = (USHORT)way.client->nxd_mqtt_client_packet_identifier;
    way.waited_at_the_end = false;
    UINT status =
        nxd_mqtt_client_publish(way.client, (CHAR *)way.topic, (UINT)strlen(way.topic),
                                message_bytes, (UINT)used, NX_FALSE, 1, 10 * NX_IP_PERIODIC_RATE);
    tx_mutex_put(way.client->nxd_mqtt_client_mutex_ptr);
    return status == NXD_MQTT_SUCCESS || status == NXD_MQTT_COMMUNICATION_FAILURE
               ? PICKET_SEND_PENDING
               : PICKET_SEND_REFUSED;
}

/* What is not in the queue any more was acknowledged; unless the connection has ended before, and
 * with it a clean session: then the queue is emptied. Without one, the client transmits it again.
 */
static enum picket_send_result delivered(void *context)
{
    (void)context;
    if (way.waited_at_the_end && way.client->nxd_mqtt_clean_session == NX_TRUE)
        return PICKET_SEND_REFUSED;
    return is_queued() ? PICKET_SEND_PENDING : PICKET_SEND_ACCEPTED;
}

/* Runs until somebody stops the agent. client, topic: to be kept. The client's notification of its
 * disconnection is ours. */
UINT example_mqtt_transport(NXD_MQTT_CLIENT *client, const CHAR *topic,
                            UINT (*unix_time_get)(ULONG *unix_time))
{
    static const struct picket_netxduo_transport transport = {NULL, connected, send, delivered};
    way.client = client;
    way.topic = topic;
    nxd_mqtt_client_disconnect_notify_set(client, disconnected);
    UINT status = picket_netxduo_start(&transport, unix_time_get);
    while (status == NX_SUCCESS && picket_netxduo_poll() > 0)
        tx_thread_sleep(NX_IP_PERIODIC_RATE);
    return status;
}
