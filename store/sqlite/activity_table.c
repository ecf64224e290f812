#include <stdlib.h>
#include <string.h>

#include "activity.h"

enum { CAPACITY_MIN = 1024 };

/* Numbers follow one another, so their spread needs no more than this (Knuth's multiplier). */
static size_t start_of(const struct activity_table *table, int64_t device)
{
    return (size_t)((uint64_t)device * 0x9e3779b97f4a7c15u >> 32) & (table->capacity - 1);
}

struct activity *activity_find(const struct activity_table *table, int64_t device)
{
    if (table->capacity == 0)
        return NULL;
    for (size_t at = start_of(table, device); table->places[at] != 0;
         at = (at + 1) & (table->capacity - 1)) {
        struct activity *entry = &table->entries[table->places[at] - 1];
        if (entry->device == device)
            return entry;
    }
    return NULL;
}

static void place(struct activity_table *table, size_t index)
{
    size_t at = start_of(table, table->entries[index].device);
    while (table->places[at] != 0)
        at = (at + 1) & (table->capacity - 1);
    table->places[at] = (uint32_t)index + 1;
}

static int grow(struct activity_table *table)
{
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : CAPACITY_MIN;
    struct activity *entries = realloc(table->entries, capacity / 2 * sizeof *entries);
    if (entries == NULL)
        return -1;
    table->entries = entries;
    uint32_t *changed = realloc(table->changed, capacity / 2 * sizeof *changed);
    if (changed == NULL)
        return -1;
    table->changed = changed;
    uint32_t *places = calloc(capacity, sizeof *places);
    if (places == NULL)
        return -1;
    free(table->places);
    table->places = places;
    table->capacity = capacity;
    for (size_t i = 0; i < table->count; i++)
        place(table, i);
    return 0;
}

struct activity *activity_add(struct activity_table *table, int64_t device)
{
    if (table->count >= table->capacity / 2 && grow(table) != 0)
        return NULL;
    struct activity *entry = &table->entries[table->count];
    *entry = (struct activity){.device = device};
    place(table, table->count++);
    return entry;
}

void activity_change(struct activity_table *table, struct activity *entry)
{
    if (!entry->is_changed)
        table->changed[table->changed_count++] = (uint32_t)(entry - table->entries);
    entry->is_changed = true;
}

void activity_clear(struct activity_table *table)
{
    if (table->count > 0)
        memset(table->places, 0, table->capacity * sizeof *table->places);
    table->count = 0;
    table->changed_count = 0;
}

void activity_free(struct activity_table *table)
{
    free(table->entries);
    free(table->changed);
    free(table->places);
    *table = (struct activity_table){0};
}
