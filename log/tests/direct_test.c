#include "check.h"

#include <pthread.h>

#include "picket/base/time.h"
#include "picket/log/log.h"

static struct picket_log *open_log(size_t messages, size_t bytes)
{
    struct picket_log *log;
    struct picket_error error;
    struct picket_log_limits limits = {messages, bytes};
    if (picket_log_open_direct(&log, &limits, &error) != PICKET_OK)
        fail_msg("%s", error.text);
    return log;
}

static int append(struct picket_log *log, const char *device, const char *payload)
{
    struct picket_log_message message = {
        .device = device,
        .module = "m",
        .properties = "a=b",
        .received_ms = 7,
        .payload = (const uint8_t *)payload,
        .payload_bytes = strlen(payload),
    };
    return picket_log_append(log, &message, NULL);
}

static void what_is_appended_is_read_whole(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    char device[] = "pump-7", module[] = "", properties[] = "mti=1&x=%20";
    uint8_t payload[] = {0, 1, 2, 0xff};
    struct picket_log_message message = {device, module, 1234, properties, payload, 4, 99,
                                         PICKET_LOG_OF_HUB};
    uint64_t position = 0;
    assert_int_equal(picket_log_append(log, &message, &position), PICKET_OK);
    assert_int_equal(position, 1);
    memset(device, 'x', 6);
    memset(payload, 'x', 4);
    memset(properties, 'x', 8);

    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 10, 1000), 1);
    assert_string_equal(read->device, "pump-7");
    assert_string_equal(read->module, "");
    assert_string_equal(read->properties, "mti=1&x=%20");
    assert_int_equal(read->received_ms, 1234);
    assert_int_equal(read->payload_bytes, 4);
    assert_memory_equal(read->payload, "\x00\x01\x02\xff", 4);
    assert_int_equal(read->position, 1);
    assert_int_equal(read->kind, PICKET_LOG_OF_HUB);
    picket_log_destroy(log);
}

static void a_message_may_be_empty(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    struct picket_log_message message = {.device = "", .module = "", .properties = ""};
    assert_int_equal(picket_log_append(log, &message, NULL), PICKET_OK);
    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 1, 0), 1);
    assert_int_equal(read->payload_bytes, 0);
    picket_log_commit(log, 1);
    picket_log_destroy(log);
}

static void batches_follow_one_another_in_order(void **state)
{
    (void)state;
    struct picket_log *log = open_log(4, 0);
    const struct picket_log_message *read;
    uint64_t expected = 1, appended = 0;
    for (int round = 0; round < 100; round++) {
        while (append(log, "d", "x") == PICKET_OK)
            appended++;
        int count = picket_log_read(log, &read, 3, 0);
        assert_in_range(count, 1, 3);
        for (int i = 0; i < count; i++)
            assert_int_equal(read[i].position, expected++);
        picket_log_commit(log, expected - 1);
    }
    assert_true(appended >= 100);
    picket_log_destroy(log);
}

static void messages_stay_where_they_are_until_committed(void **state)
{
    (void)state;
    struct picket_log *log = open_log(3, 0);
    append(log, "one", "1");
    append(log, "two", "2");
    const struct picket_log_message *first, *second;
    assert_int_equal(picket_log_read(log, &first, 1, 0), 1);
    assert_int_equal(picket_log_read(log, &second, 1, 0), 1);
    append(log, "three", "3");
    assert_int_equal(append(log, "four", "4"), PICKET_BUSY);
    assert_string_equal(first->device, "one");
    assert_string_equal(second->device, "two");
    picket_log_commit(log, 1);
    assert_int_equal(append(log, "four", "4"), PICKET_OK);
    assert_string_equal(second->device, "two");
    picket_log_destroy(log);
}

static void a_full_log_is_busy_and_counts_it(void **state)
{
    (void)state;
    struct picket_log *log = open_log(2, 0);
    struct picket_log_statistics statistics;
    assert_int_equal(append(log, "d", "1"), PICKET_OK);
    assert_int_equal(append(log, "d", "2"), PICKET_OK);
    assert_int_equal(append(log, "d", "3"), PICKET_BUSY);
    assert_int_equal(append(log, "d", "3"), PICKET_BUSY);
    picket_log_statistics(log, &statistics);
    assert_int_equal(statistics.messages_held, 2);
    assert_int_equal(statistics.refused, 2);

    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 10, 0), 2);
    assert_int_equal(append(log, "d", "3"), PICKET_BUSY); /* read is not committed */
    picket_log_commit(log, 2);
    assert_int_equal(append(log, "d", "3"), PICKET_OK);
    picket_log_statistics(log, &statistics);
    assert_int_equal(statistics.messages_held, 1);
    picket_log_destroy(log);
}

static void bytes_are_bounded_too(void **state)
{
    (void)state;
    struct picket_log *log = open_log(1000, 4096);
    char payload[1001];
    memset(payload, 'p', 1000);
    payload[1000] = '\0';
    int taken = 0;
    while (append(log, "d", payload) == PICKET_OK)
        taken++;
    assert_in_range(taken, 3, 4);
    struct picket_log_statistics statistics;
    picket_log_statistics(log, &statistics);
    assert_in_range(statistics.bytes_held, 3000, 4096);
    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 10, 0), taken);
    picket_log_commit(log, (uint64_t)taken);
    picket_log_statistics(log, &statistics);
    assert_int_equal(statistics.bytes_held, 0);
    picket_log_destroy(log);
}

static void what_can_never_fit_is_invalid(void **state)
{
    (void)state;
    struct picket_log *log = open_log(10, 64);
    char payload[101] = {0};
    memset(payload, 'p', 100);
    assert_int_equal(append(log, "d", payload), PICKET_INVALID);
    assert_int_equal(append(log, "d", "small"), PICKET_OK);
    picket_log_destroy(log);
}

static void reading_an_empty_log_times_out(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 10, 0), 0);
    int64_t before = picket_monotonic_ms();
    assert_int_equal(picket_log_read(log, &read, 10, 20), 0);
    assert_true(picket_monotonic_ms() - before >= 19);
    picket_log_destroy(log);
}

static void a_reader_that_gathers_waits_until_there_is_enough(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    const struct picket_log_message *read;
    picket_log_gather(log, 3);
    append(log, "d", "1");
    append(log, "d", "2");
    int64_t before = picket_monotonic_ms();
    assert_int_equal(picket_log_read(log, &read, 10, 20), 2); /* the time is out */
    assert_true(picket_monotonic_ms() - before >= 19);
    for (int i = 0; i < 3; i++)
        append(log, "d", "x");
    assert_int_equal(picket_log_read(log, &read, 10, -1), 3);
    append(log, "d", "last");
    picket_log_close(log);
    assert_int_equal(picket_log_read(log, &read, 10, -1), 1);
    picket_log_destroy(log);
}

static void *append_three(void *log)
{
    for (int i = 0; i < 3; i++)
        append(log, "d", "x");
    return NULL;
}

static void *gather_one(void *log)
{
    picket_log_gather(log, 1);
    return NULL;
}

static void *gather_nothing(void *log)
{
    picket_log_gather(log, 0);
    return NULL;
}

/* Another thread's doing ends a wait that would not end by itself. */
static int read_while(void *(*other)(void *log), struct picket_log *log)
{
    const struct picket_log_message *read;
    pthread_t thread;
    pthread_create(&thread, NULL, other, log);
    int count = picket_log_read(log, &read, 10, -1);
    pthread_join(thread, NULL);
    return count;
}

static void a_waiting_reader_is_woken_by_enough_and_by_less_to_gather(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    picket_log_gather(log, 3);
    assert_int_equal(read_while(append_three, log), 3);
    append(log, "d", "alone");
    assert_int_equal(read_while(gather_one, log), 1);
    assert_int_equal(read_while(gather_nothing, log), 0);
    picket_log_destroy(log);
}

struct told {
    uint64_t positions[16];
    int count;
};

static void note(void *context, uint64_t position)
{
    struct told *told = context;
    assert_true(told->count < 16);
    told->positions[told->count++] = position;
}

static void the_durable_position_only_grows(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    struct told told = {.count = 0};
    picket_log_on_durable(log, note, &told);
    for (int i = 0; i < 5; i++)
        append(log, "d", "x");
    const struct picket_log_message *read;
    picket_log_commit(log, 5); /* nothing was read */
    assert_int_equal(told.count, 0);
    assert_int_equal(picket_log_read(log, &read, 4, 0), 4);
    picket_log_commit(log, 2);
    picket_log_commit(log, 2);
    picket_log_commit(log, 1);
    picket_log_commit(log, 100);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.positions[0], 2);
    assert_int_equal(told.positions[1], 4);
    picket_log_destroy(log);
}

static void a_closed_log_is_read_to_its_end(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    append(log, "d", "1");
    append(log, "d", "2");
    picket_log_close(log);
    assert_int_equal(append(log, "d", "3"), PICKET_CLOSED);
    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 1, -1), 1);
    assert_int_equal(picket_log_read(log, &read, 1, -1), 1);
    assert_int_equal(picket_log_read(log, &read, 1, -1), PICKET_CLOSED);
    assert_int_equal(picket_log_read(log, &read, 1, 0), PICKET_CLOSED);
    struct told told = {.count = 0};
    picket_log_on_durable(log, note, &told);
    picket_log_commit(log, 2);
    assert_int_equal(told.positions[0], 2);
    picket_log_destroy(log);
}

static void *close_it(void *log)
{
    picket_log_close(log);
    return NULL;
}

static void closing_wakes_a_waiting_consumer(void **state)
{
    (void)state;
    struct picket_log *log = open_log(0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, close_it, log);
    const struct picket_log_message *read;
    assert_int_equal(picket_log_read(log, &read, 1, -1), PICKET_CLOSED);
    pthread_join(thread, NULL);
    picket_log_destroy(log);
}

static void absurd_limits_are_refused(void **state)
{
    (void)state;
    struct picket_log *log;
    struct picket_error error;
    struct picket_log_limits limits = {SIZE_MAX / 2, 0};
    assert_int_equal(picket_log_open_direct(&log, &limits, &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "9223372036854775807 messages"));
    limits = (struct picket_log_limits){0, SIZE_MAX};
    assert_int_equal(picket_log_open_direct(&log, &limits, NULL), PICKET_INVALID);
    picket_log_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_read_whole),
        cmocka_unit_test(a_message_may_be_empty),
        cmocka_unit_test(batches_follow_one_another_in_order),
        cmocka_unit_test(messages_stay_where_they_are_until_committed),
        cmocka_unit_test(a_full_log_is_busy_and_counts_it),
        cmocka_unit_test(bytes_are_bounded_too),
        cmocka_unit_test(what_can_never_fit_is_invalid),
        cmocka_unit_test(reading_an_empty_log_times_out),
        cmocka_unit_test(a_reader_that_gathers_waits_until_there_is_enough),
        cmocka_unit_test(a_waiting_reader_is_woken_by_enough_and_by_less_to_gather),
        cmocka_unit_test(the_durable_position_only_grows),
        cmocka_unit_test(a_closed_log_is_read_to_its_end),
        cmocka_unit_test(closing_wakes_a_waiting_consumer),
        cmocka_unit_test(absurd_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
