/* A feed of several texts: the files of a folder, the events of a MISP feed. Each is read as a list
 * of its own, and they are one in the end.
 *
 * Thread: one at a time per reading.
 */
#ifndef INTEL_FEED_PIECES_H
#define INTEL_FEED_PIECES_H

#include "intel/formats/feed_reader.h"

struct feed_piece {
    const char *file; /* its name, told with what was not understood */
    const char *text;
    size_t size_bytes;
    bool refers; /* its indicators' reference begins with the file's name */
};

/* Reads the piece and adds what it holds. whole: zeroed before the first. What feed_read() says,
 * with the file's name; after an error the whole is of no use but for feed_reading_free(). */
int feed_read_piece(struct feed_reading *whole, const struct feed_piece *piece,
                    const struct feed_options *options, struct picket_error *error);

#endif
