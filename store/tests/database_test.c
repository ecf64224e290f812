/* One SQLite file: its schema's steps, and how its failures are told. */
#include "support.h"

#include <sys/stat.h>

#include "database.h"

static const char *const steps[] = {
    "create table t (a integer); insert into t values (1);",
    "alter table t add column b integer not null default 7; insert into t values (2, 3);",
    "create table u (c text);",
};
static const struct schema first = {steps, 1, 4096, 100};
static const struct schema third = {steps, 3, 4096, 100};

static const char *const broken_steps[] = {
    "create table t (a integer); insert into t values (1);",
    "insert into t values (9); insert into missing values (1);",
};
static const struct schema broken = {broken_steps, 2, 4096, 100};

static struct database database;

static int64_t ask(const char *sql)
{
    return ask_sql("x.db", sql);
}

static void open_with(const struct schema *schema)
{
    MUST(database_open(&database, folder, "x.db", schema, &error));
}

static void a_schema_is_brought_up_to_date_step_by_step(void **state)
{
    (void)state;
    open_with(&first);
    database_close(&database);
    assert_int_equal(ask("select user_version from pragma_user_version"), 1);
    open_with(&third);
    database_close(&database);
    assert_int_equal(ask("select user_version from pragma_user_version"), 3);
    assert_int_equal(ask("select sum(a * 10 + b) from t"), 10 + 7 + 20 + 3);
    assert_int_equal(ask("select count(*) from u"), 0);
    open_with(&third); /* nothing is done twice */
    database_close(&database);
    assert_int_equal(ask("select count(*) from t"), 2);
    assert_int_equal(database_open(&database, folder, "x.db", &first, &error), PICKET_INVALID);
}

static void a_step_that_fails_leaves_the_schema_as_it_was(void **state)
{
    (void)state;
    open_with(&first);
    database_close(&database);
    assert_int_equal(database_open(&database, folder, "x.db", &broken, &error), PICKET_IO);
    assert_non_null(strstr(error.text, "x.db: failed (no such table: missing): upgrading"));
    assert_int_equal(ask("select user_version from pragma_user_version"), 1);
    assert_int_equal(ask("select count(*) from t"), 1);
    open_with(&third);
    database_close(&database);
}

static void the_file_is_a_log_ahead_and_synced_at_each_commit(void **state)
{
    (void)state;
    open_with(&first);
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(database.handle,
                       "select journal_mode, synchronous from pragma_journal_mode, "
                       "pragma_synchronous",
                       -1, &statement, NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), "wal");
    assert_int_equal(sqlite3_column_int(statement, 1), 2);
    sqlite3_finalize(statement);
    database_close(&database);
}

static int insert_blob(const char *sql)
{
    struct query query;
    query_begin(&query, &database, 0, sql, "filling t");
    query_int(&query, 100000);
    return query_run(&query, &error);
}

static void a_file_that_may_not_grow_is_a_full_disk(void **state)
{
    (void)state;
    open_with(&first);
    sqlite3_exec(database.handle, "pragma max_page_count = 10", NULL, NULL, NULL);
    assert_int_equal(insert_blob("insert into t values (zeroblob(?))"), PICKET_FULL);
    assert_non_null(strstr(error.text, "/x.db: disk full (database or disk is full): filling t"));
    sqlite3_exec(database.handle, "pragma max_page_count = 1000", NULL, NULL, NULL);
    assert_int_equal(insert_blob("insert into t values (zeroblob(?))"), PICKET_OK);
    database_close(&database);
}

static void a_file_that_another_writes_is_busy(void **state)
{
    (void)state;
    struct database other;
    open_with(&first);
    MUST(database_open(&other, folder, "x.db", &first, &error));
    MUST(database_run(&other, "begin immediate", &error, "beginning"));
    sqlite3_busy_timeout(database.handle, 10);
    assert_int_equal(database_run(&database, "begin immediate", &error, "beginning"), PICKET_BUSY);
    assert_non_null(strstr(error.text, "/x.db: locked by another connection"));
    database_close(&other);
    MUST(database_run(&database, "begin immediate", &error, "beginning"));
    database_close(&database);
}

static void what_a_table_refuses_is_invalid(void **state)
{
    (void)state;
    open_with(&third);
    assert_int_equal(database_run(&database, "insert into t values (1, null)", &error, "trying"),
                     PICKET_INVALID);
    assert_non_null(strstr(error.text, "NOT NULL constraint failed: t.b"));
    database_close(&database);
}

static void the_first_failure_of_a_query_is_told(void **state)
{
    (void)state;
    open_with(&first);
    struct query query;
    query_begin(&query, &database, 0, "select a from t where a = ?", "reading");
    query_int(&query, 1);
    query_int(&query, 2); /* there is no second parameter */
    assert_false(query_row(&query));
    assert_int_equal(query_end(&query, &error), PICKET_IO);
    query_begin(&query, &database, 1, "select missing from t", "reading");
    assert_false(query_row(&query));
    assert_int_equal(query_end(&query, &error), PICKET_IO);
    if (strstr(error.text, "no such column: missing") == NULL)
        fail_msg("%s", error.text);
    database_close(&database);
}

static int with_folder(void **state)
{
    (void)state;
    new_folder();
    return mkdir(folder, 0700);
}

static int without_folder(void **state)
{
    (void)state;
    forget_folder();
    return 0;
}

static int64_t cache_kib(void)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database.handle, "pragma cache_size", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t kib = -sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return kib;
}

static void only_a_handle_that_writes_has_a_large_cache(void **state)
{
    static const struct schema large = {steps, 1, 4096, 9000};
    (void)state;
    open_with(&large);
    assert_int_equal(cache_kib(), DATABASE_CACHE_KIB);
    MUST(database_expect_writes(&database, &error));
    assert_int_equal(cache_kib(), 9000);
    database_close(&database);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_folder, without_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_schema_is_brought_up_to_date_step_by_step),
        TEST(a_step_that_fails_leaves_the_schema_as_it_was),
        TEST(the_file_is_a_log_ahead_and_synced_at_each_commit),
        TEST(a_file_that_may_not_grow_is_a_full_disk),
        TEST(a_file_that_another_writes_is_busy),
        TEST(what_a_table_refuses_is_invalid),
        TEST(only_a_handle_that_writes_has_a_large_cache),
        TEST(the_first_failure_of_a_query_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
