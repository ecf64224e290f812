/* System information: the strings that the port or the application gave. */
#include "collector.h"

static bool collect(struct picket_agent *agent, struct picket_report *report,
                    struct picket_wire_event *event)
{
    (void)report;
    const struct picket_wire_system_information *information = &agent->config.system_information;
    event->payload_type = PICKET_WIRE_SYSTEM_INFORMATION;
    event->payload.system_information = *information;
    return information->os_info != NULL || information->kernel_info != NULL ||
           information->hw_info != NULL;
}

const struct picket_collector_driver picket_system_information_collector = {collect, NULL};
