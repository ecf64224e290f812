/* The one way in which hosted parts report failure.
 *
 * A function that can fail returns int: PICKET_OK (0) or a negative enum picket_status, and, when
 * it takes a struct picket_error *, leaves there one sentence that names the thing, what was wrong
 * and where: "feeds/drop.txt:41: prefix length 33 exceeds 32". error may be NULL everywhere.
 */
#ifndef PICKET_BASE_ERROR_H
#define PICKET_BASE_ERROR_H

enum picket_status {
    PICKET_OK = 0,
    PICKET_INVALID = -1, /* the input is wrong; trying again will not help */
    PICKET_NOT_FOUND = -2,
    PICKET_EXISTS = -3,
    PICKET_FULL = -4, /* disk or bound; may pass */
    PICKET_BUSY = -5, /* try again later */
    PICKET_IO = -6,   /* file, socket or engine failed */
    PICKET_NO_MEMORY = -7,
    PICKET_DENIED = -8,
    PICKET_CLOSED = -9 /* the other side, or our own shutdown */
};

struct picket_error {
    int status; /* enum picket_status */
    char text[500];
};

/* Fills *error (if not NULL) and returns status, so that `return picket_fail(error, …)` does both.
 */
int picket_fail(struct picket_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "where: " before the text already there. */
void picket_fail_in(struct picket_error *error, const char *where_format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
