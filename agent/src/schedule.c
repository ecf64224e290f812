#include "schedule.h"

void picket_schedule_start(struct picket_agent *agent, uint32_t now_s)
{
    const struct picket_agent_config *config = agent->config;
    uint32_t spread_s = config->first_delay_max_s - config->first_delay_min_s + 1;
    uint32_t drawn;
    config->callbacks.random(config->callbacks.context, &drawn, sizeof drawn);
    uint32_t first_s = now_s + config->first_delay_min_s + drawn % spread_s;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++)
        agent->due_s[priority] = first_s;
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++)
        agent->window_start_s[collector] = now_s;
    agent->connected_s = now_s;
    agent->retry_s = now_s;
    agent->early_report_s =
        now_s - config->early_report_min_interval_s; /* the first may be at once */
}

/* The enabled collectors of one group, a bit each. */
static uint8_t members(const struct picket_agent *agent, unsigned priority)
{
    uint8_t set = 0;
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++) {
        const struct picket_collector_config *config = &agent->collectors[collector];
        if (config->enabled && config->priority == priority)
            set |= (uint8_t)(1u << collector);
    }
    return set;
}

uint32_t picket_schedule_advance(struct picket_agent *agent, uint32_t now_s)
{
    uint32_t wait_s = UINT32_MAX;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++) {
        uint8_t set = members(agent, priority);
        uint32_t late_s = now_s - agent->due_s[priority];
        if (picket_reached(now_s, agent->due_s[priority])) {
            uint32_t interval_s = agent->interval_s[priority];
            agent->due_s[priority] = now_s - late_s % interval_s + interval_s;
            agent->owed |= set;
        }
        uint32_t due_in_s = agent->due_s[priority] - now_s;
        if (set != 0 && due_in_s < wait_s)
            wait_s = due_in_s;
    }
    return wait_s;
}
