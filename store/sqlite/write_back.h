/* The thread that writes a database's log back into its file, beside the one that commits.
 *
 *     pages in the log
 *     bound ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─     at 4 × due commits wait for the thread
 *                    ╱ commits go on while the thread ╲
 *     due   ─ ─ ─ ─ ╱  writes back, in passes, until   ╲ ─ ─ ─ ─
 *                  ╱   but a rest is left               ╲ the rest, by who commits
 *     ────────────╱                                      ╲────────  the log begins anew
 *
 * SQLite begins the log anew only when all of it has been written back and nobody has written
 * since: a thread that runs behind commits never gets there alone. So it leaves the last pages to
 * the thread that commits, which does them between two of its batches.
 *
 * The thread and its connection are made when they are first needed: most handles never do.
 *
 * Thread: all functions are called by the thread that commits.
 */
#ifndef PICKET_STORE_SQLITE_WRITE_BACK_H
#define PICKET_STORE_SQLITE_WRITE_BACK_H

#include <stdbool.h>

struct write_back;

/* Of the database at this path, once its log has `due` pages. NULL: no memory. */
struct write_back *write_back_new(const char *path, int due);
/* Ends the thread after the pass at hand. NULL is allowed. */
void write_back_free(struct write_back *write_back);

/* After a commit that leaves so many pages in the log, outside of any transaction. True: it is for
 * the caller to write back, now. */
bool write_back_after_commit(struct write_back *write_back, int pages);

#endif
