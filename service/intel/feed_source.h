/* Fetches a feed's bytes from a file or an http(s) URL. What all sources hold together is bounded.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_SOURCE_H
#define INTEL_FEED_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "picket/base/error.h"

enum { FEED_SOURCE_BYTES_MAX = 512 * 1024 * 1024, FEED_SOURCES_BYTES = 1024 * 1024 * 1024 };

struct feed_source {
    char *text; /* NULL when not modified; freed by feed_source_free() */
    size_t size_bytes;
    size_t reserved_bytes; /* of what all may hold */
    bool not_modified;
    char etag[256];
    char last_modified[64]; /* of a file: its modification time and size */
};

/* location: a path, or a URL that starts with http:// or https://. etag and last_modified: of the
 * last time, or "" to fetch in any case. Once *cancel is not 0, gives up soon. PICKET_IO,
 * PICKET_NOT_FOUND, PICKET_FULL (larger than FEED_SOURCE_BYTES_MAX), PICKET_BUSY (all sources
 * together would hold too much: later), PICKET_NO_MEMORY, PICKET_CLOSED (cancelled). */
int feed_source_fetch(struct feed_source *source, const char *location, const char *etag,
                      const char *last_modified, const atomic_int *cancel,
                      struct picket_error *error);
void feed_source_free(struct feed_source *source);

/* How many bytes all sources may hold together, FEED_SOURCES_BYTES at first. */
void feed_sources_bound(size_t bytes);

#endif
