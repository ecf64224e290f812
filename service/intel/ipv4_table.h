/* IPv4 indicators, for lookups that go on while they change.
 *
 *     address ─▶ present: is anything listed in its /24?      2 MB, a bit each: most are told no
 * here ─▶ slots: the /24's bucket, and in which sixths of it anything lies   64 MB, u32 each ─▶
 * bucket: single addresses, and prefixes /17 to /31 (bucket.h)       8 bytes and more and     ─▶
 * wide: prefixes up to /16, a bucket for each /16                    256 KB
 *
 * A change writes the bucket anew and publishes it with one store: a lookup sees the old or the
 * new. A prefix /17 to /23 is in each of the up to 128 buckets it touches; a wider one in as many
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
#include "retired.h"
#include "table_sources.h"

struct ipv4_table {
    uint64_t *present;
    uint32_t *slots;
    uint32_t *wide;
    uint64_t *wide_present; /* a bit for each of them */
    struct cells buckets;
    struct table_sources *sources;
    struct retired *retired;
    bool huge; /* on huge pages where the system has them */
};

/* What is to become different of one prefix: a detail is put in the place of what its feed said
 * before, or (detail 0) what its source says is taken out. */
struct ipv4_change {
    uint32_t start;  /* host order; host bits are zero */
    uint32_t detail; /* whose use the caller keeps */
    uint32_t order;  /* of changes of one prefix */
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

/* The sources of the narrowest prefix that covers the address, or 0. */
uint32_t ipv4_table_find(const struct ipv4_table *table, uint32_t address, uint8_t *length);
/* The same, sixteen at a time, so that their memory accesses overlap. */
void ipv4_table_find_all(const struct ipv4_table *table, const uint32_t *addresses, size_t count,
                         uint32_t *sources, uint8_t *lengths);
/* All that cover it, narrowest first; items has room for 33, their starts are not set. */
size_t ipv4_table_cover(const struct ipv4_table *table, uint32_t address,
                        struct bucket_item *items);

size_t ipv4_table_bytes(const struct ipv4_table *table);

#endif
