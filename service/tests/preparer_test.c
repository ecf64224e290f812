/* What is prepared, and in which portions it is handed on: a log, no store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "prepared_count.h"
#include "preparer.h"

enum { SOON_MS = 60000 };

static void wait_until_prepared(int count)
{
    assert_true(harness_wait(has_prepared, &count));
}

/* ---- a harness that is but a log ---- */

static struct harness harness;
static struct preparer *preparer;
static const struct prepared_message *const *batch;

static void open_log(size_t messages)
{
    struct picket_log_limits limits = {.messages = messages};
    harness = (struct harness){.appended = 0};
    assert_int_equal(picket_log_open_direct(&harness.log, &limits, NULL), PICKET_OK);
}

static void start(int batch_max)
{
    atomic_store(&prepared_count, 0);
    assert_int_equal(preparer_start(&preparer, harness.log, batch_max, NULL, 0, NULL), PICKET_OK);
}

static void stop(void)
{
    picket_log_close(harness.log);
    preparer_stop(preparer);
    picket_log_destroy(harness.log);
}

static void append(int count)
{
    for (int i = 0; i < count; i++)
        harness_append_flow(&harness, "pump", (struct flow_message){"198.51.100.1", 1, 0, 0, 1});
}

static int take(void)
{
    return preparer_take(preparer, &batch, SOON_MS);
}

static void commit(int count)
{
    picket_log_commit(harness.log, batch[count - 1]->message->position);
    preparer_release(preparer);
}

/* ---- what a message is ---- */

static struct arena arena;

static bool prepare(size_t room, const char *properties, const void *payload, size_t size,
                    struct prepared_message *prepared)
{
    static struct picket_log_message message;
    message = (struct picket_log_message){.device = "pump",
                                          .module = "",
                                          .received_ms = 1700000000000,
                                          .properties = properties,
                                          .payload = payload,
                                          .payload_bytes = size};
    memset(prepared, 0xa5, sizeof *prepared);
    assert_true(arena_resize(&arena, room));
    bool fits = __real_prepare_message(&arena, &message, prepared);
    assert_ptr_equal(prepared->message, &message);
    return fits;
}

static void what_is_no_security_message_and_what_cannot_be_read_is_known_beforehand(void **state)
{
    struct prepared_message prepared;
    (void)state;
    assert_true(prepare(1, "a=b", "x", 1, &prepared));
    assert_int_equal(prepared.kind, PREPARED_TELEMETRY);
    assert_true(prepare(1, SECURITY_PROPERTIES, "bad", 3, &prepared));
    assert_int_equal(prepared.kind, PREPARED_BAD);
    assert_string_equal(prepared.problem.reason, "message too short");
    arena_free(&arena);
}

/* A real message, as the log has it. */
static const struct picket_log_message *message_of(uint32_t flows)
{
    const struct picket_log_message *message;
    open_log(4);
    harness_append_flows(&harness, "pump", flows);
    assert_int_equal(picket_log_read(harness.log, &message, 1, 0), 1);
    return message;
}

static void events_that_do_not_fit_are_left_undecoded(void **state)
{
    struct prepared_message whole, cut;
    (void)state;
    const struct picket_log_message *message = message_of(20);
    assert_true(
        prepare(1 << 16, SECURITY_PROPERTIES, message->payload, message->payload_bytes, &whole));
    assert_int_equal(whole.kind, PREPARED_SECURITY);
    assert_string_equal(whole.security_module_id, "urn:test");
    assert_int_equal(whole.view.event_count, 1);
    assert_int_equal(whole.events[0].flow_count, 20);
    assert_int_equal(whole.events[0].flows[19].bytes_in, 19);
    size_t needed = arena.used;
    assert_true(
        prepare(needed, SECURITY_PROPERTIES, message->payload, message->payload_bytes, &whole));
    assert_false(
        prepare(needed - 1, SECURITY_PROPERTIES, message->payload, message->payload_bytes, &cut));
    assert_int_equal(cut.kind, PREPARED_SECURITY);
    assert_null(cut.events);
    assert_string_equal(cut.security_module_id, "urn:test");
    assert_int_equal(cut.view.event_count, 1);
    arena_free(&arena);
    picket_log_destroy(harness.log);
}

/* ---- the hand-over ---- */

static void batches_keep_the_logs_order_and_their_bound(void **state)
{
    int taken = 0;
    (void)state;
    open_log(0);
    append(345);
    start(100);
    while (taken < 345) {
        int count = take();
        assert_in_range(count, 1, 100);
        for (int i = 0; i < count; i++)
            assert_int_equal(batch[i]->message->position, ++taken);
        commit(count);
    }
    assert_int_equal(taken, 345);
    stop();
}

static void a_batch_may_be_smaller_than_a_chunk(void **state)
{
    (void)state;
    open_log(0);
    append(10);
    start(3);
    for (int left = 10; left > 0;) {
        int count = take();
        assert_in_range(count, 1, 3);
        left -= count;
        commit(count);
    }
    stop();
}

static void the_next_are_prepared_while_one_is_committed(void **state)
{
    (void)state;
    open_log(0);
    start(1000);
    append(1);
    assert_int_equal(take(), 1);
    const struct prepared_message *first = batch[0];
    uint64_t position = first->message->position;
    append(3 * CHUNK_MESSAGES);
    wait_until_prepared(1 + 3 * CHUNK_MESSAGES); /* nothing was released */
    assert_ptr_equal(batch[0], first);
    assert_int_equal(first->message->position, position);
    assert_int_equal(first->events[0].flow_count, 1);
    commit(1);
    for (int left = 3 * CHUNK_MESSAGES; left > 0;) {
        int count = take();
        left -= count;
        commit(count);
    }
    stop();
}

static void fewer_than_a_chunk_are_prepared_once_nothing_else_is_left(void **state)
{
    (void)state;
    open_log(0);
    start(1000);
    append(1);
    assert_int_equal(take(), 1);
    append(5);
    commit(1);
    for (int left = 5; left > 0;) {
        int count = take();
        assert_in_range(count, 1, left);
        left -= count;
        commit(count);
    }
    stop();
}

static void a_message_too_large_for_a_chunk_is_handed_on_alone_and_undecoded(void **state)
{
    int taken = 0, undecoded = 0;
    (void)state;
    open_log(0);
    append(1);
    harness_append_flows(&harness, "large", CHUNK_BYTES / sizeof(struct picket_flow) + 1);
    harness_append_flows(&harness, "fits", CHUNK_BYTES / sizeof(struct picket_flow) / 2);
    append(1);
    start(1000);
    while (taken < 4) {
        int count = take();
        for (int i = 0; i < count; i++) {
            bool is_large = strcmp(batch[i]->message->device, "large") == 0;
            assert_int_equal(batch[i]->message->position, ++taken);
            assert_true(is_large == (batch[i]->events == NULL));
            undecoded += is_large;
        }
        commit(count);
    }
    assert_int_equal(undecoded, 1);
    stop();
}

static void nothing_to_take_times_out(void **state)
{
    (void)state;
    open_log(0);
    start(10);
    assert_int_equal(preparer_take(preparer, &batch, 0), 0);
    assert_int_equal(preparer_take(preparer, &batch, 5), 0);
    append(1);
    assert_int_equal(take(), 1);
    stop();
}

static void a_closed_log_is_taken_to_its_end(void **state)
{
    int taken = 0, count;
    (void)state;
    open_log(0);
    start(100);
    append(250);
    picket_log_close(harness.log);
    while ((count = take()) > 0) {
        taken += count;
        commit(count);
    }
    assert_int_equal(count, PICKET_CLOSED);
    assert_int_equal(taken, 250);
    assert_int_equal(take(), PICKET_CLOSED);
    stop();
}

static void messages_that_come_one_by_one_share_chunks(void **state)
{
    const int count = 2 * CHUNK_MESSAGES; /* far more than there are chunks */
    int taken = 0;
    (void)state;
    open_log(0);
    start(CHUNK_MESSAGES); /* four chunks */
    for (int i = 1; i <= count; i++) {
        append(1);
        wait_until_prepared(i);
    }
    while (taken < count) {
        int batch_count = take();
        assert_in_range(batch_count, 1, CHUNK_MESSAGES);
        for (int i = 0; i < batch_count; i++)
            assert_int_equal(batch[i]->message->position, ++taken);
        commit(batch_count);
    }
    stop();
}

/* Who commits reads the log itself when idle, and nobody else could free a chunk for it. */
static void more_large_messages_than_chunks_are_taken_after_an_idle_time(void **state)
{
    const int count = 10;
    int taken = 0;
    (void)state;
    open_log(0);
    start(CHUNK_MESSAGES); /* four chunks */
    assert_int_equal(preparer_take(preparer, &batch, 5), 0);
    for (int i = 0; i < count; i++)
        harness_append_flows(&harness, "large", CHUNK_BYTES / sizeof(struct picket_flow) + 1);
    while (taken < count) {
        int batch_count = take();
        for (int i = 0; i < batch_count; i++)
            assert_int_equal(batch[i]->message->position, ++taken);
        commit(batch_count);
    }
    stop();
}

static void it_can_be_stopped_while_it_waits_for_room(void **state)
{
    (void)state;
    open_log(0);
    start(1); /* four chunks of one message */
    append(20);
    wait_until_prepared(4);
    stop();
    assert_int_equal(atomic_load(&prepared_count), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_security_message_and_what_cannot_be_read_is_known_beforehand),
        cmocka_unit_test(events_that_do_not_fit_are_left_undecoded),
        cmocka_unit_test(batches_keep_the_logs_order_and_their_bound),
        cmocka_unit_test(a_batch_may_be_smaller_than_a_chunk),
        cmocka_unit_test(the_next_are_prepared_while_one_is_committed),
        cmocka_unit_test(fewer_than_a_chunk_are_prepared_once_nothing_else_is_left),
        cmocka_unit_test(a_message_too_large_for_a_chunk_is_handed_on_alone_and_undecoded),
        cmocka_unit_test(nothing_to_take_times_out),
        cmocka_unit_test(a_closed_log_is_taken_to_its_end),
        cmocka_unit_test(messages_that_come_one_by_one_share_chunks),
        cmocka_unit_test(more_large_messages_than_chunks_are_taken_after_an_idle_time),
        cmocka_unit_test(it_can_be_stopped_while_it_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
