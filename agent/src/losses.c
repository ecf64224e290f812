#include "losses.h"

enum { SKETCH_WORDS = PICKET_AGENT_LOST_FLOW_BITS / 32 };

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
    if (flows == 0 && (losses->bytes[PICKET_IN] | losses->bytes[PICKET_OUT]) != 0)
        flows = 1;
    return flows;
}
