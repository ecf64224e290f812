/* A device with an MQTT client of its own: the agent sends through it, on the thread that polls.
 * The topic is the application's; Picket's hub and others like it take
 * "devices/DEVICE/messages/events/" PICKET_WIRE_TOPIC_PROPERTIES. */
#include <string.h>

#include "nx_api.h"
#include "nxd_mqtt_client.h"

#include "picket/netxduo/netxduo.h"

/* PICKET_AGENT_MESSAGE_FLOWS_MAX flows, IPv6 at worst, and what stands around them. */
static CHAR message_bytes[PICKET_AGENT_MESSAGE_FLOWS_MAX * 64 + 1024];

struct mqtt_way {
    NXD_MQTT_CLIENT *client;
    const CHAR *topic;
};

static bool connected(void *context)
{
    const struct mqtt_way *way = context;
    return way->client->nxd_mqtt_client_state == NXD_MQTT_CLIENT_STATE_CONNECTED;
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

/* What the client could not transmit it keeps, and transmits with the next connection, unless that
 * starts with a clean session. */
static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    const struct mqtt_way *way = context;
    size_t used = 0;
    if (!picket_wire_encode(message, append, &used))
        return PICKET_SEND_REFUSED;
    UINT status =
        nxd_mqtt_client_publish(way->client, (CHAR *)way->topic, (UINT)strlen(way->topic),
                                message_bytes, (UINT)used, NX_FALSE, 1, 10 * NX_IP_PERIODIC_RATE);
    return status == NXD_MQTT_SUCCESS || (status == NXD_MQTT_COMMUNICATION_FAILURE &&
                                          way->client->nxd_mqtt_clean_session != NX_TRUE)
               ? PICKET_SEND_ACCEPTED
               : PICKET_SEND_REFUSED;
}

/* Runs until somebody stops the agent. client, topic: to be kept. */
UINT example_mqtt_transport(NXD_MQTT_CLIENT *client, const CHAR *topic,
                            UINT (*unix_time_get)(ULONG *unix_time))
{
    struct mqtt_way way = {client, topic};
    const struct picket_netxduo_transport transport = {&way, connected, send, NULL};
    UINT status = picket_netxduo_start(&transport, unix_time_get);
    while (status == NX_SUCCESS && picket_netxduo_poll() > 0)
        tx_thread_sleep(NX_IP_PERIODIC_RATE);
    return status;
}
