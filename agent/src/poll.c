#include "picket/agent/agent.h"

#include "flow_table.h"
#include "lock.h"
#include "memory.h"
#include "report.h"
#include "schedule.h"

static uint32_t uptime_s(const struct picket_agent *agent)
{
    return agent->config.callbacks.uptime_s(agent->config.callbacks.context);
}

/* Moves between the states; returns whether there is a connection. */
static bool look_for_connection(struct picket_agent *agent, uint32_t now_s)
{
    if (agent->config.callbacks.connected(agent->config.callbacks.context)) {
        agent->state = PICKET_AGENT_ACTIVE;
        agent->connected_s = now_s;
        return true;
    }
    if (agent->state != PICKET_AGENT_SUSPENDED)
        agent->state = now_s - agent->connected_s >= agent->config.pending_time_s
                           ? PICKET_AGENT_SUSPENDED
                           : PICKET_AGENT_PENDING;
    /* Whatever failed, failed for want of a connection: with it, at once. */
    agent->retrying = false;
    return false;
}

static bool filling_up(const struct picket_agent *agent)
{
    bool filling = false;
    uint32_t posture = picket_lock(agent);
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++) {
        const struct picket_flow_table *table = &agent->tables[family];
        if (table->capacity > 0 && table->live >= table->early_at)
            filling = true;
    }
    picket_unlock(agent, posture);
    return filling;
}

/* Seconds until an early report may go out; 0: now; UINT32_MAX: none is wanted. */
static uint32_t early_report_wait_s(const struct picket_agent *agent, uint32_t now_s)
{
    if (!agent->config.collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].enabled ||
        (agent->owed & 1u << PICKET_COLLECTOR_NETWORK_ACTIVITY) != 0 || !filling_up(agent))
        return UINT32_MAX;
    uint32_t since_s = now_s - agent->early_report_s;
    if (!agent->reported_early || since_s >= agent->config.early_report_min_interval_s)
        return 0;
    return agent->config.early_report_min_interval_s - since_s;
}

static void report_early(struct picket_agent *agent, uint32_t now_s)
{
    agent->owed |= 1u << PICKET_COLLECTOR_NETWORK_ACTIVITY;
    agent->early_report_s = now_s;
    agent->reported_early = true;
    picket_saturating_increment(&agent->early_reports);
}

static bool attempt(struct picket_agent *agent, uint32_t now_s)
{
    bool delivered = picket_report_owed(agent, now_s);
    agent->retrying = !delivered;
    agent->retry_s = now_s + agent->config.send_retry_s;
    return delivered;
}

static uint32_t sooner(uint32_t a_s, uint32_t b_s)
{
    return a_s < b_s ? a_s : b_s;
}

static uint32_t next_poll_s(const struct picket_agent *agent, bool connected, uint32_t now_s)
{
    uint32_t wait_s = picket_schedule_wait_s(agent, now_s);
    if (connected) {
        if (agent->retrying)
            wait_s = sooner(wait_s, agent->retry_s - now_s);
        wait_s = sooner(wait_s, early_report_wait_s(agent, now_s));
    } else if (agent->state == PICKET_AGENT_PENDING) {
        wait_s = sooner(wait_s, agent->config.send_retry_s);
    }
    return wait_s > 0 ? wait_s : 1;
}

uint32_t picket_agent_poll(struct picket_agent *agent)
{
    uint32_t now_s = uptime_s(agent);
    bool connected = look_for_connection(agent, now_s);
    picket_schedule_advance(agent, now_s);
    if (connected && early_report_wait_s(agent, now_s) == 0)
        report_early(agent, now_s);
    bool retry_due = !agent->retrying || picket_reached(now_s, agent->retry_s);
    if (connected && agent->owed != 0 && retry_due)
        attempt(agent, now_s);
    return next_poll_s(agent, connected, now_s);
}

bool picket_agent_flush(struct picket_agent *agent)
{
    agent->owed = picket_schedule_enabled(agent);
    return attempt(agent, uptime_s(agent));
}
