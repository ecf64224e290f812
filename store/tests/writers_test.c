/* Several threads with a handle each: turns in order, nobody starves, nothing is lost. Also to be
 * run under ThreadSanitizer (store/README.md says how). */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "picket/base/time.h"
#include "writers.h"

enum { THREADS = 4, BATCHES = 60, DEVICES_ADDED = 40 };

static atomic_int batches_done;
static atomic_bool stop;

static struct picket_store *open_here(void)
{
    struct picket_store *store;
    MUST(picket_store_open(&store, folder, &error));
    return store;
}

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
        atomic_fetch_add(&batches_done, 1);
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

static void *write_without_pause(void *argument)
{
    (void)argument;
    struct picket_store *store;
    struct picket_error own = {0};
    assert_int_equal(picket_store_open(&store, folder, &own), PICKET_OK);
    for (int i = 0; !atomic_load(&stop); i++) {
        struct picket_event_row event = event_of("busy", i, (uint64_t)i);
        int64_t event_id;
        assert_int_equal(picket_store_begin(store, &own), PICKET_OK);
        for (int j = 0; j < 50; j++) {
            event.key[15] = (uint8_t)j;
            assert_int_equal(picket_store_put_event(store, &event, &event_id, &own), PICKET_OK);
        }
        assert_int_equal(picket_store_commit(store, &own), PICKET_OK);
        atomic_fetch_add(&batches_done, 1);
    }
    picket_store_close(store);
    return NULL;
}

/* Each addition waits for the batch at hand and not for a second one: the turn is passed on to it.
 */
static void a_busy_writer_does_not_keep_others_waiting(void **state)
{
    pthread_t thread;
    struct picket_store *store = open_here();
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, write_without_pause, NULL), 0);
    int begun = atomic_load(&batches_done);
    for (int i = 0; i < DEVICES_ADDED; i++) {
        char id[16];
        snprintf(id, sizeof id, "d%d", i);
        struct picket_device_identity device = identity_of(id);
        MUST(picket_store_device_add(store, &device, &error));
    }
    int meanwhile = atomic_load(&batches_done) - begun;
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(totals_of(*state).devices, DEVICES_ADDED);
    assert_true(meanwhile <= 2 * DEVICES_ADDED + 2);
    picket_store_close(store);
}

static void a_turn_that_does_not_come_is_given_up(void **state)
{
    (void)state;
    char path[400];
    snprintf(path, sizeof path, "%s/picket.db", folder);
    struct writers *writers = writers_join(path), *same = writers_join(path);
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
        *state = open_here();
        assert_int_equal(totals_of(*state).events, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(batches_of_several_threads_all_count),
        TEST(a_busy_writer_does_not_keep_others_waiting),
        TEST(a_turn_that_does_not_come_is_given_up),
        TEST(a_new_store_may_be_opened_by_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
