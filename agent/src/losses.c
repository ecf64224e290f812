#include "losses.h"

#include "memory.h"

enum { SKETCH_WORDS = PICKET_AGENT_LOST_FLOW_BITS / 32 };

void picket_losses_add(struct picket_losses *losses, uint32_t flow_hash,
                       enum picket_direction direction, uint32_t bytes)
{
    /* The middle: flows of a full bucket, whose upper bits agree, are told apart. */
    uint32_t bit = (flow_hash >> 12) % PICKET_AGENT_LOST_FLOW_BITS;
    losses->sketch[bit / 32] |= UINT32_C(1) << bit % 32;
    losses->bytes[direction] = picket_saturating_add(losses->bytes[direction], bytes);
}

void picket_losses_merge(struct picket_losses *losses, const struct picket_losses *more)
{
    for (uint32_t i = 0; i < SKETCH_WORDS; i++)
        losses->sketch[i] |= more->sketch[i];
    for (uint32_t direction = PICKET_IN; direction <= PICKET_OUT; direction++)
        losses->bytes[direction] =
            picket_saturating_add(losses->bytes[direction], more->bytes[direction]);
}

uint32_t picket_losses_flows(const struct picket_losses *losses)
{
    uint32_t flows = 0;
    for (uint32_t i = 0; i < SKETCH_WORDS; i++)
        for (uint32_t bits = losses->sketch[i]; bits != 0; bits &= bits - 1)
            flows++;
    return flows;
}
