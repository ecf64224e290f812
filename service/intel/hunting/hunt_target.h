/* What a search looks for, put together from the store: a table of its own, with the lists that are
 * weighed against it, and the filter before it.
 *
 * Thread: one at a time.
 */
#ifndef INTEL_HUNT_TARGET_H
#define INTEL_HUNT_TARGET_H

#include "hunt.h"
#include "picket/service/hunter.h"

enum hunt_kind { HUNT_ARRIVALS, HUNT_FEED, HUNT_INDICATORS, HUNT_ALL };

struct hunt_target {
    enum hunt_kind kind;
    int64_t after_ms, to_ms;             /* of arrivals: first seen after, and up to */
    char feed[65];                       /* of a feed */
    struct picket_indicator *indicators; /* owned */
    size_t count;
    bool weighs_lists; /* allow lists and lists of shared addresses count; in any case of feeds */
};

void hunt_target_free(struct hunt_target *target);

/* Sets table and filter of *hunt, of arrivals when the first came, and how many indicators it looks
 * for: with none there is neither. For all, the table is left to that of live matching.
 * PICKET_NO_MEMORY, or of the store. */
int hunt_target_load(const struct hunt_target *target, struct picket_store *store,
                     struct hunt *hunt, int64_t *indicators, struct picket_error *error);

#endif
