#include "ipv4_slots.h"

#include <string.h>

#include "address_space.h"
#include "readers.h"

enum { RUNS = IPV4_SLOTS / IPV4_SLOTS_IN_RUN };

static const size_t array_bytes = IPV4_SLOTS * sizeof(uint64_t);
static const size_t runs_bytes = RUNS * sizeof(uint64_t);
/* From where on the array would take less. */
static const uint32_t granules_max = IPV4_SLOTS;

bool ipv4_slots_open(struct ipv4_slots *slots, struct retired *retired)
{
    memset(slots, 0, sizeof *slots);
    slots->retired = retired;
    slots->runs = address_space_reserve(runs_bytes);
    return slots->runs != NULL && cells_open(&slots->cells, granules_max);
}

static void close_packed(struct ipv4_slots *slots)
{
    address_space_release(slots->runs, runs_bytes);
    cells_close(&slots->cells);
    slots->runs = NULL;
}

void ipv4_slots_close(struct ipv4_slots *slots)
{
    address_space_release(slots->array, array_bytes);
    close_packed(slots);
}

/* ---- a run ---- */

static uint32_t run_map(uint64_t run)
{
    return (uint32_t)(run >> 48);
}

static size_t run_bytes(uint64_t run)
{
    return (size_t)__builtin_popcount(run_map(run)) * sizeof(uint64_t);
}

static uint64_t *run_cell(const struct ipv4_slots *slots, uint64_t run)
{
    return cells_at(&slots->cells, (uint32_t)run);
}

/* The old run with that slot in it, or (0) without: a cell of its own, since readers may be in the
 * old one's. False: no memory. */
static bool make_run(struct ipv4_slots *slots, uint64_t old, uint32_t index, uint64_t slot,
                     uint64_t *fresh)
{
    uint32_t bit = 1u << index % IPV4_SLOTS_IN_RUN, others = run_map(old) & ~bit;
    uint32_t map = slot != 0 ? others | bit : others;
    *fresh = (uint64_t)map << 48;
    if (map == 0)
        return true;
    uint32_t number = cells_take(&slots->cells, run_bytes(*fresh));
    if (number == 0)
        return false;
    *fresh |= number;
    for (uint32_t rest = map, k = 0; rest != 0; rest &= rest - 1, k++) {
        uint32_t at = (uint32_t)__builtin_ctz(rest);
        run_cell(slots, *fresh)[k] =
            1u << at == bit ? slot : run_cell(slots, old)[ipv4_run_place(old, at)];
    }
    return true;
}

static bool put_packed(struct ipv4_slots *slots, uint32_t index, uint64_t slot)
{
    uint64_t *run = &slots->runs[index / IPV4_SLOTS_IN_RUN], old = *run, fresh;
    bool was_there = run_map(old) >> index % IPV4_SLOTS_IN_RUN & 1;
    if (was_there && slot != 0) {
        __atomic_store_n(&run_cell(slots, old)[ipv4_run_place(old, index)], slot, __ATOMIC_RELEASE);
        return true;
    }
    if (!was_there && slot == 0)
        return true;
    if (!make_run(slots, old, index, slot, &fresh))
        return false;
    __atomic_store_n(run, fresh, __ATOMIC_RELEASE);
    if (run_map(old) != 0)
        retire(slots->retired, &slots->cells, (uint32_t)old, run_bytes(old));
    return true;
}

/* ---- both ---- */

static void copy_run(const struct ipv4_slots *slots, uint32_t number, uint64_t *array)
{
    uint64_t run = slots->runs[number];
    const uint64_t *cell = run_cell(slots, run);
    for (uint32_t rest = run_map(run); rest != 0; rest &= rest - 1)
        array[number * IPV4_SLOTS_IN_RUN + (uint32_t)__builtin_ctz(rest)] = *cell++;
}

bool ipv4_slots_spread(struct ipv4_slots *slots)
{
    if (slots->array != NULL)
        return true;
    uint64_t *array = address_space_reserve(array_bytes);
    if (array == NULL)
        return false;
    address_space_prefer_huge_pages(array, array_bytes); /* before it is touched */
    for (uint32_t i = 0; i < RUNS; i++)
        copy_run(slots, i, array);
    __atomic_store_n(&slots->array, array, __ATOMIC_RELEASE);
    retired_collect(slots->retired); /* which may hold cells of ours */
    readers_wait();
    close_packed(slots);
    return true;
}

/* If there is no room for more cells, as an array. */
static bool put_anywhere(struct ipv4_slots *slots, uint32_t index, uint64_t slot)
{
    if (slots->array == NULL && put_packed(slots, index, slot))
        return true;
    if (!ipv4_slots_spread(slots))
        return false;
    __atomic_store_n(&slots->array[index], slot, __ATOMIC_RELEASE);
    return true;
}

bool ipv4_slots_put(struct ipv4_slots *slots, uint32_t index, uint64_t slot)
{
    bool was_there = ipv4_slots_at(slots, index) != 0;
    if (!put_anywhere(slots, index, slot))
        return false;
    slots->used += (size_t)(slot != 0) - (size_t)was_there;
    return true;
}

void ipv4_slots_prefer_huge_pages(struct ipv4_slots *slots)
{
    if (slots->array != NULL)
        return; /* it has them */
    address_space_prefer_huge_pages(slots->runs, runs_bytes);
    address_space_prefer_huge_pages(slots->cells.base, (size_t)granules_max * CELL_GRANULE);
}

size_t ipv4_slots_bytes(const struct ipv4_slots *slots)
{
    return slots->array != NULL ? array_bytes : runs_bytes + cells_bytes(&slots->cells);
}
