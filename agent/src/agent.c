#include "picket/agent/agent.h"

#include <string.h>

#include "flow_table.h"
#include "lock.h"
#include "schedule.h"

void picket_agent_config_defaults(struct picket_agent_config *config)
{
    memset(config, 0, sizeof *config);
    config->security_module_id = PICKET_AGENT_SECURITY_MODULE_ID;
    config->collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].enabled =
        PICKET_AGENT_NETWORK_ACTIVITY_ENABLED;
    config->collectors[PICKET_COLLECTOR_NETWORK_ACTIVITY].priority = PICKET_PRIORITY_HIGH;
    config->collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].enabled =
        PICKET_AGENT_SYSTEM_INFORMATION_ENABLED;
    config->collectors[PICKET_COLLECTOR_SYSTEM_INFORMATION].priority = PICKET_PRIORITY_LOW;
    config->collectors[PICKET_COLLECTOR_HEARTBEAT].enabled = PICKET_AGENT_HEARTBEAT_ENABLED;
    config->collectors[PICKET_COLLECTOR_HEARTBEAT].priority = PICKET_PRIORITY_LOW;
#if PICKET_AGENT_LISTENING_PORTS > 0
    config->collectors[PICKET_COLLECTOR_LISTENING_PORTS].enabled =
        PICKET_AGENT_LISTENING_PORTS_ENABLED;
    config->collectors[PICKET_COLLECTOR_LISTENING_PORTS].priority = PICKET_PRIORITY_LOW;
#endif
    config->interval_s[PICKET_PRIORITY_HIGH] = PICKET_AGENT_HIGH_INTERVAL_S;
    config->interval_s[PICKET_PRIORITY_MEDIUM] = PICKET_AGENT_MEDIUM_INTERVAL_S;
    config->interval_s[PICKET_PRIORITY_LOW] = PICKET_AGENT_LOW_INTERVAL_S;
    config->first_delay_min_s = PICKET_AGENT_FIRST_DELAY_MIN_S;
    config->first_delay_max_s = PICKET_AGENT_FIRST_DELAY_MAX_S;
    config->send_retry_s = PICKET_AGENT_SEND_RETRY_S;
    config->pending_time_s = PICKET_AGENT_PENDING_TIME_S;
    config->early_report_min_interval_s = PICKET_AGENT_EARLY_REPORT_MIN_INTERVAL_S;
    config->send_empty_events = PICKET_AGENT_SEND_EMPTY_EVENTS;
    config->unicast_only = PICKET_AGENT_UNICAST_ONLY;
}

static uint32_t no_lock(void *context)
{
    (void)context;
    return 0;
}

static void no_unlock(void *context, uint32_t posture)
{
    (void)context;
    (void)posture;
}

static void replace_absent(struct picket_agent_config *config)
{
    static const uint32_t interval_s[PICKET_PRIORITIES] = {
        PICKET_AGENT_HIGH_INTERVAL_S, PICKET_AGENT_MEDIUM_INTERVAL_S, PICKET_AGENT_LOW_INTERVAL_S};
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++)
        if (config->interval_s[priority] == 0)
            config->interval_s[priority] = interval_s[priority];
    if (config->security_module_id == NULL)
        config->security_module_id = PICKET_AGENT_SECURITY_MODULE_ID;
    if (config->callbacks.lock == NULL) {
        config->callbacks.lock = no_lock;
        config->callbacks.unlock = no_unlock;
    }
}

static bool valid(const struct picket_agent_config *config)
{
    const struct picket_agent_callbacks *callbacks = &config->callbacks;
    if (callbacks->uptime_s == NULL || callbacks->random == NULL || callbacks->connected == NULL ||
        callbacks->send == NULL || (callbacks->lock == NULL) != (callbacks->unlock == NULL))
        return false;
    for (unsigned priority = 0; priority < PICKET_PRIORITIES; priority++)
        if (config->interval_s[priority] > PICKET_TIME_MAX_S)
            return false;
    for (unsigned collector = 0; collector < PICKET_COLLECTORS; collector++)
        if ((unsigned)config->collectors[collector].priority >= PICKET_PRIORITIES)
            return false;
    if (config->first_delay_min_s > config->first_delay_max_s ||
        config->first_delay_max_s > PICKET_TIME_MAX_S || config->send_retry_s > PICKET_TIME_MAX_S ||
        config->early_report_min_interval_s > PICKET_TIME_MAX_S)
        return false;
    return picket_flow_storage_valid(&config->ipv4, 1) &&
           (!PICKET_AGENT_IPV6 || picket_flow_storage_valid(&config->ipv6, 4));
}

bool picket_agent_init(struct picket_agent *agent, const struct picket_agent_config *config)
{
    if (!valid(config))
        return false;
    memset(agent, 0, sizeof *agent);
    agent->config = *config;
    replace_absent(&agent->config);
    picket_flow_table_init(&agent->tables[PICKET_IPV4], &agent->config.ipv4, 1);
#if PICKET_AGENT_IPV6
    picket_flow_table_init(&agent->tables[PICKET_IPV6], &agent->config.ipv6, 4);
#endif
    const struct picket_agent_callbacks *callbacks = &agent->config.callbacks;
    callbacks->random(callbacks->context, &agent->hash_keys, sizeof agent->hash_keys);
    uint32_t now_s = callbacks->uptime_s(callbacks->context);
    agent->connected_s = now_s;
    picket_schedule_start(agent, now_s);
    return true;
}

enum picket_agent_state picket_agent_state(const struct picket_agent *agent)
{
    return (enum picket_agent_state)agent->state;
}

void picket_agent_statistics(struct picket_agent *agent, struct picket_agent_statistics *out)
{
    uint32_t posture = picket_lock(agent);
    uint64_t packets_counted = agent->packets_counted;
    out->packets_lost = agent->packets_lost;
    out->packets_ignored = agent->packets_ignored;
    picket_unlock(agent, posture);
    out->packets_counted = packets_counted < UINT32_MAX ? (uint32_t)packets_counted : UINT32_MAX;
    out->messages_sent = agent->messages_sent;
    out->messages_refused = agent->messages_refused;
    out->early_reports = agent->early_reports;
}
