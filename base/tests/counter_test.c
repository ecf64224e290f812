#include "check.h"

#include <pthread.h>

#include "picket/base/counter.h"

static struct picket_counter unused = {.name = "b_unused", .help = "never counted"};
static struct picket_counter single = {.name = "c_single", .help = "counted once"};
static struct picket_counter shared = {.name = "a_shared", .help = "counted by all threads"};

static void *count_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < 10000; i++)
        picket_count(&shared, 2);
    return NULL;
}

static void no_count_of_any_thread_is_lost(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_often, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.value, 4 * 10000 * 2);
}

struct seen {
    const char *names[8];
    uint64_t values[8];
    int count;
};

static void note(const struct picket_counter *counter, void *context)
{
    struct seen *seen = context;
    assert_true(seen->count < 8);
    seen->names[seen->count] = counter->name;
    seen->values[seen->count++] = counter->value;
}

static void counters_are_shown_once_in_the_order_of_their_names(void **state)
{
    (void)state;
    picket_count(&single, 1);
    picket_counter_register(&unused);
    picket_counter_register(&unused);
    picket_counter_register(&single);
    struct seen seen = {.count = 0};
    picket_counters_each(note, &seen);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.names[0], "a_shared");
    assert_string_equal(seen.names[1], "b_unused");
    assert_string_equal(seen.names[2], "c_single");
    assert_int_equal(seen.values[1], 0);
    assert_int_equal(seen.values[2], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_count_of_any_thread_is_lost),
        cmocka_unit_test(counters_are_shown_once_in_the_order_of_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
