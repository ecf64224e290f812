/* The open TCP and UDP ports of this host, as the kernel lists them. */
#ifndef PICKET_AGENT_LINUX_LISTENING_PORTS_H
#define PICKET_AGENT_LINUX_LISTENING_PORTS_H

#include "picket/agent/agent.h"

/* Callback of the agent; context is not used: ports of this process's network namespace. */
uint32_t listening_ports(void *context, struct picket_wire_open_port *ports, uint32_t max);

/* The same of lists below root, "/proc/net" for the system itself; a test has its own. A list that
 * is not there has no ports; a line that is not understood is passed over. */
uint32_t listening_ports_below(const char *root, struct picket_wire_open_port *ports, uint32_t max);

#endif
