/* The table of flows: hash table with chains, in storage that is the caller's.
 *
 *     buckets[bucket_count]     entries[capacity + reserve]
 *     ┌──────┐                  ┌──────────────────────────────────────────────────┐
 *     │  2   │─────────┐    ┌──▶│ 0: bytes, ports, next = none, protocol, addresses│
 *     │ none │         │    │   │ 1: …  (of the third bucket)                      │
 *     │  1   │─▶ 1     └────│──▶│ 2: …  next = 0                                   │
 *     └──────┘              └───│────── next of 2                                  │
 *                               │ 3: given back; next = the one given back before  │◀─ free
 *                               │ 4: never used yet, and all behind it             │◀─ fresh
 *                               └──────────────────────────────────────────────────┘
 *
 * An entry is in exactly one place: in a chain (live), in the list of a report that is on its way out
 * (frozen), in the free list, or never used yet. A flow is added while fewer than `capacity` are live
 * and an entry is free; so the reserve serves packets that come while flows are frozen. No chain
 * exceeds PICKET_AGENT_CHAIN_MAX.
 *
 * Both families share one code: an entry is a head of one form with one or four words for each
 * address behind it.
 *
 *     IPv4, 24 bytes:  bytes in 4 | out 4 | ports 4 | next 2 | protocol 1 | – 1 | local 4  | remote 4
 *     IPv6, 48 bytes:  the same head                                            | local 16 | remote 16
 */
#ifndef PICKET_AGENT_FLOW_TABLE_H
#define PICKET_AGENT_FLOW_TABLE_H

#include <stdint.h>

#include "picket/agent/options.h"

enum picket_direction { PICKET_IN, PICKET_OUT };

#if PICKET_AGENT_INDEX_BITS == 32
typedef uint32_t picket_flow_index;
#else
typedef uint16_t picket_flow_index;
#endif

/* No entry; also the bound of capacity + reserve. */
#define PICKET_FLOW_NONE ((picket_flow_index)-1)

struct picket_flow_head {
    uint32_t bytes[2]; /* by enum picket_direction; saturate */
    uint32_t ports;    /* local << 16 | remote */
    picket_flow_index next;
    uint8_t protocol; /* enum picket_wire_protocol */
};

/* Addresses are the bytes of the packet, network order, as they lie in memory. */
struct picket_ipv4_flow {
    struct picket_flow_head head;
    uint32_t local[1];
    uint32_t remote[1];
};

struct picket_ipv6_flow {
    struct picket_flow_head head;
    uint32_t local[4];
    uint32_t remote[4];
};

/* Where the caller keeps a table: entries[capacity + reserve] of struct picket_ipv4_flow or struct
 * picket_ipv6_flow, fewer than PICKET_FLOW_NONE; buckets[bucket_count], a power of two from 2 on. Capacity 0:
 * that family is not counted. */
struct picket_flow_storage {
    void *entries;
    picket_flow_index *buckets;
    uint32_t capacity;
    uint32_t reserve;
    uint32_t bucket_count;
};

/* A table, the agent's. */
struct picket_flow_table {
    uint8_t *entries;
    picket_flow_index *buckets;
    picket_flow_index capacity;
    picket_flow_index end;      /* capacity + reserve */
    picket_flow_index early_at; /* live entries from which on an early report is wanted */
    picket_flow_index fresh; /* entries from here on were never used */
    picket_flow_index free;  /* head of the list of entries given back */
    picket_flow_index live;  /* entries in chains */
    uint8_t address_words;      /* 1 or 4 */
    uint8_t bucket_shift;       /* of a hash of 32 bits */
};

/* Keys of the hash, drawn at random; see agent/src/flow_hash.h. */
struct picket_flow_hash_keys {
    uint64_t address[8];
    uint64_t ports;
    uint64_t protocol[3]; /* by enum picket_wire_protocol */
};

/* What there was no room for. */
struct picket_losses {
    uint32_t bytes[2]; /* by enum picket_direction; saturate */
    uint32_t sketch[PICKET_AGENT_LOST_FLOW_BITS / 32]; /* a bit for each hash of a flow */
};

/* Static storage in the sizes of picket/agent/options.h, for picket_agent_config.ipv4 and .ipv6:
 *
 *     static struct picket_ipv4_flow flows[PICKET_IPV4_FLOW_ENTRIES];
 *     static picket_flow_index buckets[PICKET_AGENT_BUCKETS];
 *     config.ipv4 = (struct picket_flow_storage)PICKET_IPV4_FLOW_STORAGE(flows, buckets);
 */
#define PICKET_IPV4_FLOW_ENTRIES (PICKET_AGENT_IPV4_FLOWS + PICKET_AGENT_RESERVE_FLOWS)
#define PICKET_IPV6_FLOW_ENTRIES (PICKET_AGENT_IPV6_FLOWS + PICKET_AGENT_RESERVE_FLOWS)
#define PICKET_IPV4_FLOW_STORAGE(entries, buckets)                                                 \
    {(entries), (buckets), PICKET_AGENT_IPV4_FLOWS, PICKET_AGENT_RESERVE_FLOWS,                    \
     PICKET_AGENT_BUCKETS}
#define PICKET_IPV6_FLOW_STORAGE(entries, buckets)                                                 \
    {(entries), (buckets), PICKET_AGENT_IPV6_FLOWS, PICKET_AGENT_RESERVE_FLOWS,                    \
     PICKET_AGENT_BUCKETS}

#endif
