/* What may change while the agent runs. */
#include "flow_table.h"
#include "lock.h"
#include "schedule.h"

bool picket_agent_set_intervals(struct picket_agent *agent,
                                const uint32_t interval_s[PICKET_PRIORITIES])
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++)
        if (interval_s[priority] == 0 || interval_s[priority] > PICKET_TIME_MAX_S)
            return false;
    uint32_t now_s = callbacks->uptime_s(callbacks->context);
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++) {
        if (agent->interval_s[priority] == interval_s[priority])
            continue;
        agent->interval_s[priority] = interval_s[priority];
        agent->due_s[priority] = now_s + interval_s[priority];
    }
    return true;
}

/* A table without capacity admits no flow, and calls none lost. */
static void set_counting(struct picket_agent *agent, bool counting)
{
    uint32_t posture = picket_lock(agent);
    agent->tables[PICKET_IPV4].capacity =
        counting ? (picket_flow_index)agent->config->ipv4.capacity : 0;
#if PICKET_AGENT_IPV6
    agent->tables[PICKET_IPV6].capacity =
        counting ? (picket_flow_index)agent->config->ipv6.capacity : 0;
#endif
    picket_unlock(agent, posture);
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++)
        agent->tables[family].next_bucket = 0; /* a report begins with the first */
}

bool picket_agent_set_collector(struct picket_agent *agent, enum picket_collector collector,
                                const struct picket_collector_config *config)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    if ((unsigned)collector >= PICKET_COLLECTORS || (unsigned)config->priority >= PICKET_PRIORITIES)
        return false;
    bool was_enabled = agent->collectors[collector].enabled;
    agent->collectors[collector] = *config;
    if (collector == PICKET_COLLECTOR_NETWORK_ACTIVITY)
        set_counting(agent, config->enabled);
    if (config->enabled && !was_enabled)
        agent->window_start_s[collector] = callbacks->uptime_s(callbacks->context);
    return true;
}
