#include "report.h"

#include "collector.h"
#include "schedule.h"

/* In the order of enum picket_collector. */
static picket_collect *const collectors[PICKET_COLLECTORS] = {
    picket_network_activity_collect,
    picket_system_information_collect,
    picket_heartbeat_collect,
#if PICKET_AGENT_LISTENING_PORTS > 0
    picket_listening_ports_collect,
#endif
};

/* Moves between the states; returns whether there is a connection. */
static bool look_for_connection(struct picket_agent *agent, uint32_t now_s)
{
    const struct picket_agent_config *config = agent->config;
    if (config->callbacks.connected(config->callbacks.context)) {
        agent->state = PICKET_AGENT_ACTIVE;
        agent->connected_s = now_s;
        return true;
    }
    agent->state = now_s - agent->connected_s >= config->pending_time_s ? PICKET_AGENT_SUSPENDED
                                                                        : PICKET_AGENT_PENDING;
    /* Whatever failed, failed for want of a connection: with it, at once. */
    agent->retry_s = now_s;
    return false;
}

static void stamp(struct picket_agent *agent, unsigned collector, struct picket_wire_event *event)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    callbacks->random(callbacks->context, event->id, sizeof event->id);
    event->time_s = callbacks->unix_time_s(callbacks->context);
    event->collection_interval_s = agent->interval_s[agent->collectors[collector].priority];
    event->duration_s = agent->collected_s - agent->window_start_s[collector];
}

/* Collects what is owed, so that nothing is, and hands it over. */
static enum picket_send_result send_owed(struct picket_agent *agent)
{
    const struct picket_agent_config *config = agent->config;
    struct picket_report report;
    report.event_count = 0;
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++) {
        struct picket_wire_event *event = &report.events[report.event_count];
        if ((agent->owed & 1u << collector) == 0 || !agent->collectors[collector].enabled)
            continue;
        bool any = collectors[collector](agent, &report, event);
        if (any) {
            stamp(agent, collector, event);
            report.event_count++;
            agent->on_way |= (uint8_t)(1u << collector);
        } else {
            agent->window_start_s[collector] = agent->collected_s;
        }
    }
    agent->owed = 0;
    if (report.event_count == 0)
        return PICKET_SEND_ACCEPTED;
    const struct picket_wire_message message = {
        .security_module_id = config->security_module_id,
        .security_module_version = PICKET_WIRE_VERSION(
            PICKET_AGENT_VERSION_MAJOR, PICKET_AGENT_VERSION_MINOR, PICKET_AGENT_VERSION_PATCH),
        .events = report.events,
        .event_count = report.event_count,
    };
    return config->callbacks.send(config->callbacks.context, &message);
}

/* The outcome of the message on its way. */
static enum picket_send_result outcome(struct picket_agent *agent, uint32_t now_s)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    enum picket_send_result result = callbacks->delivered(callbacks->context);
    if (result == PICKET_SEND_PENDING &&
        now_s - agent->collected_s >= PICKET_AGENT_DELIVERY_TIMEOUT_S)
        return PICKET_SEND_REFUSED;
    return result;
}

/* What was on its way has arrived, or is back in its place. */
static void settle(struct picket_agent *agent, bool delivered, uint32_t now_s)
{
    const uint8_t activity = 1u << PICKET_COLLECTOR_NETWORK_ACTIVITY;
    uint8_t told = agent->on_way;
    agent->on_way = 0;
    bool more = (told & activity) != 0 && picket_network_activity_settle(agent, delivered);
    if (!delivered) {
        agent->owed |= told;
        agent->messages_refused++;
        agent->retry_s = now_s + agent->config->send_retry_s;
        return;
    }
    agent->messages_sent += told != 0;
    agent->retry_s = now_s;
    if (more) {
        agent->owed |= activity;
        told &= (uint8_t)~activity;
    }
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++)
        if ((told & 1u << collector) != 0)
            agent->window_start_s[collector] = agent->collected_s;
}

uint32_t picket_report_owed(struct picket_agent *agent, uint32_t now_s)
{
    for (;;) {
        enum picket_send_result result;
        bool connected = look_for_connection(agent, now_s);
        if (agent->on_way != 0) {
            result = outcome(agent, now_s);
        } else if (!connected) {
            return agent->state == PICKET_AGENT_PENDING ? agent->config->send_retry_s : UINT32_MAX;
        } else if (agent->owed == 0) {
            return UINT32_MAX;
        } else if (!picket_reached(now_s, agent->retry_s)) {
            return agent->retry_s - now_s;
        } else {
            agent->collected_s = now_s;
            result = send_owed(agent);
        }
        if (result == PICKET_SEND_PENDING)
            return 1;
        settle(agent, result == PICKET_SEND_ACCEPTED, now_s);
    }
}
