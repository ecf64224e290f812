/* The process is killed in the middle of batches; the plug is pulled. Whatever was committed is
 * there, whole and once; whatever was not is done again and changes nothing that is there. */
#include "support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../sqlite/store.h"
#include "../sqlite/write_back.h"
#include "faulty_vfs.h"
#include "picket/base/time.h"
#include "picket/store/suppressions.h"

enum { EVENTS_PER_BATCH = 20, FLOWS_PER_EVENT = 3, KILLS = 25, FEW_PAGES = 20 };

#define SUPPRESSED "quiet"

/* Batch n is always the same: 20 events of 5 devices, a finding, one that is suppressed, a piece of
 * telemetry. */
static int put_batch(struct picket_store *store, int n)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < EVENTS_PER_BATCH; i++) {
        struct picket_event_row event =
            event_of(names[i % 5], 1000 + n, (uint64_t)(n * EVENTS_PER_BATCH + i));
        struct picket_flow flows[FLOWS_PER_EVENT];
        for (int j = 0; j < FLOWS_PER_EVENT; j++)
            flows[j] = flow_of((uint64_t)(n * 1000 + i * 10 + j));
        int64_t id;
        MUST(picket_store_put_event(store, &event, &id, &error));
        if (id == 0)
            return 0; /* known: so is the whole batch */
        MUST(picket_store_put_flows(store, id, flows, FLOWS_PER_EVENT, &error));
        struct picket_device_state state = {.device = names[i % 5], .new_events = 1};
        MUST(picket_store_update_device(store, &state, &error));
    }
    struct picket_finding finding = finding_of("a", "subject", n);
    struct picket_outbox_item item = {.device = "a"};
    MUST(picket_store_raise(store, &finding, NULL, NULL, NULL, &error));
    finding.device = SUPPRESSED;
    MUST(picket_store_raise(store, &finding, NULL, NULL, NULL, &error));
    MUST(picket_store_enqueue(store, "route", &item, &error));
    return 1;
}

/* The thread that writes the log back has work all the time. */
static void write_back_often(struct picket_store *store)
{
    struct database *database = &sqlite_of(store)->picket;
    MUST(database_expect_writes(database, &error));
    write_back_free(database->write_back);
    database->write_back = write_back_new(database->path, FEW_PAGES);
}

/* The child: batch after batch from the first on, telling each that is committed. */
static void write_until_killed(int first, bool writes_back, int tell)
{
    struct picket_store *store;
    MUST(picket_store_open(&store, folder, &error));
    if (writes_back)
        write_back_often(store);
    for (int n = first;; n++) {
        MUST(picket_store_begin(store, &error));
        put_batch(store, n);
        MUST(picket_store_commit(store, &error));
        if (write(tell, &n, sizeof n) != sizeof n)
            _exit(1);
    }
}

typedef void (*write_forever)(int first, bool writes_back, int tell);

/* Lets a child write for a while and kills it; returns the last batch that it told, or first - 1.
 */
static int write_and_kill(write_forever write_on, int first, bool writes_back, int at_least,
                          unsigned more_us)
{
    int pipe_ends[2], told = first - 1;
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_ends[0]);
        write_on(first, writes_back, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    while (told < first - 1 + at_least && read(pipe_ends[0], &told, sizeof told) == sizeof told)
        continue;
    usleep(more_us); /* somewhere within a batch, wherever that may be */
    kill(child, SIGKILL);
    for (int n; read(pipe_ends[0], &n, sizeof n) == sizeof n;)
        told = n;
    close(pipe_ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return told;
}

struct count {
    int64_t events, flows, fold_count, suppressed, items;
};

static void count_event(void *context, int64_t id, const struct picket_event_row *event,
                        const struct picket_flow *flows, size_t flow_count)
{
    struct count *count = context;
    uint64_t key;
    memcpy(&key, event->key, sizeof key);
    uint64_t n = key / EVENTS_PER_BATCH, i = key % EVENTS_PER_BATCH;
    assert_int_equal(id, key + 1);
    for (size_t j = 0; j < flow_count; j++) {
        struct picket_flow expected = flow_of(n * 1000 + i * 10 + j);
        assert_true(flows_are_equal(&flows[j], &expected));
    }
    count->events++;
    count->flows += (int64_t)flow_count;
}

static void count_alert(void *context, const struct picket_alert *alert)
{
    struct count *count = context;
    bool is_suppressed = strcmp(alert->device, SUPPRESSED) == 0;
    *(is_suppressed ? &count->suppressed : &count->fold_count) += alert->count;
}

/* How many whole batches there are; fails the test if there is any piece of another. */
static int whole_batches(void)
{
    struct picket_store *store;
    MUST(picket_store_open(&store, folder, &error));
    struct picket_store_totals totals = totals_of(store);
    struct count count = {0};
    struct picket_event_query all = {.limit = INT32_MAX};
    struct picket_alert_query alerts = {.limit = 10};
    MUST(picket_store_events(store, &all, count_event, &count, &error));
    MUST(picket_store_alerts(store, &alerts, count_alert, &count, &error));
    int64_t batches = count.events / EVENTS_PER_BATCH;
    assert_int_equal(count.events, batches * EVENTS_PER_BATCH);
    assert_int_equal(count.flows, count.events * FLOWS_PER_EVENT);
    assert_int_equal(count.fold_count, batches);
    assert_int_equal(count.suppressed, batches);
    assert_int_equal(totals.events, count.events);
    assert_int_equal(totals.flows, count.flows);
    assert_int_equal(totals.outbox, batches);
    picket_store_close(store);
    assert_int_equal(ask_sql("picket.db", "select sum(events) from activity"), count.events);
    assert_int_equal(ask_sql("picket.db", "select hits from suppressions"), batches);
    assert_int_equal(ask_sql("picket.db", "select count(*) from pragma_integrity_check "
                                          "where integrity_check <> 'ok'"),
                     0);
    return (int)batches;
}

static void kill_many_times(bool writes_back, int at_least, uint64_t seed)
{
    int there = 0;
    for (int kill_number = 0; kill_number < KILLS; kill_number++) {
        int again = there > 0 ? there - 1 : 0; /* the last one is sent again */
        int told = write_and_kill(write_until_killed, again, writes_back, at_least,
                                  (unsigned)random_below(&seed, 4000));
        there = whole_batches();
        assert_true(told + 1 >= again + at_least);
        assert_in_range(there, told + 1, told + 2); /* one may be committed and not yet told */
    }
}

static void what_was_committed_survives_a_kill(void **state)
{
    (void)state;
    kill_many_times(false, 3, 3);
}

static void what_was_committed_survives_a_kill_while_the_log_is_written_back(void **state)
{
    (void)state;
    kill_many_times(true, 10, 6);
}

/* ---- kept lists ---- */

enum { PUT_TOGETHER = 20, BATCHES_LISTED = 3 };

static void fill_indicators(struct picket_indicator *indicators, int batch)
{
    for (int i = 0; i < PUT_TOGETHER; i++) {
        uint8_t bytes[4] = {(uint8_t)i, (uint8_t)(batch >> 16), (uint8_t)(batch >> 8),
                            (uint8_t)batch};
        indicators[i] = (struct picket_indicator){.prefix = {picket_address_ipv4(bytes), 32},
                                                  .line = (uint32_t)batch + 1};
    }
}

/* Even steps put a batch, odd ones take out that of some steps before. */
static void change_list(struct picket_store *store, int step)
{
    struct picket_indicator indicators[PUT_TOGETHER];
    fill_indicators(indicators, step % 2 == 0 ? step / 2 : step / 2 - BATCHES_LISTED);
    if (step % 2 == 0)
        MUST(picket_store_indicators_put(store, "kept", indicators, PUT_TOGETHER, NULL, NULL, NULL,
                                         &error));
    else if (step / 2 >= BATCHES_LISTED)
        MUST(picket_store_indicators_take_out(store, "kept", indicators, PUT_TOGETHER, NULL, NULL,
                                              NULL, &error));
}

static void change_list_until_killed(int first, bool writes_back, int tell)
{
    struct picket_store *store;
    (void)writes_back;
    MUST(picket_store_open(&store, folder, &error));
    for (int step = first;; step++) {
        change_list(store, step);
        if (write(tell, &step, sizeof step) != sizeof step)
            _exit(1);
    }
}

struct listed {
    int first, last, count; /* batches, indicators */
};

static void note_listed(void *context, const char *feed, const struct picket_indicator *indicator)
{
    struct listed *listed = context;
    int batch = (int)indicator->line - 1;
    (void)feed;
    if (listed->count == 0 || batch < listed->first)
        listed->first = batch;
    if (listed->count == 0 || batch > listed->last)
        listed->last = batch;
    listed->count++;
}

/* How many steps were made; fails the test if a part of one was. */
static int whole_steps(void)
{
    struct picket_store *store;
    struct listed listed = {0};
    MUST(picket_store_open(&store, folder, &error));
    MUST(picket_store_indicators(store, "kept", note_listed, &listed, &error));
    assert_int_equal(totals_of(store).indicators, listed.count);
    picket_store_close(store);
    if (listed.count == 0)
        return 0;
    int batches = listed.last - listed.first + 1, steps = 2 * listed.last + 1;
    assert_int_equal(listed.count, batches * PUT_TOGETHER);
    assert_in_range(batches, 1, BATCHES_LISTED + 1);
    return steps + (listed.last - BATCHES_LISTED >= 0 && batches == BATCHES_LISTED);
}

static void changes_of_a_kept_list_survive_a_kill_whole_or_not_at_all(void **state)
{
    (void)state;
    struct picket_store *store;
    struct picket_feed list = {.name = "kept"};
    uint64_t seed = 9;
    int next = 0;
    MUST(picket_store_open(&store, folder, &error));
    MUST(picket_store_feed_put(store, &list, &error));
    picket_store_close(store);
    for (int kill_number = 0; kill_number < KILLS; kill_number++) {
        int told = write_and_kill(change_list_until_killed, next, false, 10,
                                  (unsigned)random_below(&seed, 4000));
        int there = whole_steps();
        if (there < told + 1 && (told + 1) % 2 == 0 && told / 2 < BATCHES_LISTED)
            there = told + 1; /* a step that takes nothing out leaves no trace */
        assert_in_range(there, told + 1, told + 2);
        next = there;
    }
}

/* Here nothing is on the disk but what was synced. */
static void what_was_committed_survives_a_power_cut(void **state)
{
    (void)state;
    uint64_t seed = 4;
    int there = 0;
    faulty_vfs_install();
    for (int cut = 0; cut < KILLS; cut++) {
        int pipe_ends[2], told = -1;
        int batches = random_below(&seed, 40), again = there > 0 ? there - 1 : 0;
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        if (child == 0) {
            struct picket_store *store;
            faulty_vfs_keep_until_synced();
            MUST(picket_store_open(&store, folder, &error));
            for (int n = again; n < again + batches; n++) {
                MUST(picket_store_begin(store, &error));
                put_batch(store, n);
                MUST(picket_store_commit(store, &error));
                told = n;
            }
            MUST(picket_store_begin(store, &error));
            put_batch(store, again + batches);
            if (write(pipe_ends[1], &told, sizeof told) != sizeof told)
                _exit(1);
            kill(getpid(), SIGKILL);
        }
        close(pipe_ends[1]);
        assert_int_equal(read(pipe_ends[0], &told, sizeof told), sizeof told);
        close(pipe_ends[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        int before = there;
        there = whole_batches();
        assert_int_equal(there, told + 1 > before ? told + 1 : before);
    }
    assert_true(there > KILLS);
}

static int with_folder(void **state)
{
    struct picket_store *store;
    struct picket_suppression suppression = {
        .device = SUPPRESSED, .reason = "test", .created_ms = picket_unix_ms()};
    suppression.until_ms = suppression.created_ms + 24 * 3600 * 1000;
    (void)state;
    new_folder();
    MUST(picket_store_open(&store, folder, &error));
    MUST(picket_store_suppression_add(store, &suppression, NULL, &error));
    picket_store_close(store);
    return 0;
}

static int without_folder(void **state)
{
    (void)state;
    forget_folder();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_folder, without_folder)
    const struct CMUnitTest tests[] = {
        TEST(what_was_committed_survives_a_kill),
        TEST(what_was_committed_survives_a_kill_while_the_log_is_written_back),
        TEST(changes_of_a_kept_list_survive_a_kill_whole_or_not_at_all),
        TEST(what_was_committed_survives_a_power_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
