/* What came of a feed that is made of parts (picket/store/feed_parts.h), until it is taken: objects
 * of a TAXII collection, events of a MISP feed.
 *
 * Thread: one at a time per struct.
 */
#ifndef INTEL_FEED_PARTS_H
#define INTEL_FEED_PARTS_H

#include <stdbool.h>

#include "feed_bytes.h"
#include "picket/store/feed_parts.h"

enum { FEED_PART_KEY_BYTES = 128, FEED_PARTS_MAX = 4 * 1024 * 1024 };

struct feed_part_place {
    size_t key, stamp, body; /* in bytes.text */
    size_t body_bytes;
    bool is_gone; /* it has no body */
};

struct feed_parts {
    struct feed_bytes bytes; /* its max_bytes is set by the caller */
    struct feed_part_place *places;
    size_t count, capacity;
    bool whole; /* they are all there are: what else is kept goes */
};

/* body NULL: the part is no more. PICKET_FULL, PICKET_BUSY, PICKET_NO_MEMORY; the error does not
 * name the feed. */
int feed_parts_add(struct feed_parts *parts, const struct picket_feed_part *part,
                   struct picket_error *error);
void feed_parts_free(struct feed_parts *parts);

/* Sorts by key, and of several of one key leaves that with the latest stamp (the last of equals).
 */
void feed_parts_settle(struct feed_parts *parts);
struct picket_feed_part feed_parts_at(const struct feed_parts *parts, size_t index);
/* Of settled ones: their place, or count. */
size_t feed_parts_find(const struct feed_parts *parts, const char *key);

#endif
