#include "cells.h"

#include <string.h>

#include "address_space.h"

bool cells_open(struct cells *cells, uint32_t limit)
{
    memset(cells, 0, sizeof *cells);
    cells->base = address_space_reserve((size_t)limit * CELL_GRANULE);
    if (cells->base == NULL)
        return false;
    cells->limit = limit;
    cells->used = 1;
    return true;
}

void cells_close(struct cells *cells)
{
    address_space_release(cells->base, (size_t)cells->limit * CELL_GRANULE);
    memset(cells, 0, sizeof *cells);
}

static uint32_t granules_of(size_t bytes)
{
    return (uint32_t)((bytes + CELL_GRANULE - 1) / CELL_GRANULE);
}

/* A freed cell holds the number of the next of its size. */
static uint32_t *next_of(const struct cells *cells, uint32_t number)
{
    return cells_at(cells, number);
}

static void push(struct cells *cells, uint32_t number, uint32_t granules)
{
    *next_of(cells, number) = cells->free[granules];
    cells->free[granules] = number;
    cells->free_granules += granules;
}

static uint32_t pop(struct cells *cells, uint32_t granules)
{
    uint32_t number = cells->free[granules];
    cells->free[granules] = *next_of(cells, number);
    cells->free_granules -= granules;
    return number;
}

/* A larger one is split before new memory is begun: but only when that much is free that looking is
 * worth it. */
static uint32_t split(struct cells *cells, uint32_t granules)
{
    if (cells->free_granules < cells->used / 16)
        return 0;
    for (uint32_t larger = granules + 1; larger < CELL_SIZES; larger++) {
        if (cells->free[larger] == 0)
            continue;
        uint32_t number = pop(cells, larger);
        push(cells, number + granules, larger - granules);
        return number;
    }
    return 0;
}

uint32_t cells_take(struct cells *cells, size_t bytes)
{
    uint32_t granules = granules_of(bytes);
    if (cells->free[granules] != 0)
        return pop(cells, granules);
    uint32_t number = split(cells, granules);
    if (number != 0)
        return number;
    if (granules > cells->limit - cells->used)
        return 0;
    number = cells->used;
    cells->used += granules;
    return number;
}

void cells_give_back(struct cells *cells, uint32_t number, size_t bytes)
{
    push(cells, number, granules_of(bytes));
}

size_t cells_bytes(const struct cells *cells)
{
    return (size_t)cells->used * CELL_GRANULE;
}
