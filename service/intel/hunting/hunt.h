/* One search of stored events for indicators: is any of them about a flow that a device reported
 * then? Judged as live flows are (matcher.h), with the indicators as they are now.
 *
 *     store: stored flows ─▶ filter: may it be listed? ─▶ table, allow lists ... ─▶ gathered.h
 *                            (address_filter.h)           (matcher.h)                   │
 *                                                         findings about the past ◀─────┘
 *
 * Most flows end at the filter, so that a search takes hardly longer than reading them.
 *
 * Thread: one; the counts under `progress` may be read by any.
 */
#ifndef INTEL_HUNT_H
#define INTEL_HUNT_H

#include <stdatomic.h>

#include "gathered.h"
#include "intel/matching/matcher.h"
#include "picket/base/address_filter.h"
#include "picket/store/store.h"

#define HUNT_ASKED                                                                                 \
    "(asked)" /* the list of what somebody looks for himself; no feed is called so                 \
               */

/* Which flows. */
struct hunt_range {
    int64_t first_event, end_event; /* from that one to the one before */
    int64_t since_ms, until_ms;     /* received at or after, and before */
    char device[129];               /* "": all */
};

/* A flow that is a hit. */
struct hunt_hit {
    const char *device;
    const struct picket_prefix *prefix; /* the narrowest by which it is */
    int64_t event_id, seen_ms;
    const struct picket_flow *flow;
};

/* Whether it is known already. */
struct hunt_known {
    bool (*is_known)(void *context, const struct hunt_hit *hit);
    void *context;
};

struct hunt_progress {
    _Atomic int64_t indicators, first_event, next_event, end_event;
    _Atomic int64_t flows, events, hits, bytes, found, left_out, damaged, damaged_event, alerts;
};

struct hunt {
    struct hunt_range range;
    struct table *table; /* its own; NULL: that of matching() */
    /* What flows are judged by, at the time; given back by matching_done(). */
    struct matching (*matching)(void *context, const struct table *own);
    void (*matching_done)(void *context);
    void *context;
    struct hunt_known known; /* is_known NULL: nothing is */
    struct picket_address_filter filter;
    int64_t first_came_ms; /* of arrivals: when the first came; 0: there is none */
    struct gathering gathered;
    struct hunt_progress progress;
    struct picket_flow_search search; /* set by hunt_begin() */
    bool is_asked;
    int64_t searched_from_ms, searched_to_ms; /* for who reads what was found */
    /* For the slice at hand. */
    struct picket_store *store;
    struct picket_error *error;
    int status;
    struct picket_event_head head;
    int64_t head_event;
    struct picket_flow part[PICKET_STORED_FLOWS_TOGETHER]; /* flows of one event */
};

/* The rest of *hunt is set. */
void hunt_begin(struct hunt *hunt);
bool hunt_is_done(const struct hunt *hunt);
/* The next slice: some milliseconds. */
int hunt_step(struct hunt *hunt, struct picket_store *store, struct picket_error *error);

/* Hands the finding of what was gathered under that number to yield, if an indicator still lists
 * it. PICKET_OK, what yield returned, or PICKET_NO_MEMORY. */
int hunt_tell(struct hunt *hunt, size_t number, picket_yield yield, void *context);

void hunt_free(struct hunt *hunt);

#endif
