/* Every declaration of ThreadX and NetX Duo that the port relies on. Compiled against the double's
 * headers always, and against the real ones where PICKET_NETXDUO_INCLUDE or PICKET_NETXDUO_TARGET
 * is given: the double cannot drift from what it stands for. Only compiling it is the test. */
#include <stddef.h>

#include "nx_azure_iot_hub_client.h"
#include "nx_azure_iot_json_reader.h"
#include "nx_azure_iot_json_writer.h"
#include "nx_ip.h"

#define MEMBER(structure, member) (((structure *)0)->member)
#define HAS_TYPE(expression, type)                                                                 \
    _Static_assert(_Generic((expression), type : 1, default : 0), #expression " is not " #type)

/* ThreadX */
HAS_TYPE(&tx_interrupt_control, UINT (*)(UINT));
HAS_TYPE(&tx_time_get, ULONG (*)(VOID));
HAS_TYPE(&tx_thread_identify, TX_THREAD *(*)(VOID));
HAS_TYPE(&tx_thread_sleep, UINT (*)(ULONG));
HAS_TYPE(&tx_thread_preemption_change, UINT (*)(TX_THREAD *, UINT, UINT *));
_Static_assert(TX_SUCCESS == 0, "");
_Static_assert(TX_TIMER_TICKS_PER_SECOND > 0, "");

/* Packets */
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_pool_owner), NX_PACKET_POOL **);
HAS_TYPE(&MEMBER(NX_PACKET_POOL, nx_packet_pool_available), ULONG *);
HAS_TYPE(&MEMBER(NX_PACKET_POOL, nx_packet_pool_payload_size), ULONG *);
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_prepend_ptr), UCHAR **);
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_append_ptr), UCHAR **);
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_length), ULONG *);
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_address.nx_packet_interface_ptr), NX_INTERFACE **);
_Static_assert(NX_IP_PACKET_IN == 0 && NX_IP_PACKET_OUT == 1, "directions of a filter");

/* Hooks */
typedef VOID (*receive)(NX_IP *, NX_PACKET *);
HAS_TYPE(&MEMBER(NX_IP, nx_ipv4_packet_receive), receive *);
HAS_TYPE(&MEMBER(NX_IP, nx_ipv6_packet_receive), receive *);
HAS_TYPE(MEMBER(NX_IP, nx_ip_packet_filter), UINT (*)(VOID *, UINT));
#if (NETXDUO_MAJOR_VERSION << 16 | NETXDUO_MINOR_VERSION << 8 | NETXDUO_PATCH_VERSION) >= 0x060108
HAS_TYPE(MEMBER(NX_IP, nx_ip_packet_filter_extended), UINT (*)(NX_IP *, NX_PACKET *, UINT));
#endif
HAS_TYPE(&_nx_ip_created_ptr, NX_IP **);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_created_next), NX_IP **);

/* Counters of what the stack refuses */
HAS_TYPE(&MEMBER(NX_IP, nx_ip_receive_packets_dropped), ULONG *);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_packets_forwarded), ULONG *);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_tcp_invalid_packets), ULONG *);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_udp_invalid_packets), ULONG *);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_icmp_invalid_packets), ULONG *);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_total_packets_received), ULONG *);

/* Interfaces */
HAS_TYPE(&MEMBER(NX_IP, nx_ip_interface[0]), NX_INTERFACE *);
HAS_TYPE(&MEMBER(NX_INTERFACE, nx_interface_ip_network), ULONG *);
HAS_TYPE(&MEMBER(NX_INTERFACE, nx_interface_ip_network_mask), ULONG *);
HAS_TYPE(&MEMBER(NX_INTERFACE, nx_interface_physical_address_msw), ULONG *);
HAS_TYPE(&MEMBER(NX_INTERFACE, nx_interface_physical_address_lsw), ULONG *);

HAS_TYPE(&MEMBER(NX_INTERFACE, nx_interface_ip_address), ULONG *);
HAS_TYPE(&MEMBER(NX_INTERFACE, nx_interface_valid), UCHAR *);
HAS_TYPE(&MEMBER(NX_IP, nx_ipv6_address[0].nxd_ipv6_address_valid), UCHAR *);
HAS_TYPE(&MEMBER(NX_IP, nx_ipv6_address[0].nxd_ipv6_address[0]), ULONG *);
_Static_assert(NX_MAX_IPV6_ADDRESSES > 0 && NX_MAX_PHYSICAL_INTERFACES > 0, "");

/* Sockets */
HAS_TYPE(&MEMBER(NX_IP, nx_ip_tcp_active_listen_requests), NX_TCP_LISTEN **);
HAS_TYPE(&MEMBER(NX_TCP_LISTEN, nx_tcp_listen_port), UINT *);
HAS_TYPE(&MEMBER(NX_TCP_LISTEN, nx_tcp_listen_next), NX_TCP_LISTEN **);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_udp_created_sockets_ptr), NX_UDP_SOCKET **);
HAS_TYPE(&MEMBER(NX_IP, nx_ip_udp_created_sockets_count), ULONG *);
HAS_TYPE(&MEMBER(NX_UDP_SOCKET, nx_udp_socket_port), UINT *);
HAS_TYPE(&MEMBER(NX_UDP_SOCKET, nx_udp_socket_bound_next), NX_UDP_SOCKET **);
HAS_TYPE(&MEMBER(NX_UDP_SOCKET, nx_udp_socket_created_next), NX_UDP_SOCKET **);

/* The middleware */
HAS_TYPE(&MEMBER(NX_AZURE_IOT, nx_azure_iot_cloud), NX_CLOUD *);
HAS_TYPE(&MEMBER(NX_AZURE_IOT, nx_azure_iot_mutex_ptr), TX_MUTEX **);
HAS_TYPE(&MEMBER(NX_AZURE_IOT, nx_azure_iot_resource_list_header), NX_AZURE_IOT_RESOURCE **);
HAS_TYPE(MEMBER(NX_AZURE_IOT, nx_azure_iot_unix_time_get), UINT (*)(ULONG *));
HAS_TYPE(&MEMBER(NX_AZURE_IOT_RESOURCE, resource_type), UINT *);
HAS_TYPE(&MEMBER(NX_AZURE_IOT_RESOURCE, resource_data_ptr), VOID **);
HAS_TYPE(&MEMBER(NX_AZURE_IOT_RESOURCE, resource_mqtt), NXD_MQTT_CLIENT *);
HAS_TYPE(&MEMBER(NX_AZURE_IOT_RESOURCE, resource_next), NX_AZURE_IOT_RESOURCE **);
HAS_TYPE(&MEMBER(NXD_MQTT_CLIENT, nxd_mqtt_clean_session), UINT *);
HAS_TYPE(&MEMBER(NXD_MQTT_CLIENT, nxd_mqtt_client_socket), NX_TCP_SOCKET *);
HAS_TYPE(&MEMBER(NXD_MQTT_CLIENT, nxd_mqtt_client_next), NXD_MQTT_CLIENT **);
HAS_TYPE(&MEMBER(NXD_MQTT_CLIENT, message_transmit_queue_head), NX_PACKET **);
HAS_TYPE(MEMBER(NXD_MQTT_CLIENT, nxd_mqtt_ack_receive_notify),
         VOID (*)(NXD_MQTT_CLIENT *, UINT, USHORT, NX_PACKET *, VOID *));
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_queue_next), NX_PACKET **);
HAS_TYPE(&MEMBER(NX_PACKET, nx_packet_data_start), UCHAR **);
HAS_TYPE(&MEMBER(NX_TCP_SOCKET, nx_tcp_socket_id), ULONG *);
_Static_assert(NX_TRUE == 1 && NX_FALSE == 0, "clean_session has room for more");
HAS_TYPE(&MEMBER(NXD_MQTT_CLIENT, nxd_mqtt_tls_session.nx_secure_tls_local_session_active),
         UCHAR *);
HAS_TYPE(&MEMBER(NX_TCP_SOCKET, nx_tcp_socket_state), UINT *);
HAS_TYPE(&MEMBER(NX_TCP_SOCKET, nx_tcp_socket_tx_window_advertised), ULONG *);
HAS_TYPE(&MEMBER(NX_TCP_SOCKET, nx_tcp_socket_tx_outstanding_bytes), ULONG *);
_Static_assert(NX_IP_PERIODIC_RATE > 0 && NX_TRUE == 1, "");
HAS_TYPE(&MEMBER(NX_AZURE_IOT_HUB_CLIENT, nx_azure_iot_hub_client_state), UINT *);
HAS_TYPE(&MEMBER(NX_AZURE_IOT_HUB_CLIENT, nx_azure_iot_hub_client_resource),
         NX_AZURE_IOT_RESOURCE *);
HAS_TYPE(&MEMBER(NX_AZURE_IOT_HUB_CLIENT, iot_hub_client_core._internal.iot_hub_hostname),
         az_span *);
HAS_TYPE(&MEMBER(NX_AZURE_IOT_HUB_CLIENT, iot_hub_client_core._internal.device_id), az_span *);
#define HUB_OFFSET(member) offsetof(NX_AZURE_IOT_HUB_CLIENT, iot_hub_client_core._internal member)
_Static_assert(HUB_OFFSET(.iot_hub_hostname) == HUB_OFFSET() &&
                   HUB_OFFSET(.device_id) == HUB_OFFSET() + sizeof(az_span),
               "the name of the hub and the device's id stand next to each other");
HAS_TYPE(&nx_azure_iot_hub_client_telemetry_message_create,
         UINT (*)(NX_AZURE_IOT_HUB_CLIENT *, NX_PACKET **, UINT));
HAS_TYPE(&nx_azure_iot_hub_client_telemetry_message_delete, UINT (*)(NX_PACKET *));
HAS_TYPE(&nx_azure_iot_publish_mqtt_packet,
         UINT (*)(NXD_MQTT_CLIENT *, NX_PACKET *, UINT, UCHAR *, UINT, UINT));
#if (NETXDUO_MAJOR_VERSION << 16 | NETXDUO_MINOR_VERSION << 8 | NETXDUO_PATCH_VERSION) < 0x06010B
HAS_TYPE(&nx_azure_iot_mqtt_packet_id_get, UINT (*)(NXD_MQTT_CLIENT *, UCHAR *, UINT));
#else
HAS_TYPE(&nx_azure_iot_mqtt_packet_id_get, UINT (*)(NXD_MQTT_CLIENT *, UCHAR *));
#endif
_Static_assert(NX_AZURE_IOT_SUCCESS == 0, "");
_Static_assert(NX_AZURE_IOT_FAILURE == 0x20000, "");
_Static_assert(NX_AZURE_IOT_INVALID_PARAMETER == 0x20002, "");
_Static_assert(NX_AZURE_IOT_RESOURCE_IOT_HUB == 1, "");
_Static_assert(NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED == 2, "");
_Static_assert(NX_AZURE_IOT_MQTT_QOS_1 == 1, "");
_Static_assert(NXD_MQTT_COMMUNICATION_FAILURE == 0x10007, "");

/* The device twin */
HAS_TYPE(&nx_azure_iot_hub_client_device_twin_reported_properties_send,
         UINT (*)(NX_AZURE_IOT_HUB_CLIENT *, const UCHAR *, UINT, UINT *, UINT *, ULONG *, UINT));
HAS_TYPE(&nx_azure_iot_json_reader_init, UINT (*)(NX_AZURE_IOT_JSON_READER *, NX_PACKET *));
HAS_TYPE(&nx_azure_iot_json_reader_next_token, UINT (*)(NX_AZURE_IOT_JSON_READER *));
HAS_TYPE(&nx_azure_iot_json_reader_skip_children, UINT (*)(NX_AZURE_IOT_JSON_READER *));
HAS_TYPE(&nx_azure_iot_json_reader_token_type, UINT (*)(NX_AZURE_IOT_JSON_READER *));
HAS_TYPE(&nx_azure_iot_json_reader_token_int32_get,
         UINT (*)(NX_AZURE_IOT_JSON_READER *, int32_t *));
HAS_TYPE(&nx_azure_iot_json_reader_token_string_get,
         UINT (*)(NX_AZURE_IOT_JSON_READER *, UCHAR *, UINT, UINT *));
HAS_TYPE(&nx_azure_iot_json_writer_with_buffer_init,
         UINT (*)(NX_AZURE_IOT_JSON_WRITER *, UCHAR *, UINT));
HAS_TYPE(&nx_azure_iot_json_writer_get_bytes_used, UINT (*)(NX_AZURE_IOT_JSON_WRITER *));
HAS_TYPE(&nx_azure_iot_json_writer_append_property_name,
         UINT (*)(NX_AZURE_IOT_JSON_WRITER *, const UCHAR *, UINT));
HAS_TYPE(&nx_azure_iot_json_writer_append_property_with_int32_value,
         UINT (*)(NX_AZURE_IOT_JSON_WRITER *, const UCHAR *, UINT, int32_t));
HAS_TYPE(&nx_azure_iot_json_writer_append_string,
         UINT (*)(NX_AZURE_IOT_JSON_WRITER *, const UCHAR *, UINT));
HAS_TYPE(&nx_azure_iot_json_writer_append_bool, UINT (*)(NX_AZURE_IOT_JSON_WRITER *, UINT));
HAS_TYPE(&nx_azure_iot_json_writer_append_null, UINT (*)(NX_AZURE_IOT_JSON_WRITER *));
HAS_TYPE(&nx_azure_iot_json_writer_append_begin_object, UINT (*)(NX_AZURE_IOT_JSON_WRITER *));
HAS_TYPE(&nx_azure_iot_json_writer_append_end_object, UINT (*)(NX_AZURE_IOT_JSON_WRITER *));

/* The cloud thread */
_Static_assert(NX_CLOUD_COMMON_PERIODIC_EVENT == 0x00000001u, "");

/* Services that error checking wraps in macros: a call of the right types must compile. */
UINT contract_of_wrapped_services(NX_PACKET *packet, TX_MUTEX *mutex, NX_CLOUD *cloud,
                                  NX_CLOUD_MODULE *module, VOID (*process)(VOID *, ULONG, ULONG));
UINT contract_of_wrapped_services(NX_PACKET *packet, TX_MUTEX *mutex, NX_CLOUD *cloud,
                                  NX_CLOUD_MODULE *module, VOID (*process)(VOID *, ULONG, ULONG))
{
    VOID *data = NX_NULL;
    UINT status = tx_mutex_get(mutex, TX_WAIT_FOREVER);
    status |= tx_mutex_put(mutex);
    status |= nx_packet_data_append(packet, data, (ULONG)1, packet->nx_packet_pool_owner,
                                    (ULONG)NX_NO_WAIT);
    status |= nx_packet_release(packet);
    status |= nx_cloud_module_register(cloud, module, "Picket", NX_CLOUD_COMMON_PERIODIC_EVENT,
                                       process, data);
    status |= nx_cloud_module_deregister(cloud, module);
    return status;
}
