/* A collector makes one kind of event. A new one is a file with a collect function, a name in enum
 * picket_collector, and a line in the table of report.c.
 *
 * Thread: the polling thread, without the lock. */
#ifndef PICKET_AGENT_SRC_COLLECTOR_H
#define PICKET_AGENT_SRC_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/agent/agent.h"

/* A message that is handed over, on the stack of poll(): what has to last until the transport has
 * it. */
struct picket_report {
    struct picket_wire_event events[PICKET_COLLECTORS];
    uint32_t event_count;
#if PICKET_AGENT_LISTENING_PORTS > 0
    struct picket_wire_open_port ports[PICKET_AGENT_LISTENING_PORTS];
#endif
};

/* Each fills event->payload and its type. False: there is nothing to report. */
typedef bool picket_collect(struct picket_agent *agent, struct picket_report *report,
                            struct picket_wire_event *event);

picket_collect picket_network_activity_collect;
picket_collect picket_system_information_collect;
picket_collect picket_heartbeat_collect;
picket_collect picket_listening_ports_collect;

/* What the last message told of flows and losses was delivered, or it is back in its place. True:
 * there is more to report, in a further message; only after one that was delivered. */
bool picket_network_activity_settle(struct picket_agent *agent, bool delivered);

#endif
