/* Bytes of feeds while they are being read: each has a bound of its own, and all together have one.
 *
 * Thread: any; one at a time per struct.
 */
#ifndef INTEL_FEED_BYTES_H
#define INTEL_FEED_BYTES_H

#include <stddef.h>

#include "picket/base/error.h"

enum { FEED_BYTES_MAX = 512 * 1024 * 1024, FEED_BYTES_OF_ALL = 1024 * 1024 * 1024 };

/* Zeroed but for max_bytes: nothing yet. */
struct feed_bytes {
    char *text; /* with a NUL behind it; NULL: nothing */
    size_t size_bytes;
    size_t capacity; /* which is held of what all may hold */
    size_t max_bytes;
};

/* Room for exactly so many, and the NUL. PICKET_FULL: more than max_bytes; PICKET_BUSY: all
 * together would hold too much, later; PICKET_NO_MEMORY. The error does not name the feed. */
int feed_bytes_reserve(struct feed_bytes *bytes, size_t size_bytes, struct picket_error *error);
/* Room grows with what comes; the same errors. */
int feed_bytes_append(struct feed_bytes *bytes, const void *more, size_t more_bytes,
                      struct picket_error *error);
/* Leaves it zeroed, and may be called again. */
void feed_bytes_free(struct feed_bytes *bytes);

/* How many all may hold together, FEED_BYTES_OF_ALL at first. */
void feed_bytes_bound(size_t bytes);

#endif
