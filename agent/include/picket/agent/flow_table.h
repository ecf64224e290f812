/* The table of flows: hash table with chains, in storage that is the caller's.
 *
 *     buckets[bucket_count]     entries[capacity + reserve]
 *     ┌──────┐                  ┌──────────────────────────────────────────────────┐
 *     │  12  │─────────┐    ┌──▶│  0: bytes, next = none, hash, ports, addresses   │
 *     │ none │         │    │   │  6: …  (of the third bucket)                     │
 *     │   6  │─▶ 6     └────│──▶│ 12: …  next = 0                                  │
 *     └──────┘              └───│─────── next of 12                                │
 *                               │ 18: given back; next = the one given back before │◀─ free
 *                               │ 24: never used yet, and all behind it            │◀─ fresh
 *                               └──────────────────────────────────────────────────┘
 *
 * Indices count words, so that an entry is found without a multiplication.
 *
 * An entry is in exactly one place: in a chain (live), in the list of those that a message on its
 * way out tells of (frozen), in the free list, or never used yet. A flow is added while fewer than
 * `capacity` are live and an entry is free; so the reserve serves packets that come while flows are
 * frozen. No chain exceeds PICKET_AGENT_CHAIN_MAX.
 *
 * Both families share one code: an entry is a head of one form with one or four words for each
 * address behind it.
 *
 *     IPv4, 24 bytes:  bytes in 4 | out 4 | next 2 | hash 2 | ports 4 | local 4  | remote 4
 *     IPv6, 48 bytes:  the same head                                  | local 16 | remote 16
 *
 * The hash is kept: hardly a flow of a chain is compared in full that is not the one looked for,
 * and who puts a flow back need not hash it again.
 */
#ifndef PICKET_AGENT_FLOW_TABLE_H
#define PICKET_AGENT_FLOW_TABLE_H

#include <stdint.h>

#include "picket/agent/options.h"

enum picket_direction { PICKET_IN, PICKET_OUT };

enum { PICKET_IPV4, PICKET_IPV6, PICKET_FAMILIES = PICKET_AGENT_IPV6 ? 2 : 1 };

/* Of an entry; and a flow's hash. */
#if PICKET_AGENT_INDEX_BITS == 32
typedef uint32_t picket_flow_index;
#else
typedef uint16_t picket_flow_index;
#endif

/* No entry; also the bound of the entries' words: with 16 bits 10,922 IPv4 or 5,461 IPv6 flows. */
#define PICKET_FLOW_NONE ((picket_flow_index)-1)

/* One bit of an index is left for what is behind the last bucket. */
#define PICKET_FLOW_BUCKETS_MAX (UINT32_C(1) << (PICKET_AGENT_INDEX_BITS - 1))

/* The words of an address. */
enum { PICKET_ADDRESS_WORDS_MAX = PICKET_AGENT_IPV6 ? 4 : 1 };

/* A flow's ports, local address, remote address, as in a packet that goes out; of an IPv4 flow, the
 * first three. */
struct picket_flow_words {
    uint32_t words[1 + 2 * PICKET_ADDRESS_WORDS_MAX];
};

struct picket_flow_head {
    uint32_t bytes[2]; /* by enum picket_direction; saturate */
    picket_flow_index next;
    picket_flow_index hash; /* its last two bits are enum picket_wire_protocol */
    uint32_t ports;         /* as in a packet that goes out */
};

/* Ports and addresses are the bytes of the packet, network order, as they lie in memory. */
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
 * picket_ipv6_flow, of fewer than PICKET_FLOW_NONE words; buckets[bucket_count], a power of two
 * from 2 to PICKET_FLOW_BUCKETS_MAX. Capacity 0: that family is not counted. */
struct picket_flow_storage {
    void *entries;
    picket_flow_index *buckets;
    uint32_t capacity;
    uint32_t reserve;
    uint32_t bucket_count;
};

/* A table, the agent's. */
struct picket_flow_table {
    uint32_t *entries;
    picket_flow_index *buckets;
    picket_flow_index capacity; /* flows */
    picket_flow_index end;      /* index behind the last entry */
#if PICKET_AGENT_WAKE
    picket_flow_index early_at; /* live entries with which the port is told that it fills up */
#endif
    picket_flow_index fresh;  /* entries from here on were never used */
    picket_flow_index free;   /* head of the list of entries given back */
    picket_flow_index live;   /* entries in chains */
    picket_flow_index frozen; /* head of the list of entries on their way out */
    picket_flow_index frozen_count;
    picket_flow_index next_bucket; /* up to which chains were taken out for this report */
    uint8_t address_words;         /* 1 or 4 */
    uint8_t bucket_shift;          /* of a hash */
};

/* Keys of the hash, drawn at random; see agent/src/flow_hash.h. */
struct picket_flow_hash_keys {
    uint64_t protocol[3]; /* by enum picket_wire_protocol */
    uint64_t words[1 + 2 * PICKET_ADDRESS_WORDS_MAX];
};

/* What there was no room for. */
struct picket_losses {
    uint32_t flows;    /* distinct ones, at least */
    uint32_t bytes[2]; /* by enum picket_direction; saturate */
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
    {                                                                                              \
        (entries), (buckets), PICKET_AGENT_IPV4_FLOWS, PICKET_AGENT_RESERVE_FLOWS,                 \
            PICKET_AGENT_BUCKETS                                                                   \
    }
#define PICKET_IPV6_FLOW_STORAGE(entries, buckets)                                                 \
    {                                                                                              \
        (entries), (buckets), PICKET_AGENT_IPV6_FLOWS, PICKET_AGENT_RESERVE_FLOWS,                 \
            PICKET_AGENT_BUCKETS                                                                   \
    }

#endif
