/* The slot of each IPv4 /24 (slot.h): packed while few /24s have one, an array once many do.
 *
 *     packed   runs, a word for each /20 ─▶ a cell with the slots of its 16 /24s that are not 0, in
 *                order      16 bits which they are | 32 bits the cell's number        8 MB at most
 *     array    2^24 slots                                                           128 MB
 *
 * Packed, a slot costs its 8 bytes wherever it lies; the array costs one access less. It takes the
 * place of what was packed while lookups go on, when it is asked for or is no larger, and stays.
 *
 * Thread: one writes; any number read, between readers_enter() and readers_leave().
 */
#ifndef INTEL_IPV4_SLOTS_H
#define INTEL_IPV4_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "retired.h"

enum { IPV4_SLOTS = 1 << 24, IPV4_SLOTS_IN_RUN = 16 };

struct ipv4_slots {
    uint64_t *array; /* NULL: they are packed */
    uint64_t *runs;
    struct cells cells;
    struct retired *retired;
    size_t used; /* that are not 0 */
};

/* False: no memory. retired: where to leave what readers may still see. */
bool ipv4_slots_open(struct ipv4_slots *slots, struct retired *retired);
void ipv4_slots_close(struct ipv4_slots *slots);

/* Readers see the old one or the new. May wait for them once, to lay slots out as the array. False:
 * no memory, and it is as it was. */
bool ipv4_slots_put(struct ipv4_slots *slots, uint32_t index, uint64_t slot);

/* Lays them out as the array, if they are not, and waits for readers. False: no memory, and they
 * stay packed. */
bool ipv4_slots_spread(struct ipv4_slots *slots);

/* A wish, of what lies there already and of what comes. */
void ipv4_slots_prefer_huge_pages(struct ipv4_slots *slots);

size_t ipv4_slots_bytes(const struct ipv4_slots *slots);

static inline const uint64_t *ipv4_slots_array(const struct ipv4_slots *slots)
{
    return __atomic_load_n(&slots->array, __ATOMIC_ACQUIRE);
}

/* Where the slot with that index stands in its run's cell. */
static inline unsigned ipv4_run_place(uint64_t run, uint32_t index)
{
    uint32_t before = (1u << index % IPV4_SLOTS_IN_RUN) - 1;
    return (unsigned)__builtin_popcount((uint32_t)(run >> 48) & before);
}

/* Of slots that are packed: where it is, if it is not 0. */
static inline const uint64_t *ipv4_slots_packed_place(const struct ipv4_slots *slots,
                                                      uint32_t index)
{
    static const uint64_t none = 0;
    uint64_t run = __atomic_load_n(&slots->runs[index / IPV4_SLOTS_IN_RUN], __ATOMIC_ACQUIRE);
    if ((run >> 48 >> index % IPV4_SLOTS_IN_RUN & 1) == 0)
        return &none;
    const uint64_t *cell = cells_at(&slots->cells, (uint32_t)run);
    return &cell[ipv4_run_place(run, index)];
}

static inline uint64_t ipv4_slots_at(const struct ipv4_slots *slots, uint32_t index)
{
    const uint64_t *array = ipv4_slots_array(slots);
    const uint64_t *at = array != NULL ? &array[index] : ipv4_slots_packed_place(slots, index);
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* What reading it begins with, to be fetched ahead. */
static inline const void *ipv4_slots_start(const struct ipv4_slots *slots, uint32_t index)
{
    const uint64_t *array = ipv4_slots_array(slots);
    return array != NULL ? &array[index] : &slots->runs[index / IPV4_SLOTS_IN_RUN];
}

#endif
