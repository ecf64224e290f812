/* Room in a database's log before it is needed.
 *
 * A log that grows with each commit costs more than the bytes: to sync them, the file system has to
 * write down the file's new size and place as well, through a journal that all files share. A log
 * that has its size costs the bytes alone. SQLite keeps the file as large as it once was; so zeros
 * are written behind what is there, up to where the log is written back and begins anew.
 *
 * Zeros are no frames (their salts and checksums are others), so that who recovers the log stops
 * where it ended before, as with frames of a log that has begun anew.
 */
#ifndef PICKET_STORE_SQLITE_LOG_ROOM_H
#define PICKET_STORE_SQLITE_LOG_ROOM_H

#include "database.h"

enum { LOG_ROOM_STEP_BYTES = 1 << 20 };

/* The size of a log that is written back in time. */
int64_t log_room_bytes(const struct schema *schema);

/* Makes the log a step larger, unless it has the size. The caller has SQLite's write lock: nobody
 * else appends meanwhile. *size_bytes: of the log before. PICKET_FULL, and the log is as it was. */
int log_room_add(struct database *database, int64_t wanted_bytes, int64_t *size_bytes,
                 struct picket_error *error);

/* Syncs what was added; without the lock. */
int log_room_sync(struct database *database, struct picket_error *error);

#endif
