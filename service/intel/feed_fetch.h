/* Fetches and reads a whole feed, of whatever kind: what comes is complete, or an error.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_FETCH_H
#define INTEL_FEED_FETCH_H

#include <stdatomic.h>

#include "feed_reader.h"
#include "picket/store/store.h"

struct fetched {
    struct feed_reading reading;
    bool not_modified; /* then nothing was read */
    char etag[256];
    char last_modified[64];
    int64_t duration_ms;
    int64_t retry_after_s; /* so long the server wants to be left alone; 0: it does not */
};

/* conditional: only if it has changed since etag and last_modified of the feed. PICKET_CLOSED once
 * *cancel is not 0. feed_fetched_free() in any case. */
int feed_fetch(struct fetched *fetched, const struct picket_feed *feed, bool conditional,
               const atomic_int *cancel, struct picket_error *error);
void feed_fetched_free(struct fetched *fetched);

#endif
