/* Whose turn is it to write? The handles that one process has on one folder take turns in the order
 * in which they came.
 *
 * SQLite alone would let whoever waits try again now and then, and a service that begins its next
 * batch right after the last would hardly ever be met between two: a device could not be added
 * under load. Other processes still meet by SQLite's own lock.
 *
 * Thread: any. The turn is the handle's, taken and passed on by the same thread.
 */
#ifndef PICKET_STORE_SQLITE_WRITERS_H
#define PICKET_STORE_SQLITE_WRITERS_H

#include <stdbool.h>

struct writers;

/* Those of a file by device and inode, so that two names of one folder meet; NULL: no memory, or
 * the file cannot be looked at. */
struct writers *writers_join(const char *path);
void writers_leave(struct writers *writers);

/* False if the turn did not come within timeout_ms. */
bool writers_take_turn(struct writers *writers, int timeout_ms);
void writers_pass_turn(struct writers *writers);
/* How many wait for theirs. */
int writers_waiting(struct writers *writers);

#endif
