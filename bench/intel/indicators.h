/* What the benchmarks of intelligence look up, and in what. */
#ifndef BENCH_INTEL_INDICATORS_H
#define BENCH_INTEL_INDICATORS_H

#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"
#include "picket/store/store.h"

uint64_t bench_random(void);
/* Ends the program if there is no memory. */
void *bench_memory(size_t bytes);

/* 85 % single addresses, the rest /22 to /31, spread over all of IPv4. */
struct picket_prefix *bench_ipv4_prefixes(size_t count);
/* In 30,000 /32s: /128, /64, /48, and a few /56, /40 and /32. */
struct picket_prefix *bench_ipv6_prefixes(size_t count);

/* So many in a hundred lie in a prefix, the rest is random: of IPv6 within 2000::/3. */
struct picket_address *bench_addresses(const struct picket_prefix *prefixes, size_t prefix_count,
                                       size_t count, unsigned hit_percent);

#endif
