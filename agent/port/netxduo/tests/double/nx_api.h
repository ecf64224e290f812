/* What the port uses of NetX Duo, declared as there; contract.c holds both to it. Structures have
 * the members that the port uses, not the layout. */
#ifndef NX_API_H
#define NX_API_H

#include "tx_api.h"

#ifdef DOUBLE_NETXDUO_6_1_0 /* the release before filters were told the packet */
#define NETXDUO_MAJOR_VERSION 6
#define NETXDUO_MINOR_VERSION 1
#define NETXDUO_PATCH_VERSION 0
#else
#define NETXDUO_MAJOR_VERSION 6
#define NETXDUO_MINOR_VERSION 4
#define NETXDUO_PATCH_VERSION 2
#endif

#define NX_ENABLE_IP_PACKET_FILTER
#define FEATURE_NX_IPV6
#define NX_MAX_PHYSICAL_INTERFACES 2
#define NX_MAX_IPV6_ADDRESSES      3
#define NX_MAX_LISTEN_REQUESTS     10

#define NX_IP_PERIODIC_RATE TX_TIMER_TICKS_PER_SECOND

#define NX_NULL               ((void *)0)
#define NX_FALSE              0
#define NX_TRUE               1
#define NX_NO_WAIT            0
#define NX_WAIT_FOREVER       0xFFFFFFFF
#define NX_IP_PACKET_IN       0
#define NX_IP_PACKET_OUT      1
#define NX_TCP_ESTABLISHED    5
#define NX_SUCCESS            0x00
#define NX_NO_PACKET          0x01
#define NX_PTR_ERROR          0x07
#define NX_CALLER_ERROR       0x11
#define NX_NOT_ENABLED        0x14
#define NX_ALREADY_ENABLED    0x15
#define NX_IN_PROGRESS        0x37
#define NX_WINDOW_OVERFLOW    0x39
#define NX_NOT_SUCCESSFUL     0x43
#define NX_IN_PROGRESS        0x37
#define NX_INVALID_PARAMETERS 0x4D

int double_rand(void);
#define NX_RAND double_rand

/* What the stack reads without a lock while the port may write it, says so where there are threads.
 */
#ifdef DOUBLE_THREADS
#define DOUBLE_SHARED volatile
#else
#define DOUBLE_SHARED
#endif

typedef struct NX_INTERFACE_STRUCT {
    UCHAR nx_interface_valid;
    ULONG nx_interface_ip_address;
    ULONG nx_interface_ip_network_mask;
    ULONG nx_interface_ip_network;
    ULONG nx_interface_physical_address_msw;
    ULONG nx_interface_physical_address_lsw;
} NX_INTERFACE;

typedef struct NX_PACKET_POOL_STRUCT {
    ULONG nx_packet_pool_available;
    ULONG nx_packet_pool_payload_size;
} NX_PACKET_POOL;

typedef struct NX_PACKET_STRUCT {
    NX_PACKET_POOL *nx_packet_pool_owner;
    struct NX_PACKET_STRUCT *DOUBLE_SHARED nx_packet_queue_next;
    UCHAR *nx_packet_data_start;
    UCHAR *nx_packet_prepend_ptr;
    UCHAR *nx_packet_append_ptr;
    ULONG nx_packet_length;
    union {
        NX_INTERFACE *nx_packet_interface_ptr;
    } nx_packet_address;
} NX_PACKET;

typedef struct NXD_IPV6_ADDRESS_STRUCT {
    UCHAR nxd_ipv6_address_valid;
    ULONG nxd_ipv6_address[4];
} NXD_IPV6_ADDRESS;

typedef struct NX_UDP_SOCKET_STRUCT {
    UINT nx_udp_socket_port;
    struct NX_UDP_SOCKET_STRUCT *nx_udp_socket_bound_next;
    struct NX_UDP_SOCKET_STRUCT *nx_udp_socket_created_next;
} NX_UDP_SOCKET;

typedef struct NX_TCP_SOCKET_STRUCT {
    ULONG nx_tcp_socket_id; /* 0: deleted */
    UINT nx_tcp_socket_state;
    ULONG nx_tcp_socket_tx_window_advertised;
    ULONG nx_tcp_socket_tx_outstanding_bytes;
} NX_TCP_SOCKET;

typedef struct NX_TCP_LISTEN_STRUCT {
    UINT nx_tcp_listen_port;
    struct NX_TCP_LISTEN_STRUCT *nx_tcp_listen_next;
} NX_TCP_LISTEN;

typedef struct NX_IP_STRUCT {
    TX_MUTEX nx_ip_protection;
    DOUBLE_SHARED ULONG nx_ip_total_packets_received;
    DOUBLE_SHARED ULONG nx_ip_receive_packets_dropped;
    DOUBLE_SHARED ULONG nx_ip_packets_forwarded;
    DOUBLE_SHARED ULONG nx_ip_tcp_invalid_packets;
    DOUBLE_SHARED ULONG nx_ip_udp_invalid_packets;
    DOUBLE_SHARED ULONG nx_ip_icmp_invalid_packets;
    VOID (*DOUBLE_SHARED nx_ipv4_packet_receive)(struct NX_IP_STRUCT *, NX_PACKET *);
    VOID (*DOUBLE_SHARED nx_ipv6_packet_receive)(struct NX_IP_STRUCT *, NX_PACKET *);
    UINT (*DOUBLE_SHARED nx_ip_packet_filter)(VOID *, UINT);
#ifndef DOUBLE_NETXDUO_6_1_0
    UINT (*DOUBLE_SHARED nx_ip_packet_filter_extended)(struct NX_IP_STRUCT *, NX_PACKET *, UINT);
#endif
    struct NX_IP_STRUCT *nx_ip_created_next;
    NX_INTERFACE nx_ip_interface[NX_MAX_PHYSICAL_INTERFACES];
    NXD_IPV6_ADDRESS nx_ipv6_address[NX_MAX_IPV6_ADDRESSES];
    NX_UDP_SOCKET *nx_ip_udp_created_sockets_ptr;
    ULONG nx_ip_udp_created_sockets_count;
    NX_TCP_LISTEN *nx_ip_tcp_active_listen_requests;
} NX_IP;

UINT nx_packet_data_append(NX_PACKET *packet_ptr, VOID *data_start, ULONG data_size,
                           NX_PACKET_POOL *pool_ptr, ULONG wait_option);
UINT nx_packet_release(NX_PACKET *packet_ptr);

#endif
