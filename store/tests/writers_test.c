/* Several threads with a handle each: turns in order, nobody starves, nothing is lost. Also to be
 * run under ThreadSanitizer (store/README.md says how). */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "writers.h"

enum { THREADS = 4, BATCHES = 60, DEVICES_ADDED = 40 };

static void *write_batches(void *argument)
{
    int number = *(int *)argument;
    struct picket_store *store;
    struct picket_error own = {0};
    char id[16];
    snprintf(id, sizeof id, "t%d", number);
    assert_int_equal(picket_store_open(&store, folder, &own), PICKET_OK);
    for (int i = 0; i < BATCHES; i++) {
        struct picket_event_row event = event_of(id, i, (uint64_t)i);
        struct picket_device_state state = {.device = id, .new_events = 1};
        int64_t event_id;
        assert_int_equal(picket_store_begin(store, &own), PICKET_OK);
        assert_int_equal(picket_store_put_event(store, &event, &event_id, &own), PICKET_OK);
        assert_int_equal(picket_store_update_device(store, &state, &own), PICKET_OK);
        assert_int_equal(picket_store_commit(store, &own), PICKET_OK);
    }
    picket_store_close(store);
    return NULL;
}

static void batches_of_several_threads_all_count(void **state)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_batches, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(totals_of(*state).events, THREADS * BATCHES);
    assert_int_equal(ask_sql("picket.db", "select min(events) from activity"), BATCHES);
}

static struct writers *writers_here(void)
{
    char path[400];
    snprintf(path, sizeof path, "%s/picket.db", folder);
    return writers_join(path);
}

/* Until so many wait; the test's own time limit is the deadline. */
static void await_waiting(struct writers *writers, int expected)
{
    while (writers_waiting(writers) != expected)
        sched_yield();
}

static atomic_int devices_wanted;

static void *add_devices(void *argument)
{
    struct picket_store *store = argument;
    struct picket_error own = {0};
    for (int i = 0; i < DEVICES_ADDED; i++) {
        char id[16];
        snprintf(id, sizeof id, "d%d", i);
        struct picket_device_identity device = identity_of(id);
        while (atomic_load(&devices_wanted) <= i)
            sched_yield();
        assert_int_equal(picket_store_device_add(store, &device, &own), PICKET_OK);
    }
    return NULL;
}

/* A writer that begins again right after each commit: who waited at the commit comes before. */
static void a_busy_writer_lets_through_who_waits(void **state)
{
    pthread_t thread;
    struct picket_store *other;
    struct writers *writers = writers_here();
    MUST(picket_store_open(&other, folder, &error));
    atomic_store(&devices_wanted, 0);
    MUST(picket_store_begin(*state, &error));
    assert_int_equal(pthread_create(&thread, NULL, add_devices, other), 0);
    for (int i = 0; i < DEVICES_ADDED; i++) {
        char id[16];
        struct picket_device_identity found;
        snprintf(id, sizeof id, "d%d", i);
        atomic_store(&devices_wanted, i + 1);
        await_waiting(writers, 1);
        MUST(picket_store_commit(*state, &error));
        MUST(picket_store_begin(*state, &error));
        MUST(picket_store_device_get(*state, id, &found, &error));
    }
    MUST(picket_store_commit(*state, &error));
    pthread_join(thread, NULL);
    picket_store_close(other);
    writers_leave(writers);
}

struct turn {
    struct writers *writers;
    int timeout_ms;
    bool came;
    int place; /* in the order in which the turns came */
};

static atomic_int turns;

static void *take_and_pass_turn(void *argument)
{
    struct turn *turn = argument;
    turn->came = writers_take_turn(turn->writers, turn->timeout_ms);
    if (turn->came) {
        turn->place = atomic_fetch_add(&turns, 1);
        writers_pass_turn(turn->writers);
    }
    return NULL;
}

static pthread_t start_waiting(struct turn *turn, struct writers *writers, int timeout_ms)
{
    pthread_t thread;
    *turn = (struct turn){.writers = writers, .timeout_ms = timeout_ms};
    assert_int_equal(pthread_create(&thread, NULL, take_and_pass_turn, turn), 0);
    return thread;
}

static void turns_come_in_the_order_of_asking(void **state)
{
    (void)state;
    enum { WAITERS = 4 };
    struct turn waiting[WAITERS], giving_up;
    pthread_t threads[WAITERS];
    struct writers *writers = writers_here();
    assert_true(writers_take_turn(writers, 0));
    atomic_store(&turns, 0);
    for (int i = 0; i < WAITERS; i++) {
        pthread_t impatient = start_waiting(&giving_up, writers, 20);
        threads[i] = start_waiting(&waiting[i], writers, 60000);
        pthread_join(impatient, NULL);
        assert_false(giving_up.came);
        await_waiting(writers, i + 1);
    }
    writers_pass_turn(writers);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(waiting[i].came);
        assert_int_equal(waiting[i].place, i);
    }
    writers_leave(writers);
}

static void a_turn_that_does_not_come_is_given_up(void **state)
{
    (void)state;
    struct writers *writers = writers_here(), *same = writers_here();
    assert_ptr_equal(writers, same);
    assert_true(writers_take_turn(writers, 0));
    assert_false(writers_take_turn(writers, 0));
    assert_false(writers_take_turn(writers, 20));
    writers_pass_turn(writers);
    assert_true(writers_take_turn(writers, 0));
    writers_pass_turn(writers);
    writers_leave(same);
    writers_leave(writers);
    assert_null(writers_join("/nowhere/at/all"));
}

/* Who opens first makes the tables; the others wait for it. */
static void *open_and_close(void *argument)
{
    struct picket_store *store;
    struct picket_error own = {0};
    int status = picket_store_open(&store, folder, &own);
    if (status != PICKET_OK)
        snprintf(argument, sizeof own.text, "%s", own.text);
    picket_store_close(store);
    return NULL;
}

static void a_new_store_may_be_opened_by_many_at_once(void **state)
{
    for (int round = 0; round < 20; round++) {
        pthread_t threads[THREADS];
        static char problems[THREADS][sizeof error.text];
        picket_store_close(*state);
        forget_folder();
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, open_and_close, problems[i]);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < THREADS; i++)
            assert_string_equal(problems[i], "");
        MUST(picket_store_open((struct picket_store **)state, folder, &error));
        assert_int_equal(totals_of(*state).events, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(batches_of_several_threads_all_count),
        TEST(a_busy_writer_lets_through_who_waits),
        TEST(turns_come_in_the_order_of_asking),
        TEST(a_turn_that_does_not_come_is_given_up),
        TEST(a_new_store_may_be_opened_by_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
