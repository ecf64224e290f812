/* What tells a flow from another: ports, local address, remote address, protocol.
 *
 * Where speed is asked for, a key points into the packet; where size is, it is a copy in the order
 * of a table's entries, so that one comparison and one copy are calls of libc. */
#ifndef PICKET_AGENT_SRC_FLOW_KEY_H
#define PICKET_AGENT_SRC_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "picket/agent/flow_table.h"

enum { PICKET_ADDRESS_WORDS_MAX = PICKET_AGENT_IPV6 ? 4 : 1 };

struct picket_flow_key {
#if PICKET_FOR_SPEED
    const uint8_t *local; /* 4 or 16 bytes, any alignment */
    const uint8_t *remote;
    uint_fast32_t ports; /* local, remote: as they lie in a packet that goes out */
#else
    uint32_t words[1 + 2 * PICKET_ADDRESS_WORDS_MAX]; /* ports, local, remote */
#endif
    uint_fast32_t protocol; /* enum picket_wire_protocol */
    uint32_t hash;          /* picket_flow_hash() */
};

/* An entry's words from its ports on: ports, local address, remote address. */
PICKET_HOT uint32_t *picket_flow_key_words(struct picket_flow_head *flow)
{
    return &flow->ports;
}

#if PICKET_FOR_SPEED

/* Of a packet with ports and addresses, source before destination, as they lie there. */
PICKET_HOT void picket_flow_key_of_packet(struct picket_flow_key *key, const uint8_t *addresses,
                                          uint_fast32_t ports, enum picket_direction direction,
                                          uint32_t address_words)
{
    const uint8_t *destination = addresses + 4 * address_words;
    bool out = direction == PICKET_OUT;
    key->local = out ? addresses : destination;
    key->remote = out ? destination : addresses;
    key->ports = out ? ports : (uint32_t)ports << 16 | (uint32_t)ports >> 16;
}

PICKET_HOT const uint8_t *picket_flow_key_local(const struct picket_flow_key *key)
{
    return key->local;
}

PICKET_HOT uint32_t picket_flow_key_local_word(const struct picket_flow_key *key, uint32_t i)
{
    return picket_word(key->local + 4 * i);
}

PICKET_HOT uint32_t picket_flow_key_remote_word(const struct picket_flow_key *key, uint32_t i,
                                                uint32_t address_words)
{
    (void)address_words;
    return picket_word(key->remote + 4 * i);
}

PICKET_HOT uint_fast32_t picket_flow_key_ports(const struct picket_flow_key *key)
{
    return key->ports;
}

/* Whether both addresses are next to each other in the packet as they are in an entry. */
PICKET_HOT bool picket_flow_key_contiguous(const struct picket_flow_key *key,
                                           uint32_t address_words)
{
    return key->remote == key->local + 4 * address_words;
}

PICKET_HOT bool picket_flow_is(struct picket_flow_head *flow, const struct picket_flow_key *key,
                               uint32_t address_words)
{
    const uint32_t *local = picket_flow_key_words(flow) + 1;
    if (flow->ports != (uint32_t)key->ports)
        return false;
    if (picket_flow_key_contiguous(key, address_words))
        return picket_same_words(local, key->local, 2 * address_words);
    return picket_same_words(local + address_words, key->remote, address_words) &&
           picket_same_words(local, key->local, address_words);
}

/* Writes the key into an entry. */
PICKET_HOT void picket_flow_name(struct picket_flow_head *flow, const struct picket_flow_key *key,
                                 uint32_t address_words)
{
    uint32_t *local = picket_flow_key_words(flow) + 1;
    flow->ports = (uint32_t)key->ports;
    if (picket_flow_key_contiguous(key, address_words)) {
        picket_copy(local, key->local, 8 * address_words);
    } else {
        picket_copy(local, key->local, 4 * address_words);
        picket_copy(local + address_words, key->remote, 4 * address_words);
    }
}

/* Of an entry, into which the key may point. */
PICKET_HOT void picket_flow_key_of_flow(struct picket_flow_key *key, struct picket_flow_head *flow,
                                        uint32_t address_words)
{
    const uint32_t *words = picket_flow_key_words(flow);
    picket_flow_key_of_packet(key, (const uint8_t *)(words + 1), words[0], PICKET_OUT,
                              address_words);
}

#else

PICKET_HOT void picket_flow_key_of_packet(struct picket_flow_key *key, const uint8_t *addresses,
                                          uint_fast32_t ports, enum picket_direction direction,
                                          uint32_t address_words)
{
    uint32_t turned = direction == PICKET_OUT ? 0 : address_words;
    key->words[0] = turned == 0 ? (uint32_t)ports : (uint32_t)ports << 16 | (uint32_t)ports >> 16;
    for (uint32_t i = 0; i < 2 * address_words; i++)
        key->words[1 + (i ^ turned)] = picket_word(addresses + 4 * i);
}

PICKET_HOT const uint8_t *picket_flow_key_local(const struct picket_flow_key *key)
{
    return (const uint8_t *)&key->words[1];
}

PICKET_HOT uint32_t picket_flow_key_local_word(const struct picket_flow_key *key, uint32_t i)
{
    return key->words[1 + i];
}

PICKET_HOT uint32_t picket_flow_key_remote_word(const struct picket_flow_key *key, uint32_t i,
                                                uint32_t address_words)
{
    return key->words[1 + address_words + i];
}

PICKET_HOT uint_fast32_t picket_flow_key_ports(const struct picket_flow_key *key)
{
    return key->words[0];
}

PICKET_HOT bool picket_flow_is(struct picket_flow_head *flow, const struct picket_flow_key *key,
                               uint32_t address_words)
{
    return memcmp(picket_flow_key_words(flow), key->words, 4 + 8 * address_words) == 0;
}

PICKET_HOT void picket_flow_name(struct picket_flow_head *flow, const struct picket_flow_key *key,
                                 uint32_t address_words)
{
    memcpy(picket_flow_key_words(flow), key->words, 4 + 8 * address_words);
}

PICKET_HOT void picket_flow_key_of_flow(struct picket_flow_key *key, struct picket_flow_head *flow,
                                        uint32_t address_words)
{
    memcpy(key->words, picket_flow_key_words(flow), 4 + 8 * address_words);
}

#endif

#endif
