/* Listening ports: what of the device can be connected to. */
#include "collector.h"

#if PICKET_AGENT_LISTENING_PORTS > 0

bool picket_listening_ports_collect(struct picket_agent *agent, struct picket_report *report,
                                    struct picket_wire_event *event)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    struct picket_wire_listening_ports *ports = &event->payload.listening_ports;
    if (callbacks->listening_ports == NULL)
        return false;
    uint32_t open =
        callbacks->listening_ports(callbacks->context, report->ports, PICKET_AGENT_LISTENING_PORTS);
    uint32_t listed = open < PICKET_AGENT_LISTENING_PORTS ? open : PICKET_AGENT_LISTENING_PORTS;
    uint32_t ipv6 = 0;
    for (uint32_t i = 0; i < listed; i++)
        ipv6 += report->ports[i].is_ipv6;
    event->payload_type = PICKET_WIRE_LISTENING_PORTS;
    ports->ipv4 = (struct picket_wire_ports){listed - ipv6, report->ports};
    ports->ipv6 = (struct picket_wire_ports){ipv6, report->ports};
    ports->unlisted = open - listed;
    return true;
}

#endif
