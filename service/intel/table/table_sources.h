/* Who lists an indicator, and what they say of it: one number for all of it.
 *
 *     sources ─┬─▶ a detail: feed, port, protocol, confidence, valid until   most often
 *              └─▶ a set of several details                        SOURCES_SET
 *
 * What is said alike of many indicators is kept once, for as long as any of them is there: a plain
 * list of a million addresses has one detail. Here is what matching needs; the rest of what feeds
 * say (line, tags, since when) is in the store.
 *
 * Thread: one writes; many may read what they got the number of.
 */
#ifndef INTEL_TABLE_SOURCES_H
#define INTEL_TABLE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "number_set.h"
#include "picket/store/store.h"
#include "retired.h"

/* In a number: it is a set of details, and no detail. */
#define SOURCES_SET (UINT32_C(1) << 31)

enum { SOURCES_OF_ONE_MAX = CELL_BYTES_MAX / 4 - 2 };

/* Whose is what is said of a prefix, and of which traffic. */
struct source {
    uint16_t feed;
    uint16_t port;    /* 0: any */
    uint8_t protocol; /* 0: any; otherwise enum picket_protocol + 1 */
};

struct detail {
    uint32_t uses;
    uint32_t valid_until_s; /* Unix seconds, unsigned, reach to 2106; 0: for ever */
    uint16_t feed;
    uint16_t port;    /* 0: any */
    uint8_t protocol; /* 0: any; otherwise enum picket_protocol + 1 */
    uint8_t confidence;
    uint8_t zero[2]; /* no padding: details are compared and hashed as bytes */
};

struct table_sources {
    struct cells details, sets;
    struct number_set detail_set, set_set;
    uint32_t last_detail; /* that was kept: the next is often the same; 0: none */
    struct retired *retired;
};

/* False: no memory. retired: where to leave what readers may still see. */
bool table_sources_open(struct table_sources *sources, struct retired *retired);
void table_sources_close(struct table_sources *sources);

/* ---- writing; each number is to be let go of as often as it was kept ---- */

/* The detail of an indicator as the feed gives it. 0: no memory. */
uint32_t table_sources_keep(struct table_sources *sources, uint16_t feed,
                            const struct picket_indicator *indicator);
/* One use more. */
void table_sources_keep_again(struct table_sources *sources, uint32_t number);
void table_sources_let_go(struct table_sources *sources, uint32_t number);

/* old (0: none) and a detail, in the place of what the same feed says of the same port and
 * protocol: a number to keep beside old, which stays as it is. 0: no memory, or SOURCES_OF_ONE_MAX
 * are there already. */
uint32_t table_sources_with(struct table_sources *sources, uint32_t old, uint32_t detail);
/* old without what the feed says of the port and protocol; *left 0 if nothing is left. False: no
 * memory. *found: whether there was such. */
bool table_sources_without(struct table_sources *sources, uint32_t old, struct source source,
                           uint32_t *left, bool *found);

/* ---- reading ---- */

size_t table_sources_count(const struct table_sources *sources, uint32_t number);
const struct detail *table_sources_detail(const struct table_sources *sources, uint32_t number,
                                          size_t index);

size_t table_sources_bytes(const struct table_sources *sources);

#endif
