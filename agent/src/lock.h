/* The lock between packet hooks and poll(): held for one table operation, never around a callback.
 * It is the only lock of the core, and nothing else is taken under it. */
#ifndef PICKET_AGENT_SRC_LOCK_H
#define PICKET_AGENT_SRC_LOCK_H

#include "picket/agent/agent.h"

static inline uint32_t picket_lock(const struct picket_agent *agent)
{
    return agent->config.callbacks.lock(agent->config.callbacks.context);
}

static inline void picket_unlock(const struct picket_agent *agent, uint32_t posture)
{
    agent->config.callbacks.unlock(agent->config.callbacks.context, posture);
}

#endif
