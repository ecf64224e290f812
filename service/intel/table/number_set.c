#include "number_set.h"

#include <stdlib.h>
#include <string.h>

uint32_t number_set_find(const struct number_set *set, uint32_t hash, number_is is,
                         const void *context, const void *looked_for)
{
    if (set->size == 0)
        return 0;
    size_t mask = set->size - 1;
    for (size_t at = hash & mask; set->cells[at].number != 0; at = (at + 1) & mask)
        if (set->cells[at].hash == hash && is(context, set->cells[at].number, looked_for))
            return set->cells[at].number;
    return 0;
}

static void place(struct number_cell *cells, size_t size, struct number_cell cell)
{
    size_t at = cell.hash & (size - 1);
    while (cells[at].number != 0)
        at = (at + 1) & (size - 1);
    cells[at] = cell;
}

static bool resize(struct number_set *set, size_t size)
{
    struct number_cell *cells = calloc(size, sizeof *cells);
    if (cells == NULL)
        return false;
    for (size_t i = 0; i < set->size; i++)
        if (set->cells[i].number != 0)
            place(cells, size, set->cells[i]);
    free(set->cells);
    set->cells = cells;
    set->size = size;
    return true;
}

bool number_set_add(struct number_set *set, uint32_t hash, uint32_t number)
{
    if (set->used * 4 >= set->size * 3 && !resize(set, set->size == 0 ? 64 : set->size * 2))
        return false;
    place(set->cells, set->size, (struct number_cell){number, hash});
    set->used++;
    return true;
}

/* Whether a cell that belongs at `home` may move from `from` to the free one before it. */
static bool may_move(size_t home, size_t from, size_t free_at, size_t mask)
{
    return ((from - home) & mask) >= ((from - free_at) & mask);
}

void number_set_remove(struct number_set *set, uint32_t hash, uint32_t number)
{
    size_t mask = set->size - 1, hole = hash & mask;
    while (set->cells[hole].number != number)
        hole = (hole + 1) & mask;
    for (size_t at = (hole + 1) & mask; set->cells[at].number != 0; at = (at + 1) & mask)
        if (may_move(set->cells[at].hash & mask, at, hole, mask)) {
            set->cells[hole] = set->cells[at];
            hole = at;
        }
    set->cells[hole].number = 0;
    set->used--;
    if (set->size > 64 && set->used * 8 < set->size)
        resize(set, set->size / 2);
}

void number_set_free(struct number_set *set)
{
    free(set->cells);
    memset(set, 0, sizeof *set);
}
