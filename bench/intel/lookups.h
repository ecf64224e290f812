/* How many addresses a second a structure looks up, in ways that compare. */
#ifndef BENCH_INTEL_LOOKUPS_H
#define BENCH_INTEL_LOOKUPS_H

#include "picket/base/address.h"
#include "structure.h"

enum { LOOKUP_MIXES = 2 };

/* What is looked up: the same for all structures. */
struct lookups {
    uint8_t family;
    size_t address_bytes;
    void *addresses[LOOKUP_MIXES];
    uint64_t sums[LOOKUP_MIXES]; /* of what the first structure found */
    bool has_sums;
};

void lookups_make(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count);
void lookups_free(struct lookups *lookups);

void lookups_print_head(void);
/* Measures and prints a line; says so if a structure that is not partial finds anything else than
 * the first did. */
void lookups_measure(struct lookups *lookups, const struct structure *structure, size_t indicators);

#endif
