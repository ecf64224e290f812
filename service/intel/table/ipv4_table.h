/* IPv4 indicators, for lookups that go on while they change.
 *
 *     address ─▶ present: is anything listed in its /25?      4 MB, a bit each: most are told no
 *     ─▶ slots: the /24's one or two prefixes, or its bucket  u64 each (slot.h, ipv4_slots.h)
 *     ─▶ buckets: single addresses and prefixes /17 to /31    16 bytes and more each (bucket.h)
 *     ─▶ wide: prefixes up to /16, a bucket for each /16      512 KB
 *
 * `present` is as large as a processor's cache still keeps near; slots and buckets are fetched past
 * that cache, for they are too many to be found there again.
 *
 * A change writes the slot or bucket anew and publishes it with one store: a lookup sees the old or
 * the new. A prefix /17 to /23 is in each of the up to 128 slots it touches; a wider one in as many
 * of `wide`. Memory is reserved as address space, and costs only where something is listed.
 *
 * Thread: one writes; any number look up, between readers_enter() and readers_leave().
 */
#ifndef INTEL_IPV4_TABLE_H
#define INTEL_IPV4_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"
#include "cells.h"
#include "cover.h"
#include "ipv4_slots.h"
#include "retired.h"
#include "table_sources.h"

struct ipv4_table {
    uint64_t *present;
    struct ipv4_slots slots;
    uint64_t *wide;
    uint64_t *wide_present; /* a bit for each of them */
    struct cells buckets;
    struct table_sources *sources;
    struct retired *retired;
};

/* What is to become different of one prefix: a detail is put in the place of what its feed said
 * before, or (detail 0) what its source says is taken out. */
struct ipv4_change {
    uint32_t start;  /* host order; host bits are zero */
    uint32_t detail; /* whose use the caller keeps */
    struct source source;
    uint8_t length;
};

bool ipv4_table_open(struct ipv4_table *table, struct table_sources *sources,
                     struct retired *retired);
void ipv4_table_close(struct ipv4_table *table);

/* Makes changes; those of one /24 that follow one another are made at once, so sorted by address
 * they are fastest. *count_change: how many (prefix, feed, port) there are more or fewer. False: no
 * memory, and some changes are not made. */
bool ipv4_table_change(struct ipv4_table *table, const struct ipv4_change *changes, size_t count,
                       int64_t *count_change);

/* The narrowest prefix that covers the address. */
struct table_cover ipv4_table_find(const struct ipv4_table *table, uint32_t address);
/* The same of many, sixteen at a time, whose memory accesses overlap. */
void ipv4_table_find_all(const struct ipv4_table *table, const uint32_t *addresses, size_t count,
                         struct table_cover *covers);
/* All that cover it, narrowest first; items has room for 33, their starts are not set. */
size_t ipv4_table_cover(const struct ipv4_table *table, uint32_t address,
                        struct bucket_item *items);

size_t ipv4_table_bytes(const struct ipv4_table *table);

#endif
