/* Fetches and reads a whole feed, of whatever kind: what comes is complete, or an error.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_FETCH_H
#define INTEL_FEED_FETCH_H

#include <stdatomic.h>

#include "feed_parts.h"
#include "intel/formats/feed_reader.h"
#include "picket/store/store.h"

struct fetched {
    struct feed_reading reading;
    bool not_modified; /* then nothing was read */
    char etag[256];
    char last_modified[64];
    int64_t duration_ms;
    int64_t retry_after_s; /* so long the server wants to be left alone; 0: it does not */

    /* Of a feed in parts, with the cursor that goes with them. */
    struct feed_parts parts;
    bool has_parts;
    char cursor[64];
};

/* Visits the parts that are kept of a feed. */
struct feed_keeper {
    int (*each_part)(void *context, const char *feed, picket_feed_part_visit visit,
                     void *visit_context, struct picket_error *error);
    void *context;
};

struct feed_how {
    bool conditional; /* only what has changed since etag, last_modified and cursor of the feed */
    const atomic_int *cancel;
    struct feed_keeper keeper;
};

/* PICKET_CLOSED once *how->cancel is not 0. feed_fetched_free() in any case. */
int feed_fetch(struct fetched *fetched, const struct picket_feed *feed, const struct feed_how *how,
               struct picket_error *error);
void feed_fetched_free(struct fetched *fetched);

/* ---- for those who fetch one kind ---- */

/* How the feed is to be read. */
int feed_options_of(const struct picket_feed *feed, struct feed_options *options,
                    struct picket_error *error);
/* All parts that are kept, settled; feed_parts_free() in any case. */
int feed_load_kept(const struct picket_feed *feed, const struct feed_how *how,
                   struct feed_parts *kept, struct picket_error *error);

#endif
