/* Several producers against one consumer, with bounds so tight that all of them meet them all the
 * time. Also to be run under ThreadSanitizer (log/README.md says how). */
#include "check.h"

#include <pthread.h>
#include <sched.h>

#include "picket/log/log.h"

enum { PRODUCERS = 4, MESSAGES_EACH = 20000 };

struct shared {
    struct picket_log *log;
    pthread_mutex_t lock;
    pthread_cond_t progressed;
    uint64_t durable;
    bool durable_went_back;
    uint64_t busy;
};

struct producer {
    struct shared *shared;
    int number;
};

static void note_durable(void *context, uint64_t position)
{
    struct shared *shared = context;
    pthread_mutex_lock(&shared->lock);
    shared->durable_went_back |= position <= shared->durable;
    shared->durable = position;
    pthread_mutex_unlock(&shared->lock);
    pthread_cond_broadcast(&shared->progressed);
}

/* As the hub does: waits for progress when the log is full. */
static void wait_for_progress(struct shared *shared, uint64_t seen)
{
    pthread_mutex_lock(&shared->lock);
    shared->busy++;
    while (shared->durable == seen)
        pthread_cond_wait(&shared->progressed, &shared->lock);
    pthread_mutex_unlock(&shared->lock);
}

static uint64_t durable_now(struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    uint64_t durable = shared->durable;
    pthread_mutex_unlock(&shared->lock);
    return durable;
}

static uint64_t append_patiently(struct shared *shared, const struct picket_log_message *message)
{
    uint64_t position = 0;
    for (;;) {
        uint64_t durable = durable_now(shared);
        int status = picket_log_append(shared->log, message, &position);
        if (status == PICKET_OK)
            return position;
        assert_int_equal(status, PICKET_BUSY);
        wait_for_progress(shared, durable);
    }
}

/* Payload: the message's number, then as many bytes of its low byte as the number says. */
static void *produce(void *argument)
{
    struct producer *producer = argument;
    char device[16];
    uint8_t payload[4 + 64];
    uint64_t last = 0;
    snprintf(device, sizeof device, "device-%d", producer->number);
    for (uint32_t number = 0; number < MESSAGES_EACH; number++) {
        struct picket_log_message message = {.device = device, .module = "", .properties = "p"};
        memcpy(payload, &number, 4);
        memset(payload + 4, (int)(number & 0xff), number % 64);
        message.payload = payload;
        message.payload_bytes = 4 + number % 64;
        uint64_t position = append_patiently(producer->shared, &message);
        assert_true(position > last);
        last = position;
    }
    return NULL;
}

static void check_message(const struct picket_log_message *message, uint32_t *next_numbers)
{
    uint32_t number;
    memcpy(&number, message->payload, 4);
    int device = message->device[7] - '0';
    assert_in_range(device, 0, PRODUCERS - 1);
    assert_int_equal(number, next_numbers[device]++);
    assert_int_equal(message->payload_bytes, 4 + number % 64);
    for (size_t i = 4; i < message->payload_bytes; i++)
        assert_int_equal(message->payload[i], number & 0xff);
}

/* Reads ahead of what it commits, and now and then commits nothing. */
static void consume(struct picket_log *log, uint32_t *next_numbers)
{
    uint64_t seed = 5, expected = 1;
    const struct picket_log_message *messages;
    int count;
    while ((count = picket_log_read(log, &messages, 1 + (int)(next_random(&seed) % 16), 10)) !=
           PICKET_CLOSED) {
        for (int i = 0; i < count; i++) {
            assert_int_equal(messages[i].position, expected++);
            check_message(&messages[i], next_numbers);
        }
        if (count == 0 || next_random(&seed) % 4 != 0)
            picket_log_commit(log, expected - 1);
    }
    picket_log_commit(log, expected - 1);
}

static void *close_when_all_have_produced(void *argument)
{
    struct shared *shared = argument;
    pthread_t threads[PRODUCERS];
    struct producer producers[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){shared, i};
        pthread_create(&threads[i], NULL, produce, &producers[i]);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    picket_log_close(shared->log);
    return NULL;
}

static void nothing_is_lost_doubled_or_reordered_under_load(void **state)
{
    (void)state;
    struct shared shared = {.durable = 0};
    pthread_mutex_init(&shared.lock, NULL);
    pthread_cond_init(&shared.progressed, NULL);
    struct picket_log_limits limits = {.messages = 37, .bytes = 1500};
    assert_int_equal(picket_log_open_direct(&shared.log, &limits, NULL), PICKET_OK);
    picket_log_on_durable(shared.log, note_durable, &shared);
    pthread_t closer;
    pthread_create(&closer, NULL, close_when_all_have_produced, &shared);

    uint32_t next_numbers[PRODUCERS] = {0};
    consume(shared.log, next_numbers);
    pthread_join(closer, NULL);

    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(next_numbers[i], MESSAGES_EACH);
    assert_int_equal(shared.durable, PRODUCERS * MESSAGES_EACH);
    assert_false(shared.durable_went_back);
    assert_true(shared.busy > 0);
    struct picket_log_statistics statistics;
    picket_log_statistics(shared.log, &statistics);
    assert_int_equal(statistics.messages_held, 0);
    assert_int_equal(statistics.bytes_held, 0);
    assert_true(statistics.refused >= shared.busy);
    picket_log_destroy(shared.log);
    pthread_cond_destroy(&shared.progressed);
    pthread_mutex_destroy(&shared.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_doubled_or_reordered_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
