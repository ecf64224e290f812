/* Operations on a flow table. None takes the lock: the caller holds it, for one of them at a time.
 * Each is bounded by PICKET_AGENT_CHAIN_MAX. The table is drawn in picket/agent/flow_table.h.
 *
 * address_words is 1 or 4, as in the table; what a packet runs through gets it as a constant. */
#ifndef PICKET_AGENT_SRC_FLOW_TABLE_H
#define PICKET_AGENT_SRC_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_hash.h"
#include "picket/agent/flow_table.h"
#include "picket/wire/encoder.h"

/* Empties the table. */
void picket_flow_table_init(struct picket_flow_table *table,
                            const struct picket_flow_storage *storage, uint8_t address_words);

/* Whether storage can hold a table. */
bool picket_flow_storage_valid(const struct picket_flow_storage *storage, uint32_t address_words);

/* The frozen flows of a table as the encoder walks them. */
uint32_t picket_frozen_flows_next(const void *table, uint32_t cursor,
                                  struct picket_wire_flow *flow);

/* The words of one address. */
PICKET_HOT uint32_t picket_flow_table_words(const struct picket_flow_table *table)
{
    return PICKET_AGENT_IPV6 ? table->address_words : 1;
}

/* Where speed is asked for, the constant; where size is, one value less to be handed on. */
PICKET_HOT uint32_t picket_flow_words_of(const struct picket_flow_table *table,
                                         uint32_t address_words)
{
    return PICKET_FOR_SPEED ? address_words : picket_flow_table_words(table);
}

PICKET_HOT uint32_t picket_flow_table_buckets(const struct picket_flow_table *table)
{
    return UINT32_C(1) << (PICKET_AGENT_INDEX_BITS - table->bucket_shift);
}

/* So full that an early report is wanted; never where the family is not counted. */
PICKET_HOT bool picket_flow_table_filling(const struct picket_flow_table *table)
{
    return table->capacity != 0 && 8 * (uint32_t)table->live >= PICKET_AGENT_EARLY_REPORT_EIGHTHS *
                                                                    (uint32_t)table->capacity;
}

/* Has become so full with the last flow. */
PICKET_HOT bool picket_flow_table_starts_filling(const struct picket_flow_table *table)
{
#if PICKET_AGENT_WAKE
    return table->live == table->early_at;
#else
    (void)table;
    return false;
#endif
}

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

/* The flow in the chain of its bucket, or NULL; then *left is how many more the chain takes, for
 * picket_flow_room(). */
PICKET_HOT struct picket_flow_head *picket_flow_find(const struct picket_flow_table *table,
                                                     const picket_flow_key *key, uint32_t hash,
                                                     uint32_t address_words, uint32_t *left)
{
    uint32_t places = PICKET_AGENT_CHAIN_MAX;
    picket_flow_index index = *picket_flow_bucket(table, hash);
    for (; index != PICKET_FLOW_NONE; places--) {
        struct picket_flow_head *flow = picket_flow_at(table, index);
        if (picket_likely(flow->hash == (picket_flow_index)hash) &&
            picket_likely(picket_flow_is(flow, key, picket_flow_words_of(table, address_words))))
            return flow;
        index = flow->next;
    }
    if (PICKET_FOR_SPEED)
        *left = places;
    return NULL;
}

/* Whether the chain of a bucket takes one more. Where size is asked for it is counted again, which
 * spares stack. */
PICKET_SHARED bool picket_flow_room(const struct picket_flow_table *table, uint32_t hash,
                                    uint32_t left)
{
    uint32_t places = left;
    if (!PICKET_FOR_SPEED) {
        places = PICKET_AGENT_CHAIN_MAX;
        picket_flow_index index = *picket_flow_bucket(table, hash);
        for (; index != PICKET_FLOW_NONE; places--)
            index = picket_flow_at(table, index)->next;
    }
    return places > 0;
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
PICKET_SHARED struct picket_flow_head *picket_flow_table_add(struct picket_flow_table *table,
                                                             const picket_flow_key *key,
                                                             uint32_t hash, uint32_t address_words)
{
    picket_flow_index *bucket = picket_flow_bucket(table, hash);
    picket_flow_index live = table->live;
    if (live >= table->capacity)
        return NULL;
    picket_flow_index index = table->free;
    struct picket_flow_head *flow;
    if (index != PICKET_FLOW_NONE) {
        flow = picket_flow_at(table, index);
        table->free = flow->next;
    } else {
        index = table->fresh;
        if (index >= table->end)
            return NULL;
        table->fresh = (picket_flow_index)(index + picket_flow_words(
                                                       picket_flow_words_of(table, address_words)));
        flow = picket_flow_at(table, index);
    }
    picket_flow_name(flow, key, picket_flow_words_of(table, address_words));
    flow->bytes[PICKET_IN] = 0;
    flow->bytes[PICKET_OUT] = 0;
    flow->hash = (picket_flow_index)hash;
    flow->next = *bucket;
    *bucket = index;
    table->live = (picket_flow_index)(live + 1);
    return flow;
}

/* Gives an entry back that is in no list. */
PICKET_HOT void picket_flow_free(struct picket_flow_table *table, struct picket_flow_head *flow,
                                 picket_flow_index index)
{
    flow->next = table->free;
    table->free = index;
}

/* Takes the next bucket's chain out of the table, in front of what is frozen. */
PICKET_HOT void picket_flow_table_freeze(struct picket_flow_table *table)
{
    picket_flow_index *bucket = &table->buckets[table->next_bucket++];
    for (picket_flow_index index = *bucket; index != PICKET_FLOW_NONE; index = *bucket) {
        struct picket_flow_head *flow = picket_flow_at(table, index);
        *bucket = flow->next;
        flow->next = table->frozen;
        table->frozen = index;
        table->frozen_count++;
        table->live--;
    }
}

#endif
