/* Indicators of a feed as bytes, sorted, some two thousand to a row: a feed is always read whole
 * and replaced whole, and a row for each of millions would take ten times as long both ways.
 *
 *     per indicator   head 1 | address 4 or 16 | line | then what head says is there:
 *                     port 2 | prefix length 1 | confidence 1 | first seen | valid until | tags
 *
 *     and if head has bit 7, more 1 | then what more says is there:
 *                     protocol 1 | severity 1 | TLP 1 | listed | malware | reference
 *
 *     head: bit 0 the address is IPv6; bit 1 there is a port (0 otherwise); bit 2 there is a length
 *     (that of a single address otherwise); bits 3 to 6 confidence, first seen, valid until, tags
 *     are there (those of the indicator before otherwise; at the first 0, 0, 0 and none)
 *     more: bit 0 there is a protocol (0 otherwise); bits 1 to 5 severity, TLP, listed, malware,
 *     reference are there (as before otherwise); bits 6 and 7 are zero
 *
 * Line and times are differences to the indicator before, zigzag, seven bits a byte, the lowest
 * first; texts are a length in that form and so many bytes, the last of them and only it NUL. The
 * port is little-endian.
 */
#ifndef PICKET_STORE_SQLITE_INDICATOR_BLOCK_H
#define PICKET_STORE_SQLITE_INDICATOR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/store/store.h"

/* What of the indicator before matters to the next. Initialized by indicator_coder_start. */
struct indicator_coder {
    uint8_t confidence, severity, tlp;
    uint32_t line;
    int64_t first_seen_ms, listed_ms, valid_until_ms;
    const char *tags, *malware, *reference;
};

/* A text as it is kept: NULL is "". */
static inline const char *indicator_text(const char *text)
{
    return text != NULL ? text : "";
}

/* Of one indicator packed, whatever was before it. */
size_t indicator_bytes_max(const struct picket_indicator *indicator);

void indicator_coder_start(struct indicator_coder *coder);

/* Returns the bytes written to out, which has indicator_bytes_max(). The texts must live until the
 * next call. */
size_t indicator_pack(struct indicator_coder *coder, const struct picket_indicator *indicator,
                      uint8_t *out);

/* Reads the indicator at *at and moves on; false if there is none whole. Its texts lie in the
 * block. */
bool indicator_unpack(struct indicator_coder *coder, struct picket_indicator *indicator,
                      const uint8_t **at, const uint8_t *end);

#endif
