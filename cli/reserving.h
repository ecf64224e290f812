/* Makes room in the store's logs after a start, beside everything else, and gently: what a start
 * has to do comes first.
 */
#ifndef PICKET_CLI_RESERVING_H
#define PICKET_CLI_RESERVING_H

struct reserving;

/* A thread that begins some seconds later, and ends when there is room. NULL: there is none, since
 * memory or threads are short. */
struct reserving *reserving_start(const char *store_folder);
/* Waits for the step at hand. NULL is nothing. */
void reserving_stop(struct reserving *reserving);

#endif
