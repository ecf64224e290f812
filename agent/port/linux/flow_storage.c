#include "flow_storage.h"

#include <stdlib.h>
#include <string.h>

/* Twice as many buckets as flows, so that chains stay far below the core's limit. */
static uint32_t buckets_for(uint64_t entries)
{
    uint32_t buckets = 16;
    while (buckets < 2 * entries && buckets < UINT32_C(1) << 31)
        buckets *= 2;
    return buckets;
}

static bool allocate(struct picket_flow_storage *storage, size_t entry_bytes, uint32_t capacity,
                     uint32_t reserve)
{
    uint64_t entries = (uint64_t)capacity + reserve;
    *storage = (struct picket_flow_storage){0};
    if (capacity == 0)
        return true;
    storage->capacity = capacity;
    storage->reserve = reserve;
    storage->bucket_count = buckets_for(entries);
    storage->entries = calloc(entries, entry_bytes);
    storage->buckets = calloc(storage->bucket_count, sizeof *storage->buckets);
    return storage->entries != NULL && storage->buckets != NULL;
}

int flow_storage_allocate(struct picket_agent_config *config, uint32_t ipv4_capacity,
                          uint32_t ipv6_capacity, uint32_t reserve, struct picket_error *error)
{
    memset(&config->ipv6, 0, sizeof config->ipv6);
    if (allocate(&config->ipv4, sizeof(struct picket_ipv4_flow), ipv4_capacity, reserve) &&
        allocate(&config->ipv6, sizeof(struct picket_ipv6_flow), ipv6_capacity, reserve))
        return PICKET_OK;
    flow_storage_free(config);
    return picket_fail(error, PICKET_NO_MEMORY, "no memory for %u IPv4 and %u IPv6 flows",
                       ipv4_capacity, ipv6_capacity);
}

void flow_storage_free(struct picket_agent_config *config)
{
    free(config->ipv4.entries);
    free(config->ipv4.buckets);
    free(config->ipv6.entries);
    free(config->ipv6.buckets);
    memset(&config->ipv4, 0, sizeof config->ipv4);
    memset(&config->ipv6, 0, sizeof config->ipv6);
}
