#include "faulty_vfs.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A write that waits for its sync. */
struct pending {
    struct pending *next;
    sqlite3_int64 offset;
    int size;
    uint8_t bytes[];
};

/* The system's file lies behind it in the same memory. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
    struct pending *first, **last;
    sqlite3_int64 size; /* as the connection sees it, while writes wait */
};

static sqlite3_vfs *system_vfs;
static sqlite3_vfs vfs;
static int countdown; /* operations until the failure; 0: none is planned */
static int failure;
static bool failure_stays, has_failed, keeps_until_synced;

void faulty_vfs_fail(int n, int code, bool stays)
{
    countdown = n;
    failure = code;
    failure_stays = stays;
    has_failed = false;
}

void faulty_vfs_heal(void)
{
    countdown = 0;
}

bool faulty_vfs_has_failed(void)
{
    return has_failed;
}

void faulty_vfs_keep_until_synced(void)
{
    keeps_until_synced = true;
}

/* SQLITE_OK, or what the operation at hand must fail with. */
static int next_operation(bool is_sync)
{
    if (countdown == 0 || --countdown > 0)
        return SQLITE_OK;
    countdown = failure_stays ? 1 : 0;
    has_failed = true;
    return is_sync && failure == SQLITE_FULL ? SQLITE_IOERR_FSYNC : failure;
}

static struct file *file_of(sqlite3_file *base)
{
    return (struct file *)base;
}

/* ---- writes that wait ---- */

static int keep(struct file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct pending *pending = malloc(sizeof *pending + (size_t)size);
    if (pending == NULL)
        return SQLITE_IOERR_NOMEM;
    *pending = (struct pending){.offset = offset, .size = size};
    memcpy(pending->bytes, bytes, (size_t)size);
    *file->last = pending;
    file->last = &pending->next;
    if (offset + size > file->size)
        file->size = offset + size;
    return SQLITE_OK;
}

static int write_through(struct file *file)
{
    int code = SQLITE_OK;
    while (file->first != NULL) {
        struct pending *pending = file->first;
        if (code == SQLITE_OK)
            code = file->real->pMethods->xWrite(file->real, pending->bytes, pending->size,
                                                pending->offset);
        file->first = pending->next;
        free(pending);
    }
    file->last = &file->first;
    return code;
}

static void overlay(const struct file *file, uint8_t *out, int size, sqlite3_int64 offset)
{
    for (const struct pending *pending = file->first; pending != NULL; pending = pending->next) {
        sqlite3_int64 from = pending->offset > offset ? pending->offset : offset;
        sqlite3_int64 to = pending->offset + pending->size;
        if (to > offset + size)
            to = offset + size;
        if (from < to)
            memcpy(out + (from - offset), pending->bytes + (from - pending->offset),
                   (size_t)(to - from));
    }
}

/* ---- a file's methods ---- */

#define REAL(base) (file_of(base)->real->pMethods)

static int close_file(sqlite3_file *base)
{
    write_through(file_of(base));
    return REAL(base)->xClose(file_of(base)->real);
}

static int read_file(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    struct file *file = file_of(base);
    int code = REAL(base)->xRead(file->real, out, size, offset); /* zeroes what is missing */
    overlay(file, out, size, offset);
    bool whole = file->first != NULL && offset + size <= file->size;
    return code == SQLITE_IOERR_SHORT_READ && whole ? SQLITE_OK : code;
}

static int write_file(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    int code = next_operation(false);
    if (code != SQLITE_OK)
        return code;
    if (keeps_until_synced)
        return keep(file_of(base), bytes, size, offset);
    return REAL(base)->xWrite(file_of(base)->real, bytes, size, offset);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    int code = next_operation(false);
    if (code == SQLITE_OK)
        code = write_through(file_of(base));
    file_of(base)->size = size;
    return code != SQLITE_OK ? code : REAL(base)->xTruncate(file_of(base)->real, size);
}

static int sync_file(sqlite3_file *base, int flags)
{
    int code = next_operation(true);
    if (code == SQLITE_OK)
        code = write_through(file_of(base));
    return code != SQLITE_OK ? code : REAL(base)->xSync(file_of(base)->real, flags);
}

static int size_of_file(sqlite3_file *base, sqlite3_int64 *size)
{
    int code = REAL(base)->xFileSize(file_of(base)->real, size);
    if (file_of(base)->first != NULL && file_of(base)->size > *size)
        *size = file_of(base)->size;
    return code;
}

static int lock_file(sqlite3_file *base, int level)
{
    return REAL(base)->xLock(file_of(base)->real, level);
}

static int unlock_file(sqlite3_file *base, int level)
{
    return REAL(base)->xUnlock(file_of(base)->real, level);
}

static int check_lock(sqlite3_file *base, int *reserved)
{
    return REAL(base)->xCheckReservedLock(file_of(base)->real, reserved);
}

static int control_file(sqlite3_file *base, int operation, void *argument)
{
    return REAL(base)->xFileControl(file_of(base)->real, operation, argument);
}

static int sector_size(sqlite3_file *base)
{
    return REAL(base)->xSectorSize(file_of(base)->real);
}

static int characteristics(sqlite3_file *base)
{
    return REAL(base)->xDeviceCharacteristics(file_of(base)->real);
}

static int map_shared(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    return REAL(base)->xShmMap(file_of(base)->real, region, size, extend, out);
}

static int lock_shared(sqlite3_file *base, int offset, int count, int flags)
{
    return REAL(base)->xShmLock(file_of(base)->real, offset, count, flags);
}

static void barrier(sqlite3_file *base)
{
    REAL(base)->xShmBarrier(file_of(base)->real);
}

static int unmap_shared(sqlite3_file *base, int remove)
{
    return REAL(base)->xShmUnmap(file_of(base)->real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
};

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *base, int flags,
                     int *flags_out)
{
    (void)self;
    struct file *file = file_of(base);
    memset(file, 0, sizeof *file);
    file->last = &file->first;
    file->real = (sqlite3_file *)(file + 1);
    int code = system_vfs->xOpen(system_vfs, name, file->real, flags, flags_out);
    file->base.pMethods = file->real->pMethods != NULL ? &methods : NULL;
    if (code == SQLITE_OK)
        file->real->pMethods->xFileSize(file->real, &file->size);
    return code;
}

void faulty_vfs_install(void)
{
    if (system_vfs != NULL)
        return;
    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.zName = "faulty";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 1);
}
