#include "picket/agent/agent.h"

#include <string.h>

#include "flow_table.h"
#include "lock.h"
#include "schedule.h"

uint32_t picket_agent_no_lock(void *context)
{
    (void)context;
    return 0;
}

void picket_agent_no_unlock(void *context, uint32_t posture)
{
    (void)context;
    (void)posture;
}

uint32_t picket_agent_no_clock(void *context)
{
    (void)context;
    return UINT32_MAX;
}

static bool time_valid(uint32_t time_s)
{
    return time_s != 0 && time_s <= PICKET_TIME_MAX_S;
}

bool picket_agent_config_valid(const struct picket_agent_config *config)
{
    const struct picket_agent_callbacks *callbacks = &config->callbacks;
    if (callbacks->lock == NULL || callbacks->unlock == NULL || callbacks->uptime_s == NULL ||
        callbacks->unix_time_s == NULL || callbacks->random == NULL ||
        callbacks->connected == NULL || callbacks->send == NULL)
        return false;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++)
        if (!time_valid(config->interval_s[priority]))
            return false;
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++)
        if (config->collectors[collector].priority >= PICKET_PRIORITIES)
            return false;
    if (config->security_module_id == NULL ||
        config->first_delay_min_s > config->first_delay_max_s ||
        config->first_delay_max_s > PICKET_TIME_MAX_S || !time_valid(config->send_retry_s) ||
        config->early_report_min_interval_s > PICKET_TIME_MAX_S)
        return false;
#if PICKET_AGENT_IPV6
    if (!picket_flow_storage_valid(&config->ipv6, 4))
        return false;
#endif
    return picket_flow_storage_valid(&config->ipv4, 1);
}

void picket_agent_init(struct picket_agent *agent, const struct picket_agent_config *config)
{
    const struct picket_agent_callbacks *callbacks = &config->callbacks;
    memset(agent, 0, sizeof *agent);
    agent->config = config;
    agent->system_information = config->system_information;
    memcpy(agent->interval_s, config->interval_s, sizeof agent->interval_s);
    memcpy(agent->collectors, config->collectors, sizeof agent->collectors);
    picket_flow_table_init(&agent->tables[PICKET_IPV4], &config->ipv4, 1);
#if PICKET_AGENT_IPV6
    picket_flow_table_init(&agent->tables[PICKET_IPV6], &config->ipv6, 4);
#endif
    callbacks->random(callbacks->context, &agent->hash_keys, sizeof agent->hash_keys);
    picket_schedule_start(agent, callbacks->uptime_s(callbacks->context));
}

enum picket_agent_state picket_agent_state(const struct picket_agent *agent)
{
    return (enum picket_agent_state)agent->state;
}

void picket_agent_statistics(struct picket_agent *agent, struct picket_agent_statistics *out)
{
    uint32_t posture = picket_lock(agent);
    out->packets_counted = agent->packets_counted;
    out->packets_lost = agent->packets_lost;
    out->packets_ignored = agent->packets_ignored;
    picket_unlock(agent, posture);
    out->messages_sent = agent->messages_sent;
    out->messages_refused = agent->messages_refused;
    out->early_reports = agent->early_reports;
    out->message_on_way = agent->on_way != 0;
}
