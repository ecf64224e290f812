/* All indicators of all feeds in memory: which of them cover this address?
 *
 *     feeds ─▶ a batch of changes ─▶ ipv4_table.h, ipv6_table.h      while lookups go on
 *                                        │
 *     address ─▶ covers, narrowest first ┘─▶ sources of each (table_sources.h): feed, port,
 * confidence
 * ...
 *
 * Whoever looks up sees each change as a whole or not yet; a batch becomes visible piece by piece,
 * and is visible as a whole when table_apply() returns.
 *
 * Thread: one changes; any number read, between readers_enter() and readers_leave().
 */
#ifndef INTEL_TABLE_H
#define INTEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cover.h"
#include "picket/base/address.h"
#include "picket/base/error.h"
#include "picket/store/store.h"

enum { TABLE_FEEDS_MAX = 65535, TABLE_COVERS_MAX = 129 };

struct table;

struct table_feed {
    const char *name;
    bool match_special_purpose;
    bool match_own_networks;
    uint8_t role; /* enum picket_feed_role */
};

/* What one feed says of it, as far as matching needs it; the rest is in the store. */
struct table_match {
    const struct table_feed *feed; /* lives until readers_leave() */
    struct picket_prefix prefix;
    uint16_t port;
    uint8_t protocol; /* 0: any; otherwise enum picket_protocol + 1 */
    uint8_t confidence;
    int64_t valid_until_ms; /* of whole seconds; 0: for ever */
};

/* NULL: no memory. */
struct table *table_new(void);
/* Nobody reads it any more. */
void table_free(struct table *table);

/* ---- changing ---- */

/* The feed's number, or 0: no memory, or there are TABLE_FEEDS_MAX. The name is not there yet;
 * it is copied. */
uint16_t table_add_feed(struct table *table, const struct table_feed *feed);
/* 0: there is none of that name. */
uint16_t table_feed_number(const struct table *table, const char *name);
/* Of which nothing is in the table any more. */
void table_remove_feed(struct table *table, uint16_t feed);

struct table_batch;

/* NULL: no memory. */
struct table_batch *table_batch_new(struct table *table);
void table_batch_free(struct table_batch *batch);

/* The feed lists this, in the place of what it listed with the same prefix, port and protocol.
 * Order is free, but of those alike the last counts. False: no memory, and applying will fail. */
bool table_put(struct table_batch *batch, uint16_t feed, const struct picket_indicator *indicator);
/* The feed does not list this any more; it may not have. */
bool table_take_out(struct table_batch *batch, uint16_t feed,
                    const struct picket_indicator *indicator);

/* Makes the changes and consumes the batch. PICKET_NO_MEMORY: some are not made. */
int table_apply(struct table_batch *batch, struct picket_error *error);

/* ---- reading ---- */

/* The narrowest listed prefix around the address. */
struct table_cover table_find(const struct table *table, const struct picket_address *address);

/* The same of many, whose memory accesses overlap: sixty-four at a time and more are fastest. */
void table_find_many(const struct table *table, const struct picket_address *const *addresses,
                     size_t count, struct table_cover *covers);
/* Of one family; IPv4 addresses are numbers, 10.0.0.1 is 0x0a000001. */
void table_find_ipv4(const struct table *table, const uint32_t *addresses, size_t count,
                     struct table_cover *covers);
void table_find_ipv6(const struct table *table, const uint8_t (*addresses)[16], size_t count,
                     struct table_cover *covers);

/* All of them, narrowest first. */
size_t table_covers(const struct table *table, const struct picket_address *address,
                    struct table_cover covers[TABLE_COVERS_MAX]);

size_t table_source_count(const struct table *table, const struct table_cover *cover);
void table_source(const struct table *table, const struct picket_address *address,
                  const struct table_cover *cover, size_t index, struct table_match *match);

/* What all feeds say of an address, narrowest prefix first. */
struct table_walk {
    const struct table *table;
    const struct picket_address *address;
    struct table_cover covers[TABLE_COVERS_MAX];
    size_t cover_count, cover, source;
};
/* The address has to stay where it is. */
void table_walk(struct table_walk *walk, const struct table *table,
                const struct picket_address *address);
/* False: that was all. */
bool table_walk_next(struct table_walk *walk, struct table_match *match);

/* Thread: any. */
size_t table_indicators(const struct table *table);
/* Thread: the changing one. */
size_t table_bytes(const struct table *table);

#endif
