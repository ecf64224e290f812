/* The hash of a flow: 32 bits, of which any part is fit to choose a bucket.
 *
 * Multiply-shift for vectors, with one multiplication for two words where there are pairs (Thorup,
 * "High Speed Hashing for Integers and Strings", 2015, section 3.5). All in 64 bits:
 *
 *     Σ (local[i] + address[2i]) × (remote[i] + address[2i + 1])  +  ports × k  +  k[protocol]   >>
 * 32
 *
 * It is strongly universal: whoever does not know the keys, which are drawn at random at each
 * start, makes two flows meet in a bucket with a probability of 1/buckets, whatever he chooses.
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
    uint32_t ports;     /* local << 16 | remote */
    uint_fast32_t hash; /* 32 bits, in what a register holds */
    uint8_t protocol;
};

PICKET_HOT uint_fast32_t picket_flow_hash(const struct picket_flow_hash_keys *keys,
                                          const struct picket_flow_key *key, uint32_t address_words)
{
    uint64_t sum = key->ports * keys->ports + keys->protocol[key->protocol];
    PICKET_UNROLL_4
    for (uint32_t i = 0; i < address_words; i++)
        sum += (picket_word(key->local + 4 * i) + keys->address[2 * i]) *
               (picket_word(key->remote + 4 * i) + keys->address[2 * i + 1]);
    return (uint_fast32_t)(sum >> 32);
}

#endif
