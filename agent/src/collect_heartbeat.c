/* Heartbeat: that the device is there, and since when. */
#include "collector.h"

static bool collect(struct picket_agent *agent, struct picket_report *report,
                    struct picket_wire_event *event)
{
    (void)report;
    event->payload_type = PICKET_WIRE_HEARTBEAT;
    event->payload.heartbeat.uptime_s =
        agent->config.callbacks.uptime_s(agent->config.callbacks.context);
    return true;
}

const struct picket_collector_driver picket_heartbeat_collector = {collect, NULL};
