/* Fetches a collection of a TAXII 2.1 server: whole, or what was added since the last time.
 *
 *     GET …/collections/ID/objects/?added_after=&limit=&match[type]=&next=     page by page
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_TAXII_H
#define INTEL_FEED_TAXII_H

#include <stdatomic.h>

#include "feed_parts.h"
#include "picket/service/intel.h"

struct feed_taxii_answer {
    struct feed_parts parts; /* settled */
    char cursor[64];         /* up to where it has been read; "" if the server does not tell */
    int64_t retry_after_s;
};

/* added_after: the cursor of the last time, or "" for all. All pages, or an error: what
 * feed_http_get() says, PICKET_INVALID (no TAXII, pages without end).
 * feed_parts_free(&answer->parts) in any case. */
int feed_taxii_fetch(const struct picket_feed *feed, const char *added_after,
                     const atomic_int *cancel, struct feed_taxii_answer *answer,
                     struct picket_error *error);

/* What collections there are, at a server, an API root or a list of collections. url: with or
 * without "taxii+". */
int feed_taxii_collections(const char *url, const struct picket_feed_access *access,
                           const atomic_int *cancel, picket_collection_visit visit, void *context,
                           struct picket_error *error);

#endif
