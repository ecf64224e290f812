/* What did not fit the table: bytes, and a lower bound of the number of flows they belonged to.
 *
 * Flows are not remembered, each only sets the bit that its hash points to (linear counting, Whang
 * et al. 1990, without the estimate). Two flows of one bit count as one: never too many are
 * reported. */
#ifndef PICKET_AGENT_SRC_LOSSES_H
#define PICKET_AGENT_SRC_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "picket/agent/flow_table.h"

/* Of a flow that is not known. */
static inline void picket_losses_add_bytes(struct picket_losses *losses,
                                           enum picket_direction direction, uint32_t bytes)
{
    losses->bytes[direction] = picket_saturating_add(losses->bytes[direction], bytes);
}

static inline void picket_losses_add(struct picket_losses *losses, uint32_t flow_hash,
                                     enum picket_direction direction, uint32_t bytes)
{
    /* The middle: flows of a full bucket, whose upper bits agree, are told apart. */
    uint32_t bit = (flow_hash >> 12) % PICKET_AGENT_LOST_FLOW_BITS;
    losses->sketch[bit / 32] |= UINT32_C(1) << bit % 32;
    picket_losses_add_bytes(losses, direction, bytes);
}

/* Adds what is in `more`. */
void picket_losses_merge(struct picket_losses *losses, const struct picket_losses *more);

/* The number of distinct flows, at least; not 0 if there are bytes. */
uint32_t picket_losses_flows(const struct picket_losses *losses);

#endif
