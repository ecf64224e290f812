#include "arena.h"

#include <stdlib.h>

enum { ALIGNMENT = 16 };

bool arena_resize(struct arena *arena, size_t capacity)
{
    arena_free(arena);
    arena->bytes = malloc(capacity);
    if (arena->bytes != NULL)
        arena->capacity = capacity;
    return arena->bytes != NULL;
}

void arena_free(struct arena *arena)
{
    free(arena->bytes);
    *arena = (struct arena){.bytes = NULL};
}

void *arena_take(struct arena *arena, size_t size_bytes)
{
    size_t start = (arena->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (start > arena->capacity || size_bytes > arena->capacity - start)
        return NULL;
    arena->used = start + size_bytes;
    return arena->bytes + start;
}
