/* What the real stack does around the port's hooks, with its locks: each NX_IP's nx_ip_protection
 * is held while a packet of it passes, and its list changes with interrupts off. Thread: any of the
 * machine's. */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>

#include "nx_ip.h"

struct stack_packet {
    NX_PACKET packet; /* the one that hooks see */
    UCHAR bytes[512];
    bool refused; /* inbound: by the stack itself, after the hook */
};

/* An NX_IP is created where there was none; or deleted, and what it held is overwritten. */
void stack_create(NX_IP *ip, ULONG address);
void stack_enable_ipv6(NX_IP *ip);
void stack_delete(NX_IP *ip);

/* Both release the packet's contents; sending says whether the filters let it pass. */
void stack_receive(NX_IP *ip, struct stack_packet *packet);
void stack_receive_in_interrupt(NX_IP *ip, struct stack_packet *packet); /* without the lock */
bool stack_send(NX_IP *ip, struct stack_packet *packet);

/* What the hooks stand in for. */
VOID stack_take(NX_IP *ip, NX_PACKET *packet);

#endif
