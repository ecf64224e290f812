#include "prefix_index.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 16 };

static const uint32_t number_mask = (1u << PREFIX_NUMBER_BITS) - 1;
static const uint32_t gone = UINT32_MAX; /* was taken */

/* Of the hash: bits 56..63 the segment, 24..55 the place, 18..23 what a slot keeps, 0..17 the
 * filter's bits and, with the place, its word. */
static unsigned segment_of(uint64_t hash)
{
    return (unsigned)(hash >> 56);
}

static uint32_t place_of(const struct prefix_segment *segment, uint64_t hash)
{
    return (uint32_t)((hash >> 24 & UINT32_MAX) * segment->size >> 32);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 18 & 0x3f) << PREFIX_NUMBER_BITS;
}

static uint32_t filter_word(const struct prefix_segment *segment, uint64_t hash)
{
    return (uint32_t)(hash >> 12) & (segment->filter_words - 1);
}

static uint64_t filter_bits(uint64_t hash)
{
    return (uint64_t)1 << (hash & 63) | (uint64_t)1 << (hash >> 6 & 63);
}

static uint32_t *numbers_of(const struct prefix_segment *segment)
{
    return (uint32_t *)(uintptr_t)(segment->filter + segment->filter_words);
}

/* ---- looking up ---- */

const void *prefix_segment_filter(const struct prefix_segment *segment, uint64_t hash)
{
    return &segment->filter[filter_word(segment, hash)];
}

const void *prefix_segment_start(const struct prefix_segment *segment, uint64_t hash)
{
    return &numbers_of(segment)[place_of(segment, hash)];
}

bool prefix_segment_may_hold(const struct prefix_segment *segment, uint64_t hash)
{
    const uint64_t *word = prefix_segment_filter(segment, hash);
    uint64_t bits = filter_bits(hash);
    return (__atomic_load_n(word, __ATOMIC_RELAXED) & bits) == bits;
}

uint32_t prefix_segment_next(const struct prefix_segment *segment, uint64_t hash, uint32_t *cursor)
{
    const uint32_t *numbers = numbers_of(segment);
    uint32_t first = place_of(segment, hash), tag = tag_of(hash);
    while (*cursor < segment->size) {
        uint32_t at = first + (*cursor)++;
        at -= at >= segment->size ? segment->size : 0;
        uint32_t number = __atomic_load_n(&numbers[at], __ATOMIC_ACQUIRE);
        if (number == 0)
            return 0;
        if (number != gone && (number & ~number_mask) == tag)
            return number & number_mask;
    }
    return 0;
}

/* ---- changing ---- */

static size_t segment_bytes(uint32_t size, uint32_t filter_words)
{
    return sizeof(struct prefix_segment) + filter_words * sizeof(uint64_t) +
           size * sizeof(uint32_t);
}

static struct prefix_segment *make_segment(uint32_t count)
{
    uint32_t size = count + count / 2 < SMALLEST ? SMALLEST : count + count / 2, words = 1;
    while (words * 8 < size)
        words *= 2;
    struct prefix_segment *segment = calloc(1, segment_bytes(size, words));
    if (segment == NULL)
        return NULL;
    segment->size = size;
    segment->filter_words = words;
    return segment;
}

static void place(struct prefix_segment *segment, uint64_t hash, uint32_t number)
{
    uint32_t *numbers = numbers_of(segment), at = place_of(segment, hash);
    uint64_t *word = &segment->filter[filter_word(segment, hash)];
    while (numbers[at] != 0)
        at = at + 1 == segment->size ? 0 : at + 1;
    __atomic_store_n(word, *word | filter_bits(hash), __ATOMIC_RELAXED);
    __atomic_store_n(&numbers[at], number | tag_of(hash), __ATOMIC_RELEASE);
    segment->used++;
    segment->count++;
}

/* With room for more by a half than there is. */
static bool rewrite(struct prefix_index *index, struct prefix_segment **where)
{
    struct prefix_segment *old = *where, *fresh = make_segment(old != NULL ? old->count : 0);
    if (fresh == NULL)
        return false;
    const uint32_t *numbers = old != NULL ? numbers_of(old) : NULL;
    for (uint32_t i = 0; old != NULL && i < old->size; i++) {
        uint32_t number = numbers[i] & number_mask;
        if (numbers[i] != 0 && numbers[i] != gone)
            place(fresh, index->hash_of(index->context, number), number);
    }
    __atomic_store_n(where, fresh, __ATOMIC_RELEASE);
    if (old != NULL)
        retire_memory(index->retired, old);
    return true;
}

bool prefix_index_add(struct prefix_index *index, uint64_t hash, uint32_t number)
{
    struct prefix_segment **where = &index->segments[segment_of(hash)];
    if ((*where == NULL || (*where)->used >= (*where)->size / 5 * 4) && !rewrite(index, where))
        return false;
    place(*where, hash, number);
    return true;
}

void prefix_index_remove(struct prefix_index *index, uint64_t hash, uint32_t number)
{
    struct prefix_segment *segment = index->segments[segment_of(hash)];
    uint32_t *numbers = numbers_of(segment), at = place_of(segment, hash);
    while (numbers[at] != (number | tag_of(hash)))
        at = at + 1 == segment->size ? 0 : at + 1;
    __atomic_store_n(&numbers[at], gone, __ATOMIC_RELEASE);
    segment->count--;
}

void prefix_index_close(struct prefix_index *index)
{
    for (int i = 0; i < PREFIX_SEGMENTS; i++)
        free(index->segments[i]);
    memset(index->segments, 0, sizeof index->segments);
}

size_t prefix_index_bytes(const struct prefix_index *index)
{
    size_t bytes = 0;
    for (int i = 0; i < PREFIX_SEGMENTS; i++)
        if (index->segments[i] != NULL)
            bytes += segment_bytes(index->segments[i]->size, index->segments[i]->filter_words);
    return bytes;
}
