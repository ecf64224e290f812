#include "latency.h"

/* Below 64: itself. Then each power of two has 64 buckets. */
static uint32_t bucket_of(uint64_t us)
{
    if (us < 64)
        return (uint32_t)us;
    int shift = 63 - __builtin_clzll(us) - 6;
    uint32_t bucket = (uint32_t)(shift + 1) * 64 + (uint32_t)((us >> shift) - 64);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static uint64_t upper_end(uint32_t bucket)
{
    if (bucket < 64)
        return bucket;
    int shift = (int)(bucket / 64) - 1;
    return ((uint64_t)(bucket % 64 + 65) << shift) - 1;
}

void latency_add(struct latency *latency, uint64_t us)
{
    latency->count++;
    latency->buckets[bucket_of(us)]++;
    if (us > latency->max_us)
        latency->max_us = us;
}

uint64_t latency_percentile(const struct latency *latency, double percent)
{
    uint64_t rank = (uint64_t)((double)latency->count * percent / 100.0 + 0.5);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < LATENCY_BUCKETS && latency->count > 0; i++) {
        seen += latency->buckets[i];
        if (seen >= rank && seen > 0) {
            uint64_t end = upper_end(i);
            return end < latency->max_us ? end : latency->max_us;
        }
    }
    return latency->max_us;
}
