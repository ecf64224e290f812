/* Feeds that somebody has to look at: they wait for a person's yes, or have not been read for long.
 *
 *     becomes so, and then daily ──▶ the log: {"about": "feed", ...} ──▶ feed_detector.c: one alert
 *     is well again, or is removed ──▶ the store: that alert is closed
 *
 * Thread: any; calls wait for one another.
 */
#ifndef INTEL_FEED_HEALTH_H
#define INTEL_FEED_HEALTH_H

#include "picket/log/log.h"
#include "picket/store/store.h"

/* Types of the alerts. */
#define FEED_ALERT_WAITS "Picket_FeedWaitsForYes"
#define FEED_ALERT_STALE "Picket_FeedNotRefreshed"

enum feed_state {
    FEED_UNSURE, /* its last attempt failed, which may pass: it is as it was */
    FEED_WELL,
    FEED_WAITS, /* for a person's yes */
    FEED_STALE  /* no attempt has succeeded for three times its interval, and for a day */
};

enum feed_state feed_state_of(const struct picket_feed *feed, int64_t now_ms);

struct feed_health;

/* Opens a store handle of its own. */
int feed_health_open(struct feed_health **health, const char *store_folder,
                     struct picket_error *error);
void feed_health_close(struct feed_health *health); /* NULL: nothing happens */

/* Where it is told from now on, what is so already too; before that nothing is. The log has to last
 * as long as others may look. */
void feed_health_tell(struct feed_health *health, struct picket_log *log);

/* Looks at all feeds as of that Unix time. What the log or the store cannot take now, they are
 * given again the next time. */
void feed_health_look(struct feed_health *health, int64_t now_ms);

#endif
