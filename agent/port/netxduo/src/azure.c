/* The agent on the cloud thread of the Azure IoT middleware, sending through its hub clients.
 *
 * The middleware's mutex is held while its list of hub clients is walked and a message is handed
 * over: a client that is being deleted waits. Nothing that runs in an IP thread takes that mutex,
 * so the order mutex, then nx_ip_protection, cannot be turned round. */
#include "nx_azure_iot_security_module.h"

#include <string.h>

#include "nx_azure_iot_hub_client.h"

#include "picket/netxduo/netxduo.h"
#include "picket/wire/encoder.h"

static NX_AZURE_IOT *azure; /* enabled with it; NULL: not enabled */
static NX_CLOUD_MODULE cloud_module;

/* ---- hub clients ---- */

/* The first connected hub client at or after the resource, or NULL. */
static NX_AZURE_IOT_RESOURCE *connected_client(NX_AZURE_IOT_RESOURCE *resource)
{
    for (; resource != NX_NULL; resource = resource->resource_next) {
        const NX_AZURE_IOT_HUB_CLIENT *client = resource->resource_data_ptr;
        if (resource->resource_type == NX_AZURE_IOT_RESOURCE_IOT_HUB &&
            client->nx_azure_iot_hub_client_state == NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED)
            break;
    }
    return resource;
}

/* A device and its modules connect with clients of their own, but they are one device. The names
 * they log in with begin with "hub/device/". */
static bool same_device(const UCHAR *a, const UCHAR *b)
{
    UINT slashes = 0;
    for (; slashes < 2 && *a == *b; a++, b++)
        if (*a == '/')
            slashes++;
    return slashes == 2;
}

/* An earlier client of the list speaks for the same device. */
static bool spoken_for(const NX_AZURE_IOT_RESOURCE *client)
{
    NX_AZURE_IOT_RESOURCE *first = connected_client(azure->nx_azure_iot_resource_list_header);
    while (!same_device(first->resource_mqtt_user_name, client->resource_mqtt_user_name))
        first = connected_client(first->resource_next);
    return first != client;
}

/* ---- sending ---- */

static bool append(void *packet, const void *piece, size_t size_bytes)
{
    return nx_packet_data_append(packet, (VOID *)(ALIGN_TYPE)piece, (ULONG)size_bytes,
                                 ((NX_PACKET *)packet)->nx_packet_pool_owner,
                                 NX_NO_WAIT) == NX_SUCCESS;
}

/* Fails if the client is not connected. */
static UINT next_packet_id(NXD_MQTT_CLIENT *mqtt, UCHAR packet_id[2])
{
#if (NETXDUO_MAJOR_VERSION << 16 | NETXDUO_MINOR_VERSION << 8 | NETXDUO_PATCH_VERSION) < 0x06010B
    return nx_azure_iot_mqtt_packet_id_get(mqtt, packet_id, NX_NO_WAIT);
#else
    return nx_azure_iot_mqtt_packet_id_get(mqtt, packet_id);
#endif
}

/* TLS resets its session if TCP does not take a whole record, and the device would be without its
 * connection for our sake. So the peer must have room for all of it; what is waited for then is
 * that it acknowledges what is on the way, as long as TCP itself is patient. */
enum { SEND_WAIT_S = 10, TLS_BYTES = 160 };

static bool has_room(const NXD_MQTT_CLIENT *mqtt, const NX_PACKET *packet)
{
    const NX_TCP_SOCKET *socket = &mqtt->nxd_mqtt_client_socket;
    return socket->nx_tcp_socket_state == NX_TCP_ESTABLISHED &&
           mqtt->nxd_mqtt_tls_session.nx_secure_tls_local_session_active &&
           socket->nx_tcp_socket_tx_window_advertised >=
               socket->nx_tcp_socket_tx_outstanding_bytes + packet->nx_packet_length + TLS_BYTES;
}

/* The client keeps a copy until it is acknowledged, and TLS wants packets of its own: without them
 * it would wait. */
static bool has_packets(const NX_PACKET *packet)
{
    const NX_PACKET_POOL *pool = packet->nx_packet_pool_owner;
    ULONG of_a_copy = 1 + packet->nx_packet_length / pool->nx_packet_pool_payload_size;
    return pool->nx_packet_pool_available >= 2 * of_a_copy + 2;
}

/* Lays the message out in the packet: topic, properties, packet identifier, payload; then the
 * middleware puts the MQTT header before it, as nx_azure_iot_hub_client_telemetry_send() does with
 * a payload that lies in one piece. */
static UINT publish(NXD_MQTT_CLIENT *mqtt, NX_PACKET *packet,
                    const struct picket_wire_message *message)
{
    static const CHAR properties[] = PICKET_WIRE_TOPIC_PROPERTIES;
    UCHAR packet_id[2];
    if (!append(packet, properties, sizeof properties - 1))
        return NX_NO_PACKET;
    UINT topic_bytes = (UINT)packet->nx_packet_length;
    UINT status = next_packet_id(mqtt, packet_id);
    if (status != NX_AZURE_IOT_SUCCESS)
        return status;
    if (!append(packet, packet_id, sizeof packet_id) ||
        !picket_wire_encode(message, append, packet))
        return NX_NO_PACKET;
    if (!has_packets(packet) || !has_room(mqtt, packet))
        return NX_WINDOW_OVERFLOW;
    return nx_azure_iot_publish_mqtt_packet(mqtt, packet, topic_bytes, packet_id,
                                            NX_AZURE_IOT_MQTT_QOS_1,
                                            SEND_WAIT_S * NX_IP_PERIODIC_RATE);
}

/* A message whose transmission failed is in the client's queue all the same, and goes out with the
 * next connection, to say it again would be to say it twice; but a client that starts with a clean
 * session empties its queue. */
static bool send_through(NX_AZURE_IOT_RESOURCE *client, const struct picket_wire_message *message)
{
    NXD_MQTT_CLIENT *mqtt = &client->resource_mqtt;
    NX_PACKET *packet;
    if (nx_azure_iot_hub_client_telemetry_message_create(client->resource_data_ptr, &packet,
                                                         NX_NO_WAIT) != NX_AZURE_IOT_SUCCESS)
        return false;
    UINT status = publish(mqtt, packet, message);
    if (status != NX_AZURE_IOT_SUCCESS)
        nx_azure_iot_hub_client_telemetry_message_delete(packet);
    return status == NX_AZURE_IOT_SUCCESS ||
           (status == NXD_MQTT_COMMUNICATION_FAILURE && mqtt->nxd_mqtt_clean_session != NX_TRUE);
}

/* Sends, or without a message only looks whether that could be. With it, accepted if every device's
 * hub took it, or at least one: hubs are independent copies, and to send again for the sake of one
 * would say everything twice to the others. */
static bool reach(const struct picket_wire_message *message)
{
    bool reached = false;
    tx_mutex_get(azure->nx_azure_iot_mutex_ptr, TX_WAIT_FOREVER);
    NX_AZURE_IOT_RESOURCE *next = azure->nx_azure_iot_resource_list_header;
    for (;;) {
        NX_AZURE_IOT_RESOURCE *client = connected_client(next);
        if (client == NULL)
            break;
        if (message == NULL || (!spoken_for(client) && send_through(client, message)))
            reached = true;
        next = client->resource_next;
    }
    tx_mutex_put(azure->nx_azure_iot_mutex_ptr);
    return reached;
}

static bool connected(void *context)
{
    (void)context;
    return reach(NULL);
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    (void)context;
    return reach(message) ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED;
}

/* ---- the cloud thread ---- */

static VOID process(VOID *context, ULONG common_events, ULONG module_own_events)
{
    (void)context;
    (void)module_own_events;
    if ((common_events & NX_CLOUD_COMMON_PERIODIC_EVENT) != 0)
        picket_netxduo_poll();
}

UINT nx_azure_iot_security_module_enable(NX_AZURE_IOT *nx_azure_iot_ptr)
{
    static const struct picket_netxduo_transport hub_clients = {NULL, connected, send, NULL};
    if (nx_azure_iot_ptr == NX_NULL)
        return NX_AZURE_IOT_INVALID_PARAMETER;
    if (azure != NULL)
        return azure == nx_azure_iot_ptr ? NX_AZURE_IOT_SUCCESS : NX_AZURE_IOT_INVALID_PARAMETER;
    azure = nx_azure_iot_ptr;
    if (picket_netxduo_start(&hub_clients, nx_azure_iot_ptr->nx_azure_iot_unix_time_get) ==
        NX_SUCCESS) {
        if (nx_cloud_module_register(&nx_azure_iot_ptr->nx_azure_iot_cloud, &cloud_module, "Picket",
                                     NX_CLOUD_MODULE_AZURE_ISM_EVENT |
                                         NX_CLOUD_COMMON_PERIODIC_EVENT,
                                     process, NX_NULL) == NX_SUCCESS)
            return NX_AZURE_IOT_SUCCESS;
        picket_netxduo_stop();
    }
    azure = NULL;
    return NX_AZURE_IOT_FAILURE;
}

UINT nx_azure_iot_security_module_disable(NX_AZURE_IOT *nx_azure_iot_ptr)
{
    if (azure == NULL)
        return NX_AZURE_IOT_SUCCESS;
    if (nx_azure_iot_ptr != NX_NULL && nx_azure_iot_ptr != azure)
        return NX_AZURE_IOT_INVALID_PARAMETER;
    if (nx_cloud_module_deregister(&azure->nx_azure_iot_cloud, &cloud_module) != NX_SUCCESS)
        return NX_AZURE_IOT_FAILURE;
    picket_netxduo_stop();
    azure = NULL;
    return NX_AZURE_IOT_SUCCESS;
}
