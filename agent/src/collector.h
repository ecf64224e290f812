/* A collector makes one kind of event. A new one is a file with a struct picket_collector_driver, a
 * name in enum picket_collector, and a line in the table of report.c.
 *
 * Thread: the polling thread, without the lock. */
#ifndef PICKET_AGENT_SRC_COLLECTOR_H
#define PICKET_AGENT_SRC_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "flow_table.h"
#include "picket/agent/agent.h"

/* A message on its way, on the stack of poll(). What a collector must hold until the message is
 * accepted or refused is here, not in the control block. */
struct picket_report {
    struct picket_wire_event events[PICKET_COLLECTORS];
    uint32_t event_count;
    uint8_t collectors; /* those with an event in it, a bit each */

    /* Network activity: what the event reports, and how far through the tables this report is;
     * flows that exceed one message follow in further ones. */
    struct picket_frozen_flows frozen[PICKET_FAMILIES];
    struct picket_losses losses;

#if PICKET_AGENT_LISTENING_PORTS > 0
    struct picket_listening_port ports[PICKET_AGENT_LISTENING_PORTS];
#endif
};

struct picket_collector_driver {
    /* Fills event->payload and its type. False: there is nothing to report. */
    bool (*collect)(struct picket_agent *agent, struct picket_report *report,
                    struct picket_wire_event *event);

    /* The message with the event was accepted, or not; NULL: nothing to do. True: there is more to
     * report, in a further message; only after an accepted one. */
    bool (*settle)(struct picket_agent *agent, struct picket_report *report, bool accepted);
};

extern const struct picket_collector_driver picket_network_activity_collector;
extern const struct picket_collector_driver picket_system_information_collector;
extern const struct picket_collector_driver picket_heartbeat_collector;
extern const struct picket_collector_driver picket_listening_ports_collector;

#endif
