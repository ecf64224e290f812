/* A growing array of indicators that owns their tags.
 *
 * Thread: one at a time.
 */
#ifndef INTEL_INDICATOR_LIST_H
#define INTEL_INDICATOR_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "picket/store/store.h"

enum { INDICATOR_TAGS_BYTES = 256 };

struct tag_block;

struct indicator_list {
    struct picket_indicator *items; /* their tags belong to the list */
    size_t count;
    size_t capacity;
    struct tag_block *blocks;
    const char *last_tags;
};

/* Zeroed is empty. */
void indicator_list_free(struct indicator_list *list);

/* Appends a copy; tags of tags_bytes (cleaned, and cut at INDICATOR_TAGS_BYTES − 1). False: no
 * memory, the list is as it was. */
bool indicator_list_add(struct indicator_list *list, const struct picket_indicator *indicator,
                        const char *tags, size_t tags_bytes);

#endif
