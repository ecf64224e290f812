/* System information: the strings that the port or the application gave. */
#include "collector.h"

bool picket_system_information_collect(struct picket_agent *agent, struct picket_report *report,
                                       struct picket_wire_event *event)
{
    const struct picket_wire_system_information *information = agent->system_information;
    (void)report;
    event->payload_type = PICKET_WIRE_SYSTEM_INFORMATION;
    if (information == NULL)
        return false;
    event->payload.system_information = *information;
    return true;
}
