/* One SQLite file: opened with Picket's settings, its schema brought up to date, its statements
 * prepared once, its failures told as statuses and sentences.
 *
 * WAL with synchronous=FULL: what is committed is there after a power cut. The log is written back
 * into the file every DATABASE_CHECKPOINT_PAGES: for a handle that writes batches by a thread of
 * its own (write_back.h), for others, which seldom meet it, by the thread that commits.
 *
 * No mmap: a file that cannot be read must be an error, not a signal.
 */
#ifndef PICKET_STORE_SQLITE_DATABASE_H
#define PICKET_STORE_SQLITE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"

/* The steps that lead from an empty file to the current schema; version n is what the first n make.
 */
struct schema {
    const char *const *steps;
    int version;
    int page_bytes;
    int cache_kib; /* of a handle that writes much; others have DATABASE_CACHE_KIB */
};

struct write_back;

enum { DATABASE_CHECKPOINT_PAGES = 4000 };
enum { STATEMENTS_MAX = 160, DATABASE_CACHE_KIB = 1024 };

struct database {
    sqlite3 *handle;
    int cache_kib;
    int cache_kib_of_writer;
    char *path;
    struct write_back *write_back; /* NULL: of a handle that writes no batches */
    sqlite3_stmt *statements[STATEMENTS_MAX];
};

/* The caller holds the folder's lock, so that nobody else makes or upgrades the file meanwhile. */
int database_open(struct database *database, const char *folder, const char *name,
                  const struct schema *schema, struct picket_error *error);
void database_close(struct database *database);

/* Before a handle's first batch: gives it the schema's cache, and what writes its log back. There
 * are many handles and one that writes; each would fill such a cache with what the kernel's has
 * anyway. */
int database_expect_writes(struct database *database, struct picket_error *error);

/* The failure of the last call on the handle: "PATH: disk full (database or disk is full): DOING".
 */
int database_fail(struct database *database, struct picket_error *error, const char *doing);

/* PICKET_DENIED, PICKET_FULL or PICKET_IO: what a failed call of the system means. */
int database_status_of_errno(int number);

/* One statement without parameters and rows. */
int database_run(struct database *database, const char *sql, struct picket_error *error,
                 const char *doing);

/* A use of a prepared statement: parameters are bound and columns read from left to right.
 *
 *     struct query query;
 *     query_begin(&query, database, STATEMENT_X, "select a from t where b = ?", "reading t");
 *     query_int(&query, b);
 *     while (query_row(&query))
 *         use(query_take_int(&query));
 *     return query_end(&query, error);
 *
 * The first failure is kept and told by query_end(). Texts and blobs are not copied: they must live
 * until query_end(), and those taken are valid until the next row.
 */
struct query {
    struct database *database;
    sqlite3_stmt *statement;
    const char *doing;
    int status; /* of SQLite */
    int parameter;
    int column;
    bool nested; /* the statement is in use further up: called from within its own visit */
    bool once;   /* the statement goes with the query */
};

void query_begin(struct query *query, struct database *database, int number, const char *sql,
                 const char *doing);
/* The same for what is put together for the purpose: prepared anew each time. */
void query_begin_once(struct query *query, struct database *database, const char *sql,
                      const char *doing);
void query_int(struct query *query, int64_t value);
void query_unsigned(struct query *query, uint64_t value); /* stops at INT64_MAX */
void query_text(struct query *query, const char *text);   /* NULL is NULL */
/* For an SQL function of ours: it is asked for by its type. */
void query_pointer(struct query *query, void *pointer, const char *type);
void query_blob(struct query *query, const void *bytes, size_t size_bytes);

bool query_row(struct query *query);
int64_t query_take_int(struct query *query);
const char *query_take_text(struct query *query); /* "" for NULL */
const char *query_take_text_or_null(struct query *query);
const uint8_t *query_take_blob(struct query *query, size_t *size_bytes);
void query_take_string(struct query *query, char *out, size_t size_bytes);
size_t query_take_bytes(struct query *query, uint8_t *out, size_t size_bytes);

int query_end(struct query *query, struct picket_error *error);
/* For statements without rows: steps and ends. */
int query_run(struct query *query, struct picket_error *error);
/* The same; *rows is how many it changed or removed, 0 when it failed. */
int query_run_counting(struct query *query, int64_t *rows, struct picket_error *error);

#endif
