/* Latencies counted into buckets that are at most 1/64 wide: memory is constant, and a percentile
 * is right to 1.6 %. Thread: one. */
#ifndef PICKET_BENCH_LATENCY_H
#define PICKET_BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 64 * 40 };

struct latency {
    uint64_t count;
    uint64_t max_us;
    uint64_t buckets[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t us);

/* Of 0..100; the bucket's upper end, 0 when nothing was counted. */
uint64_t latency_percentile(const struct latency *latency, double percent);

#endif
