/* gzip (RFC 1952) and zlib (RFC 1950, which HTTP calls deflate): what is decoded has the bound that
 * the bytes have, so that a small feed cannot become a large one.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_INFLATE_H
#define INTEL_FEED_INFLATE_H

#include <stdbool.h>

#include "feed_bytes.h"

/* Of feeds' parts that are kept: those packed by feed_deflate(). */
bool feed_is_deflated(const struct feed_bytes *bytes);
/* Puts what is compressed (zlib) in the place of the bytes. */
int feed_deflate(struct feed_bytes *bytes, struct picket_error *error);

bool feed_is_gzip(const struct feed_bytes *bytes);

/* Puts what is decoded in the place of the bytes; several gzip members follow one another.
 * PICKET_INVALID: damaged, cut off, or something behind its end; and what feed_bytes_append() says.
 */
int feed_inflate(struct feed_bytes *bytes, struct picket_error *error);

#endif
