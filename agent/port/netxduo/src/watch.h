/* Watches the packets of every NX_IP, and counts them.
 *
 *     driver
 *       └─▶ the application's filters
 *             └─▶ inbound hook (in the place of nx_ipv4_ and nx_ipv6_packet_receive)
 *                   reads the headers, lets the stack have the packet, counts unless refused
 *
 *     the stack
 *       └─▶ outbound hook (the packet filter; asks the application's, if there is one)
 *             counts what that lets pass
 *
 * A slot belongs to an NX_IP as long as that exists: a hook that is running, or that somebody has
 * saved to call it later, finds its originals there even after the watch has ended.
 */
#ifndef PICKET_NETXDUO_SRC_WATCH_H
#define PICKET_NETXDUO_SRC_WATCH_H

#include "picket/agent/agent.h"
#include "picket/netxduo/netxduo.h"

/* Takes every NX_IP that has appeared since the last time under watch, or, without an agent, takes
 * all hooks out and stops counting. Thread: the one that is at the agent. */
void picket_watch(struct picket_agent *agent);

/* How many NX_IP there are that are watched, and that have no place. Thread: any. */
void picket_watch_statistics(UINT *watched, UINT *unwatched);

#endif
