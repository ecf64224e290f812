/* Room in the logs: commits do not make them larger then, and what is committed is found again
 * after a crash, also when it was committed meanwhile. */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../sqlite/log_room.h"
#include "../sqlite/store.h"

enum { WANTED_BYTES = 3 * LOG_ROOM_STEP_BYTES + 5000, CHANGES = 50 };

static int64_t size_of(const char *file)
{
    char path[200];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return stat(path, &status) == 0 ? status.st_size : -1;
}

/* As sqlite_reserve() does it, but for less than the logs use. */
static void reserve(struct picket_store *base)
{
    int64_t size = 0;
    struct sqlite_store *store = sqlite_of(base);
    while (size < WANTED_BYTES) {
        MUST(own_transaction_begin(store, &error));
        MUST(own_transaction_end(store, log_room_add(&store->picket, WANTED_BYTES, &size, &error),
                                 &error));
        MUST(log_room_sync(&store->picket, &error));
    }
}

static void add_devices(struct picket_store *store, const char *kind)
{
    for (int i = 0; i < CHANGES; i++) {
        char id[40];
        snprintf(id, sizeof id, "%s-%d", kind, i);
        struct picket_device_identity device = identity_of(id);
        MUST(picket_store_device_add(store, &device, &error));
    }
}

static void a_log_with_room_does_not_grow_by_commits(void **state)
{
    reserve(*state);
    assert_int_equal(size_of("picket.db-wal"), WANTED_BYTES);
    add_devices(*state, "pump");
    assert_int_equal(size_of("picket.db-wal"), WANTED_BYTES);
}

static void there_is_room_for_a_log_that_is_written_back_in_time(void **state)
{
    bool done = false;
    for (int i = 0; i < 200 && !done; i++)
        MUST(picket_store_reserve(*state, &done, &error));
    assert_true(done);
    if (size_of("picket.db-wal") < log_room_bytes(&picket_schema) ||
        size_of("intelligence.db-wal") < log_room_bytes(&intelligence_schema))
        skip(); /* the disk has not much left */
    assert_int_equal(size_of("picket.db-wal"), log_room_bytes(&picket_schema));
    assert_int_equal(size_of("intelligence.db-wal"), log_room_bytes(&intelligence_schema));
    MUST(picket_store_reserve(*state, &done, &error));
    assert_true(done);
    assert_int_equal(size_of("picket.db-wal"), log_room_bytes(&picket_schema));
}

/* _exit() leaves the log as it is: nothing of it is written back. */
static void commit_and_crash(void)
{
    struct picket_store *store;
    MUST(picket_store_open(&store, folder, &error));
    add_devices(store, "before");
    reserve(store);
    add_devices(store, "behind");
    _exit(0);
}

static void what_is_committed_before_and_behind_the_zeros_outlives_a_crash(void **state)
{
    char path[200];
    int ended;
    picket_store_close(*state); /* no handle is to be open on both sides of a fork */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        commit_and_crash();
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    snprintf(path, sizeof path, "%s/picket.db-shm", folder);
    assert_int_equal(unlink(path), 0); /* as after a power cut: the log is read to make it again */
    assert_int_equal(size_of("picket.db-wal"), WANTED_BYTES);
    MUST(picket_store_open((struct picket_store **)state, folder, &error));
    assert_int_equal(totals_of(*state).devices, 2 * CHANGES);
}

/* NULL: all went well. */
static void *commit_meanwhile(void *context)
{
    struct picket_store *store;
    struct picket_error own;
    if (picket_store_open(&store, folder, &own) != PICKET_OK)
        return context;
    for (int i = 0; i < CHANGES; i++) {
        char id[40];
        snprintf(id, sizeof id, "meanwhile-%d", i);
        struct picket_device_identity device = identity_of(id);
        if (picket_store_device_add(store, &device, &own) != PICKET_OK)
            return context;
    }
    picket_store_close(store);
    return NULL;
}

static void others_commit_while_room_is_made(void **state)
{
    pthread_t thread;
    void *problem;
    assert_int_equal(pthread_create(&thread, NULL, commit_meanwhile, *state), 0);
    reserve(*state);
    assert_int_equal(pthread_join(thread, &problem), 0);
    assert_null(problem);
    assert_int_equal(totals_of(*state).devices, CHANGES);
    assert_int_equal(ask_sql("picket.db", "select count(*) from pragma_integrity_check "
                                          "where integrity_check <> 'ok'"),
                     0);
}

/* Files may be no larger: the step fails in its middle. */
static void a_step_that_fails_leaves_the_log_as_it_was(void **state)
{
    struct rlimit before, scarce;
    struct sqlite_store *store = sqlite_of(*state);
    add_devices(*state, "before");
    int64_t size = size_of("picket.db-wal"), told;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    scarce = before;
    scarce.rlim_cur = (rlim_t)(size + LOG_ROOM_STEP_BYTES / 2);
    MUST(own_transaction_begin(store, &error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &scarce), 0);
    int status = log_room_add(&store->picket, size + WANTED_BYTES, &told, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_not_equal(status, PICKET_OK);
    assert_non_null(strstr(error.text, "its log cannot be enlarged"));
    assert_int_equal(own_transaction_end(store, status, &error), status);
    assert_int_equal(size_of("picket.db-wal"), size);
    add_devices(*state, "behind");
    assert_int_equal(totals_of(*state).devices, 2 * CHANGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_with_room_does_not_grow_by_commits, with_store,
                                        without_store),
        cmocka_unit_test_setup_teardown(there_is_room_for_a_log_that_is_written_back_in_time,
                                        with_store, without_store),
        cmocka_unit_test_setup_teardown(
            what_is_committed_before_and_behind_the_zeros_outlives_a_crash, with_store,
            without_store),
        cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_the_log_as_it_was, with_store,
                                        without_store),
        cmocka_unit_test_setup_teardown(others_commit_while_room_is_made, with_store,
                                        without_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
