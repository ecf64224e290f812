#include "retired.h"

#include <stdlib.h>
#include <string.h>

#include "readers.h"

enum { TOGETHER_MAX = 65536 };

static void give_back(const struct retired_item *item)
{
    if (item->cells != NULL)
        cells_give_back(item->cells, item->number, item->bytes);
    else
        free(item->memory);
}

static bool reserve(struct retired *retired)
{
    if (retired->count < retired->capacity)
        return true;
    size_t capacity = retired->capacity == 0 ? 64 : retired->capacity * 2;
    struct retired_item *items = realloc(retired->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    retired->items = items;
    retired->capacity = capacity;
    return true;
}

static void note(struct retired *retired, struct retired_item item)
{
    if (retired->count == TOGETHER_MAX)
        retired_collect(retired);
    if (reserve(retired)) {
        retired->items[retired->count++] = item;
        return;
    }
    readers_wait();
    give_back(&item);
}

void retire(struct retired *retired, struct cells *cells, uint32_t number, size_t bytes)
{
    note(retired,
         (struct retired_item){.cells = cells, .number = number, .bytes = (uint32_t)bytes});
}

void retire_memory(struct retired *retired, void *memory)
{
    note(retired, (struct retired_item){.memory = memory});
    retired->has_memory = true;
}

void retired_collect(struct retired *retired)
{
    if (retired->count == 0)
        return;
    readers_wait();
    for (size_t i = 0; i < retired->count; i++)
        give_back(&retired->items[i]);
    retired->count = 0;
    retired->has_memory = false;
}

void retired_collect_many(struct retired *retired)
{
    if (retired->has_memory || retired->count > RETIRED_LEFT_MAX)
        retired_collect(retired);
}

void retired_free(struct retired *retired)
{
    free(retired->items);
    memset(retired, 0, sizeof *retired);
}
