/* Small pieces of memory with a number each, which stays the same for as long as they live: readers
 * follow numbers of 32 bits instead of pointers, and nothing ever moves under them.
 *
 *     address space is reserved once:   [used ............|  never touched, costs nothing      ]
 *     number n is at base + 8 n          cells of 8, 16, 24 ... bytes; what is freed is kept in
 *                                        a list for each size and given out again
 *
 * Thread: one writes; many may read cells that they got the number of with acquire. A cell is freed
 * only after nobody can read it any more (retired.h).
 */
#ifndef INTEL_CELLS_H
#define INTEL_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CELL_GRANULE = 8, CELL_BYTES_MAX = 8192, CELL_SIZES = CELL_BYTES_MAX / CELL_GRANULE + 1 };

struct cells {
    uint8_t *base;
    uint32_t used;  /* granules; number 0 is never given out */
    uint32_t limit; /* granules */
    uint64_t free_granules;
    uint32_t free[CELL_SIZES]; /* by size: the first of those freed; 0: none */
};

/* Reserves address space for numbers up to limit. False: there is none. */
bool cells_open(struct cells *cells, uint32_t limit);
void cells_close(struct cells *cells);

/* The number of a cell of so many bytes, up to CELL_BYTES_MAX; its content is whatever was there.
 * 0: the limit is reached. */
uint32_t cells_take(struct cells *cells, size_t bytes);
void cells_give_back(struct cells *cells, uint32_t number, size_t bytes);

static inline void *cells_at(const struct cells *cells, uint32_t number)
{
    return cells->base + (size_t)number * CELL_GRANULE;
}

/* What was ever given out. */
size_t cells_bytes(const struct cells *cells);

#endif
