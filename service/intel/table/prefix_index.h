/* Prefixes of IPv6, found by their hash: which cell holds this one?
 *
 *     hash ─▶ segment, of 256 ─▶ filter: 64 bits a word, two of them are the prefix's, if it is
 * there ─▶ numbers: open addressing; 26 bits a cell's number, 6 of the hash
 *
 * A segment that is full is written anew, somewhat larger, beside the old one: so nothing that is
 * added waits for more than one of 256 parts.
 *
 * Thread: one writes; any number look up, between readers_enter() and readers_leave().
 */
#ifndef INTEL_PREFIX_INDEX_H
#define INTEL_PREFIX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retired.h"

enum { PREFIX_SEGMENTS = 256, PREFIX_NUMBER_BITS = 26 };

struct prefix_segment {
    uint32_t size, used;   /* of numbers; used: taken, or taken once */
    uint32_t count;        /* that are there */
    uint32_t filter_words; /* a power of two */
    uint64_t filter[];     /* behind it the numbers */
};

struct prefix_index {
    struct prefix_segment *segments[PREFIX_SEGMENTS]; /* NULL: nothing in it */
    struct retired *retired;
    /* The hash that belongs to a cell's number. */
    uint64_t (*hash_of)(const void *context, uint32_t number);
    const void *context;
};

void prefix_index_close(struct prefix_index *index);

/* The number is of a prefix that is not there. False: no memory. */
bool prefix_index_add(struct prefix_index *index, uint64_t hash, uint32_t number);
/* It is there. */
void prefix_index_remove(struct prefix_index *index, uint64_t hash, uint32_t number);

/* Where the hash belongs, as it is now: a lookup asks once and stays with the answer. NULL: nothing
 * is there. */
static inline const struct prefix_segment *prefix_index_segment(const struct prefix_index *index,
                                                                uint64_t hash)
{
    return __atomic_load_n(&index->segments[hash >> 56], __ATOMIC_ACQUIRE);
}

/* What will be read of the segment, to be fetched ahead. */
const void *prefix_segment_filter(const struct prefix_segment *segment, uint64_t hash);
const void *prefix_segment_start(const struct prefix_segment *segment, uint64_t hash);

/* False: it is not there. True: it may be. */
bool prefix_segment_may_hold(const struct prefix_segment *segment, uint64_t hash);

/* Walks the numbers that the hash may belong to: *cursor 0 first; 0: no more. */
uint32_t prefix_segment_next(const struct prefix_segment *segment, uint64_t hash, uint32_t *cursor);

size_t prefix_index_bytes(const struct prefix_index *index);

#endif
