/* DPDK's structures, to compare with. An optional dependency: without it dpdk_none.c stands in. */
#ifndef BENCH_INTEL_DPDK_H
#define BENCH_INTEL_DPDK_H

#include "lookups.h"

/* Builds one after another, measures and prints each; what has no room is said. */
void dpdk_measure_ipv4(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count);
void dpdk_measure_ipv6(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count);

#endif
