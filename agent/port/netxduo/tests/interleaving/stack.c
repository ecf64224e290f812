#include "stack.h"

#include <string.h>

VOID stack_take(NX_IP *ip, NX_PACKET *packet)
{
    struct stack_packet *whole = (struct stack_packet *)packet;
    if (whole->refused)
        ip->nx_ip_udp_invalid_packets++;
    nx_packet_release(packet);
}

void stack_create(NX_IP *ip, ULONG address)
{
    memset(ip, 0, sizeof *ip);
    ip->nx_ip_protection.tx_mutex_name = (CHAR *)(uintptr_t) "nx_ip_protection";
    ip->nx_ipv4_packet_receive = stack_take;
    ip->nx_ip_interface[0].nx_interface_valid = 1;
    ip->nx_ip_interface[0].nx_interface_ip_address = address;
    ip->nx_ip_interface[0].nx_interface_ip_network_mask = 0xFFFFFF00;
    ip->nx_ip_interface[0].nx_interface_ip_network = address & 0xFFFFFF00;
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    if (_nx_ip_created_ptr == NULL) {
        _nx_ip_created_ptr = ip->nx_ip_created_next = ip;
    } else {
        ip->nx_ip_created_next = _nx_ip_created_ptr->nx_ip_created_next;
        _nx_ip_created_ptr->nx_ip_created_next = ip;
    }
    tx_interrupt_control(posture);
}

void stack_enable_ipv6(NX_IP *ip)
{
    tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
    if (ip->nx_ipv6_packet_receive == NULL)
        ip->nx_ipv6_packet_receive = stack_take;
    tx_mutex_put(&ip->nx_ip_protection);
}

void stack_delete(NX_IP *ip)
{
    tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    NX_IP *before = ip;
    while (before->nx_ip_created_next != ip)
        before = before->nx_ip_created_next;
    before->nx_ip_created_next = ip->nx_ip_created_next;
    if (_nx_ip_created_ptr == ip)
        _nx_ip_created_ptr = before == ip ? NULL : ip->nx_ip_created_next;
    tx_interrupt_control(posture);
    tx_mutex_put(&ip->nx_ip_protection);
    memset(ip, 0xDD, sizeof *ip); /* whoever touches it falls */
}

static bool filters_pass(NX_IP *ip, NX_PACKET *packet, UINT direction)
{
    UINT (*header_filter)(VOID *, UINT) = ip->nx_ip_packet_filter;
    if (header_filter != NULL &&
        header_filter(packet->nx_packet_prepend_ptr, direction) != NX_SUCCESS)
        return false;
#ifndef DOUBLE_NETXDUO_6_1_0
    UINT (*filter)(NX_IP *, NX_PACKET *, UINT) = ip->nx_ip_packet_filter_extended;
    if (filter != NULL && filter(ip, packet, direction) != NX_SUCCESS)
        return false;
#endif
    return true;
}

void stack_receive_in_interrupt(NX_IP *ip, struct stack_packet *packet)
{
    packet->packet.nx_packet_address.nx_packet_interface_ptr = &ip->nx_ip_interface[0];
    if (!filters_pass(ip, &packet->packet, NX_IP_PACKET_IN))
        nx_packet_release(&packet->packet);
    else if (*packet->packet.nx_packet_prepend_ptr >> 4 == 4)
        ip->nx_ipv4_packet_receive(ip, &packet->packet);
    else if (ip->nx_ipv6_packet_receive != NULL)
        ip->nx_ipv6_packet_receive(ip, &packet->packet);
    else
        nx_packet_release(&packet->packet);
}

void stack_receive(NX_IP *ip, struct stack_packet *packet)
{
    tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
    ip->nx_ip_total_packets_received++;
    stack_receive_in_interrupt(ip, packet);
    tx_mutex_put(&ip->nx_ip_protection);
}

bool stack_send(NX_IP *ip, struct stack_packet *packet)
{
    tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
    bool passes = filters_pass(ip, &packet->packet, NX_IP_PACKET_OUT);
    tx_mutex_put(&ip->nx_ip_protection);
    nx_packet_release(&packet->packet);
    return passes;
}
