/* All indicators of all feeds, laid out for lookups: which of them cover this address?
 *
 * Prefixes either nest or are disjoint. The distinct prefixes of a family are sorted by first
 * address, wider before narrower, and each knows the narrowest one around it, its parent. The last
 * entry that starts at or before an address is the only place to begin: whatever covers the address
 * is that entry or one of its ancestors, and all ancestors of what covers it cover it too.
 *
 *     10.0.0.0/8 ◀──┐
 *       10.1.0.0/16 ┤ ◀─┐        lookup 10.1.2.9: last start ≤ it is 10.1.2.0/24 ─▶ /16 ─▶ /8
 *         10.1.2.0/24 ──┘        lookup 10.9.9.9: last start ≤ it is 10.1.2.0/24, which does not
 *     11.0.0.0/8                                  cover it, nor does /16, but /8 does
 *
 *     IPv4                               bytes an entry
 *       slots     2^16 + 1 × u32         entries that start below slot << 16 (256 KiB in all)
 *       starts    u32, sorted            4
 *       links     parent u32, first u32  8   first: of its records; they end where the next one's
 * begin lengths   u8                     1 records   detail u32, line u32   8   one per source
 * (feed, port) of a prefix IPv6: the same with starts of 16 bytes and no slots.
 *
 *     details     feed, port, confidence, since, until, tags: shared by all records that agree in
 * them, usually a few for each feed text        tags and feeds' names
 *
 * So 21 bytes an IPv4 indicator, 33 an IPv6 one, besides what distinct details there are.
 *
 * Thread: built by one; then immutable, and read by any number.
 */
#ifndef INTEL_TABLE_H
#define INTEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"
#include "picket/base/error.h"
#include "picket/store/store.h"

enum { TABLE_NONE = UINT32_MAX, TABLE_FEEDS_MAX = 65535 };

struct table;

struct table_feed {
    const char *name;
    bool match_special_purpose;
};

/* One indicator of one feed, as a lookup finds it; pointers live as long as the table. */
struct table_match {
    const struct table_feed *feed;
    struct picket_prefix prefix;
    uint16_t port;
    uint8_t confidence;
    int64_t first_seen_ms; /* of whole seconds, as valid_until_ms */
    int64_t valid_until_ms;
    uint32_t line;
    const char *tags;
};

/* ---- building ---- */

struct table_builder;

/* NULL: no memory. */
struct table_builder *table_builder_new(void);
void table_builder_free(struct table_builder *builder);

/* The feed's number for table_add(), or negative: no memory, or more than TABLE_FEEDS_MAX. */
int table_add_feed(struct table_builder *builder, const char *name, bool match_special_purpose);
/* Order is free. False: no memory, and the building fails. */
bool table_add(struct table_builder *builder, int feed, const struct picket_indicator *indicator);

/* Consumes the builder. PICKET_NO_MEMORY. */
int table_build(struct table_builder *builder, struct table **table, struct picket_error *error);
void table_free(struct table *table);

/* ---- reading ---- */

/* The narrowest entry that covers the address, or TABLE_NONE. */
uint32_t table_find(const struct table *table, const struct picket_address *address);

/* The same for IPv4 addresses in host order, sixteen at a time, so that their memory accesses
 * overlap. */
void table_find_ipv4(const struct table *table, const uint32_t *addresses, size_t count,
                     uint32_t *entries);

/* The entry around it, or TABLE_NONE. */
uint32_t table_parent(const struct table *table, uint8_t family, uint32_t entry);

/* The entry's records: index is first, first + 1 ... below the returned end. */
uint32_t table_records(const struct table *table, uint8_t family, uint32_t entry, uint32_t *first);
void table_record(const struct table *table, uint8_t family, uint32_t entry, uint32_t record,
                  struct table_match *match);

size_t table_indicators(const struct table *table);
size_t table_size_bytes(const struct table *table);

#endif
