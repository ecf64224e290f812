/* The hash of a flow: 32 bits, of which any part is fit to choose a bucket.
 *
 * Pair-multiply-shift (Thorup, "High Speed Hashing for Integers and Strings", 2015, section 3.5), one
 * multiplication for two words of the flow:
 *
 *     ( (local[0] + k0) × (remote[0] + k1) + … + (ports + k8) × (protocol + k9) + k10 ) >> 32
 *
 * It is strongly universal: whoever does not know the keys, which are drawn at random at each start,
 * makes two flows meet in a bucket with a probability of 1/buckets, whatever he chooses.
 */
#ifndef PICKET_AGENT_SRC_FLOW_HASH_H
#define PICKET_AGENT_SRC_FLOW_HASH_H

#include <stdint.h>

#include "memory.h"
#include "picket/agent/flow_table.h"

/* What tells a flow from another, and the hash of it. */
struct picket_flow_key {
    const uint8_t *local; /* 4 or 16 bytes, any alignment */
    const uint8_t *remote;
    uint32_t ports; /* local << 16 | remote */
    uint32_t hash;
    uint8_t protocol;
};

PICKET_HOT uint32_t picket_flow_hash(const struct picket_flow_hash_keys *keys,
                                     const struct picket_flow_key *key, uint32_t address_words)
{
    const uint64_t *k = keys->words;
    uint64_t sum = (key->ports + k[8]) * (key->protocol + k[9]) + k[10];
    for (uint32_t i = 0; i < address_words; i++)
        sum += (picket_word(key->local + 4 * i) + k[2 * i]) *
               (picket_word(key->remote + 4 * i) + k[2 * i + 1]);
    return (uint32_t)(sum >> 32);
}

#endif
