/* The log is written back beside the commits: it stays bounded under load without a pause, and
 * nothing is lost by it. */
#include "support.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "../sqlite/store.h"
#include "../sqlite/write_back.h"
#include "picket/base/time.h"

enum {
    DUE = 64,
    BATCHES = 600,
    EVENTS_PER_BATCH = 10,
    FRAME_BYTES = 4096 + 24,
    DEADLINE_MS = 60000
};

static char content[3000];
static uint64_t next_key;

static void put_batch(struct picket_store *store)
{
    MUST(picket_store_begin(store, &error));
    for (int i = 0; i < EVENTS_PER_BATCH; i++, next_key++) {
        struct picket_event_row event = event_of("pump", 1000 + (int64_t)next_key, next_key);
        int64_t id;
        event.content = content;
        MUST(picket_store_put_event(store, &event, &id, &error));
        assert_true(id > 0);
    }
    MUST(picket_store_commit(store, &error));
}

/* As if so few pages were many. */
static void make_due_early(struct picket_store *store)
{
    struct database *database = &sqlite_of(store)->picket;
    put_batch(store); /* it has one from its first batch on */
    assert_non_null(database->write_back);
    write_back_free(database->write_back);
    database->write_back = write_back_new(database->path, DUE);
}

static int64_t log_pages(void)
{
    char path[200];
    struct stat file;
    snprintf(path, sizeof path, "%s/picket.db-wal", folder);
    return stat(path, &file) == 0 ? file.st_size / FRAME_BYTES : 0;
}

static void count_one(void *context, int64_t id, const struct picket_event_row *event,
                      const struct picket_flow *flows, size_t flow_count)
{
    (void)id, (void)flows, (void)flow_count;
    assert_string_equal(event->content, content);
    ++*(uint64_t *)context;
}

static void all_is_there(struct picket_store *store)
{
    uint64_t count = 0;
    struct picket_event_query all = {.limit = INT32_MAX};
    MUST(picket_store_events(store, &all, count_one, &count, &error));
    assert_int_equal(count, next_key);
    assert_int_equal(ask_sql("picket.db", "select count(*) from pragma_integrity_check "
                                          "where integrity_check <> 'ok'"),
                     0);
}

static void the_log_stays_bounded_under_load_without_a_pause(void **state)
{
    int64_t written = 0;
    make_due_early(*state);
    for (int i = 0; i < BATCHES; i++) {
        put_batch(*state);
        int64_t pages = log_pages();
        assert_in_range(pages, 1, 5 * DUE); /* the bound is 4, and a batch more */
        written += EVENTS_PER_BATCH;
    }
    assert_true(written > 20 * DUE); /* events of a page each: the log has begun anew many times */
    all_is_there(*state);
}

/* A transaction that reads keeps the log from beginning anew, and nothing else. */
static void a_reader_that_stays_holds_up_no_commit(void **state)
{
    char path[200];
    sqlite3 *reader;
    make_due_early(*state);
    snprintf(path, sizeof path, "%s/picket.db", folder);
    assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "begin; select count(*) from events", 0, 0, 0),
                     SQLITE_OK);
    for (int i = 0; i < BATCHES / 4; i++)
        put_batch(*state);
    int64_t grown = log_pages();
    assert_true(grown > 5 * DUE);
    sqlite3_close(reader);
    for (int i = 0; i < BATCHES; i++)
        put_batch(*state);
    assert_in_range(log_pages(), grown, grown + 5 * DUE); /* the file keeps its size */
    all_is_there(*state);
}

/* Until it says that it is for the caller. */
static bool becomes_the_callers(struct write_back *write_back, int pages)
{
    int64_t until_ms = picket_monotonic_ms() + DEADLINE_MS;
    while (!write_back_after_commit(write_back, pages)) {
        if (picket_monotonic_ms() > until_ms)
            return false;
        sched_yield();
    }
    return true;
}

static void what_cannot_be_written_back_beside_is_left_to_who_commits(void **state)
{
    (void)state;
    struct write_back *write_back = write_back_new("/nonexistent/picket.db", 100);
    assert_false(write_back_after_commit(write_back, 99));
    assert_true(becomes_the_callers(write_back, 100));
    assert_false(write_back_after_commit(write_back, 101)); /* not at each commit */
    assert_true(becomes_the_callers(write_back, 130));
    write_back_free(write_back);
    write_back_free(NULL);
}

static void at_the_bound_a_commit_waits_until_it_is_written_back(void **state)
{
    (void)state;
    struct write_back *write_back = write_back_new("/nonexistent/picket.db", 100);
    write_back_after_commit(write_back, 100);
    assert_true(write_back_after_commit(write_back, 400));
    write_back_free(write_back);
}

static int with_new_store(void **state)
{
    next_key = 0;
    memset(content, 'x', sizeof content - 1);
    return with_store(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_new_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(the_log_stays_bounded_under_load_without_a_pause),
        TEST(a_reader_that_stays_holds_up_no_commit),
        cmocka_unit_test(what_cannot_be_written_back_beside_is_left_to_who_commits),
        cmocka_unit_test(at_the_bound_a_commit_waits_until_it_is_written_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
