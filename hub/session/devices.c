#include "devices.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"

/* Ids are the owner's, not an attacker's; the seed is for those who let devices choose them. */
uint64_t devices_hash(const struct picket_hub *hub, const char *device)
{
    uint64_t hash = hub->hash_seed ^ 14695981039346656037u; /* FNV-1a */
    for (const char *c = device; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    return hash ^ hash >> 32;
}

static struct connection_bucket *bucket_of(const struct picket_hub *hub, const char *device)
{
    return &hub->buckets[devices_hash(hub, device) & hub->bucket_mask];
}

bool devices_open(struct picket_hub *hub)
{
    uint32_t count = 256;
    while (count < hub->config.connections_max && count < 1u << 20)
        count *= 2;
    hub->bucket_mask = count - 1;
    hub->buckets = calloc(count, sizeof *hub->buckets); /* zero: empty lists */
    return hub->buckets != NULL &&
           RAND_bytes((unsigned char *)&hub->hash_seed, sizeof hub->hash_seed) == 1;
}

void devices_close(struct picket_hub *hub)
{
    free(hub->buckets);
}

struct connection *devices_find(const struct picket_hub *hub, const char *device,
                                const char *module)
{
    struct connection *other;
    LIST_FOREACH(other, bucket_of(hub, device), in_bucket)
    {
        if (strcmp(other->device, device) == 0 && strcmp(other->module, module) == 0)
            return other;
    }
    return NULL;
}

void devices_enter(struct connection *connection)
{
    struct picket_hub *hub = connection->hub;
    struct connection *other = devices_find(hub, connection->device, connection->module);
    if (other != NULL && memcmp(&other->address, &connection->address, sizeof other->address) != 0)
        hub_activity_moved(connection);
    if (other != NULL)
        connection_end(other, ENDING_TAKEN_OVER, "the same device or module connected again");
    LIST_INSERT_HEAD(bucket_of(hub, connection->device), connection, in_bucket);
    atomic_fetch_add(&hub->device_count, 1);
}

void devices_leave(struct connection *connection)
{
    LIST_REMOVE(connection, in_bucket);
    atomic_fetch_sub(&connection->hub->device_count, 1);
}

/* Why it may not go on; NULL: it may. Without an answer of the registry nobody is trusted. */
static const char *loss_of(const struct connection *connection, int status,
                           const struct picket_device_identity *now)
{
    if (status == PICKET_NOT_FOUND)
        return "the device is no longer registered";
    if (status != PICKET_OK)
        return "the registry, which has changed, cannot be read";
    if (!now->enabled)
        return "the device was disabled";
    if (!credential_holds(&connection->credential, now, connection->hub->admission))
        return "what it connected with is no longer a credential of the device";
    return NULL;
}

void devices_recheck(struct picket_hub *hub, const char *device)
{
    struct picket_device_identity now;
    struct picket_error error = {0};
    int status = hub->registry.find(hub->registry.context, device, &now, &error);
    struct connection *connection = LIST_FIRST(bucket_of(hub, device)), *next;
    for (; connection != NULL; connection = next) {
        next = LIST_NEXT(connection, in_bucket);
        const char *loss =
            strcmp(connection->device, device) == 0 ? loss_of(connection, status, &now) : NULL;
        if (loss != NULL)
            connection_end(connection, ENDING_DEVICE_CHANGED, "%s", loss);
    }
    OPENSSL_cleanse(&now, sizeof now);
}
