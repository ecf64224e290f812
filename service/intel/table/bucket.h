/* What is listed within one IPv4 /24, packed into a cell: single addresses, and prefixes that lie
 * in it or around it.
 *
 *     list   hosts u8 | ranges u8 | their last octets | (first octet, length) of each range,
 * longest first | sources u32 of hosts, then of ranges map    255 u8 | 0 u8 | count u16 | for each
 * of 256 addresses the number of its narrowest entry + 1, u16 | entries: sources u32, parent + 1
 * u16, length u8, 0
 *
 * The smaller of both. A lone address takes 8 bytes; 256 of one feed 524.
 *
 * Thread: pure functions.
 */
#ifndef INTEL_BUCKET_H
#define INTEL_BUCKET_H

#include <stddef.h>
#include <stdint.h>

/* Hosts, the ranges /25 to /31, and at most 24 lengths around. */
enum { BUCKET_ITEMS_MAX = 256 + 254 + 25, BUCKET_BYTES_MAX = 4 + 512 + 8 * BUCKET_ITEMS_MAX };

/* A prefix of which this much lies in the /24. */
struct bucket_item {
    uint32_t sources; /* never 0 */
    uint8_t start;    /* the last octet it begins with; 0 if it is not longer than 24 */
    uint8_t length;   /* 0..32 */
};

/* Items are in this order, without two alike: longest first, then by start. */
static inline uint32_t bucket_order(uint8_t start, uint8_t length)
{
    return (uint32_t)(32 - length) << 8 | start;
}

size_t bucket_unpack(const void *bucket, struct bucket_item items[BUCKET_ITEMS_MAX]);

/* Lays count > 0 items out in out, of BUCKET_BYTES_MAX and aligned to 8, and returns the size. */
size_t bucket_pack(const struct bucket_item *items, size_t count, void *out);

size_t bucket_bytes(const void *bucket);

/* The sources of the narrowest that covers the address with that last octet, or 0. */
uint32_t bucket_find(const void *bucket, uint8_t octet, uint8_t *length);

/* All that cover it, narrowest first; items has room for 33. */
size_t bucket_cover(const void *bucket, uint8_t octet, struct bucket_item *items);

#endif
