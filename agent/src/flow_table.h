/* Operations on a flow table. None takes the lock: the caller holds it, for one of them at a time.
 * Each is bounded by PICKET_AGENT_CHAIN_MAX. The table is drawn in picket/agent/flow_table.h.
 *
 * address_words is 1 or 4, as in the table; what a packet runs through gets it as a constant. */
#ifndef PICKET_AGENT_SRC_FLOW_TABLE_H
#define PICKET_AGENT_SRC_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "flow_hash.h"
#include "picket/agent/flow_table.h"
#include "picket/wire/encoder.h"

/* Flows that were taken out of their chains: theirs alone who froze them, until given back. */
struct picket_frozen_flows {
    const struct picket_flow_table *table;
    struct picket_flow_head *last; /* of the list; if there is any */
    picket_flow_index head;        /* linked by next */
    uint32_t count;
    uint32_t bucket; /* of the table, up to which flows were frozen */
};

/* Empties the table. */
void picket_flow_table_init(struct picket_flow_table *table,
                            const struct picket_flow_storage *storage, uint8_t address_words);

/* Whether storage can hold a table. */
bool picket_flow_storage_valid(const struct picket_flow_storage *storage, uint32_t address_words);

/* The words of one address. */
static inline uint32_t picket_flow_table_words(const struct picket_flow_table *table)
{
    return PICKET_AGENT_IPV6 ? table->address_words : 1;
}

/* 0: the family is not counted. */
static inline uint32_t picket_flow_table_buckets(const struct picket_flow_table *table)
{
    return table->capacity > 0 ? UINT32_C(1) << (32 - table->bucket_shift) : 0;
}

/* Takes some chains out of the table, from frozen->bucket on, which is stepped behind them:
 * flows_max flows, or as many more as the last chain has; fewer if that keeps the hold of the lock
 * short. */
void picket_flow_table_freeze(struct picket_flow_table *table, struct picket_frozen_flows *frozen,
                              uint32_t flows_max);

/* Gives all frozen flows back to the free list. */
void picket_flow_table_release(struct picket_flow_table *table,
                               const struct picket_frozen_flows *frozen);

/* The frozen flows as the encoder walks them. */
uint32_t picket_frozen_flows_next(const void *frozen, uint32_t cursor,
                                  struct picket_wire_flow *flow);

PICKET_HOT struct picket_flow_head *picket_flow_at(const struct picket_flow_table *table,
                                                   picket_flow_index index)
{
    return (struct picket_flow_head *)(void *)(table->entries + index);
}

/* The words of an entry: how far the index of the next one is. */
PICKET_HOT picket_flow_index picket_flow_words(uint32_t address_words)
{
    return (picket_flow_index)(sizeof(struct picket_flow_head) / 4 + 2 * address_words);
}

PICKET_HOT picket_flow_index *picket_flow_bucket(const struct picket_flow_table *table,
                                                 uint32_t hash)
{
    return &table->buckets[hash >> table->bucket_shift];
}

/* What a flow of the same mark costs a walk beside one of another: such flows are two at most. */
enum { PICKET_FLOW_ALIKE_COST = PICKET_AGENT_CHAIN_MAX / 2 };

/* The flow in the chain of its bucket, or NULL; then *room says whether the chain takes one more.
 */
PICKET_HOT struct picket_flow_head *picket_flow_find(const struct picket_flow_table *table,
                                                     const picket_flow_index *bucket,
                                                     const struct picket_flow_key *key,
                                                     uint32_t address_words, bool *room)
{
    picket_flow_index index = *bucket;
    uint32_t cost = 0;
    for (; index != PICKET_FLOW_NONE; cost++) {
        struct picket_flow_head *flow = picket_flow_at(table, index);
        if (picket_likely(flow->mark == (uint16_t)key->hash)) {
            if (picket_likely(picket_flow_is(flow, key, address_words)))
                return flow;
            cost += PICKET_FLOW_ALIKE_COST;
        }
        index = flow->next;
    }
    *room = cost < PICKET_AGENT_CHAIN_MAX;
    return NULL;
}

PICKET_HOT void picket_flow_count(struct picket_flow_head *flow, enum picket_direction direction,
                                  uint32_t bytes)
{
    uint32_t sum = flow->bytes[direction] + bytes;
    flow->bytes[direction] = sum;
    if (!picket_likely(sum >= bytes))
        flow->bytes[direction] = UINT32_MAX;
}

PICKET_HOT void picket_flow_link(struct picket_flow_table *table, picket_flow_index *bucket,
                                 struct picket_flow_head *flow, picket_flow_index index)
{
    flow->next = *bucket;
    *bucket = index;
    table->live++;
}

/* Adds a flow without bytes, which is not in the table and for which its chain has room. NULL: the
 * table has none. */
PICKET_HOT struct picket_flow_head *picket_flow_table_add(struct picket_flow_table *table,
                                                          picket_flow_index *bucket,
                                                          const struct picket_flow_key *key,
                                                          uint32_t address_words)
{
    picket_flow_index live = table->live;
    if (live >= table->capacity)
        return NULL;
    picket_flow_index index = table->free;
    struct picket_flow_head *flow;
    if (index != PICKET_FLOW_NONE) {
        flow = picket_flow_at(table, index);
        table->free = flow->next;
    } else {
        if (table->fresh >= table->end)
            return NULL;
        index = table->fresh;
        table->fresh = (picket_flow_index)(index + picket_flow_words(address_words));
        flow = picket_flow_at(table, index);
    }
    picket_flow_name(flow, key, address_words);
    flow->bytes[PICKET_IN] = 0;
    flow->bytes[PICKET_OUT] = 0;
    flow->mark = (uint16_t)key->hash;
    flow->next = *bucket;
    *bucket = index;
    table->live = (picket_flow_index)(live + 1);
    return flow;
}

#endif
