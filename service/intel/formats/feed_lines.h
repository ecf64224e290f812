/* A feed line by line: for the readers of formats that have lines.
 *
 * Thread: one at a time.
 */
#ifndef INTEL_FEED_LINES_H
#define INTEL_FEED_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed_lines {
    const char *at, *end;
    uint32_t number;  /* of the line below, the first is 1 */
    const char *text; /* trimmed, not empty */
    size_t size;
};

void feed_lines_begin(struct feed_lines *lines, const char *text, size_t size_bytes);
/* The next line that is not blank; false at the end. */
bool feed_lines_next(struct feed_lines *lines);

/* The next word of a text, which moves behind it: what is between blanks. False at the end. */
bool feed_next_word(const char **text, size_t *size, const char **word, size_t *word_size);

#endif
