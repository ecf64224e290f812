/* A run of bytes inside somebody else's buffer: how the parsers name what they found without
 * copying. Thread: pure functions. */
#ifndef PICKET_HUB_SLICE_H
#define PICKET_HUB_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
    const char *bytes; /* not NUL-terminated */
    size_t size;
};

struct slice slice_of(const char *text); /* NUL-terminated */
bool slice_equals(struct slice slice, const char *text);
bool slice_equals_ignoring_case(struct slice slice, const char *text); /* ASCII */

/* If the slice begins with text, cuts it off and returns true. */
bool slice_skip(struct slice *slice, const char *text);

/* Cuts off and returns what is before the first separator; the separator goes too. Without one:
 * everything, and the rest is empty with bytes NULL. */
struct slice slice_cut(struct slice *rest, char separator);

/* Copies the slice to *at with a NUL behind it, and moves *at behind that. Returns the copy. */
char *slice_copy(char **at, struct slice slice);

/* Undoes %XX into out; '+' stays '+'. Returns the size, or -1 when out is too small or an escape is
 * not two hexadecimal digits. */
long slice_percent_decode(struct slice slice, char *out, size_t out_size);

#endif
