#include "sources.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 256, BUCKETS_MAX = 65536, IPV4_BYTES = 4, IPV6_PREFIX_BYTES = 8 };

static size_t source_bytes(const struct picket_address *address)
{
    return address->family == 6 ? IPV6_PREFIX_BYTES : IPV4_BYTES;
}

bool sources_are_same(const struct picket_address *a, const struct picket_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, source_bytes(a)) == 0;
}

uint64_t sources_hash(const struct picket_hub *hub, const struct picket_address *address)
{
    uint64_t hash = hub->hash_seed ^ 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < source_bytes(address); i++)
        hash = (hash ^ address->bytes[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

static struct connection_bucket *bucket_of(const struct picket_hub *hub,
                                           const struct picket_address *address)
{
    return &hub->sources[sources_hash(hub, address) & hub->source_mask];
}

bool sources_open(struct picket_hub *hub)
{
    uint32_t count = BUCKETS_MIN;
    while (count < hub->config.handshakes_max && count < BUCKETS_MAX)
        count *= 2;
    hub->source_mask = count - 1;
    hub->sources = calloc(count, sizeof *hub->sources); /* zero: empty lists */
    return hub->sources != NULL;
}

void sources_close(struct picket_hub *hub)
{
    free(hub->sources);
}

void sources_enter(struct connection *connection)
{
    LIST_INSERT_HEAD(bucket_of(connection->hub, &connection->address), connection, in_source);
}

void sources_leave(struct connection *connection)
{
    LIST_REMOVE(connection, in_source);
}

uint32_t sources_count(const struct picket_hub *hub, const struct picket_address *address,
                       struct connection **oldest)
{
    uint32_t count = 0;
    struct connection *connection;
    *oldest = NULL;
    LIST_FOREACH(connection, bucket_of(hub, address), in_source)
    {
        if (!sources_are_same(&connection->address, address))
            continue;
        count++;
        if (*oldest == NULL || connection->heard_ms <= (*oldest)->heard_ms)
            *oldest = connection;
    }
    return count;
}
