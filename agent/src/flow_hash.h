/* The hash of a flow: 32 bits, the upper ones choose the bucket.
 *
 * Multiply-shift for vectors, with one multiplication for two words where there are pairs (Thorup,
 * "High Speed Hashing for Integers and Strings", 2015, section 3.5), all in 64 bits:
 *
 *     x = Σ (local[i] + address[2i]) × (remote[i] + address[2i + 1])  +  (protocol, ports) × k
 *     hash = (upper(x) xor lower(x)) × 4 × 0x9E3779B1  +  protocol
 *
 * Of any two flows, whoever does not know the keys, drawn at random at each start, makes the hashes
 * meet in a bucket with a probability of 1/buckets, whatever he chooses: upper(x) alone has that
 * property, and the second line keeps it, since upper(x) is independent of lower(x) and the
 * multiplication maps one to one but for the two bits that the protocol takes. The second line is
 * there for sequences, such as a scan of ports: upper(x) alone puts them into few buckets for some
 * keys, with one filling of a table of 64 in 30 losing flows to a chain that is full. With it, none
 * more than at random; tests/test_collisions.c.
 */
#ifndef PICKET_AGENT_SRC_FLOW_HASH_H
#define PICKET_AGENT_SRC_FLOW_HASH_H

#include <stdint.h>

#include "flow_key.h"

enum { PICKET_MARK_PROTOCOL = 3 }; /* the bits of the hash that are the protocol */

PICKET_HOT uint32_t picket_flow_hash(const struct picket_flow_hash_keys *keys,
                                     const struct picket_flow_key *key, uint32_t address_words)
{
    uint64_t sum = picket_flow_key_ports(key) * keys->ports;
    PICKET_UNROLL_4
    for (uint32_t i = 0; i < address_words; i++)
        sum += (picket_flow_key_local_word(key, i) + keys->address[2 * i]) *
               (picket_flow_key_remote_word(key, i, address_words) + keys->address[2 * i + 1]);
    uint32_t mixed = ((uint32_t)(sum >> 32) ^ (uint32_t)sum) + keys->protocol[key->protocol];
    return mixed * (UINT32_C(0x9E3779B1) << 2) + (uint32_t)key->protocol;
}

#endif
