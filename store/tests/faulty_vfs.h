/* A layer under SQLite that fails when told, or loses what was not synced: how disks behave on a
 * bad day. For tests; it stands above the system's own.
 *
 * Counted are writes, truncations and syncs of all files, from 1 after each faulty_vfs_fail().
 */
#ifndef PICKET_STORE_TESTS_FAULTY_VFS_H
#define PICKET_STORE_TESTS_FAULTY_VFS_H

#include <stdbool.h>

/* Makes it the default for all connections opened from now on. */
void faulty_vfs_install(void);

/* The n-th operation fails with an SQLite code; `stays`: and every one after it. Syncs fail as
 * syncs do: SQLITE_FULL, which they never give, becomes SQLITE_IOERR_FSYNC. */
void faulty_vfs_fail(int n, int code, bool stays);
void faulty_vfs_heal(void);
/* Whether a failure has been given since faulty_vfs_fail(). */
bool faulty_vfs_has_failed(void);

/* From now on writes reach a file only when it is synced: killing the process is pulling the plug.
 * For one connection a file, which must be opened after this. */
void faulty_vfs_keep_until_synced(void);

#endif
