/* What readers may still look at: it is given back once all who were under way have left.
 *
 *     writer:  publishes the new, retires the old ...; retired_collect waits, and gives back
 *
 * Thread: the writer's.
 */
#ifndef INTEL_RETIRED_H
#define INTEL_RETIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"

struct retired_item {
    struct cells *cells; /* NULL: memory, which is freed */
    void *memory;
    uint32_t number;
    uint32_t bytes;
};

struct retired {
    struct retired_item *items;
    size_t count, capacity;
    bool has_memory;
};

/* Waits by itself when many have come together, or when there is no memory to note more. */
void retire(struct retired *retired, struct cells *cells, uint32_t number, size_t bytes);
void retire_memory(struct retired *retired, void *memory);
void retired_collect(struct retired *retired);
/* The same when it is worth the wait for readers, of whom one may be reading from the disk: memory,
 * or more than RETIRED_LEFT_MAX cells. A change of one indicator leaves a cell or two. */
enum { RETIRED_LEFT_MAX = 256 };
void retired_collect_many(struct retired *retired);
void retired_free(struct retired *retired);

#endif
