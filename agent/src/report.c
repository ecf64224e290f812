#include "report.h"

#include <string.h>

#include "collector.h"
#include "lock.h"
#include "memory.h"

/* In the order of enum picket_collector. */
static const struct picket_collector_driver *const drivers[PICKET_COLLECTORS] = {
    &picket_network_activity_collector,
    &picket_system_information_collector,
    &picket_heartbeat_collector,
#if PICKET_AGENT_LISTENING_PORTS > 0
    &picket_listening_ports_collector,
#endif
};

static void stamp(struct picket_agent *agent, unsigned collector, uint32_t now_s,
                  struct picket_wire_event *event)
{
    const struct picket_agent_config *config = &agent->config;
    const struct picket_agent_callbacks *callbacks = &config->callbacks;
    callbacks->random(callbacks->context, event->id, sizeof event->id);
    if (callbacks->unix_time_s == NULL ||
        !callbacks->unix_time_s(callbacks->context, &event->time_s))
        event->time_s = UINT32_MAX;
    event->collection_interval_s = config->interval_s[config->collectors[collector].priority];
    event->duration_s = now_s - agent->window_start_s[collector];
}

/* Nothing of the collector's is unreported any more; its next window starts. */
static void close_window(struct picket_agent *agent, unsigned collector, uint32_t now_s)
{
    agent->owed &= (uint8_t) ~(1u << collector);
    agent->window_start_s[collector] = now_s;
}

static void collect(struct picket_agent *agent, struct picket_report *report, uint32_t now_s)
{
    report->event_count = 0;
    report->collectors = 0;
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++) {
        struct picket_wire_event *event = &report->events[report->event_count];
        if ((agent->owed & 1u << collector) == 0)
            continue;
        if (!drivers[collector]->collect(agent, report, event)) {
            close_window(agent, collector, now_s);
            continue;
        }
        stamp(agent, collector, now_s, event);
        report->event_count++;
        report->collectors |= (uint8_t)(1u << collector);
    }
}

static bool send(struct picket_agent *agent, const struct picket_report *report)
{
    const struct picket_agent_callbacks *callbacks = &agent->config.callbacks;
    struct picket_wire_message message = {
        .security_module_id = agent->config.security_module_id,
        .security_module_version = PICKET_WIRE_VERSION(
            PICKET_AGENT_VERSION_MAJOR, PICKET_AGENT_VERSION_MINOR, PICKET_AGENT_VERSION_PATCH),
        .events = report->events,
        .event_count = report->event_count,
    };
    if (!callbacks->connected(callbacks->context))
        return false;
    bool accepted = callbacks->send(callbacks->context, &message) == PICKET_SEND_ACCEPTED;
    uint32_t *counter = accepted ? &agent->messages_sent : &agent->messages_refused;
    picket_saturating_increment(counter);
    return accepted;
}

static void settle(struct picket_agent *agent, struct picket_report *report, bool accepted,
                   uint32_t now_s)
{
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++) {
        if ((report->collectors & 1u << collector) == 0)
            continue;
        bool more = false;
        if (drivers[collector]->settle != NULL)
            more = drivers[collector]->settle(agent, report, accepted);
        if (accepted && !more)
            close_window(agent, collector, now_s);
    }
}

bool picket_report_owed(struct picket_agent *agent, uint32_t now_s)
{
    struct picket_report report;
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++)
        report.frozen[family].bucket = 0;
    while (agent->owed != 0) {
        collect(agent, &report, now_s);
        if (report.event_count == 0)
            break;
        bool accepted = send(agent, &report);
        settle(agent, &report, accepted, now_s);
        if (!accepted)
            return false;
    }
    return true;
}
