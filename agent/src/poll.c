#include "picket/agent/agent.h"

#include "flow_table.h"
#include "lock.h"
#include "report.h"
#include "schedule.h"

enum { ACTIVITY = 1u << PICKET_COLLECTOR_NETWORK_ACTIVITY };

static uint32_t uptime_s(const struct picket_agent *agent)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    return callbacks->uptime_s(callbacks->context);
}

static bool filling_up(const struct picket_agent *agent)
{
    bool filling = false;
    uint32_t posture = picket_lock(agent);
    for (uint32_t family = 0; family < PICKET_FAMILIES; family++)
        filling |= picket_flow_table_filling(&agent->tables[family]);
    picket_unlock(agent, posture);
    return filling;
}

/* Owes an early report if a table is filling up. Returns the seconds until one may be; UINT32_MAX:
 * none is wanted. */
static uint32_t report_early(struct picket_agent *agent, uint32_t now_s)
{
    uint32_t min_interval_s = agent->config->early_report_min_interval_s;
    uint32_t since_s = now_s - agent->early_report_s;
    if (!agent->collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].enabled ||
        (agent->owed & ACTIVITY) != 0 || !filling_up(agent))
        return UINT32_MAX;
    if (since_s < min_interval_s)
        return min_interval_s - since_s;
    agent->owed |= ACTIVITY;
    agent->early_report_s = now_s;
    agent->early_reports++;
    return UINT32_MAX;
}

static uint32_t sooner(uint32_t a_s, uint32_t b_s)
{
    return a_s < b_s ? a_s : b_s;
}

uint32_t picket_agent_poll(struct picket_agent *agent)
{
    uint32_t now_s = uptime_s(agent);
    uint32_t due_s = picket_schedule_advance(agent, now_s);
    uint32_t early_s = report_early(agent, now_s);
    return sooner(sooner(due_s, early_s), picket_report_owed(agent, now_s));
}

enum picket_send_result picket_agent_flush(struct picket_agent *agent)
{
    uint32_t now_s = uptime_s(agent);
    agent->owed = (1u << PICKET_COLLECTORS) - 1;
    agent->retry_s = now_s;
    picket_report_owed(agent, now_s);
    if (agent->on_way != 0)
        return PICKET_SEND_PENDING;
    return agent->owed == 0 ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED;
}
