#include "flow_table.h"

#include <stddef.h>

enum { BUCKETS_PER_HOLD = 32, FLOWS_PER_HOLD = 16 };

/* The buckets of a table without entries; only read. */
static const picket_flow_index no_flow[2] = {PICKET_FLOW_NONE, PICKET_FLOW_NONE};

bool picket_flow_storage_valid(const struct picket_flow_storage *storage, uint32_t address_words)
{
    const uint32_t entries_max = (PICKET_FLOW_NONE - 1u) / picket_flow_words(address_words);
    if (storage->capacity == 0)
        return true;
    if (storage->entries == NULL || storage->buckets == NULL)
        return false;
    if (storage->bucket_count < 2 || (storage->bucket_count & (storage->bucket_count - 1)) != 0)
        return false;
    return storage->capacity <= entries_max && storage->reserve <= entries_max - storage->capacity;
}

void picket_flow_table_init(struct picket_flow_table *table,
                            const struct picket_flow_storage *storage, uint8_t address_words)
{
    table->fresh = 0;
    table->free = PICKET_FLOW_NONE;
    table->live = 0;
    table->address_words = address_words;
    table->bucket_shift = 31;
    if (storage->capacity == 0) {
        table->entries = NULL;
        table->buckets = (picket_flow_index *)(uintptr_t)no_flow;
        table->capacity = table->end = table->early_at = 0;
        return;
    }
    table->entries = storage->entries;
    table->buckets = storage->buckets;
    for (uint32_t count = storage->bucket_count; count > 2; count /= 2)
        table->bucket_shift--;
    table->capacity = (picket_flow_index)storage->capacity;
    table->end = (picket_flow_index)((storage->capacity + storage->reserve) *
                                     picket_flow_words(address_words));
    table->early_at =
        (picket_flow_index)(storage->capacity -
                            storage->capacity / 8 * (8 - PICKET_AGENT_EARLY_REPORT_EIGHTHS));
    for (uint32_t bucket = 0; bucket < storage->bucket_count; bucket++)
        storage->buckets[bucket] = PICKET_FLOW_NONE;
}

void picket_flow_table_freeze(struct picket_flow_table *table, struct picket_frozen_flows *frozen,
                              uint32_t flows_max)
{
    uint32_t at = frozen->bucket, end = picket_flow_table_buckets(table), count = 0;
    if (end - at > BUCKETS_PER_HOLD)
        end = at + BUCKETS_PER_HOLD;
    if (flows_max > FLOWS_PER_HOLD)
        flows_max = FLOWS_PER_HOLD;
    for (; at < end && count < flows_max; at++) {
        picket_flow_index index = table->buckets[at];
        if (index == PICKET_FLOW_NONE)
            continue;
        table->buckets[at] = PICKET_FLOW_NONE;
        /* In front of those that are frozen; the first chain's last flow stays the last of all. */
        picket_flow_index behind = frozen->head;
        frozen->head = index;
        struct picket_flow_head *flow;
        do {
            flow = picket_flow_at(table, index);
            count++;
            if (behind == PICKET_FLOW_NONE)
                frozen->last = flow;
            index = flow->next;
        } while (index != PICKET_FLOW_NONE);
        flow->next = behind;
    }
    frozen->bucket = at;
    frozen->count += count;
    table->live = (picket_flow_index)(table->live - count);
}

void picket_flow_table_release(struct picket_flow_table *table,
                               const struct picket_frozen_flows *frozen)
{
    if (frozen->count == 0)
        return;
    frozen->last->next = table->free;
    table->free = frozen->head;
}

uint32_t picket_frozen_flows_next(const void *context, uint32_t cursor,
                                  struct picket_wire_flow *out)
{
    const struct picket_frozen_flows *frozen = context;
    /* A cursor is how an index differs from the first one, which so is 0, wherever it lies. */
    struct picket_flow_head *flow =
        (struct picket_flow_head *)(void *)(frozen->table->entries + (cursor ^ frozen->head));
    const uint32_t *local = picket_flow_key_words(flow) + 1;
    out->local_address = (const uint8_t *)local;
    out->remote_address = (const uint8_t *)(local + picket_flow_table_words(frozen->table));
    out->bytes_in = flow->bytes[PICKET_IN];
    out->bytes_out = flow->bytes[PICKET_OUT];
    const uint8_t *ports = (const uint8_t *)&flow->ports;
    out->local_port = (uint16_t)picket_big_endian_16(ports);
    out->remote_port = (uint16_t)picket_big_endian_16(ports + 2);
    out->protocol = flow->mark & PICKET_MARK_PROTOCOL;
    return flow->next ^ (uint32_t)frozen->head;
}
