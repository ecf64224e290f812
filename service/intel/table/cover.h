/* A listed prefix around an address: what a lookup returns. */
#ifndef INTEL_COVER_H
#define INTEL_COVER_H

#include <stdint.h>

struct table_cover {
    uint32_t sources; /* 0: there is none */
    uint8_t length;
};

#endif
