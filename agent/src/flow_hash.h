/* The hash of a flow: of its bits the upper ones choose the bucket, the last two are the protocol.
 *
 * Multiply-shift for vectors (Thorup, "High Speed Hashing for Integers and Strings", 2015, section
 * 3.5), all in 64 bits, over ports, local address, remote address:
 *
 *     x = key of the protocol  +  Σ word[i] × key[i]
 *     hash = upper bits of ((upper(x) xor lower(x)) × 0x9E3779B1), then the protocol
 *
 * Of any two flows, whoever does not know the keys, drawn at random at each start, makes the hashes
 * meet in a bucket with a probability of 1/buckets, whatever he chooses: upper(x) alone has that
 * property, and the second line keeps it, since upper(x) is independent of lower(x) and the
 * multiplication maps one to one. The second line is there for sequences, such as a scan of ports:
 * upper(x) alone puts them into few buckets for some keys, with one filling of a table of 64 in 30
 * losing flows to a chain that is full. With it, none more than at random; tests/test_collisions.c.
 */
#ifndef PICKET_AGENT_SRC_FLOW_HASH_H
#define PICKET_AGENT_SRC_FLOW_HASH_H

#include <stdint.h>

#include "flow_key.h"
#include "picket/agent/flow_table.h"

enum { PICKET_HASH_PROTOCOL_BITS = 2, PICKET_HASH_PROTOCOL = 3 };

/* It fits a picket_flow_index. */
PICKET_HOT uint32_t picket_flow_hash(const struct picket_flow_hash_keys *keys,
                                     const picket_flow_key *key, uint32_t protocol,
                                     uint32_t address_words)
{
    uint64_t sum = keys->protocol[protocol];
    PICKET_UNROLL_9
    for (uint32_t i = 0; i < 1 + 2 * address_words; i++)
        sum += (uint64_t)picket_flow_key_word(key, i, address_words) * keys->words[i];
    uint32_t mixed = ((uint32_t)(sum >> 32) ^ (uint32_t)sum) * UINT32_C(0x9E3779B1);
    uint32_t upper = mixed >> (32 + PICKET_HASH_PROTOCOL_BITS - PICKET_AGENT_INDEX_BITS);
    return (upper << PICKET_HASH_PROTOCOL_BITS) + protocol;
}

#endif
