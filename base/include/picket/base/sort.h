/* Many things put in the order of a number, in time that grows as their count does.
 *
 * Thread: any.
 */
#ifndef PICKET_BASE_SORT_H
#define PICKET_BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picket_sort_item {
    uint64_t key;
    uint32_t index; /* the caller's: which thing it is */
};

/* By key, least first; those with the same key stay as they were, so that a key of several numbers
 * is sorted by with one call for each, the last number first. False: no memory for as much again,
 * and nothing has moved. */
bool picket_sort(struct picket_sort_item *items, size_t count);

#endif
