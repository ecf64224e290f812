#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "table_layout.h"

/* ---- IPv4 ---- */

static uint32_t ipv4_value(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* From the last entry that starts at or before the address outwards. Most lookups end here, at a
 * single address that is another one and has nothing around it: the one byte at hand says so. */
static uint32_t ipv4_climb(const struct table *table, uint32_t entry, uint32_t address)
{
    while (entry != TABLE_NONE) {
        uint8_t length = table->ipv4.lengths[entry] & TABLE_LENGTH_MASK;
        if (length == 0 || (table->ipv4_starts[entry] ^ address) >> (32 - length) == 0)
            return entry;
        if ((table->ipv4.lengths[entry] & TABLE_HAS_PARENT) == 0)
            return TABLE_NONE;
        entry = table->ipv4.links[entry].parent;
    }
    return TABLE_NONE;
}

/* The number of entries in low..high-1 that start at or before the address, plus low. Without
 * branches that depend on the data, for those are guessed wrong half of the time. */
static uint32_t ipv4_upper_bound(const struct table *table, uint32_t address, uint32_t low,
                                 uint32_t high)
{
    const uint32_t *base = table->ipv4_starts + low;
    uint32_t size = high - low;
    while (size > 0) {
        uint32_t half = (size + 1) / 2;
        base += base[half - 1] <= address ? half : 0;
        size -= half;
    }
    return (uint32_t)(base - table->ipv4_starts);
}

static uint32_t ipv4_find(const struct table *table, uint32_t address)
{
    uint32_t slot = address >> 16;
    uint32_t after =
        ipv4_upper_bound(table, address, table->ipv4_slots[slot], table->ipv4_slots[slot + 1]);
    return after == 0 ? TABLE_NONE : ipv4_climb(table, after - 1, address);
}

void table_find_ipv4(const struct table *table, const uint32_t *addresses, size_t count,
                     uint32_t *entries)
{
    enum { TOGETHER = 16 };
    for (size_t at = 0; at < count; at += TOGETHER) {
        size_t group = count - at < TOGETHER ? count - at : TOGETHER;
        for (size_t i = 0; i < group; i++)
            __builtin_prefetch(&table->ipv4_slots[addresses[at + i] >> 16]);
        for (size_t i = 0; i < group; i++) {
            uint32_t slot = addresses[at + i] >> 16;
            uint32_t low = table->ipv4_slots[slot], high = table->ipv4_slots[slot + 1];
            __builtin_prefetch(&table->ipv4_starts[low + (high - low) / 2]);
        }
        for (size_t i = 0; i < group; i++) {
            uint32_t slot = addresses[at + i] >> 16;
            uint32_t after = ipv4_upper_bound(table, addresses[at + i], table->ipv4_slots[slot],
                                              table->ipv4_slots[slot + 1]);
            entries[at + i] = after == 0 ? TABLE_NONE : after - 1;
            if (after != 0)
                __builtin_prefetch(&table->ipv4.lengths[after - 1]);
        }
        for (size_t i = 0; i < group; i++)
            entries[at + i] = ipv4_climb(table, entries[at + i], addresses[at + i]);
    }
}

/* ---- IPv6 ---- */

static bool ipv6_covers(const struct table *table, uint32_t entry, wide_address address)
{
    uint8_t length = table->ipv6.lengths[entry];
    return length == 0 || (table->ipv6_starts[entry] ^ address) >> (128 - length) == 0;
}

static uint32_t ipv6_find(const struct table *table, wide_address address)
{
    uint32_t low = 0, high = table->ipv6.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->ipv6_starts[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t entry = low == 0 ? TABLE_NONE : low - 1;
    while (entry != TABLE_NONE && !ipv6_covers(table, entry, address))
        entry = table->ipv6.links[entry].parent;
    return entry;
}

/* ---- both ---- */

uint32_t table_find(const struct table *table, const struct picket_address *address)
{
    return address->family == 4 ? ipv4_find(table, ipv4_value(address->bytes))
                                : ipv6_find(table, table_wide(address->bytes));
}

static const struct table_family *family_of(const struct table *table, uint8_t family)
{
    return family == 4 ? &table->ipv4 : &table->ipv6;
}

uint32_t table_parent(const struct table *table, uint8_t family, uint32_t entry)
{
    return family_of(table, family)->links[entry].parent;
}

uint32_t table_records(const struct table *table, uint8_t family, uint32_t entry, uint32_t *first)
{
    const struct table_family *entries = family_of(table, family);
    *first = entries->links[entry].first;
    return entry + 1 < entries->count ? entries->links[entry + 1].first : entries->record_count;
}

static void prefix_of(const struct table *table, uint8_t family, uint32_t entry,
                      struct picket_prefix *prefix)
{
    memset(prefix, 0, sizeof *prefix);
    prefix->address.family = family;
    prefix->length = table_length(family_of(table, family), family, entry);
    wide_address start = family == 4 ? table->ipv4_starts[entry] : table->ipv6_starts[entry];
    for (int i = family == 4 ? 3 : 15; i >= 0; i--, start >>= 8)
        prefix->address.bytes[i] = (uint8_t)start;
}

void table_record(const struct table *table, uint8_t family, uint32_t entry, uint32_t record,
                  struct table_match *match)
{
    const struct table_source *source = &family_of(table, family)->records[record];
    const struct table_detail *detail = &table->details[source->detail];
    prefix_of(table, family, entry, &match->prefix);
    match->feed = &table->feeds[detail->feed];
    match->port = detail->port;
    match->confidence = detail->confidence;
    match->first_seen_ms = (int64_t)detail->first_seen_s * 1000;
    match->valid_until_ms = (int64_t)detail->valid_until_s * 1000;
    match->line = source->line;
    match->tags = table->text + detail->tags;
}

size_t table_indicators(const struct table *table)
{
    return (size_t)table->ipv4.record_count + table->ipv6.record_count;
}

static size_t family_bytes(const struct table_family *family, size_t start_bytes)
{
    return family->count * (start_bytes + sizeof *family->links + sizeof *family->lengths) +
           family->record_count * sizeof *family->records;
}

size_t table_size_bytes(const struct table *table)
{
    return sizeof *table + (TABLE_SLOTS + 1) * sizeof *table->ipv4_slots +
           family_bytes(&table->ipv4, sizeof *table->ipv4_starts) +
           family_bytes(&table->ipv6, sizeof *table->ipv6_starts) +
           table->detail_count * sizeof *table->details + table->text_bytes;
}

static void free_family(struct table_family *family)
{
    free(family->links);
    free(family->lengths);
    free(family->records);
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    free_family(&table->ipv4);
    free_family(&table->ipv6);
    free(table->ipv4_starts);
    free(table->ipv6_starts);
    free(table->ipv4_slots);
    free(table->details);
    for (uint32_t i = 0; i < table->feed_count; i++)
        free((void *)(uintptr_t)table->feeds[i].name);
    free(table->feeds);
    free(table->text);
    free(table);
}
