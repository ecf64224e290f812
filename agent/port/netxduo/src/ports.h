/* The open TCP and UDP ports of every NX_IP, at each of its addresses. */
#ifndef PICKET_NETXDUO_SRC_PORTS_H
#define PICKET_NETXDUO_SRC_PORTS_H

#include "picket/agent/agent.h"

/* Callback of the agent: TCP ports that are listened on, UDP ports that a socket is bound to. */
uint32_t picket_ports_list(void *context, struct picket_wire_open_port *ports, uint32_t max);

#endif
