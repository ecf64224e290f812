/* What anybody would write first: the sorted boundaries of the IPv4 prefixes, and a binary search.
 * It returns which prefix matched, the narrowest. */
#ifndef BENCH_INTEL_REFERENCE_H
#define BENCH_INTEL_REFERENCE_H

#include "picket/base/address.h"
#include "structure.h"

struct reference {
    uint32_t *starts;
    uint8_t *lengths; /* of the prefix that counts from there on + 1; 0: none */
    size_t count;
};

struct structure reference_make(struct reference *reference, const struct picket_prefix *prefixes,
                                size_t count);
void reference_free(struct reference *reference);

#endif
