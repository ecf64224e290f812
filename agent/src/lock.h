/* The lock between packet hooks and poll(): held for one table operation, never around a callback.
 * It is the only lock of the core, and nothing else is taken under it. */
#ifndef PICKET_AGENT_SRC_LOCK_H
#define PICKET_AGENT_SRC_LOCK_H

#include "memory.h"
#include "picket/agent/agent.h"

static inline uint32_t picket_lock(const struct picket_agent *agent)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    return callbacks->lock(callbacks->context);
}

static inline void picket_unlock(const struct picket_agent *agent, uint32_t posture)
{
    const struct picket_agent_callbacks *callbacks = &agent->config->callbacks;
    callbacks->unlock(callbacks->context, posture);
}

/* Lets others come in between. */
static inline uint32_t picket_relock(const struct picket_agent *agent, uint32_t posture)
{
    picket_unlock(agent, posture);
    return picket_lock(agent);
}

#endif
