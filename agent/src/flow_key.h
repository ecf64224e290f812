/* What tells a flow from another, beside its protocol: ports, local address, remote address, as
 * they lie in a packet that goes out; in words, in the order of a table's entries. */
#ifndef PICKET_AGENT_SRC_FLOW_KEY_H
#define PICKET_AGENT_SRC_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "picket/agent/flow_table.h"

enum { PICKET_FLOW_KEY_WORDS_MAX = 1 + 2 * PICKET_ADDRESS_WORDS_MAX };

/* Of a packet with ports and addresses, source before destination, as they lie there. */
PICKET_HOT void picket_flow_key_of_packet(uint32_t *words, const uint8_t *addresses, uint32_t ports,
                                          enum picket_direction direction, uint32_t address_words)
{
    bool out = direction == PICKET_OUT;
    uint32_t *local = words + 1, *remote = words + 1 + address_words;
    words[0] = out ? ports : ports << 16 | ports >> 16;
    picket_load_words(out ? local : remote, addresses, address_words);
    picket_load_words(out ? remote : local, addresses + 4 * address_words, address_words);
}

PICKET_HOT bool picket_flow_is(const struct picket_flow_head *flow, const uint32_t *words,
                               uint32_t address_words)
{
    return picket_same_words(&flow->ports, words, 1 + 2 * address_words);
}

/* Writes the key into an entry. */
PICKET_HOT void picket_flow_name(struct picket_flow_head *flow, const uint32_t *words,
                                 uint32_t address_words)
{
    picket_copy(&flow->ports, words, 4 + 8 * address_words);
}

#endif
