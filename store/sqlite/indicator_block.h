/* Indicators of a feed as bytes, sorted, some two thousand to a row: a feed is always read whole
 * and replaced whole, and a row for each of millions would take ten times as long both ways.
 *
 *     per indicator   head 1 | address 4 or 16 | line | then what head says is there:
 *                     port 2 | prefix length 1 | confidence 1 | first seen | valid until | tags
 *
 *     head: bit 0 the address is IPv6; bit 1 there is a port (0 otherwise); bit 2 there is a length
 *     (that of a single address otherwise); bits 3 to 6 confidence, first seen, valid until, tags
 * are there (those of the indicator before otherwise; at the first 0, 0, 0 and none); bit 7 is zero
 *
 * Line and times are differences to the indicator before, zigzag, seven bits a byte, the lowest
 * first; tags are a length in that form and so many bytes, the last of them and only it NUL. The
 * port is little-endian.
 */
#ifndef PICKET_STORE_SQLITE_INDICATOR_BLOCK_H
#define PICKET_STORE_SQLITE_INDICATOR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/store/store.h"

/* Without the tags. */
enum { INDICATOR_BYTES_MAX = 1 + 16 + 10 + 2 + 1 + 1 + 10 + 10 + 10 };

/* What of the indicator before matters to the next. Initialized by indicator_coder_start. */
struct indicator_coder {
    uint8_t confidence;
    int64_t first_seen_ms;
    int64_t valid_until_ms;
    uint32_t line;
    const char *tags;
};

void indicator_coder_start(struct indicator_coder *coder);

/* Returns the bytes written to out, which has INDICATOR_BYTES_MAX and strlen(tags) + 1. The tags
 * must live until the next call. */
size_t indicator_pack(struct indicator_coder *coder, const struct picket_indicator *indicator,
                      uint8_t *out);

/* Reads the indicator at *at and moves on; false if there is none whole. Its tags lie in the block.
 */
bool indicator_unpack(struct indicator_coder *coder, struct picket_indicator *indicator,
                      const uint8_t **at, const uint8_t *end);

#endif
