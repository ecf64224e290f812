/* What anybody would write first: the sorted boundaries of the IPv4 prefixes, and a binary search.
 * It returns which prefix matched, the narrowest. */
#ifndef BENCH_INTEL_REFERENCE_H
#define BENCH_INTEL_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"

struct reference {
    uint32_t *starts;
    uint8_t *lengths; /* of the prefix that counts from there on + 1; 0: none */
    size_t count;
};

void reference_make(struct reference *reference, const struct picket_prefix *prefixes,
                    size_t count);
void reference_free(struct reference *reference);

/* The length + 1, or 0. */
uint8_t reference_find(const struct reference *reference, uint32_t address);
void reference_find_all(const struct reference *reference, const uint32_t addresses[16],
                        uint8_t found[16]);

#endif
