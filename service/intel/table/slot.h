/* What an IPv4 /24 holds, in 64 bits: nothing (0), one or two entries, or a bucket.
 *
 *     low 32 bits                                        high 32 bits
 *     1 | width, 4 bits | octet, 8 | sources, 19         another entry, no narrower, or 0
 *     0 | number of the bucket's cell, 31                which 32nds of the /24 anything lies in
 *
 * An entry is a prefix /17 to /32: width is 32 less its length, octet the last of its first
 * address. Sources that 18 bits and one for the kind do not hold need a bucket (bucket.h), and so
 * do more than two prefixes.
 *
 * Thread: pure functions.
 */
#ifndef INTEL_SLOT_H
#define INTEL_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"
#include "cover.h"
#include "table_sources.h"

enum {
    ENTRY_WIDTH_SHIFT = 27,
    ENTRY_OCTET_SHIFT = 19,
    ENTRY_SOURCES_BITS = 18,
    ENTRY_WIDEST = 17, /* the shortest prefix */
    SLOT_ENTRIES_MAX = 2
};

/* ---- entries ---- */

/* 1 or 0, to be computed with. */
static inline uint32_t entry_is(uint32_t entry)
{
    return entry >> 31;
}

static inline unsigned entry_width(uint32_t entry)
{
    return entry >> ENTRY_WIDTH_SHIFT & 15;
}

static inline uint8_t entry_octet(uint32_t entry)
{
    return (uint8_t)(entry >> ENTRY_OCTET_SHIFT);
}

/* Of 0 it has no sources. */
static inline struct table_cover entry_cover(uint32_t entry)
{
    uint32_t is_set = entry >> ENTRY_SOURCES_BITS & 1;
    uint32_t number = entry & ((1u << ENTRY_SOURCES_BITS) - 1);
    return (struct table_cover){is_set * SOURCES_SET | number, (uint8_t)(32 - entry_width(entry))};
}

static inline struct bucket_item entry_item(uint32_t entry)
{
    struct table_cover cover = entry_cover(entry);
    return (struct bucket_item){cover.sources, entry_octet(entry), cover.length};
}

/* Whether it is one and covers the address with that last octet: 1 or 0. */
static inline uint32_t entry_covers(uint32_t entry, uint8_t octet)
{
    uint32_t differs = (uint32_t)(octet ^ entry_octet(entry)) >> entry_width(entry);
    return entry_is(entry) & (differs == 0);
}

/* 0: it cannot be one. */
static inline uint32_t entry_of(const struct bucket_item *item)
{
    uint32_t number = item->sources & ~SOURCES_SET;
    uint32_t is_set = number != item->sources;
    if (item->length < ENTRY_WIDEST || number >> ENTRY_SOURCES_BITS != 0)
        return 0;
    return 1u << 31 | (32u - item->length) << ENTRY_WIDTH_SHIFT |
           (uint32_t)item->start << ENTRY_OCTET_SHIFT | is_set << ENTRY_SOURCES_BITS | number;
}

/* ---- slots ---- */

static inline uint32_t slot_first(uint64_t slot)
{
    return (uint32_t)slot;
}

static inline uint32_t slot_second(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

static inline uint64_t slot_of(uint32_t first, uint32_t second)
{
    return first | (uint64_t)second << 32;
}

/* The bucket's number, or 0: it has none. */
static inline uint32_t slot_bucket(uint64_t slot)
{
    return entry_is(slot_first(slot)) ? 0 : slot_first(slot);
}

/* Whether the bucket has to be asked for the address with that last octet: 1 or 0. */
static inline uint32_t slot_bucket_may_hold(uint64_t slot, uint8_t octet)
{
    return slot_second(slot) >> (octet >> 3) & 1 & ~entry_is(slot_first(slot));
}

/* The entry that covers the address with that last octet, the narrower one, or 0. Without branches,
 * for what it finds is hard to foretell. */
static inline uint32_t slot_find(uint64_t slot, uint8_t octet)
{
    uint32_t first = slot_first(slot), second = slot_second(slot);
    uint32_t by_first = entry_covers(first, octet);
    uint32_t by_second = entry_is(first) & entry_covers(second, octet) & ~by_first;
    return (first & -by_first) | (second & -by_second);
}

/* All that it holds without a bucket, narrower first; items has room for SLOT_ENTRIES_MAX. */
static inline size_t slot_entries(uint64_t slot, struct bucket_item *items)
{
    size_t count = entry_is(slot_first(slot));
    if (count == 0)
        return 0;
    items[0] = entry_item(slot_first(slot));
    if (slot_second(slot) != 0)
        items[count++] = entry_item(slot_second(slot));
    return count;
}

/* In which 32nds of the /24 the prefix lies. */
static inline uint32_t spread_of(const struct bucket_item *item)
{
    if (item->length <= 24)
        return UINT32_MAX;
    unsigned size = item->length >= 29 ? 1 : 1u << (29 - item->length);
    return ((1u << size) - 1) << (item->start >> 3);
}

/* The same of all that a slot holds. */
static inline uint32_t slot_spread(uint64_t slot)
{
    struct bucket_item items[SLOT_ENTRIES_MAX];
    size_t count = slot_entries(slot, items);
    if (count == 0)
        return slot_second(slot);
    return spread_of(&items[0]) | spread_of(&items[count - 1]);
}

#endif
