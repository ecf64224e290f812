/* Messages that others made; the table is written by embed.py. */
#ifndef PICKET_EMULATION_SAMPLES_H
#define PICKET_EMULATION_SAMPLES_H

#include <stdint.h>

struct sample {
    const char *name;
    const uint8_t *bytes;
    uint32_t size_bytes;
};

extern const struct sample samples[];
extern const uint32_t sample_count;

#endif
