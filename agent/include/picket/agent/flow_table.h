/* The table of flows: see agent.h for how it is used. (To be designed with its implementation.) */
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

/* One IPv4 flow. */
struct picket_ipv4_flow {
    uint8_t local_address[4];
    uint8_t remote_address[4];
    uint32_t bytes_in;
    uint32_t bytes_out;
    uint16_t local_port;
    uint16_t remote_port;
    picket_flow_index next;
    uint8_t protocol;
    uint8_t state;
};

struct picket_ipv6_flow {
    uint8_t local_address[16];
    uint8_t remote_address[16];
    uint32_t bytes_in;
    uint32_t bytes_out;
    uint16_t local_port;
    uint16_t remote_port;
    picket_flow_index next;
    uint8_t protocol;
    uint8_t state;
};

/* Where the caller keeps a table: entries[capacity + reserve], buckets[bucket_count], a power of two.
 * entries is an array of struct picket_ipv4_flow or struct picket_ipv6_flow. Capacity 0: that family
 * is not counted. */
struct picket_flow_storage {
    void *entries;
    picket_flow_index *buckets;
    uint32_t capacity;
    uint32_t reserve;
    uint32_t bucket_count;
};

#endif
