/* A growing array of indicators that owns their texts.
 *
 * Thread: one at a time.
 */
#ifndef INTEL_INDICATOR_LIST_H
#define INTEL_INDICATOR_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "picket/store/store.h"

enum { INDICATOR_TEXT_BYTES = 256 };

struct text_block;

/* Text in a feed; may be of any bytes, and is not terminated. */
struct feed_text {
    const char *text;
    size_t bytes;
};

/* What a feed says of an indicator in words. Zeroed is nothing. */
struct feed_texts {
    struct feed_text tags, malware, reference;
};

struct indicator_list {
    struct picket_indicator *items; /* their texts belong to the list */
    size_t count;
    size_t capacity;
    struct text_block *blocks;
    const char *last_tags, *last_malware, *last_reference;
};

/* Zeroed is empty. */
void indicator_list_free(struct indicator_list *list);

/* A copy of the text, cleaned and cut as below, that lives as long as the list; NULL: no memory.
 * The same as the last is kept once, here and below. */
const char *indicator_list_reference(struct indicator_list *list, struct feed_text reference);
const char *indicator_list_malware(struct indicator_list *list, struct feed_text malware);

/* Appends a copy with those texts, cleaned, and cut at INDICATOR_TEXT_BYTES − 1. False: no memory,
 * the list is as it was. */
bool indicator_list_add(struct indicator_list *list, const struct picket_indicator *indicator,
                        const struct feed_texts *texts);

#endif
