#include "support.h"

#include "picket/store/messages.h"

static int64_t id;
static char seen[2000];
static int seen_count;
static bool more;

static int with_devices(void **state)
{
    struct picket_device_identity device = identity_of("pump-7"), other = identity_of("pump-8");
    if (with_store(state) != 0)
        return -1;
    MUST(picket_store_device_add(*state, &device, &error));
    return picket_store_device_add(*state, &other, &error);
}

static int put(struct picket_store *store, const char *device, const char *text, int64_t queued_ms,
               int64_t expires_ms)
{
    struct picket_message message = {.device = device,
                                     .bag = "%24.mid=x",
                                     .payload = (const uint8_t *)text,
                                     .payload_bytes = strlen(text),
                                     .queued_ms = queued_ms,
                                     .expires_ms = expires_ms};
    return picket_store_message_put(store, &message, &id, &error);
}

static void see(void *context, const struct picket_message *message)
{
    (void)context;
    size_t used = strlen(seen);
    assert_string_equal(message->bag, "%24.mid=x");
    snprintf(seen + used, sizeof seen - used, "%.*s:%d ", (int)message->payload_bytes,
             (const char *)message->payload, message->deliveries);
    id = message->id;
    seen_count++;
}

static void take(struct picket_store *store, int64_t after_id, int count, size_t bytes,
                 int64_t now_ms, const char *expected)
{
    struct picket_message_claim claim = {"pump-7", after_id, count, bytes, now_ms};
    seen[0] = '\0';
    seen_count = 0;
    MUST(picket_store_messages_take(store, &claim, see, NULL, &more, &error));
    if (expected != NULL)
        assert_string_equal(seen, expected);
}

static void list(struct picket_store *store, const char *device, int64_t now_ms,
                 const char *expected)
{
    seen[0] = '\0';
    seen_count = 0;
    MUST(picket_store_messages(store, device, now_ms, see, NULL, &error));
    assert_string_equal(seen, expected);
}

static void messages_wait_in_order_each_device_for_itself(void **state)
{
    MUST(put(*state, "pump-7", "a", 1, 100));
    int64_t first = id;
    MUST(put(*state, "pump-8", "z", 1, 100));
    MUST(put(*state, "pump-7", "b", 2, 100));
    assert_true(id > first);
    list(*state, "pump-7", 5, "a:0 b:0 ");
    list(*state, "pump-8", 5, "z:0 ");
}

static void taking_counts_deliveries_and_leaves_what_is_not_acknowledged(void **state)
{
    MUST(put(*state, "pump-7", "a", 1, 100));
    int64_t first = id;
    MUST(put(*state, "pump-7", "b", 1, 100));
    take(*state, 0, 10, 1000, 5, "a:0 b:0 ");
    assert_false(more);
    MUST(picket_store_message_done(*state, "pump-7", first, &error));
    MUST(picket_store_message_done(*state, "pump-7", first, &error)); /* again: no harm */
    take(*state, 0, 10, 1000, 5, "b:1 ");
    MUST(picket_store_message_done(*state, "pump-8", id, &error)); /* of another: nothing */
    list(*state, "pump-7", 5, "b:2 ");
}

static void taking_stops_at_count_and_bytes_and_says_so(void **state)
{
    MUST(put(*state, "pump-7", "aaaa", 1, 100));
    MUST(put(*state, "pump-7", "bbbb", 1, 100));
    MUST(put(*state, "pump-7", "c", 1, 100));
    take(*state, 0, 2, 1000, 5, "aaaa:0 bbbb:0 ");
    assert_true(more);
    take(*state, id, 2, 1000, 5, "c:0 ");
    assert_false(more);
    take(*state, 0, 10, 8, 5, "aaaa:1 bbbb:1 ");
    assert_true(more);
    take(*state, 0, 10, 1, 5, "aaaa:2 "); /* one at least */
    assert_true(more);
    list(*state, "pump-7", 5, "aaaa:3 bbbb:2 c:1 ");
}

static void what_has_expired_is_not_taken_nor_listed(void **state)
{
    MUST(put(*state, "pump-7", "a", 1, 10));
    MUST(put(*state, "pump-7", "b", 1, 100));
    list(*state, "pump-7", 10, "b:0 ");
    take(*state, 0, 10, 1000, 10, "b:0 ");
    list(*state, "pump-7", 5, "b:1 "); /* a is gone, whatever the clock says */
}

static void expired_ones_of_all_devices_are_removed(void **state)
{
    int64_t count;
    MUST(put(*state, "pump-7", "a", 1, 10));
    MUST(put(*state, "pump-8", "b", 1, 10));
    MUST(put(*state, "pump-8", "c", 1, 100));
    MUST(picket_store_messages_expire(*state, 10, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(ask_sql("picket.db", "select count(*) from messages"), 1);
}

static void what_is_never_acknowledged_is_undeliverable(void **state)
{
    MUST(put(*state, "pump-7", "a", 1, 100));
    for (int i = 0; i < PICKET_MESSAGE_DELIVERIES_MAX; i++) {
        take(*state, 0, 10, 1000, 5, NULL);
        assert_int_equal(seen_count, 1);
    }
    take(*state, 0, 10, 1000, 5, "");
    assert_int_equal(ask_sql("picket.db", "select count(*) from messages"), 0);
}

struct loss {
    char device[20];
    enum picket_message_loss loss;
    int64_t count;
};
static struct loss losses[10];
static int loss_count;

static void note_loss(void *context, const char *device, enum picket_message_loss loss,
                      int64_t count)
{
    assert_ptr_equal(context, losses);
    losses[loss_count].loss = loss;
    losses[loss_count].count = count;
    snprintf(losses[loss_count++].device, sizeof losses[0].device, "%s", device);
}

static int64_t lost_of(const char *device, enum picket_message_loss loss)
{
    int64_t count = 0;
    for (int i = 0; i < loss_count; i++)
        if (strcmp(losses[i].device, device) == 0 && losses[i].loss == loss)
            count += losses[i].count;
    return count;
}

static void who_wants_to_know_is_told_whose_messages_were_lost(void **state)
{
    int64_t count;
    loss_count = 0;
    picket_store_on_messages_lost(*state, note_loss, losses);
    MUST(put(*state, "pump-7", "a", 1, 10));
    MUST(put(*state, "pump-8", "b", 1, 10));
    MUST(put(*state, "pump-8", "c", 1, 10));
    MUST(picket_store_messages_expire(*state, 10, &count, &error));
    assert_int_equal(lost_of("pump-7", PICKET_MESSAGES_EXPIRED), 1);
    assert_int_equal(lost_of("pump-8", PICKET_MESSAGES_EXPIRED), 2);
    MUST(put(*state, "pump-7", "d", 1, 20));
    MUST(put(*state, "pump-7", "e", 20, 100)); /* and d has expired */
    assert_int_equal(lost_of("pump-7", PICKET_MESSAGES_EXPIRED), 2);
    for (int i = 0; i <= PICKET_MESSAGE_DELIVERIES_MAX; i++)
        take(*state, 0, 10, 1000, 20, NULL);
    assert_int_equal(lost_of("pump-7", PICKET_MESSAGES_UNDELIVERABLE), 1);
    picket_store_on_messages_lost(*state, NULL, NULL);
    MUST(put(*state, "pump-7", "f", 1, 10));
    MUST(picket_store_messages_expire(*state, 10, &count, &error));
    assert_int_equal(count, 1);
    assert_int_equal(lost_of("pump-7", PICKET_MESSAGES_EXPIRED), 2);
}

static void a_queue_is_bounded_and_expired_ones_make_room(void **state)
{
    for (int i = 0; i < PICKET_MESSAGES_MAX; i++)
        MUST(put(*state, "pump-7", "a", 1, i == 0 ? 10 : 100));
    assert_int_equal(put(*state, "pump-7", "b", 5, 100), PICKET_BUSY);
    assert_string_equal(error.text, "device pump-7: 50 messages wait for it already");
    MUST(put(*state, "pump-8", "b", 5, 100));
    MUST(put(*state, "pump-7", "b", 10, 100));
}

static void sizes_are_bounded(void **state)
{
    static char bag[PICKET_MESSAGE_BAG_BYTES_MAX + 2];
    static uint8_t payload[PICKET_MESSAGE_BYTES_MAX + 1];
    struct picket_message message = {.device = "pump-7",
                                     .bag = bag,
                                     .payload = payload,
                                     .payload_bytes = PICKET_MESSAGE_BYTES_MAX,
                                     .expires_ms = 100};
    memset(bag, 'b', PICKET_MESSAGE_BAG_BYTES_MAX);
    MUST(picket_store_message_put(*state, &message, &id, &error));
    message.payload_bytes++;
    assert_int_equal(picket_store_message_put(*state, &message, &id, &error), PICKET_INVALID);
    message.payload_bytes = 0;
    bag[PICKET_MESSAGE_BAG_BYTES_MAX] = 'b';
    assert_int_equal(picket_store_message_put(*state, &message, &id, &error), PICKET_INVALID);
}

static void a_purge_removes_all_of_one_device(void **state)
{
    int64_t count;
    MUST(put(*state, "pump-7", "a", 1, 100));
    MUST(put(*state, "pump-7", "b", 1, 100));
    MUST(put(*state, "pump-8", "c", 1, 100));
    MUST(picket_store_messages_purge(*state, "pump-7", &count, &error));
    assert_int_equal(count, 2);
    list(*state, "pump-8", 5, "c:0 ");
}

static void only_registered_devices_have_a_queue(void **state)
{
    int64_t count;
    assert_int_equal(put(*state, "x", "a", 1, 100), PICKET_NOT_FOUND);
    assert_int_equal(picket_store_messages(*state, "x", 1, see, NULL, &error), PICKET_NOT_FOUND);
    assert_int_equal(picket_store_messages_purge(*state, "x", &count, &error), PICKET_NOT_FOUND);
    MUST(put(*state, "pump-7", "a", 1, 100));
    MUST(picket_store_device_remove(*state, "pump-7", &error));
    assert_int_equal(ask_sql("picket.db", "select count(*) from messages"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_devices, without_store)
    const struct CMUnitTest tests[] = {
        TEST(messages_wait_in_order_each_device_for_itself),
        TEST(taking_counts_deliveries_and_leaves_what_is_not_acknowledged),
        TEST(taking_stops_at_count_and_bytes_and_says_so),
        TEST(what_has_expired_is_not_taken_nor_listed),
        TEST(expired_ones_of_all_devices_are_removed),
        TEST(what_is_never_acknowledged_is_undeliverable),
        TEST(who_wants_to_know_is_told_whose_messages_were_lost),
        TEST(a_queue_is_bounded_and_expired_ones_make_room),
        TEST(sizes_are_bounded),
        TEST(a_purge_removes_all_of_one_device),
        TEST(only_registered_devices_have_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
