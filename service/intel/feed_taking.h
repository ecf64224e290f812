/* Fetching a feed and taking in what was read: the steps that adding and refreshing share.
 *
 * A feed is fetched and read without the lock, for that may take minutes, and then taken into store
 * and table with it, whole or not at all.
 */
#ifndef INTEL_FEED_TAKING_H
#define INTEL_FEED_TAKING_H

#include "intel/fetching/feed_fetch.h"
#include "intel_internal.h"

/* On request each is read in the asker's thread: so many at a time, since each may be large.
 * PICKET_BUSY. Whoever has entered leaves. */
int feed_enter_request(struct picket_intel *intel, struct picket_error *error);
void feed_leave_request(struct picket_intel *intel);

/* Without the lock. conditional: only if it has changed. The caller calls feed_fetched_free(),
 * whatever this returns. */
int feed_get(struct picket_intel *intel, const struct picket_feed *feed, bool conditional,
             struct fetched *fetched, struct picket_error *error);

/* With the lock held: the indicators into store and table, what is known of them into *feed and the
 * store. PICKET_DENIED: it has shrunk, and waits for a person's yes, unless accept_shrink. */
int feed_take_in(struct picket_intel *intel, struct picket_feed *feed, struct fetched *fetched,
                 bool accept_shrink, struct picket_feed_delta *delta, struct picket_error *error);

/* report: NULL is nothing. started_ms: monotonic. */
void feed_fill_report(struct picket_feed_report *report, const struct picket_feed *feed,
                      const struct picket_feed_delta *delta, const struct feed_reading *reading,
                      int64_t started_ms);

#endif
