/* What did not fit the table: bytes, and a lower bound of the number of flows they belonged to.
 *
 * Flows are not remembered, each only sets the bit that its hash points to (linear counting, Whang
 * et al. 1990, without the estimate). Two flows of one bit count as one: never too many are
 * reported. */
#ifndef PICKET_AGENT_SRC_LOSSES_H
#define PICKET_AGENT_SRC_LOSSES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "flow_hash.h"
#include "memory.h"
#include "picket/agent/agent.h"

/* The bits behind the protocol: flows of a full bucket, whose upper bits agree, are told apart. */
static inline void picket_losses_add_flow(struct picket_agent *agent, uint32_t hash)
{
    uint32_t bit = (hash >> PICKET_HASH_PROTOCOL_BITS) % PICKET_AGENT_LOST_FLOW_BITS;
    uint32_t mask = UINT32_C(1) << bit % 32;
    uint32_t *word = &agent->lost_flows[bit / 32];
    agent->losses.flows += (*word & mask) == 0;
    *word |= mask;
}

/* Moves all that was lost to what has to be told. A message that was refused told of some: these
 * and the new ones may be the same flows, so the greater number counts. */
static inline void picket_losses_take(struct picket_agent *agent, struct picket_losses *told)
{
    const struct picket_losses *losses = &agent->losses;
    picket_add(&told->bytes[PICKET_IN], losses->bytes[PICKET_IN]);
    picket_add(&told->bytes[PICKET_OUT], losses->bytes[PICKET_OUT]);
    if (told->flows < losses->flows)
        told->flows = losses->flows;
    if (told->flows == 0 && (told->bytes[PICKET_IN] | told->bytes[PICKET_OUT]) != 0)
        told->flows = 1;
    memset(&agent->losses, 0, sizeof agent->losses);
    memset(agent->lost_flows, 0, sizeof agent->lost_flows);
}

#endif
