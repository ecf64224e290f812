#include "rate.h"

void rate_fill(struct rate_bucket *bucket, const struct rate *rate, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - bucket->filled_ms;
    bucket->filled_ms = now_ms;
    if (rate->count == 0 || elapsed_ms >= bucket->missing / rate->count + 1)
        bucket->missing = 0;
    else
        bucket->missing -= elapsed_ms * rate->count;
}

/* At least one is there, whole. */
bool rate_admits(const struct rate_bucket *bucket, const struct rate *rate)
{
    return rate->count == 0 ||
           bucket->missing <= ((int64_t)rate->burst - 1) * (int64_t)rate->period_ms;
}

void rate_take(struct rate_bucket *bucket, const struct rate *rate, uint64_t count)
{
    if (rate->count > 0)
        bucket->missing += (int64_t)count * rate->period_ms;
}

bool rate_is_full(const struct rate_bucket *bucket)
{
    return bucket->missing == 0;
}
