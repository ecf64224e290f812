#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void refused(const char *where, int expected, const char *because)
{
    struct picket_store *store;
    assert_int_equal(picket_store_open(&store, where, &error), expected);
    assert_null(store);
    if (strstr(error.text, because) == NULL)
        fail_msg("'%s' does not say '%s'", error.text, because);
}

static int mode_of(const char *file)
{
    char path[400];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void a_new_folder_and_its_files_are_their_owners_alone(void **state)
{
    struct picket_device_identity device = identity_of("d");
    MUST(picket_store_device_add(*state, &device, &error));
    assert_int_equal(mode_of("."), 0700);
    assert_int_equal(mode_of("picket.db"), 0600);
    assert_int_equal(mode_of("picket.db-wal"), 0600);
    assert_int_equal(mode_of("picket.db-shm"), 0600);
    assert_int_equal(mode_of("intelligence.db"), 0600);
}

static void what_was_kept_is_there_when_opened_again(void **state)
{
    struct picket_device_identity device = identity_of("d");
    MUST(picket_store_device_add(*state, &device, &error));
    picket_store_close(*state);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    assert_int_equal(totals_of(*state).devices, 1);
}

static void handles_see_what_others_have_committed(void **state)
{
    struct picket_store *other;
    MUST(picket_store_open(&other, folder, &error));
    struct picket_device_identity device = identity_of("d"), found;
    MUST(picket_store_device_add(*state, &device, &error));
    MUST(picket_store_device_get(other, "d", &found, &error));
    picket_store_close(other);
}

/* Whether another process would meet a lock of this one on picket.db. */
static bool is_locked(void)
{
    pid_t child = fork();
    if (child == 0) {
        char path[400];
        snprintf(path, sizeof path, "%s/picket.db", folder);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int file = open(path, O_RDWR);
        _exit(file < 0 || fcntl(file, F_GETLK, &lock) != 0 ? 2 : lock.l_type != F_UNLCK);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

static void opening_and_closing_handles_keeps_the_locks_of_the_others(void **state)
{
    struct picket_store *other;
    totals_of(*state);
    assert_true(is_locked());
    MUST(picket_store_open(&other, folder, &error));
    assert_true(is_locked());
    picket_store_close(other);
    assert_true(is_locked());
}

static void a_newer_schema_is_refused(void **state)
{
    picket_store_close(*state);
    char restore[60];
    snprintf(restore, sizeof restore, "pragma user_version = %d",
             (int)ask_sql("picket.db", "pragma user_version"));
    run_sql("picket.db", "pragma user_version = 1000");
    refused(folder, PICKET_INVALID, "picket.db: schema version 1000 is newer than");
    run_sql("picket.db", restore);
    snprintf(restore, sizeof restore, "pragma user_version = %d",
             (int)ask_sql("intelligence.db", "pragma user_version"));
    run_sql("intelligence.db", "pragma user_version = 1000");
    refused(folder, PICKET_INVALID, "intelligence.db: schema version 1000 is newer than");
    run_sql("intelligence.db", restore);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
}

static void a_file_of_somebody_else_is_refused(void **state)
{
    picket_store_close(*state);
    *state = NULL;
    run_sql("picket.db", "pragma application_id = 77");
    refused(folder, PICKET_INVALID, "picket.db: a database, but none of Picket's");
    forget_folder();
    assert_int_equal(mkdir(folder, 0700), 0);
    run_sql("picket.db", "create table mine (x)");
    refused(folder, PICKET_INVALID, "picket.db: a database, but none of Picket's");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    picket_store_close(*state);
    *state = NULL;
    char path[400];
    snprintf(path, sizeof path, "%s/picket.db", folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", file);
    fclose(file);
    refused(folder, PICKET_IO, "picket.db: damaged, or not a database");
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    refused("/proc/picket", PICKET_IO, "/proc/picket: folder cannot be made");
    refused("/nowhere/at/all", PICKET_IO, "/nowhere/at/all: folder cannot be made");
    refused("", PICKET_INVALID, "no folder");
    refused("postgresql://host/db", PICKET_INVALID, "postgresql://host/db");
    char path[400];
    snprintf(path, sizeof path, "%s/picket.db", folder);
    refused(path, PICKET_IO, "picket.db: folder cannot be opened");
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    picket_store_close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(a_new_folder_and_its_files_are_their_owners_alone),
        TEST(what_was_kept_is_there_when_opened_again),
        TEST(handles_see_what_others_have_committed),
        TEST(opening_and_closing_handles_keeps_the_locks_of_the_others),
        TEST(a_newer_schema_is_refused),
        TEST(a_file_of_somebody_else_is_refused),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(closing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
