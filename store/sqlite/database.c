#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "picket/base/diagnostics.h"
#include "write_back.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    WAL_BYTES_KEPT = 64 << 20,
    APPLICATION_ID = 0x50636b74, /* "Pckt" */
};

/* ---- failures ---- */

static bool is_disk_full(int code, int system_error)
{
    return (code & 0xff) == SQLITE_FULL ||
           ((code & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT));
}

static int status_of(int code, int system_error, const char **what)
{
    if (is_disk_full(code, system_error)) {
        *what = "disk full";
        return PICKET_FULL;
    }
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        *what = "locked by another connection";
        return PICKET_BUSY;
    case SQLITE_NOMEM:
        *what = "no memory";
        return PICKET_NO_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        *what = "damaged, or not a database";
        return PICKET_IO;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        *what = "may not be written";
        return PICKET_DENIED;
    case SQLITE_CONSTRAINT:
        *what = "refused";
        return PICKET_INVALID;
    case SQLITE_TOOBIG:
        *what = "too large";
        return PICKET_INVALID;
    case SQLITE_CANTOPEN:
        *what = "cannot be opened";
        return PICKET_IO;
    default:
        *what = "failed";
        return PICKET_IO;
    }
}

static int fail_with(struct database *database, struct picket_error *error, int code,
                     const char *doing)
{
    const char *what;
    int system_error = database->handle != NULL ? sqlite3_system_errno(database->handle) : 0;
    int status = status_of(code, system_error, &what);
    const char *detail =
        database->handle != NULL ? sqlite3_errmsg(database->handle) : sqlite3_errstr(code);
    bool has_errno = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (has_errno && system_error != 0)
        return picket_fail(error, status, "%s: %s (%s, %s): %s", database->path, what, detail,
                           strerror(system_error), doing);
    return picket_fail(error, status, "%s: %s (%s): %s", database->path, what, detail, doing);
}

int database_fail(struct database *database, struct picket_error *error, const char *doing)
{
    return fail_with(database, error, sqlite3_extended_errcode(database->handle), doing);
}

int database_run(struct database *database, const char *sql, struct picket_error *error,
                 const char *doing)
{
    if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_fail(database, error, doing);
    return PICKET_OK;
}

int database_status_of_errno(int number)
{
    if (number == EACCES || number == EPERM || number == EROFS)
        return PICKET_DENIED;
    return number == ENOSPC || number == EDQUOT ? PICKET_FULL : PICKET_IO;
}

/* ---- opening ---- */

/* SQLite would count what it allocates, for all threads under one lock, several times a row; nobody
 * asks. Without effect where SQLite is in use already by others of this process. */
static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Keys are secrets: the file is its owner's alone from its first byte on. SQLite gives the log and
 * the shared-memory file the same mode. A file that is there is not touched: closing it here would
 * give up the locks that this process's other connections have on it (POSIX). */
static int create_private(const char *path, struct picket_error *error)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST)
        return PICKET_OK;
    if (file < 0)
        return picket_fail(error, database_status_of_errno(errno), "%s: cannot be made: %s", path,
                           strerror(errno));
    close(file);
    return PICKET_OK;
}

static int pragma_value(struct database *database, const char *sql, int64_t *value,
                        struct picket_error *error)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return database_fail(database, error, sql);
    int code = sqlite3_step(statement);
    *value = sqlite3_column_int64(statement, 0);
    int status = code == SQLITE_ROW ? PICKET_OK : database_fail(database, error, sql);
    sqlite3_finalize(statement);
    return status;
}

static int on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
    static struct picket_say_limit limit;
    struct database *database = context;
    if (database->write_back != NULL ? !write_back_after_commit(database->write_back, pages)
                                     : pages < DATABASE_CHECKPOINT_PAGES)
        return SQLITE_OK;
    int code = sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    /* The commit stands; its pages stay in the log, which grows until this succeeds. */
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        picket_say_limited(&limit, PICKET_WARNING, "store",
                           "%s: writing the log back failed, %d pages wait: %s", database->path,
                           pages, sqlite3_errmsg(handle));
    return SQLITE_OK;
}

static int configure(struct database *database, const struct schema *schema,
                     struct picket_error *error)
{
    sqlite3 *handle = database->handle;
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    database->cache_kib = DATABASE_CACHE_KIB;
    database->cache_kib_of_writer = schema->cache_kib;
    char pragmas[400];
    snprintf(pragmas, sizeof pragmas,
             "pragma page_size = %d; pragma journal_mode = wal; pragma synchronous = full;"
             "pragma cache_size = -%d; pragma temp_store = memory; pragma journal_size_limit = %d;"
             "pragma secure_delete = off", /* on in Debian: whole freed pages would be written */
             schema->page_bytes, database->cache_kib, WAL_BYTES_KEPT);
    int status = database_run(database, pragmas, error, "opening");
    int64_t is_wal = 0;
    if (status == PICKET_OK)
        status = pragma_value(database, "select journal_mode = 'wal' from pragma_journal_mode",
                              &is_wal, error);
    if (status == PICKET_OK && !is_wal)
        return picket_fail(error, PICKET_IO, "%s: this file system cannot keep a write-ahead log",
                           database->path);
    sqlite3_wal_hook(handle, on_commit, database);
    return status;
}

int database_expect_writes(struct database *database, struct picket_error *error)
{
    char pragma[60];
    if (database->cache_kib == database->cache_kib_of_writer)
        return PICKET_OK;
    database->cache_kib = database->cache_kib_of_writer;
    database->write_back = write_back_new(database->path, DATABASE_CHECKPOINT_PAGES);
    if (database->write_back == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", database->path);
    snprintf(pragma, sizeof pragma, "pragma cache_size = -%d", database->cache_kib);
    return database_run(database, pragma, error, "enlarging the cache");
}

static int run_steps(struct database *database, const struct schema *schema, int64_t from,
                     struct picket_error *error)
{
    char stamp[100];
    snprintf(stamp, sizeof stamp, "pragma application_id = %d; pragma user_version = %d; commit",
             APPLICATION_ID, schema->version);
    int status = database_run(database, "begin immediate", error, "upgrading the schema");
    for (int64_t step = from; step < schema->version && status == PICKET_OK; step++)
        status = database_run(database, schema->steps[step], error, "upgrading the schema");
    if (status == PICKET_OK)
        status = database_run(database, stamp, error, "upgrading the schema");
    if (status != PICKET_OK)
        sqlite3_exec(database->handle, "rollback", NULL, NULL, NULL);
    return status;
}

static int upgrade(struct database *database, const struct schema *schema,
                   struct picket_error *error)
{
    int64_t application, version, tables;
    int status = pragma_value(database, "pragma application_id", &application, error);
    if (status == PICKET_OK)
        status = pragma_value(database, "pragma user_version", &version, error);
    if (status == PICKET_OK)
        status = pragma_value(database, "select count(*) from sqlite_schema", &tables, error);
    if (status != PICKET_OK)
        return status;
    if (application != APPLICATION_ID && (application != 0 || tables != 0))
        return picket_fail(error, PICKET_INVALID, "%s: a database, but none of Picket's",
                           database->path);
    if (version > schema->version)
        return picket_fail(error, PICKET_INVALID,
                           "%s: schema version %lld is newer than %d, the newest this program "
                           "knows: use the newer Picket",
                           database->path, (long long)version, schema->version);
    return version < schema->version ? run_steps(database, schema, version, error) : PICKET_OK;
}

int database_open(struct database *database, const char *folder, const char *name,
                  const struct schema *schema, struct picket_error *error)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    pthread_once(&configured, configure_library);
    memset(database, 0, sizeof *database);
    if (asprintf(&database->path, "%s/%s", folder, name) < 0)
        return picket_fail(error, PICKET_NO_MEMORY, "%s/%s: no memory", folder, name);
    int status = create_private(database->path, error);
    if (status == PICKET_OK) {
        int code = sqlite3_open_v2(database->path, &database->handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        status = code == SQLITE_OK ? PICKET_OK : fail_with(database, error, code, "opening");
    }
    if (status == PICKET_OK)
        status = configure(database, schema, error);
    if (status == PICKET_OK)
        status = upgrade(database, schema, error);
    if (status != PICKET_OK)
        database_close(database);
    return status;
}

void database_close(struct database *database)
{
    write_back_free(database->write_back);
    for (int i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(database->statements[i]);
    sqlite3_close(database->handle);
    free(database->path);
    memset(database, 0, sizeof *database);
}

/* ---- prepared statements ---- */

void query_begin(struct query *query, struct database *database, int number, const char *sql,
                 const char *doing)
{
    sqlite3_stmt **kept = &database->statements[number];
    *query = (struct query){.database = database, .doing = doing};
    if (*kept == NULL)
        query->status =
            sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
    query->nested = *kept != NULL && sqlite3_stmt_busy(*kept);
    query->statement = query->nested ? NULL : *kept;
}

void query_begin_once(struct query *query, struct database *database, const char *sql,
                      const char *doing)
{
    *query = (struct query){.database = database, .doing = doing, .once = true};
    query->status = sqlite3_prepare_v2(database->handle, sql, -1, &query->statement, NULL);
}

static bool may_bind(struct query *query)
{
    query->parameter++;
    return query->status == SQLITE_OK && query->statement != NULL;
}

void query_int(struct query *query, int64_t value)
{
    if (may_bind(query))
        query->status = sqlite3_bind_int64(query->statement, query->parameter, value);
}

void query_unsigned(struct query *query, uint64_t value)
{
    query_int(query, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void query_text(struct query *query, const char *text)
{
    if (may_bind(query))
        query->status =
            sqlite3_bind_text(query->statement, query->parameter, text, -1, SQLITE_STATIC);
}

void query_blob(struct query *query, const void *bytes, size_t size_bytes)
{
    /* A NULL pointer would make it NULL; no bytes are a blob of none. */
    if (may_bind(query))
        query->status = sqlite3_bind_blob64(query->statement, query->parameter,
                                            size_bytes > 0 ? bytes : "", size_bytes, SQLITE_STATIC);
}

void query_pointer(struct query *query, void *pointer, const char *type)
{
    if (may_bind(query))
        query->status =
            sqlite3_bind_pointer(query->statement, query->parameter, pointer, type, NULL);
}

bool query_row(struct query *query)
{
    if (query->status != SQLITE_OK || query->statement == NULL)
        return false;
    int code = sqlite3_step(query->statement);
    query->column = 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        query->status = code;
    return code == SQLITE_ROW;
}

int64_t query_take_int(struct query *query)
{
    return sqlite3_column_int64(query->statement, query->column++);
}

const char *query_take_text_or_null(struct query *query)
{
    return (const char *)sqlite3_column_text(query->statement, query->column++);
}

const char *query_take_text(struct query *query)
{
    const char *text = query_take_text_or_null(query);
    return text != NULL ? text : "";
}

const uint8_t *query_take_blob(struct query *query, size_t *size_bytes)
{
    const uint8_t *bytes = sqlite3_column_blob(query->statement, query->column);
    *size_bytes = (size_t)sqlite3_column_bytes(query->statement, query->column++);
    return bytes;
}

void query_take_string(struct query *query, char *out, size_t size_bytes)
{
    snprintf(out, size_bytes, "%s", query_take_text(query));
}

size_t query_take_bytes(struct query *query, uint8_t *out, size_t size_bytes)
{
    size_t size;
    const uint8_t *bytes = query_take_blob(query, &size);
    if (size > size_bytes)
        size = size_bytes;
    memset(out, 0, size_bytes);
    if (size > 0)
        memcpy(out, bytes, size);
    return size;
}

int query_end(struct query *query, struct picket_error *error)
{
    if (query->nested)
        return picket_fail(error, PICKET_INVALID, "%s: called from within its own visit: %s",
                           query->database->path, query->doing);
    int status = PICKET_OK;
    if (query->status != SQLITE_OK)
        status = fail_with(query->database, error, query->status, query->doing);
    if (query->once)
        sqlite3_finalize(query->statement);
    else
        sqlite3_reset(query->statement);
    return status;
}

int query_run(struct query *query, struct picket_error *error)
{
    query_row(query);
    return query_end(query, error);
}

int query_run_counting(struct query *query, int64_t *rows, struct picket_error *error)
{
    int status = query_run(query, error);
    *rows = status == PICKET_OK ? sqlite3_changes(query->database->handle) : 0;
    return status;
}
