/* Fetches the bytes of a feed that is one file or one address.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_SOURCE_H
#define INTEL_FEED_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "feed_bytes.h"
#include "picket/store/store.h"

struct feed_request {
    const char *location;      /* a path, or a URL that starts with http:// or https:// */
    const char *etag;          /* of the last time, or "" to fetch in any case */
    const char *last_modified; /* the same; of a file: its modification time, size and number */
    const struct picket_feed_access *access;
    size_t max_bytes; /* of what is decoded, too */
    const atomic_int *cancel;
};

struct feed_source {
    struct feed_bytes bytes; /* no text when not modified */
    bool not_modified;
    char etag[256];
    char last_modified[64];
    int64_t retry_after_s; /* so long the server wants to be left alone; 0: it does not */
};

/* The largest that a feed may be: its own bound, or all feeds'. */
size_t feed_max_bytes(const struct picket_feed *feed);

/* Once *request->cancel is not 0, gives up soon. What feed_http_get() and feed_file_read() say.
 * feed_source_free() in any case. */
int feed_source_fetch(struct feed_source *source, const struct feed_request *request,
                      struct picket_error *error);
void feed_source_free(struct feed_source *source);

#endif
