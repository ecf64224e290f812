#include "ports.h"

#include "instances.h"

#if PICKET_AGENT_LISTENING_PORTS > 0

struct list {
    struct picket_wire_open_port *ports;
    uint32_t max;
    uint32_t count; /* those that did not fit included */
};

static void add(struct list *list, const ULONG *address, UINT words, UINT port, uint8_t protocol)
{
    uint32_t place = list->count++;
    if (place >= list->max)
        return;
    struct picket_wire_open_port *entry = &list->ports[place];
    entry->port = (uint16_t)port;
    entry->protocol = protocol;
    entry->is_ipv6 = words == 4;
    for (UINT i = 0; i < sizeof entry->address; i++)
        entry->address[i] = i / 4 < words ? (uint8_t)(address[i / 4] >> (24 - 8 * (i % 4))) : 0;
}

/* A socket of NetX Duo is open at all addresses of its NX_IP. */
static void add_at_each_address(struct list *list, const NX_IP *ip, UINT port, uint8_t protocol)
{
#ifndef NX_DISABLE_IPV4
    for (UINT i = 0; i < NX_MAX_PHYSICAL_INTERFACES; i++) {
        ULONG address = ip->nx_ip_interface[i].nx_interface_ip_address;
        if (ip->nx_ip_interface[i].nx_interface_valid != 0 && address != 0)
            add(list, &address, 1, port, protocol);
    }
#endif
#if defined(FEATURE_NX_IPV6) && PICKET_AGENT_IPV6
    for (UINT i = 0; i < NX_MAX_IPV6_ADDRESSES && ip->nx_ipv6_packet_receive != NX_NULL; i++)
        if (ip->nx_ipv6_address[i].nxd_ipv6_address_valid != 0)
            add(list, ip->nx_ipv6_address[i].nxd_ipv6_address, 4, port, protocol);
#endif
}

static void add_sockets(struct list *list, const NX_IP *ip)
{
    const NX_TCP_LISTEN *request = ip->nx_ip_tcp_active_listen_requests;
    for (UINT i = 0; request != NX_NULL && i < NX_MAX_LISTEN_REQUESTS; i++) {
        add_at_each_address(list, ip, request->nx_tcp_listen_port, PICKET_WIRE_TCP);
        request = request->nx_tcp_listen_next;
        if (request == ip->nx_ip_tcp_active_listen_requests)
            break;
    }
    const NX_UDP_SOCKET *socket = ip->nx_ip_udp_created_sockets_ptr;
    for (ULONG i = 0; i < ip->nx_ip_udp_created_sockets_count; i++) {
        if (socket->nx_udp_socket_bound_next != NX_NULL)
            add_at_each_address(list, ip, socket->nx_udp_socket_port, PICKET_WIRE_UDP);
        socket = socket->nx_udp_socket_created_next;
    }
}

/* The stack's lists change with interrupts off, or by threads that hold nx_ip_protection; with them
 * off here, neither runs. The lists are short. */
uint32_t picket_ports_list(void *context, struct picket_wire_open_port *ports, uint32_t max)
{
    struct list list = {ports, max, 0};
    (void)context;
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    for (const NX_IP *ip = picket_instance_after(NULL); ip != NULL; ip = picket_instance_after(ip))
        add_sockets(&list, ip);
    tx_interrupt_control(posture);
    return list.count;
}

#endif
