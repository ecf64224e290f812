/* Heartbeat: that the device is there, and since when. */
#include "collector.h"

bool picket_heartbeat_collect(struct picket_agent *agent, struct picket_report *report,
                              struct picket_wire_event *event)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    (void)report;
    event->payload_type = PICKET_WIRE_HEARTBEAT;
    event->payload.heartbeat.uptime_s = callbacks->uptime_s(callbacks->context);
    return true;
}
