/* The table that lookups use, where it can be exchanged as a whole: changes are made in it
 * (table.h); another takes its place when it has to be built anew from the store.
 *
 *     reader:  published_read ─▶ table ... ─▶ published_done      never waits
 */
#ifndef INTEL_PUBLISHED_H
#define INTEL_PUBLISHED_H

#include <stdatomic.h>
#include <stdint.h>

#include "table.h"

struct published {
    struct table *table;
    _Atomic uint64_t changes;
};

/* May nest. Not to be held while waiting for a writer. */
const struct table *published_read(struct published *published);
void published_done(void);

/* > 0, and another one once a change is there. What was looked up after this was asked holds for as
 * long as the answer is the same. */
uint64_t published_stamp(struct published *published);

/* One writer at a time: the table has been changed. */
void published_changed(struct published *published);
/* The same: fresh takes the place of the table, which is freed once nobody reads it. */
void published_swap(struct published *published, struct table *fresh);

#endif
