#include "log_room.h"

#include <sys/statvfs.h>

#include "store.h"

enum {
    WAL_HEADER_BYTES = 32,
    FRAME_HEADER_BYTES = 24, /* https://www.sqlite.org/fileformat2.html#walformat */
    PIECE_BYTES = 65536,
    FREE_FACTOR = 16 /* of what is reserved, must be free: room that is scarce is not for this */
};

int64_t log_room_bytes(const struct schema *schema)
{
    return WAL_HEADER_BYTES +
           (int64_t)DATABASE_CHECKPOINT_PAGES * (schema->page_bytes + FRAME_HEADER_BYTES);
}

/* As SQLite has it open, by whatever VFS. */
static sqlite3_file *log_file(struct database *database)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    return file != NULL && file->pMethods != NULL ? file : NULL;
}

static int fail_file(const struct database *database, int code, struct picket_error *error)
{
    bool full = (code & 0xff) == SQLITE_FULL;
    return picket_fail(error, full ? PICKET_FULL : PICKET_IO, "%s: its log cannot be enlarged: %s",
                       database->path, sqlite3_errstr(code));
}

static int write_zeros(sqlite3_file *file, int64_t from, int64_t to)
{
    static const char zeros[PIECE_BYTES];
    int code = SQLITE_OK;
    for (int64_t at = from; at < to && code == SQLITE_OK; at += PIECE_BYTES) {
        int bytes = to - at < PIECE_BYTES ? (int)(to - at) : PIECE_BYTES;
        code = file->pMethods->xWrite(file, zeros, bytes, at);
    }
    if (code != SQLITE_OK)
        file->pMethods->xTruncate(file, from);
    return code;
}

int log_room_add(struct database *database, int64_t wanted_bytes, int64_t *size_bytes,
                 struct picket_error *error)
{
    sqlite3_file *file = log_file(database);
    sqlite3_int64 size = 0;
    int code = file != NULL ? file->pMethods->xFileSize(file, &size) : SQLITE_CANTOPEN;
    if (code == SQLITE_OK && size < wanted_bytes) {
        int64_t to = size + LOG_ROOM_STEP_BYTES;
        code = write_zeros(file, size, to < wanted_bytes ? to : wanted_bytes);
    }
    *size_bytes = size;
    return code == SQLITE_OK ? PICKET_OK : fail_file(database, code, error);
}

int log_room_sync(struct database *database, struct picket_error *error)
{
    sqlite3_file *file = log_file(database);
    int code =
        file != NULL ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : (int)SQLITE_CANTOPEN;
    return code == SQLITE_OK ? PICKET_OK : fail_file(database, code, error);
}

/* ---- the store's ---- */

static bool has_plenty(const char *folder)
{
    struct statvfs room;
    int64_t reserved = log_room_bytes(&picket_schema) + log_room_bytes(&intelligence_schema);
    return statvfs(folder, &room) == 0 &&
           (int64_t)room.f_bavail * (int64_t)room.f_frsize > FREE_FACTOR * reserved;
}

static int reserve_picket(struct sqlite_store *store, bool *done, struct picket_error *error)
{
    int64_t wanted = log_room_bytes(&picket_schema), size = 0;
    int status = own_transaction_begin(store, error);
    if (status != PICKET_OK)
        return status;
    status = own_transaction_end(store, log_room_add(&store->picket, wanted, &size, error), error);
    *done = size >= wanted;
    return status == PICKET_OK && !*done ? log_room_sync(&store->picket, error) : status;
}

static int reserve_intelligence(struct sqlite_store *store, bool *done, struct picket_error *error)
{
    int64_t wanted = log_room_bytes(&intelligence_schema), size = 0;
    int status = intelligence_begin(store, error);
    if (status != PICKET_OK)
        return status;
    status =
        intelligence_end(store, log_room_add(&store->intelligence, wanted, &size, error), error);
    *done = size >= wanted;
    return status == PICKET_OK && !*done ? log_room_sync(&store->intelligence, error) : status;
}

int sqlite_reserve(struct picket_store *base, bool *done, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    *done = true;
    if (!has_plenty(store->folder))
        return PICKET_OK;
    int status = reserve_picket(store, done, error);
    return status == PICKET_OK && *done ? reserve_intelligence(store, done, error) : status;
}
