/* One indicator more or less, while lookups go on: how soon it counts, and what lookups notice. */
#ifndef BENCH_INTEL_CHANGES_H
#define BENCH_INTEL_CHANGES_H

#include "listed.h"

void changes_measure(const struct listed *listed, const struct picket_prefix *prefixes,
                     size_t count);

#endif
