/* Reads a file of a feed: plain or compressed with gzip. */
#ifndef INTEL_FEED_FILE_H
#define INTEL_FEED_FILE_H

#include <stdbool.h>

#include "feed_bytes.h"

enum { FEED_STAMP_BYTES = 64 };

/* bytes->max_bytes bounds it, before and after decompressing. stamp: its modification time,
 * size and inode; if they are those of *known (may be "" or NULL), nothing is read, and *is_known
 * is true. PICKET_NOT_FOUND, PICKET_INVALID (no regular file), PICKET_IO, PICKET_BUSY (it was
 * written while it was read), and what feed_bytes_append() says. feed_bytes_free() in any case.
 * Thread: any. */
int feed_file_read(const char *path, const char *known, struct feed_bytes *bytes,
                   char stamp[FEED_STAMP_BYTES], bool *is_known, struct picket_error *error);

#endif
