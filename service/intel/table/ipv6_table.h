/* IPv6 indicators, for lookups that go on while they change.
 *
 * Each prefix is a cell, found by the hash of its address and length. A lookup asks for one length
 * after another, longest first; which may be there at all it is told by
 *
 *     touched: a bit for a hash of the first 32 bits                 256 KB: most are told no
 *     near:    by a shorter hash of them, the lengths from 32 on     1 MB
 *     far:     by the first 16 bits, the lengths up to 31            256 KB
 *
 * and most of these the index denies without looking at a cell (prefix_index.h). A length stays in
 * near and far after the last of its prefixes has gone from there, until none of it is left
 * anywhere, and a bit in touched until nothing is: it costs a look at the filter.
 *
 * Thread: one writes; any number look up, between readers_enter() and readers_leave().
 */
#ifndef INTEL_IPV6_TABLE_H
#define INTEL_IPV6_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "cover.h"
#include "prefix_index.h"
#include "retired.h"
#include "table_sources.h"

enum { IPV6_LENGTHS = 129 };

struct ipv6_item {
    uint8_t address[16];
    uint32_t sources; /* never 0 */
    uint8_t length;
};

/* Which lengths: bit n is length n + 32, or of `far` length n. */
struct ipv6_near {
    uint64_t lengths[2];
};

struct ipv6_table {
    struct cells items;
    struct prefix_index index;
    uint64_t *touched;
    struct ipv6_near *near;
    uint32_t *far;
    struct ipv6_near near_any; /* the lengths there are anywhere */
    uint32_t far_any;
    uint64_t counts[IPV6_LENGTHS]; /* prefixes of each length */
    uint64_t near_count;           /* of all from 32 on */
    uint64_t seed;                 /* so that nobody can choose prefixes whose hashes agree */
    struct table_sources *sources;
    struct retired *retired;
};

/* As struct ipv4_change. */
struct ipv6_change {
    uint8_t address[16];
    uint32_t detail;
    struct source source;
    uint8_t length;
};

bool ipv6_table_open(struct ipv6_table *table, struct table_sources *sources,
                     struct retired *retired);
void ipv6_table_close(struct ipv6_table *table);

/* As ipv4_table_change(); order does not matter. */
bool ipv6_table_change(struct ipv6_table *table, const struct ipv6_change *changes, size_t count,
                       int64_t *count_change);

/* The narrowest prefix that covers the address. */
struct table_cover ipv6_table_find(const struct ipv6_table *table, const uint8_t address[16]);
/* The same of many, whose memory accesses overlap. */
void ipv6_table_find_all(const struct ipv6_table *table, const uint8_t (*addresses)[16],
                         size_t count, struct table_cover *covers);
/* All that cover it, narrowest first; covers has room for IPV6_LENGTHS. */
size_t ipv6_table_cover(const struct ipv6_table *table, const uint8_t address[16],
                        struct table_cover *covers);

size_t ipv6_table_bytes(const struct ipv6_table *table);

#endif
