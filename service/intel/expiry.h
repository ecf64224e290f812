/* What expires leaves memory, and does not come into it again: of each feed, up to when it has.
 *
 *     in the store      |<- expired, not in the table ->|<- in the table ------------------->
 *     valid until    ───┼───────────────────────────────┼─────────────┼───────────────────────▶
 *                                                    out_until      next, the sweeper's next
 *
 * An indicator stays in the table for an hour after its time, since events come late: the matcher
 * compares its time with the event's in any case.
 *
 * Thread: one changes; any may ask for counts.
 */
#ifndef INTEL_EXPIRY_H
#define INTEL_EXPIRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "picket/store/store.h"

enum { EXPIRY_GRACE_MS = 60 * 60 * 1000 };
#define EXPIRY_NEVER INT64_MAX

struct feed_expiry {
    char name[65];         /* "": no feed has this number */
    int64_t out_until_ms;  /* what is valid until then at the latest is not in the table */
    int64_t next_ms;       /* the earliest time at which one in the table expires, or earlier */
    int64_t expired;       /* how many are not in the table for that */
    int64_t not_before_ms; /* it is not swept again before */
    uint64_t changes;      /* how often its indicators have changed */
};

/* By the feeds' numbers in the table. */
struct expiry {
    pthread_mutex_t lock;
    struct feed_expiry *feeds;
    uint32_t used; /* numbers 1 to this were added */
};

/* What changes of one feed's, until it is known that it does. */
struct expiry_change {
    int64_t out_until_ms, next_ms, expired;
};

/* False: no memory. */
bool expiry_open(struct expiry *expiry);
void expiry_close(struct expiry *expiry);
/* *fresh, which nobody else knows, takes the place of what there is, and gets it. */
void expiry_swap(struct expiry *expiry, struct expiry *fresh);

/* A feed that has nothing yet. */
void expiry_add_feed(struct expiry *expiry, uint16_t feed, const char *name);
void expiry_remove_feed(struct expiry *expiry, uint16_t feed);

struct expiry_change expiry_change_of(const struct expiry *expiry, uint16_t feed);
/* An indicator comes or stays, changed or not: whether it belongs into the table. */
bool expiry_take(struct expiry_change *change, const struct picket_indicator *now);
/* One goes, or is about to be replaced. */
void expiry_take_out(struct expiry_change *change, const struct picket_indicator *before);
void expiry_changed(struct expiry *expiry, uint16_t feed, const struct expiry_change *change);

/* How many of the feed's indicators have expired and are not in memory; 0 if there is no such
 * feed. Thread: any. */
int64_t expiry_count(struct expiry *expiry, const char *feed);

#endif
