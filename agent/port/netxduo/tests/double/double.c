#include "double.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct double_state double_state;
NX_IP *_nx_ip_created_ptr;

void double_reset(void)
{
    static CHAR name[] = "test";
    static TX_THREAD thread = {name};
    memset(&double_state, 0, sizeof double_state);
    double_state.thread = &thread;
    double_state.packets_left = 100;
    double_state.random = 4; /* an unseeded generator says the same at every boot */
    _nx_ip_created_ptr = NULL;
}

/* ---- ThreadX, with one thread ---- */

#ifndef DOUBLE_THREADS
UINT tx_interrupt_control(UINT new_posture)
{
    UINT old = double_state.posture;
    double_state.posture = new_posture;
    return old;
}

ULONG tx_time_get(VOID)
{
    return double_state.ticks;
}

TX_THREAD *tx_thread_identify(VOID)
{
    return double_state.thread;
}

UINT tx_thread_sleep(ULONG timer_ticks)
{
    double_state.ticks += timer_ticks;
    if (double_state.sleeping != NULL)
        double_state.sleeping();
    return TX_SUCCESS;
}

UINT tx_thread_preemption_change(TX_THREAD *thread_ptr, UINT new_threshold, UINT *old_threshold)
{
    static UINT threshold = 7;
    (void)thread_ptr;
    *old_threshold = threshold;
    threshold = new_threshold;
    return TX_SUCCESS;
}

UINT tx_mutex_get(TX_MUTEX *mutex_ptr, ULONG wait_option)
{
    (void)wait_option;
    mutex_ptr->tx_mutex_ownership_count++;
    return TX_SUCCESS;
}

UINT tx_mutex_put(TX_MUTEX *mutex_ptr)
{
    assert(mutex_ptr->tx_mutex_ownership_count > 0);
    mutex_ptr->tx_mutex_ownership_count--;
    return TX_SUCCESS;
}

int double_rand(void)
{
    return double_state.random;
}
#endif

/* ---- NX_IP ---- */

static VOID stack_receive(NX_IP *ip, NX_PACKET *packet)
{
    (void)ip;
    double_state.delivered++;
    if (double_state.refuses != NULL)
        ++*double_state.refuses;
    /* The stack turns the header round in place, and gives the buffer to others. */
    memset(packet->nx_packet_prepend_ptr, 0xEE,
           (size_t)(packet->nx_packet_append_ptr - packet->nx_packet_prepend_ptr));
}

void double_ip_create(NX_IP *ip, ULONG address, ULONG mask)
{
    memset(ip, 0, sizeof *ip);
    ip->nx_ipv4_packet_receive = stack_receive;
    ip->nx_ip_interface[0].nx_interface_valid = 1;
    ip->nx_ip_interface[0].nx_interface_ip_address = address;
    ip->nx_ip_interface[0].nx_interface_ip_network_mask = mask;
    ip->nx_ip_interface[0].nx_interface_ip_network = address & mask;
    if (_nx_ip_created_ptr == NULL)
        _nx_ip_created_ptr = ip;
    ip->nx_ip_created_next = _nx_ip_created_ptr;
    NX_IP *last = _nx_ip_created_ptr;
    while (last->nx_ip_created_next != _nx_ip_created_ptr && last != ip)
        last = last->nx_ip_created_next;
    last->nx_ip_created_next = ip;
    ip->nx_ip_created_next = _nx_ip_created_ptr;
}

void double_ipv6_enable(NX_IP *ip)
{
    ip->nx_ipv6_packet_receive = stack_receive;
}

void double_ip_delete(NX_IP *ip)
{
    NX_IP *before = ip;
    while (before->nx_ip_created_next != ip)
        before = before->nx_ip_created_next;
    before->nx_ip_created_next = ip->nx_ip_created_next;
    if (_nx_ip_created_ptr == ip)
        _nx_ip_created_ptr = before == ip ? NULL : ip->nx_ip_created_next;
    memset(ip, 0xDD, sizeof *ip); /* whoever touches it falls */
}

/* The buffer ends where the packet's contiguous part does, so that reading beyond is found. */
static UCHAR *packet_of(NX_PACKET *packet, NX_IP *ip, const void *bytes, size_t contiguous_bytes,
                        size_t size_bytes)
{
    UCHAR *buffer = malloc(contiguous_bytes > 0 ? contiguous_bytes : 1);
    memcpy(buffer, bytes, contiguous_bytes);
    memset(packet, 0, sizeof *packet);
    packet->nx_packet_prepend_ptr = buffer;
    packet->nx_packet_append_ptr = buffer + contiguous_bytes;
    packet->nx_packet_length = size_bytes;
    packet->nx_packet_address.nx_packet_interface_ptr = &ip->nx_ip_interface[0];
    return buffer;
}

/* What the application's filters, and the port's, say of it. */
static bool filters_pass(NX_IP *ip, NX_PACKET *packet, UINT direction)
{
    if (ip->nx_ip_packet_filter != NULL &&
        ip->nx_ip_packet_filter(packet->nx_packet_prepend_ptr, direction) != NX_SUCCESS)
        return false;
#ifndef DOUBLE_NETXDUO_6_1_0
    if (ip->nx_ip_packet_filter_extended != NULL &&
        ip->nx_ip_packet_filter_extended(ip, packet, direction) != NX_SUCCESS)
        return false;
#endif
    return true;
}

void double_receive(NX_IP *ip, const void *bytes, size_t contiguous_bytes, size_t size_bytes)
{
    NX_PACKET packet;
    UCHAR *buffer = packet_of(&packet, ip, bytes, contiguous_bytes, size_bytes);
    ip->nx_ip_total_packets_received++;
    if (filters_pass(ip, &packet, NX_IP_PACKET_IN)) {
        if (buffer[0] >> 4 == 4 && ip->nx_ipv4_packet_receive != NULL)
            ip->nx_ipv4_packet_receive(ip, &packet);
        else if (buffer[0] >> 4 == 6 && ip->nx_ipv6_packet_receive != NULL)
            ip->nx_ipv6_packet_receive(ip, &packet);
    }
    free(buffer);
}

bool double_send(NX_IP *ip, const void *bytes, size_t contiguous_bytes, size_t size_bytes)
{
    NX_PACKET packet;
    UCHAR *buffer = packet_of(&packet, ip, bytes, contiguous_bytes, size_bytes);
    bool passes = filters_pass(ip, &packet, NX_IP_PACKET_OUT);
    double_state.sent += passes;
    free(buffer);
    return passes;
}

/* ---- packets that the port fills ---- */

struct outgoing {
    NX_PACKET packet;
    UCHAR bytes[DOUBLE_PACKET_BYTES_MAX];
};

UINT nx_packet_data_append(NX_PACKET *packet_ptr, VOID *data_start, ULONG data_size,
                           NX_PACKET_POOL *pool_ptr, ULONG wait_option)
{
    struct outgoing *outgoing = (struct outgoing *)packet_ptr;
    (void)pool_ptr, (void)wait_option;
    if (double_state.appends_left > 0 && --double_state.appends_left == 0)
        double_state.no_packets = true;
    if (double_state.no_packets ||
        packet_ptr->nx_packet_length + data_size > DOUBLE_PACKET_BYTES_MAX)
        return NX_NO_PACKET;
    memcpy(outgoing->bytes + packet_ptr->nx_packet_length, data_start, data_size);
    packet_ptr->nx_packet_length += data_size;
    return NX_SUCCESS;
}

/* By any thread, whatever has become of the lock that is tested. */
static void hold_packets(int more)
{
    __atomic_fetch_add(&double_state.packets_held, (size_t)more, __ATOMIC_RELAXED);
}

NX_PACKET *double_packet_allocate(size_t size_bytes)
{
    hold_packets(1);
    return calloc(1, size_bytes);
}

/* A pool takes a packet back with interrupts off. */
UINT nx_packet_release(NX_PACKET *packet_ptr)
{
    tx_interrupt_control(tx_interrupt_control(TX_INT_DISABLE));
    free(packet_ptr);
    hold_packets(-1);
    return NX_SUCCESS;
}

/* ---- the middleware ---- */

void double_hub_client_add(NX_AZURE_IOT *azure, NX_AZURE_IOT_HUB_CLIENT *client, const char *host,
                           const char *device)
{
    memset(client, 0, sizeof *client);
    client->nx_azure_iot_ptr = azure;
    client->nx_azure_iot_hub_client_state = NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED;
    client->iot_hub_client_core._internal.iot_hub_hostname =
        (az_span){(uint8_t *)(uintptr_t)host, (int32_t)strlen(host)};
    client->iot_hub_client_core._internal.device_id =
        (az_span){(uint8_t *)(uintptr_t)device, (int32_t)strlen(device)};
    NXD_MQTT_CLIENT *mqtt = &client->nx_azure_iot_hub_client_resource.resource_mqtt;
    mqtt->nxd_mqtt_client_socket.nx_tcp_socket_id = 1;
    mqtt->nxd_mqtt_client_socket.nx_tcp_socket_state = NX_TCP_ESTABLISHED;
    mqtt->nxd_mqtt_client_socket.nx_tcp_socket_tx_window_advertised = 65535;
    mqtt->nxd_mqtt_tls_session.nx_secure_tls_local_session_active = 1;
    client->nx_azure_iot_hub_client_resource.resource_type = NX_AZURE_IOT_RESOURCE_IOT_HUB;
    client->nx_azure_iot_hub_client_resource.resource_data_ptr = client;
    client->nx_azure_iot_hub_client_resource.resource_next =
        azure->nx_azure_iot_resource_list_header;
    azure->nx_azure_iot_resource_list_header = &client->nx_azure_iot_hub_client_resource;
}

static void empty_queue(NXD_MQTT_CLIENT *mqtt)
{
    while (mqtt->message_transmit_queue_head != NULL) {
        NX_PACKET *packet = mqtt->message_transmit_queue_head;
        mqtt->message_transmit_queue_head = packet->nx_packet_queue_next;
        nx_packet_release(packet);
    }
}

static NXD_MQTT_CLIENT *mqtt_of(NX_AZURE_IOT_HUB_CLIENT *client)
{
    return &client->nx_azure_iot_hub_client_resource.resource_mqtt;
}

void double_hub_acknowledge(NX_AZURE_IOT_HUB_CLIENT *client)
{
    NXD_MQTT_CLIENT *mqtt = mqtt_of(client);
    for (NX_PACKET *packet = mqtt->message_transmit_queue_head; packet != NULL;
         packet = packet->nx_packet_queue_next) {
        USHORT id;
        memcpy(&id, packet->nx_packet_data_start, sizeof id);
        if (mqtt->nxd_mqtt_ack_receive_notify != NULL)
            mqtt->nxd_mqtt_ack_receive_notify(mqtt, 4, id, packet, NULL);
    }
    empty_queue(mqtt);
}

void double_hub_disconnect(NX_AZURE_IOT_HUB_CLIENT *client)
{
    client->nx_azure_iot_hub_client_state = NX_AZURE_IOT_HUB_CLIENT_STATUS_NOT_CONNECTED;
}

void double_hub_empty_queue(NX_AZURE_IOT_HUB_CLIENT *client)
{
    empty_queue(mqtt_of(client));
}

/* Without a clean session, what waits goes out again, and waits on. */
void double_hub_connect(NX_AZURE_IOT_HUB_CLIENT *client, UINT clean_session)
{
    mqtt_of(client)->nxd_mqtt_clean_session = clean_session;
    if (clean_session == NX_TRUE)
        empty_queue(mqtt_of(client));
    client->nx_azure_iot_hub_client_state = NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED;
}

void double_hub_client_delete(NX_AZURE_IOT_HUB_CLIENT *client)
{
    double_hub_disconnect(client);
    empty_queue(mqtt_of(client));
    mqtt_of(client)->nxd_mqtt_client_socket.nx_tcp_socket_id = 0;
}

void double_hub_client_remove(NX_AZURE_IOT_HUB_CLIENT *client)
{
    NX_AZURE_IOT_RESOURCE **at = &client->nx_azure_iot_ptr->nx_azure_iot_resource_list_header;
    while (*at != &client->nx_azure_iot_hub_client_resource)
        at = &(*at)->resource_next;
    *at = (*at)->resource_next;
    memset(client, 0xDD, sizeof *client);
}

UINT nx_cloud_module_register(NX_CLOUD *cloud_ptr, NX_CLOUD_MODULE *module_ptr,
                              const CHAR *module_name, ULONG module_event,
                              VOID (*module_process)(VOID *module_context, ULONG common_events,
                                                     ULONG module_own_events),
                              VOID *module_context)
{
    (void)module_name, (void)module_event;
    if (double_state.registering_fails)
        return NX_PTR_ERROR;
    tx_mutex_get(&cloud_ptr->nx_cloud_mutex, TX_WAIT_FOREVER);
    module_ptr->nx_cloud_module_process = module_process;
    module_ptr->nx_cloud_module_context = module_context;
    cloud_ptr->nx_cloud_modules_list_header = module_ptr;
    tx_mutex_put(&cloud_ptr->nx_cloud_mutex);
    return NX_SUCCESS;
}

UINT nx_cloud_module_deregister(NX_CLOUD *cloud_ptr, NX_CLOUD_MODULE *module_ptr)
{
    UINT status = NX_NOT_SUCCESSFUL;
    tx_mutex_get(&cloud_ptr->nx_cloud_mutex, TX_WAIT_FOREVER);
    if (!double_state.deregistering_fails &&
        cloud_ptr->nx_cloud_modules_list_header == module_ptr) {
        cloud_ptr->nx_cloud_modules_list_header = NULL;
        status = NX_SUCCESS;
    }
    tx_mutex_put(&cloud_ptr->nx_cloud_mutex);
    return status;
}

/* A module's work is done with the cloud's mutex released. */
void double_periodic_event(NX_AZURE_IOT *azure)
{
    NX_CLOUD *cloud = &azure->nx_azure_iot_cloud;
    NX_CLOUD_MODULE module = {NULL, NULL};
    double_state.ticks += TX_TIMER_TICKS_PER_SECOND;
    tx_mutex_get(&cloud->nx_cloud_mutex, TX_WAIT_FOREVER);
    if (cloud->nx_cloud_modules_list_header != NULL)
        module = *cloud->nx_cloud_modules_list_header;
    tx_mutex_put(&cloud->nx_cloud_mutex);
    if (module.nx_cloud_module_process != NULL)
        module.nx_cloud_module_process(module.nx_cloud_module_context,
                                       NX_CLOUD_COMMON_PERIODIC_EVENT, 0);
}

static NX_PACKET_POOL pool;
static const TX_MUTEX *middleware; /* has to be held from the making of a message to its end */

UINT nx_azure_iot_hub_client_telemetry_message_create(NX_AZURE_IOT_HUB_CLIENT *hub_client_ptr,
                                                      NX_PACKET **packet_pptr, UINT wait_option)
{
    static const char topic[] = "devices/d/messages/events/";
    (void)wait_option;
    middleware = hub_client_ptr->nx_azure_iot_ptr->nx_azure_iot_mutex_ptr;
    assert(middleware->tx_mutex_ownership_count > 0);
    if (double_state.create_status != NX_AZURE_IOT_SUCCESS)
        return double_state.create_status;
    struct outgoing *outgoing = (struct outgoing *)double_packet_allocate(sizeof *outgoing);
    memcpy(outgoing->bytes, topic, sizeof topic - 1);
    outgoing->packet.nx_packet_length = sizeof topic - 1;
    outgoing->packet.nx_packet_pool_owner = &pool;
    pool.nx_packet_pool_available = double_state.packets_left;
    pool.nx_packet_pool_payload_size = DOUBLE_PACKET_BYTES_MAX;
    *packet_pptr = &outgoing->packet;
    return NX_AZURE_IOT_SUCCESS;
}

UINT nx_azure_iot_hub_client_telemetry_message_delete(NX_PACKET *packet_ptr)
{
    return nx_packet_release(packet_ptr);
}

static UINT packet_id_get(const NXD_MQTT_CLIENT *client_ptr, UCHAR *packet_id)
{
    static USHORT next;
    (void)client_ptr;
    next++;
    packet_id[0] = (UCHAR)(next >> 8);
    packet_id[1] = (UCHAR)next;
    return double_state.packet_id_status;
}

#ifdef DOUBLE_NETXDUO_6_1_0
UINT nx_azure_iot_mqtt_packet_id_get(NXD_MQTT_CLIENT *client_ptr, UCHAR *packet_id,
                                     UINT wait_option)
{
    (void)wait_option;
    return packet_id_get(client_ptr, packet_id);
}
#else
UINT nx_azure_iot_mqtt_packet_id_get(NXD_MQTT_CLIENT *client_ptr, UCHAR *packet_id)
{
    return packet_id_get(client_ptr, packet_id);
}
#endif

/* A copy that waits to be acknowledged; its data begins with the identifier. */
static void enqueue(NXD_MQTT_CLIENT *mqtt, const UCHAR *packet_id)
{
    struct outgoing *copy = (struct outgoing *)double_packet_allocate(sizeof *copy);
    NX_PACKET *DOUBLE_SHARED *at = &mqtt->message_transmit_queue_head;
    USHORT id = (USHORT)(packet_id[0] << 8 | packet_id[1]);
    copy->packet.nx_packet_data_start = copy->bytes;
    memcpy(copy->bytes, &id, sizeof id);
    while (*at != NULL)
        at = &(*at)->nx_packet_queue_next;
    *at = &copy->packet;
}

UINT nx_azure_iot_publish_mqtt_packet(NXD_MQTT_CLIENT *client_ptr, NX_PACKET *packet_ptr,
                                      UINT topic_len, UCHAR *packet_id, UINT qos, UINT wait_option)
{
    const UCHAR *bytes = ((struct outgoing *)packet_ptr)->bytes;
    (void)wait_option;
    assert(qos == NX_AZURE_IOT_MQTT_QOS_1 && middleware->tx_mutex_ownership_count > 0);
    assert(memcmp(bytes + topic_len, packet_id, 2) == 0);
    if (double_state.publishing != NULL)
        double_state.publishing();
    bool communicates = double_state.publish_status != NXD_MQTT_COMMUNICATION_FAILURE;
    if (communicates && double_state.publish_status != NX_AZURE_IOT_SUCCESS)
        return double_state.publish_status;
    if (!communicates || double_state.hub_is_silent)
        enqueue(client_ptr, packet_id);
    if (!communicates)
        return double_state.publish_status;
    assert(double_state.message_count < DOUBLE_MESSAGES_MAX);
    struct double_message *message = &double_state.messages[double_state.message_count++];
    message->client = client_ptr;
    message->topic_bytes = topic_len;
    message->size_bytes = packet_ptr->nx_packet_length - topic_len - 2;
    memcpy(message->bytes, bytes, topic_len);
    memcpy(message->bytes + topic_len, bytes + topic_len + 2, message->size_bytes);
    return nx_packet_release(packet_ptr);
}

UINT nx_azure_iot_hub_client_device_twin_reported_properties_send(
    NX_AZURE_IOT_HUB_CLIENT *hub_client_ptr, const UCHAR *message_buffer, UINT message_length,
    UINT *request_id_ptr, UINT *response_status_ptr, ULONG *version_ptr, UINT wait_option)
{
    size_t used = strlen(double_state.reported);
    (void)hub_client_ptr, (void)wait_option;
    *request_id_ptr = 0;
    *response_status_ptr =
        double_state.reporting_response > 0 ? double_state.reporting_response : 204;
    *version_ptr = 0;
    assert(used + message_length < sizeof double_state.reported);
    memcpy(double_state.reported + used, message_buffer, message_length);
    double_state.reported[used + message_length] = '\0';
    return double_state.reporting_status;
}
