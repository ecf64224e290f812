/* What exceeds a bound goes from its oldest end, and is counted. */
#include "support.h"

static const struct picket_store_bounds no_bounds;

static struct picket_store_tidied tidy_at(struct picket_store *store,
                                          struct picket_store_bounds bounds, int64_t now_ms)
{
    struct picket_store_tidied tidied;
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_tidy(store, &bounds, now_ms, &tidied, &error));
    MUST(picket_store_commit(store, &error));
    return tidied;
}

static struct picket_store_tidied tidy(struct picket_store *store,
                                       struct picket_store_bounds bounds)
{
    return tidy_at(store, bounds, 1000000);
}

/* ---- dead letters ---- */

/* Number n has n as its first byte, and 10 bytes of payload and properties. */
static void put_letters(struct picket_store *store, int first, int last)
{
    MUST(picket_store_begin(store, &error));
    for (int n = first; n <= last; n++) {
        uint8_t payload[7] = {(uint8_t)n};
        struct picket_dead_letter letter = {.device = "d",
                                            .module = "",
                                            .reason = "bad",
                                            .properties = "a=\xc3",
                                            .payload = payload,
                                            .payload_bytes = sizeof payload};
        MUST(picket_store_put_dead_letter(store, &letter, &error));
    }
    MUST(picket_store_commit(store, &error));
}

static int letters[100], letter_count;

static void note_letter(void *context, const struct picket_dead_letter *letter)
{
    (void)context;
    letters[letter_count++] = letter->payload[0];
}

static void assert_letters(struct picket_store *store, int newest, int oldest)
{
    letter_count = 0;
    MUST(picket_store_dead_letters(store, 100, note_letter, NULL, &error));
    assert_int_equal(letter_count, newest - oldest + 1);
    assert_int_equal(letters[0], newest);
    assert_int_equal(letters[letter_count - 1], oldest);
    struct picket_store_totals totals = totals_of(store);
    assert_int_equal(totals.dead_letters, letter_count);
    assert_int_equal(totals.dead_letter_bytes, 10 * letter_count);
    assert_int_equal(totals.dead_letters_dropped, oldest - 1);
}

static void the_newest_dead_letters_are_kept(void **state)
{
    put_letters(*state, 1, 10);
    assert_int_equal(tidy(*state, no_bounds).dead_letters, 0);
    assert_int_equal(tidy(*state, (struct picket_store_bounds){.dead_letters = 10}).dead_letters,
                     0);
    assert_letters(*state, 10, 1);
    assert_int_equal(tidy(*state, (struct picket_store_bounds){.dead_letters = 4}).dead_letters, 6);
    assert_letters(*state, 10, 7);
    put_letters(*state, 11, 12);
    assert_int_equal(tidy(*state, (struct picket_store_bounds){.dead_letters = 4}).dead_letters, 2);
    assert_letters(*state, 12, 9);
}

static void dead_letters_are_bounded_by_their_bytes(void **state)
{
    put_letters(*state, 1, 10);
    struct picket_store_bounds bounds = {.dead_letters = 8, .dead_letter_bytes = 59};
    assert_int_equal(tidy(*state, bounds).dead_letters, 5);
    assert_letters(*state, 10, 6);
    bounds.dead_letter_bytes = 50;
    assert_int_equal(tidy(*state, bounds).dead_letters, 0);
}

static void what_a_rolled_back_batch_dropped_is_still_there(void **state)
{
    struct picket_store_bounds bounds = {.dead_letters = 1};
    struct picket_store_tidied tidied;
    put_letters(*state, 1, 3);
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_tidy(*state, &bounds, 0, &tidied, &error));
    assert_int_equal(tidied.dead_letters, 2);
    picket_store_rollback(*state);
    assert_letters(*state, 3, 1);
    assert_int_equal(picket_store_tidy(*state, &bounds, 0, &tidied, &error), PICKET_INVALID);
}

static void letters_of_the_batch_at_hand_count(void **state)
{
    struct picket_store_bounds bounds = {.dead_letters = 2};
    struct picket_store_tidied tidied;
    struct picket_dead_letter letter = {
        .device = "d", .module = "", .reason = "", .properties = ""};
    MUST(picket_store_begin(*state, &error));
    for (int i = 0; i < 3; i++)
        MUST(picket_store_put_dead_letter(*state, &letter, &error));
    MUST(picket_store_tidy(*state, &bounds, 0, &tidied, &error));
    MUST(picket_store_commit(*state, &error));
    assert_int_equal(tidied.dead_letters, 1);
    assert_int_equal(totals_of(*state).dead_letters, 2);
}

/* ---- the outbox ---- */

/* Item n, of n bytes, received at n seconds. */
static void put_item(struct picket_store *store, const char *target, int n)
{
    static const uint8_t payload[100];
    struct picket_outbox_item item = {
        .device = "d", .received_ms = n * 1000, .payload = payload, .payload_bytes = (size_t)n};
    MUST(picket_store_begin(store, &error));
    MUST(picket_store_enqueue(store, target, &item, &error));
    MUST(picket_store_commit(store, &error));
}

static void put_items(struct picket_store *store, const char *target, int first, int last)
{
    for (int n = first; n <= last; n++)
        put_item(store, target, n);
}

static int items[100], refusals[100], item_count;

static void note_item(void *context, const struct picket_outbox_item *item)
{
    (void)context;
    refusals[item_count] = item->refusals;
    items[item_count++] = (int)item->payload_bytes;
}

static struct picket_target numbers;
static char refusal[64];

static void note_target(void *context, const struct picket_target *target)
{
    if (strcmp(context, target->name) != 0)
        return;
    numbers = *target;
    snprintf(refusal, sizeof refusal, "%s", target->refusal);
}

/* The items that wait are the last ones, from `oldest` on. */
static void assert_waiting(struct picket_store *store, const char *target, int oldest, int newest,
                           int64_t dropped)
{
    int64_t bytes = 0, depth;
    item_count = 0;
    MUST(picket_store_outbox(store, target, 100, INT64_MAX, note_item, NULL, &error));
    assert_int_equal(item_count, newest - oldest + 1);
    for (int i = 0; i < item_count; i++) {
        assert_int_equal(items[i], oldest + i);
        bytes += items[i];
    }
    numbers = (struct picket_target){.waiting = -1};
    MUST(picket_store_targets(store, note_target, (void *)(uintptr_t)target, &error));
    assert_int_equal(numbers.waiting, item_count);
    if (numbers.aside == 0)
        assert_int_equal(numbers.waiting_bytes, bytes);
    assert_int_equal(numbers.dropped, dropped);
    MUST(picket_store_outbox_depth(store, target, &depth, &error));
    assert_int_equal(depth, item_count);
}

static void each_target_keeps_its_newest_items(void **state)
{
    put_items(*state, "a", 1, 10);
    put_items(*state, "b", 1, 3);
    struct picket_store_bounds bounds = {.outbox_items = 3};
    assert_int_equal(tidy(*state, bounds).outbox_items, 7);
    assert_waiting(*state, "a", 8, 10, 7);
    assert_waiting(*state, "b", 1, 3, 0);
    put_item(*state, "b", 4);
    put_item(*state, "a", 11);
    assert_int_equal(tidy(*state, bounds).outbox_items, 2);
    assert_waiting(*state, "a", 9, 11, 8);
    assert_waiting(*state, "b", 2, 4, 1);
    assert_int_equal(totals_of(*state).outbox, 6);
}

static void a_target_is_bounded_by_its_bytes(void **state)
{
    put_items(*state, "a", 1, 10); /* 55 bytes */
    struct picket_store_bounds bounds = {.outbox_bytes = 27};
    assert_int_equal(tidy(*state, bounds).outbox_items, 7);
    assert_waiting(*state, "a", 8, 10, 7);
}

static void what_has_waited_too_long_goes(void **state)
{
    put_items(*state, "a", 1, 3);
    put_items(*state, "b", 4, 6);
    struct picket_store_bounds bounds = {.outbox_age_s = 10};
    assert_int_equal(tidy_at(*state, bounds, 11000).outbox_items, 0);
    assert_int_equal(tidy_at(*state, bounds, 15001).outbox_items, 5);
    assert_waiting(*state, "a", 4, 3, 3);
    assert_waiting(*state, "b", 6, 6, 2);
}

static void by_age_a_call_takes_no_more_than_a_step(void **state)
{
    struct picket_outbox_item item = {.device = "d", .received_ms = 1};
    MUST(picket_store_begin(*state, &error));
    for (int i = 0; i < 1500; i++)
        MUST(picket_store_enqueue(*state, "a", &item, &error));
    MUST(picket_store_commit(*state, &error));
    struct picket_store_bounds bounds = {.outbox_age_s = 1};
    assert_int_equal(tidy(*state, bounds).outbox_items, 1000);
    assert_int_equal(tidy(*state, bounds).outbox_items, 500);
}

static void what_is_set_aside_waits_until_it_is_put_back(void **state)
{
    int64_t count;
    put_items(*state, "a", 1, 5);
    MUST(picket_store_outbox_set_aside(*state, "a", 1, "answered 400", &error));
    MUST(picket_store_outbox_set_aside(*state, "a", 1, "twice", &error));
    assert_waiting(*state, "a", 2, 5, 0);
    assert_int_equal(numbers.aside, 1);
    assert_string_equal(refusal, "answered 400");
    MUST(picket_store_outbox_done_one(*state, "a", 3, &error));
    MUST(picket_store_outbox_done(*state, "a", 4, &error));
    assert_waiting(*state, "a", 5, 5, 0);
    assert_int_equal(totals_of(*state).outbox, 1);
    MUST(picket_store_outbox_put_back(*state, "b", &count, &error));
    assert_int_equal(count, 0);
    MUST(picket_store_outbox_put_back(*state, "a", &count, &error));
    assert_int_equal(count, 1);
    item_count = 0;
    MUST(picket_store_outbox(*state, "a", 100, INT64_MAX, note_item, NULL, &error));
    assert_int_equal(item_count, 2);
    assert_int_equal(items[0], 1);
    assert_int_equal(refusals[0], 1);
    assert_int_equal(refusals[1], 0);
}

static void what_is_set_aside_is_bounded_with_the_rest(void **state)
{
    put_items(*state, "a", 1, 5);
    MUST(picket_store_outbox_set_aside(*state, "a", 2, "answered 400", &error));
    struct picket_store_bounds bounds = {.outbox_items = 3};
    assert_int_equal(tidy(*state, bounds).outbox_items, 2);
    assert_waiting(*state, "a", 3, 5, 2);
    assert_int_equal(numbers.aside, 0);
}

static void what_is_delivered_is_not_dropped(void **state)
{
    put_items(*state, "a", 1, 5);
    item_count = 0;
    MUST(picket_store_outbox_done(*state, "a", 3, &error));
    assert_waiting(*state, "a", 4, 5, 0);
    MUST(picket_store_outbox_done(*state, "nobody", 3, &error));
    assert_int_equal(ask_sql("picket.db", "select count(*) from targets"), 1);
}

/* ---- stores from before ---- */

static void an_older_store_is_counted_when_it_is_opened(void **state)
{
    struct picket_store *store;
    (void)state;
    new_folder();
    make_old_store(1);
    run_sql("picket.db",
            "insert into devices (number, id) values (1, 'd');"
            "insert into dead_letters (device, module, received_ms, reason, offset, properties, "
            "payload) values (1, '', 1, '', 0, 'a=b', x'01020304050607'), "
            "(1, '', 2, '', 0, 'a=c', x'02020304050607');"
            "insert into outbox (target, alert, device, properties, received_ms, payload) values "
            "('a', 0, 1, '', 1000, x'00'), ('a', 0, 1, '', 2000, x'0000');"
            "update totals set dead_letters = 2");
    MUST(picket_store_open(&store, folder, &error));
    assert_letters(store, 2, 1);
    assert_waiting(store, "a", 1, 2, 0);
    picket_store_close(store);
    forget_folder();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_dead_letters_are_kept),
        TEST(dead_letters_are_bounded_by_their_bytes),
        TEST(what_a_rolled_back_batch_dropped_is_still_there),
        TEST(letters_of_the_batch_at_hand_count),
        TEST(each_target_keeps_its_newest_items),
        TEST(a_target_is_bounded_by_its_bytes),
        TEST(what_has_waited_too_long_goes),
        TEST(by_age_a_call_takes_no_more_than_a_step),
        TEST(what_is_set_aside_waits_until_it_is_put_back),
        TEST(what_is_set_aside_is_bounded_with_the_rest),
        TEST(what_is_delivered_is_not_dropped),
        cmocka_unit_test(an_older_store_is_counted_when_it_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
