#include "addresses.h"

#include <stdlib.h>
#include <string.h>

#include "connection/sources.h"
#include "internal.h"
#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

enum { BUCKETS = 16384, BURST_S = 10, BURST_MINUTES = 5 };

static struct picket_counter held_off = {
    .name = "hub_addresses_held_off",
    .help =
        "times that an address was held off: too many handshakes and CONNECTs from there failed"};

struct address_record {
    LIST_ENTRY(address_record) in_bucket;
    TAILQ_ENTRY(address_record) in_used;
    struct picket_address address;
    struct rate_bucket connections;
    struct hold_off refusals;
};

void addresses_register_counters(void)
{
    picket_counter_register(&held_off);
}

void addresses_open(struct picket_hub *hub)
{
    struct address_table *table = &hub->addresses;
    const struct picket_hub_config *config = &hub->config;
    TAILQ_INIT(&table->used);
    table->connections = (struct rate){config->address_connections_per_s, 1000,
                                       (uint64_t)config->address_connections_per_s * BURST_S};
    table->refusals =
        (struct hold_off_rule){{config->address_refusals_per_minute, 60000,
                                (uint64_t)config->address_refusals_per_minute * BURST_MINUTES},
                               ADDRESSES_HOLD_OFF_FIRST_MS,
                               ADDRESSES_HOLD_OFF_LONGEST_MS};
}

static void forget(struct address_table *table, struct address_record *record)
{
    LIST_REMOVE(record, in_bucket);
    TAILQ_REMOVE(&table->used, record, in_used);
    table->count--;
    free(record);
}

void addresses_close(struct picket_hub *hub)
{
    struct address_table *table = &hub->addresses;
    while (table->buckets != NULL && !TAILQ_EMPTY(&table->used))
        forget(table, TAILQ_FIRST(&table->used));
    free(table->buckets);
}

static struct address_bucket *bucket_of(const struct picket_hub *hub,
                                        const struct picket_address *address)
{
    return &hub->addresses.buckets[sources_hash(hub, address) % BUCKETS];
}

static struct address_record *find(const struct picket_hub *hub,
                                   const struct picket_address *address)
{
    struct address_record *record;
    LIST_FOREACH(record, bucket_of(hub, address), in_bucket)
    {
        if (sources_are_same(&record->address, address))
            return record;
    }
    return NULL;
}

static struct address_record *make(struct picket_hub *hub, const struct picket_address *address)
{
    struct address_table *table = &hub->addresses;
    if (table->count == ADDRESSES_MAX)
        forget(table, TAILQ_FIRST(&table->used));
    struct address_record *record = calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    record->address = *address;
    LIST_INSERT_HEAD(bucket_of(hub, address), record, in_bucket);
    TAILQ_INSERT_TAIL(&table->used, record, in_used);
    table->count++;
    return record;
}

/* NULL: there is no memory; then nobody is kept out on that account. */
static struct address_record *record_of(struct picket_hub *hub,
                                        const struct picket_address *address)
{
    struct address_table *table = &hub->addresses;
    if (table->buckets == NULL)
        table->buckets = calloc(BUCKETS, sizeof *table->buckets); /* zero: empty lists */
    if (table->buckets == NULL)
        return NULL;
    struct address_record *record = find(hub, address);
    if (record == NULL)
        return make(hub, address);
    TAILQ_REMOVE(&table->used, record, in_used);
    TAILQ_INSERT_TAIL(&table->used, record, in_used);
    return record;
}

enum addresses_answer addresses_admit(struct picket_hub *hub, const struct picket_address *address)
{
    const struct address_table *table = &hub->addresses;
    int64_t now_ms = picket_monotonic_ms();
    struct address_record *record = record_of(hub, address);
    if (record == NULL)
        return ADDRESSES_ADMITTED;
    if (hold_off_left_ms(&record->refusals, now_ms) > 0)
        return ADDRESSES_HELD_OFF;
    rate_fill(&record->connections, &table->connections, now_ms);
    if (!rate_admits(&record->connections, &table->connections))
        return ADDRESSES_TOO_FAST;
    rate_take(&record->connections, &table->connections, 1);
    return ADDRESSES_ADMITTED;
}

void addresses_refused(struct picket_hub *hub, const struct picket_address *address)
{
    static struct picket_say_limit limit;
    char text[PICKET_ADDRESS_TEXT_BYTES];
    int64_t now_ms = picket_monotonic_ms();
    struct address_record *record = record_of(hub, address);
    if (record == NULL || hold_off_left_ms(&record->refusals, now_ms) > 0 ||
        hold_off_count(&record->refusals, &hub->addresses.refusals, now_ms))
        return;
    picket_count(&held_off, 1);
    picket_address_format(address, text);
    picket_say_limited(&limit, PICKET_WARNING, "hub",
                       "address %s: held off for %lld s: too many handshakes and CONNECTs from "
                       "there failed",
                       text, (long long)(hold_off_left_ms(&record->refusals, now_ms) / 1000));
}
