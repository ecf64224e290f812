/* How often something may happen: so many in a period, and a number of them at once after a quiet
 * time (a token bucket). What is taken beyond that is a debt, and nothing more is admitted until it
 * is paid: so a single large one always goes.
 *
 * Thread: none of its own; no state but the struct's.
 */
#ifndef PICKET_HUB_RATE_H
#define PICKET_HUB_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint32_t count; /* in period_ms; 0: no limit */
    uint32_t period_ms;
    uint64_t burst; /* at once; below 2^40 */
};

/* Zero: full. */
struct rate_bucket {
    int64_t missing;   /* of a full one, in units of 1 / period_ms */
    int64_t filled_ms; /* monotonic */
};

/* Adds what has come in since; now_ms never goes back. */
void rate_fill(struct rate_bucket *bucket, const struct rate *rate, int64_t now_ms);

/* There is something left, as of the last rate_fill(). */
bool rate_admits(const struct rate_bucket *bucket, const struct rate *rate);
void rate_take(struct rate_bucket *bucket, const struct rate *rate, uint64_t count);

bool rate_is_full(const struct rate_bucket *bucket);

#endif
