/* What looks addresses up, Picket's table or another. */
#ifndef BENCH_INTEL_STRUCTURE_H
#define BENCH_INTEL_STRUCTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IPv4 addresses are uint32_t, 10.0.0.1 is 0x0a000001; IPv6 addresses uint8_t[16]. */
struct structure {
    const char *name;
    void *self;
    /* The length of the narrowest prefix around the address + 1, or 0. */
    uint32_t (*one)(const void *self, const void *address);
    void (*many)(const void *self, const void *addresses, size_t count, uint32_t *found);
    double seconds; /* to build it */
    double bytes;   /* that it takes */
    bool partial;   /* it does not find all that is listed */
};

#endif
