/* What tells a flow from another, beside its protocol: ports, local address, remote address, as
 * they lie in a packet that goes out. Its words are in that order, as in a table's entries and in a
 * reading; where speed is asked for, a packet that is counted at once is not copied: the key points
 * into it. */
#ifndef PICKET_AGENT_SRC_FLOW_KEY_H
#define PICKET_AGENT_SRC_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "picket/agent/flow_table.h"

/* Writes the words of a packet's key, of its ports and addresses, source before destination, as
 * they lie there. */
PICKET_HOT void picket_flow_key_write(uint32_t *words, const uint8_t *addresses, uint32_t ports,
                                      enum picket_direction direction, uint32_t address_words)
{
    bool out = direction == PICKET_OUT;
    uint32_t *local = words + 1, *remote = words + 1 + address_words;
    words[0] = out ? ports : ports << 16 | ports >> 16;
    picket_load_words(out ? local : remote, addresses, address_words);
    picket_load_words(out ? remote : local, addresses + 4 * address_words, address_words);
}

#if PICKET_FOR_SPEED

typedef struct {
    const uint8_t *local; /* any alignment */
    const uint8_t *remote;
    uint_fast32_t ports;
} picket_flow_key;

PICKET_HOT picket_flow_key picket_flow_key_of_packet(const uint8_t *addresses, uint_fast32_t ports,
                                                     enum picket_direction direction,
                                                     uint32_t address_words)
{
    const uint8_t *destination = addresses + 4 * address_words;
    if (direction == PICKET_OUT)
        return (picket_flow_key){addresses, destination, ports};
    return (picket_flow_key){destination, addresses, (uint32_t)ports << 16 | (uint32_t)ports >> 16};
}

/* The key that words in memory are; *storage may be needed for it. */
PICKET_HOT const picket_flow_key *
picket_flow_key_of_words(const uint32_t *words, uint32_t address_words, picket_flow_key *storage)
{
    *storage = (picket_flow_key){(const uint8_t *)(words + 1),
                                 (const uint8_t *)(words + 1 + address_words), words[0]};
    return storage;
}

PICKET_HOT uint_fast32_t picket_flow_key_word(const picket_flow_key *key, uint32_t i,
                                              uint32_t address_words)
{
    if (i == 0)
        return key->ports;
    if (i <= address_words)
        return picket_word(key->local + 4 * (i - 1));
    return picket_word(key->remote + 4 * (i - 1 - address_words));
}

/* Whether both addresses are next to each other in the packet as they are in an entry. */
PICKET_HOT bool picket_flow_key_contiguous(const picket_flow_key *key, uint32_t address_words)
{
    return key->remote == key->local + 4 * address_words;
}

PICKET_HOT bool picket_flow_is(const struct picket_flow_head *flow, const picket_flow_key *key,
                               uint32_t address_words)
{
    const uint32_t *local = &flow->ports + 1;
    if (flow->ports != (uint32_t)key->ports)
        return false;
    if (picket_flow_key_contiguous(key, address_words))
        return picket_same_words(local, key->local, 2 * address_words);
    return picket_same_words(local + address_words, key->remote, address_words) &&
           picket_same_words(local, key->local, address_words);
}

/* Writes the key into an entry. */
PICKET_HOT void picket_flow_name(struct picket_flow_head *flow, const picket_flow_key *key,
                                 uint32_t address_words)
{
    uint32_t *local = &flow->ports + 1;
    flow->ports = (uint32_t)key->ports;
    if (picket_flow_key_contiguous(key, address_words)) {
        picket_copy(local, key->local, 8 * address_words);
    } else {
        picket_copy(local, key->local, 4 * address_words);
        picket_copy(local + address_words, key->remote, 4 * address_words);
    }
}

#else

typedef struct picket_flow_words picket_flow_key;

PICKET_HOT const picket_flow_key *
picket_flow_key_of_words(const uint32_t *words, uint32_t address_words, picket_flow_key *storage)
{
    (void)address_words;
    (void)storage;
    return (const picket_flow_key *)(const void *)words;
}

PICKET_HOT uint32_t picket_flow_key_word(const picket_flow_key *key, uint32_t i,
                                         uint32_t address_words)
{
    (void)address_words;
    return key->words[i];
}

PICKET_HOT bool picket_flow_is(const struct picket_flow_head *flow, const picket_flow_key *key,
                               uint32_t address_words)
{
    return memcmp(&flow->ports, key->words, 4 + 8 * address_words) == 0;
}

PICKET_HOT void picket_flow_name(struct picket_flow_head *flow, const picket_flow_key *key,
                                 uint32_t address_words)
{
    memcpy(&flow->ports, key->words, 4 + 8 * address_words);
}

#endif

#endif
