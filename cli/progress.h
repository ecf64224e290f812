/* A line that tells how far something is, on a terminal at standard error; elsewhere nothing.
 *
 *     [#########---------------]  38 %  1.2 M events/s  14 s left  3 found
 */
#ifndef PICKET_CLI_PROGRESS_H
#define PICKET_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool is_shown;
    int64_t begun_ms; /* monotonic */
};

void progress_begin(struct progress *progress);
/* done of all; events: looked at so far; tail: what else there is to say. */
void progress_show(const struct progress *progress, int64_t done, int64_t all, int64_t events,
                   const char *tail);
/* Takes the line away. */
void progress_end(const struct progress *progress);

/* "[####----]  50 %  2.0 k events/s  3 s left  3 found" after so many milliseconds, at most so many
 * columns; into out, of so many bytes; returns out. */
enum { PROGRESS_LINE_BYTES = 256 };
char *progress_line(int64_t done, int64_t all, int64_t events, int64_t time_ms, const char *tail,
                    int columns, char out[PROGRESS_LINE_BYTES]);

#endif
