/* A table that many read while one thread exchanges it (RCU by liburcu, flavour "bulletproof": a
 * reader needs no registration, so any thread may look up).
 *
 *     reader:  published_read ─▶ table ... ─▶ published_done      never waits
 *     writer:  published_swap    waits until all who read the old table are done, then frees it
 */
#ifndef INTEL_PUBLISHED_H
#define INTEL_PUBLISHED_H

#include <stdatomic.h>
#include <stdint.h>

#include "table.h"

struct published {
    struct table *table;
    _Atomic uint64_t swaps;
};

/* May nest. Not to be held while waiting for a writer. */
const struct table *published_read(struct published *published);
void published_done(struct published *published);

/* > 0, and another one once a swap has returned. What was looked up after this was asked holds for
 * as long as the answer is the same. */
uint64_t published_stamp(struct published *published);

/* One writer at a time. */
void published_swap(struct published *published, struct table *fresh);

#endif
