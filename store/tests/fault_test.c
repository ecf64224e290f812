/* What the store does when its disk fails: at the first write, at the second, ... until nothing
 * fails any more. */
#include "twin.h"

#include <sqlite3.h>

#include "faulty_vfs.h"

enum { STEPS = 40 };

static const struct {
    int code;
    bool stays;
    int status;
    const char *says;
} kinds[] = {
    {SQLITE_FULL, false, PICKET_FULL, "disk full"},
    {SQLITE_FULL, true, PICKET_FULL, "disk full"},
    {SQLITE_IOERR_WRITE, false, PICKET_IO, "failed"},
    {SQLITE_IOERR_FSYNC, true, PICKET_IO, "failed"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Says what has failed and in which file; a sync of a full disk is an I/O error like any other. */
static void check_failure(int status, int kind)
{
    bool expected = status == kinds[kind].status || status == PICKET_IO;
    if (!expected || strstr(error.text, ".db: ") == NULL)
        fail_msg("%d: %s", status, error.text);
    if (status == PICKET_FULL)
        assert_non_null(strstr(error.text, kinds[kind].says));
}

static int try_batch(struct twin *twin, struct picket_store *store, uint64_t seed)
{
    int status = picket_store_begin(store, &error);
    for (int i = 0; i < STEPS && status == PICKET_OK; i++)
        status = twin_step(twin, store, &seed);
    if (status == PICKET_OK)
        status = picket_store_commit(store, &error);
    if (status != PICKET_OK)
        picket_store_rollback(store);
    return status;
}

/* True while failures are met. */
static bool fail_batch_at(int n, int kind, struct twin *twin, struct picket_store *store,
                          struct picket_store *other)
{
    static struct twin before;
    before = *twin;
    uint64_t seed = (uint64_t)n * 1000 + (uint64_t)kind;
    faulty_vfs_fail(n, kinds[kind].code, kinds[kind].stays);
    int status = try_batch(twin, store, seed);
    bool has_failed = faulty_vfs_has_failed();
    faulty_vfs_heal();
    if (status == PICKET_OK)
        return has_failed; /* only the writing back after the commit can have failed */
    assert_true(has_failed);
    check_failure(status, kind);
    *twin = before;
    twin_compare(twin, other);
    twin_compare(twin, store);
    MUST(try_batch(twin, store, seed));
    twin_compare(twin, other);
    return true;
}

static void a_batch_is_whole_or_not_at_all_whatever_fails(void **state)
{
    static struct twin twin;
    struct picket_store *other;
    MUST(picket_store_open(&other, folder, &error));
    twin_suppress(*state);
    for (int kind = 0; kind < KINDS; kind++) {
        int n = 1;
        while (fail_batch_at(n, kind, &twin, *state, other))
            n++;
        assert_true(n > 3);
        memset(&twin, 0, sizeof twin);
        picket_store_close(other);
        without_store(state);
        with_store(state);
        twin_suppress(*state);
        MUST(picket_store_open(&other, folder, &error));
    }
    picket_store_close(other);
}

static void opening_recovers_from_whatever_failed_before(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        int failures = 0;
        for (int n = 1;; n++) {
            picket_store_close(*state);
            forget_folder();
            *state = NULL;
            faulty_vfs_fail(n, kinds[kind].code, kinds[kind].stays);
            int status = picket_store_open((struct picket_store **)state, folder, &error);
            bool has_failed = faulty_vfs_has_failed();
            faulty_vfs_heal();
            if (status != PICKET_OK) {
                check_failure(status, kind);
                assert_null(*state);
                MUST(picket_store_open((struct picket_store **)state, folder, &error));
                failures++;
            }
            assert_int_equal(totals_of(*state).events, 0);
            if (!has_failed)
                break;
        }
        assert_true(failures > 3);
    }
}

static void count_one(void *context, const char *feed, const struct picket_indicator *indicator)
{
    (void)feed;
    ++((int *)context)[indicator->first_seen_ms];
}

static void fill(struct picket_indicator *indicators, int count, int from, int64_t first_seen_ms)
{
    for (int i = 0; i < count; i++) {
        uint8_t bytes[4] = {1, 2, (uint8_t)((from + i) >> 8), (uint8_t)(from + i)};
        indicators[i] = (struct picket_indicator){
            .prefix = {picket_address_ipv4(bytes), 32},
            .first_seen_ms = first_seen_ms,
            .line = (uint32_t)i,
            .tags = i % 2 == 0 ? "one" : "two",
        };
    }
}

/* 6,000 old ones; of the new ones half are old. */
static void a_feed_is_replaced_whole_or_not_at_all(void **state)
{
    enum { COUNT = 6000 };
    static struct picket_indicator old[COUNT], new[COUNT];
    struct picket_feed feed = {.name = "f"};
    MUST(picket_store_feed_put(*state, &feed, &error));
    fill(old, COUNT, 0, 1);
    fill(new, COUNT, COUNT / 2, 2);
    for (int kind = 0; kind < KINDS; kind++) {
        int failures = 0;
        for (int n = 1;; n++) {
            MUST(picket_store_indicators_replace(*state, "f", NULL, 0, NULL, NULL, NULL, &error));
            MUST(
                picket_store_indicators_replace(*state, "f", old, COUNT, NULL, NULL, NULL, &error));
            faulty_vfs_fail(n, kinds[kind].code, kinds[kind].stays);
            int status =
                picket_store_indicators_replace(*state, "f", new, COUNT, NULL, NULL, NULL, &error);
            bool has_failed = faulty_vfs_has_failed();
            faulty_vfs_heal();
            int seen[3] = {0};
            MUST(picket_store_indicators(*state, "f", count_one, seen, &error));
            assert_int_equal(seen[1], status == PICKET_OK ? COUNT / 2 : COUNT);
            assert_int_equal(seen[2], status == PICKET_OK ? COUNT / 2 : 0);
            if (status != PICKET_OK) {
                check_failure(status, kind);
                failures++;
            }
            if (!has_failed)
                break;
        }
        assert_true(failures > 3);
    }
}

static int count_all(struct picket_store *store)
{
    int seen[3] = {0};
    MUST(picket_store_indicators(store, "kept", count_one, seen, &error));
    return seen[1] + seen[2];
}

/* Puts some and takes them out again, until nothing of it fails any more. */
static void a_change_of_a_kept_list_is_whole_or_not_at_all(void **state)
{
    enum { COUNT = 1500 };
    static struct picket_indicator some[COUNT];
    struct picket_feed list = {.name = "kept"};
    MUST(picket_store_feed_put(*state, &list, &error));
    fill(some, COUNT, 0, 1);
    for (int kind = 0; kind < KINDS; kind++) {
        int failures = 0;
        for (int n = 1, had = 0;; n++) {
            faulty_vfs_fail(n, kinds[kind].code, kinds[kind].stays);
            int status = had ? picket_store_indicators_take_out(*state, "kept", some, COUNT, NULL,
                                                                NULL, NULL, &error)
                             : picket_store_indicators_put(*state, "kept", some, COUNT, NULL, NULL,
                                                           NULL, &error);
            bool has_failed = faulty_vfs_has_failed();
            faulty_vfs_heal();
            if (status == PICKET_OK) {
                had = had ? 0 : COUNT;
            } else {
                check_failure(status, kind);
                failures++;
            }
            assert_int_equal(count_all(*state), had);
            assert_int_equal(totals_of(*state).indicators, had);
            if (!has_failed && had == 0)
                break;
        }
        assert_true(failures > 3);
    }
}

static void what_expired_long_ago_goes_whole_transactions_at_a_time(void **state)
{
    enum { COUNT = 1500, AT_ONCE = 1000 };
    static struct picket_indicator some[COUNT];
    struct picket_feed list = {.name = "kept"};
    bool more;
    MUST(picket_store_feed_put(*state, &list, &error));
    fill(some, COUNT, 0, 1);
    for (int i = 0; i < COUNT; i++)
        some[i].valid_until_ms = 5;
    for (int kind = 0; kind < KINDS; kind++) {
        int failures = 0;
        for (int n = 1;; n++) {
            MUST(
                picket_store_indicators_put(*state, "kept", some, COUNT, NULL, NULL, NULL, &error));
            faulty_vfs_fail(n, kinds[kind].code, kinds[kind].stays);
            int status = picket_store_kept_forget(*state, 5, NULL, NULL, &more, &error);
            bool has_failed = faulty_vfs_has_failed();
            faulty_vfs_heal();
            failures += status != PICKET_OK;
            if (status != PICKET_OK)
                check_failure(status, kind);
            assert_int_equal(count_all(*state), status == PICKET_OK ? COUNT - AT_ONCE : COUNT);
            assert_int_equal(totals_of(*state).indicators, count_all(*state));
            assert_int_equal(more, status == PICKET_OK);
            if (!has_failed)
                break;
        }
        assert_true(failures > 1);
    }
}

static void a_full_disk_is_told_and_survived(void **state)
{
    static struct twin twin, before;
    uint64_t seed = 5;
    twin_suppress(*state);
    MUST(try_batch(&twin, *state, seed));
    before = twin;
    faulty_vfs_fail(1, SQLITE_FULL, true);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(try_batch(&twin, *state, seed + 1), PICKET_FULL);
        twin = before;
        if (strstr(error.text, "/picket.db: disk full (database or disk is full): ") == NULL)
            fail_msg("%s", error.text);
        struct picket_device_identity device = identity_of("new"), found;
        assert_int_equal(picket_store_device_add(*state, &device, &error), PICKET_FULL);
        assert_int_equal(picket_store_device_get(*state, "new", &found, &error), PICKET_NOT_FOUND);
        twin_compare(&twin, *state); /* what is there can be read */
    }
    faulty_vfs_heal();
    MUST(try_batch(&twin, *state, seed + 1));
    twin_compare(&twin, *state);
}

static int with_faulty_store(void **state)
{
    faulty_vfs_install();
    faulty_vfs_heal();
    return with_store(state);
}

static int without_faulty_store(void **state)
{
    faulty_vfs_heal();
    picket_store_close(*state);
    *state = NULL;
    if (ask_sql("picket.db", "select count(*) from pragma_integrity_check "
                             "where integrity_check <> 'ok'") != 0)
        fail_msg("picket.db is damaged");
    return without_store(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_faulty_store, without_faulty_store)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_whole_or_not_at_all_whatever_fails),
        TEST(opening_recovers_from_whatever_failed_before),
        TEST(a_feed_is_replaced_whole_or_not_at_all),
        TEST(a_change_of_a_kept_list_is_whole_or_not_at_all),
        TEST(what_expired_long_ago_goes_whole_transactions_at_a_time),
        TEST(a_full_disk_is_told_and_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
