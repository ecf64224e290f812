/* The agent on the cloud thread of the Azure IoT middleware, sending through its hub clients.
 *
 * The middleware's mutex is held while its list of hub clients is walked and a message is handed
 * over: a client that is being deleted waits. Nothing that runs in an IP thread takes that mutex,
 * so the order mutex, then nx_ip_protection, cannot be turned round. */
#include "nx_azure_iot_security_module.h"

#include <string.h>

#include "nx_azure_iot_hub_client.h"

#include "device.h"
#include "picket/wire/encoder.h"

static NX_AZURE_IOT *azure; /* enabled with it; NULL: not enabled */
static NX_CLOUD_MODULE cloud_module;

/* ---- hub clients ---- */

typedef enum picket_send_result (*visit)(NX_AZURE_IOT_RESOURCE *client,
                                         const struct picket_wire_message *message);

/* Visits each hub client. Accepted, if one says so; else pending, if one does. One device that has
 * heard a message is enough: hubs are independent copies, and to send it again for the sake of one
 * would say everything twice to the others. */
static enum picket_send_result visit_clients(visit what, const struct picket_wire_message *message)
{
    enum picket_send_result result = PICKET_SEND_REFUSED;
    tx_mutex_get(azure->nx_azure_iot_mutex_ptr, TX_WAIT_FOREVER);
    NX_AZURE_IOT_RESOURCE *client = azure->nx_azure_iot_resource_list_header;
    for (; client != NX_NULL; client = client->resource_next) {
        if (client->resource_type != NX_AZURE_IOT_RESOURCE_IOT_HUB)
            continue;
        enum picket_send_result one = what(client, message);
        if (result != PICKET_SEND_ACCEPTED && one != PICKET_SEND_REFUSED)
            result = one;
    }
    tx_mutex_put(azure->nx_azure_iot_mutex_ptr);
    return result;
}

static bool is_connected(const NX_AZURE_IOT_RESOURCE *client)
{
    const NX_AZURE_IOT_HUB_CLIENT *hub_client = client->resource_data_ptr;
    return hub_client->nx_azure_iot_hub_client_state == NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED;
}

/* A device and its modules connect with clients of their own, but they are one device: the same hub
 * and the same id, which stand next to each other. */
static bool same_device(const NX_AZURE_IOT_HUB_CLIENT *a, const NX_AZURE_IOT_HUB_CLIENT *b)
{
    const az_span *of_a = (const VOID *)&a->iot_hub_client_core._internal;
    const az_span *of_b = (const VOID *)&b->iot_hub_client_core._internal;
    for (UINT i = 0; i < 2; i++, of_a++, of_b++)
        if (az_span_size(*of_a) != az_span_size(*of_b) ||
            memcmp(az_span_ptr(*of_a), az_span_ptr(*of_b), (size_t)az_span_size(*of_a)) != 0)
            return false;
    return true;
}

/* Of the connected clients of a device, the first one in the list speaks for it. */
static bool speaks(const NX_AZURE_IOT_RESOURCE *client)
{
    const NX_AZURE_IOT_RESOURCE *first = azure->nx_azure_iot_resource_list_header;
    while (first->resource_type != NX_AZURE_IOT_RESOURCE_IOT_HUB || !is_connected(first) ||
           !same_device(first->resource_data_ptr, client->resource_data_ptr))
        first = first->resource_next;
    return first == client;
}

/* ---- delivery ----
 *
 * The hub's acknowledgement is told by the client's callback, unless that is another's: the
 * middleware's while it waits for a twin, or the application's. Otherwise the client's queue tells:
 * a message is there until it is acknowledged, or until the client empties the queue, when it
 * connects with a clean session or is deleted. What is noted of it is in the client, and does not
 * outlive that:
 *
 *     nxd_mqtt_client_next     the message's identifier, which is never 0, or ARRIVED; nothing else
 *                              uses it, and creating the client clears it
 *     nxd_mqtt_clean_session   with SINCE added; it is set anew before the client connects, and
 * read until it is connected, no longer
 */
enum { SINCE = 2, ARRIVED = 0x10000 };

static void note(NXD_MQTT_CLIENT *mqtt, ALIGN_TYPE what)
{
    mqtt->nxd_mqtt_client_next = (NXD_MQTT_CLIENT *)what;
}

/* Thread: the cloud's, with the mutex. */
static VOID acknowledged(NXD_MQTT_CLIENT *mqtt, UINT type, USHORT packet_id, NX_PACKET *packet,
                         VOID *context)
{
    (void)type;
    (void)packet;
    (void)context;
    if ((ALIGN_TYPE)mqtt->nxd_mqtt_client_next != packet_id)
        return;
    note(mqtt, ARRIVED);
    mqtt->nxd_mqtt_ack_receive_notify = NX_NULL;
}

static void watch_for_acknowledgement(NXD_MQTT_CLIENT *mqtt, const UCHAR packet_id[2])
{
    note(mqtt, (ALIGN_TYPE)packet_id[0] << 8 | packet_id[1]);
    mqtt->nxd_mqtt_clean_session |= SINCE;
    if (mqtt->nxd_mqtt_ack_receive_notify == NX_NULL)
        mqtt->nxd_mqtt_ack_receive_notify = acknowledged;
}

/* A queued packet's data begins with its identifier. A client that connects empties its queue
 * without the mutex, packet by packet: with interrupts off, the queue is whole. */
static bool is_queued(const NXD_MQTT_CLIENT *mqtt, USHORT packet_id)
{
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    const NX_PACKET *packet = mqtt->message_transmit_queue_head;
    while (packet != NX_NULL &&
           *(const USHORT *)(const VOID *)packet->nx_packet_data_start != packet_id)
        packet = packet->nx_packet_queue_next;
    tx_interrupt_control(posture);
    return packet != NX_NULL;
}

/* Deleting a client takes the socket after the queue. Without a connection, what waits in a clean
 * session is lost. */
static enum picket_send_result outcome(NX_AZURE_IOT_RESOURCE *client,
                                       const struct picket_wire_message *message)
{
    NXD_MQTT_CLIENT *mqtt = &client->resource_mqtt;
    ALIGN_TYPE noted = (ALIGN_TYPE)mqtt->nxd_mqtt_client_next;
    (void)message;
    if (noted != ARRIVED) {
        if (noted == 0 || mqtt->nxd_mqtt_client_socket.nx_tcp_socket_id == 0)
            return PICKET_SEND_REFUSED;
        if (is_queued(mqtt, (USHORT)noted))
            return is_connected(client) || (mqtt->nxd_mqtt_clean_session & NX_TRUE) == 0
                       ? PICKET_SEND_PENDING
                       : PICKET_SEND_REFUSED;
        if (mqtt->nxd_mqtt_clean_session == NX_TRUE)
            return PICKET_SEND_REFUSED;
    }
    note(mqtt, 0);
    return PICKET_SEND_ACCEPTED;
}

static enum picket_send_result delivered(void *context)
{
    (void)context;
    return visit_clients(outcome, NULL);
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
                    const struct picket_wire_message *message, UCHAR packet_id[2])
{
    static const CHAR properties[] = PICKET_WIRE_TOPIC_PROPERTIES;
    if (!append(packet, properties, sizeof properties - 1))
        return NX_NO_PACKET;
    UINT topic_bytes = (UINT)packet->nx_packet_length;
    UINT status = next_packet_id(mqtt, packet_id);
    if (status != NX_AZURE_IOT_SUCCESS)
        return status;
    if (!append(packet, packet_id, 2) || !picket_wire_encode(message, append, packet))
        return NX_NO_PACKET;
    if (!has_packets(packet) || !has_room(mqtt, packet))
        return NX_WINDOW_OVERFLOW;
    return nx_azure_iot_publish_mqtt_packet(mqtt, packet, topic_bytes, packet_id,
                                            NX_AZURE_IOT_MQTT_QOS_1,
                                            SEND_WAIT_S * NX_IP_PERIODIC_RATE);
}

/* A message whose transmission failed is in the client's queue all the same. Without a message, it
 * only says whether there could be one. */
static enum picket_send_result hand_over(NX_AZURE_IOT_RESOURCE *client,
                                         const struct picket_wire_message *message)
{
    NXD_MQTT_CLIENT *mqtt = &client->resource_mqtt;
    NX_PACKET *packet;
    UCHAR packet_id[2];
    if (message == NULL)
        return is_connected(client) ? PICKET_SEND_PENDING : PICKET_SEND_REFUSED;
    note(mqtt, 0);
    if (!is_connected(client) || !speaks(client) ||
        nx_azure_iot_hub_client_telemetry_message_create(client->resource_data_ptr, &packet,
                                                         NX_NO_WAIT) != NX_AZURE_IOT_SUCCESS)
        return PICKET_SEND_REFUSED;
    UINT status = publish(mqtt, packet, message, packet_id);
    if (status != NX_AZURE_IOT_SUCCESS) {
        nx_azure_iot_hub_client_telemetry_message_delete(packet);
        if (status != NXD_MQTT_COMMUNICATION_FAILURE)
            return PICKET_SEND_REFUSED;
    }
    watch_for_acknowledgement(mqtt, packet_id);
    return PICKET_SEND_PENDING;
}

static bool connected(void *context)
{
    (void)context;
    return visit_clients(hand_over, NULL) == PICKET_SEND_PENDING;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    (void)context;
    return visit_clients(hand_over, message);
}

/* ---- the cloud thread ---- */

/* Once a second: the module is registered for no other event. */
static VOID process(VOID *context, ULONG common_events, ULONG module_own_events)
{
    (void)context;
    (void)common_events;
    (void)module_own_events;
    picket_netxduo_poll();
}

UINT nx_azure_iot_security_module_enable(NX_AZURE_IOT *nx_azure_iot_ptr)
{
    static const struct picket_agent_config config =
        PICKET_DEVICE_CONFIG(connected, send, delivered);
    if (nx_azure_iot_ptr == NX_NULL)
        return NX_AZURE_IOT_INVALID_PARAMETER;
    if (azure != NULL)
        return azure == nx_azure_iot_ptr ? NX_AZURE_IOT_SUCCESS : NX_AZURE_IOT_INVALID_PARAMETER;
    azure = nx_azure_iot_ptr;
    if (picket_device_start(&config, NULL, nx_azure_iot_ptr->nx_azure_iot_unix_time_get) ==
        NX_SUCCESS) {
        if (nx_cloud_module_register(&nx_azure_iot_ptr->nx_azure_iot_cloud, &cloud_module, "Picket",
                                     NX_CLOUD_COMMON_PERIODIC_EVENT, process,
                                     NX_NULL) == NX_SUCCESS)
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
