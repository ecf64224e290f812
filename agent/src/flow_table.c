#include "flow_table.h"

/* The buckets of a table without entries; only read. */
static const picket_flow_index no_flow[2] = {PICKET_FLOW_NONE, PICKET_FLOW_NONE};

bool picket_flow_storage_valid(const struct picket_flow_storage *storage, uint32_t address_words)
{
    const uint32_t entries_max = (PICKET_FLOW_NONE - 1u) / picket_flow_words(address_words);
    if (storage->capacity == 0)
        return true;
    if (storage->entries == NULL || storage->buckets == NULL)
        return false;
    if (storage->bucket_count < 2 || storage->bucket_count > PICKET_FLOW_BUCKETS_MAX ||
        (storage->bucket_count & (storage->bucket_count - 1)) != 0)
        return false;
    return storage->capacity <= entries_max && storage->reserve <= entries_max - storage->capacity;
}

void picket_flow_table_init(struct picket_flow_table *table,
                            const struct picket_flow_storage *storage, uint8_t address_words)
{
    memset(table, 0, sizeof *table);
    table->free = PICKET_FLOW_NONE;
    table->frozen = PICKET_FLOW_NONE;
    table->address_words = address_words;
    table->bucket_shift = PICKET_AGENT_INDEX_BITS - 1;
    table->buckets = (picket_flow_index *)(uintptr_t)no_flow;
    if (storage->capacity == 0)
        return;
    table->entries = storage->entries;
    table->buckets = storage->buckets;
    table->capacity = (picket_flow_index)storage->capacity;
    table->end = (picket_flow_index)((storage->capacity + storage->reserve) *
                                     picket_flow_words(address_words));
#if PICKET_AGENT_WAKE
    table->early_at =
        (picket_flow_index)((storage->capacity * PICKET_AGENT_EARLY_REPORT_EIGHTHS + 7) / 8);
#endif
    for (uint32_t count = storage->bucket_count; count > 2; count /= 2)
        table->bucket_shift--;
    for (uint32_t bucket = 0; bucket < storage->bucket_count; bucket++)
        storage->buckets[bucket] = PICKET_FLOW_NONE;
}

uint32_t picket_frozen_flows_next(const void *context, uint32_t cursor,
                                  struct picket_wire_flow *out)
{
    const struct picket_flow_table *table = context;
    /* A cursor is how an index differs from the first one, which so is 0, wherever it lies. */
    const struct picket_flow_head *flow =
        picket_flow_at(table, (picket_flow_index)(cursor ^ table->frozen));
    const uint32_t *local = &flow->ports + 1;
    out->local_address = (const uint8_t *)local;
    out->remote_address = (const uint8_t *)(local + picket_flow_table_words(table));
    out->bytes_in = flow->bytes[PICKET_IN];
    out->bytes_out = flow->bytes[PICKET_OUT];
    const uint8_t *ports = (const uint8_t *)&flow->ports;
    out->local_port = (uint16_t)picket_big_endian_16(ports);
    out->remote_port = (uint16_t)picket_big_endian_16(ports + 2);
    out->protocol = flow->hash & PICKET_HASH_PROTOCOL;
    return flow->next ^ (uint32_t)table->frozen;
}
