/* Picket's table, with prefixes of one feed in it. */
#ifndef BENCH_INTEL_LISTED_H
#define BENCH_INTEL_LISTED_H

#include "intel/table/table.h"
#include "structure.h"

struct listed {
    struct table *table;
    uint16_t feed;
};

void listed_open(struct listed *listed);
void listed_close(struct listed *listed);

/* Puts them in, or takes them out. */
void listed_change(const struct listed *listed, const struct picket_prefix *prefixes, size_t count,
                   bool in);

/* Opens it, and puts them in. */
struct structure listed_make(struct listed *listed, const struct picket_prefix *prefixes,
                             size_t count);

#endif
