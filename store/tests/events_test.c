#include "support.h"

enum { SEEN_MAX = 200, FLOWS_SEEN_MAX = 5000 };

static struct seen {
    int64_t ids[SEEN_MAX];
    struct picket_event_row rows[SEEN_MAX];
    char devices[SEEN_MAX][130];
    char modules[SEEN_MAX][32];
    char contents[SEEN_MAX][64];
    int count;
    struct picket_flow flows[FLOWS_SEEN_MAX]; /* of the last one */
    size_t flow_count;
} seen;

static void note(void *context, int64_t id, const struct picket_event_row *event,
                 const struct picket_flow *flows, size_t flow_count)
{
    (void)context;
    int at = seen.count++;
    assert_true(at < SEEN_MAX && flow_count <= FLOWS_SEEN_MAX);
    seen.ids[at] = id;
    seen.rows[at] = *event;
    snprintf(seen.devices[at], sizeof seen.devices[at], "%s", event->device);
    snprintf(seen.modules[at], sizeof seen.modules[at], "%s", event->module);
    snprintf(seen.contents[at], sizeof seen.contents[at], "%s",
             event->content != NULL ? event->content : "NULL");
    seen.flow_count = flow_count;
    if (flow_count > 0)
        memcpy(seen.flows, flows, flow_count * sizeof *flows);
}

static void look(struct picket_store *store, struct picket_event_query query)
{
    seen.count = 0;
    MUST(picket_store_events(store, &query, note, NULL, &error));
}

static int64_t put(struct picket_store *store, const struct picket_event_row *event)
{
    int64_t id = -1;
    MUST(picket_store_put_event(store, event, &id, &error));
    return id;
}

static int64_t put_alone(struct picket_store *store, const struct picket_event_row *event)
{
    MUST(picket_store_begin(store, &error));
    int64_t id = put(store, event);
    MUST(picket_store_commit(store, &error));
    return id;
}

static void an_event_is_given_back_as_it_was_put(void **state)
{
    struct picket_event_row event = event_of("pump-7", 1790000000, 0x1122334455667788);
    event.module = "module";
    event.type = 4;
    event.time_s = UINT32_MAX;
    event.lost_flows = UINT32_MAX;
    event.lost_bytes_in = 1;
    event.lost_bytes_out = UINT64_MAX;
    event.content = "{\"a\":1}";
    int64_t id = put_alone(*state, &event);
    assert_true(id > 0);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.ids[0], id);
    const struct picket_event_row *row = &seen.rows[0];
    assert_string_equal(seen.devices[0], "pump-7");
    assert_string_equal(seen.modules[0], "module");
    assert_string_equal(seen.contents[0], "{\"a\":1}");
    assert_int_equal(row->received_ms, event.received_ms);
    assert_int_equal(row->time_s, UINT32_MAX);
    assert_memory_equal(row->id, event.id, 16);
    assert_memory_equal(row->key, event.key, 16);
    assert_int_equal(row->collection_interval_s, 60);
    assert_int_equal(row->duration_s, 59);
    assert_int_equal(row->type, 4);
    assert_int_equal(row->lost_flows, UINT32_MAX);
    assert_int_equal(row->lost_bytes_in, 1);
    assert_int_equal(row->lost_bytes_out, INT64_MAX); /* as far as a database can count */
    assert_int_equal(seen.flow_count, 0);
}

static void content_may_be_absent(void **state)
{
    struct picket_event_row event = event_of("d", 1, 1);
    put_alone(*state, &event);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_string_equal(seen.contents[0], "NULL");
}

static void a_known_event_changes_nothing(void **state)
{
    struct picket_event_row event = event_of("d", 100, 1);
    assert_true(put_alone(*state, &event) > 0);
    event.received_ms += 99;
    event.lost_flows = 7;
    assert_int_equal(put_alone(*state, &event), 0);
    MUST(picket_store_begin(*state, &error));
    struct picket_event_row twice = event_of("d", 100, 2);
    assert_true(put(*state, &twice) > 0);
    assert_int_equal(put(*state, &twice), 0);
    MUST(picket_store_commit(*state, &error));
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.rows[1].lost_flows, 0);
    assert_int_equal(totals_of(*state).events, 2);
}

static void events_differ_by_device_module_time_and_key(void **state)
{
    struct picket_event_row event = event_of("d", 100, 1);
    assert_true(put_alone(*state, &event) > 0);
    event.device = "D";
    assert_true(put_alone(*state, &event) > 0);
    event.module = "m";
    assert_true(put_alone(*state, &event) > 0);
    event.time_s = 101;
    assert_true(put_alone(*state, &event) > 0);
    event.key[15] = 1;
    assert_true(put_alone(*state, &event) > 0);
    assert_int_equal(put_alone(*state, &event), 0);
    assert_int_equal(totals_of(*state).events, 5);
}

static void event_ids_grow(void **state)
{
    int64_t last = 0;
    for (uint64_t i = 1; i <= 20; i++) {
        struct picket_event_row event = event_of(i % 2 ? "a" : "b", 1000 - (int64_t)i, i);
        int64_t id = put_alone(*state, &event);
        assert_true(id > last);
        last = id;
    }
}

static void flows_come_back_whole_and_in_order(void **state)
{
    static struct picket_flow flows[3000];
    for (size_t i = 0; i < 3000; i++)
        flows[i] = flow_of(i + 1);
    struct picket_event_row event = event_of("d", 100, 1);
    MUST(picket_store_begin(*state, &error));
    int64_t id = put(*state, &event);
    MUST(picket_store_put_flows(*state, id, flows, 1000, &error));
    MUST(picket_store_put_flows(*state, id, flows, 0, &error));
    MUST(picket_store_put_flows(*state, id, flows + 1000, 2000, &error));
    event = event_of("d", 101, 2);
    id = put(*state, &event);
    MUST(picket_store_put_flows(*state, id, flows, 1, &error));
    MUST(picket_store_commit(*state, &error));
    look(*state, (struct picket_event_query){.limit = 1});
    assert_int_equal(seen.flow_count, 1);
    look(*state, (struct picket_event_query){.limit = 2});
    assert_int_equal(seen.flow_count, 3000);
    for (size_t i = 0; i < 3000; i++)
        assert_true(flows_are_equal(&seen.flows[i], &flows[i]));
    assert_int_equal(totals_of(*state).flows, 3001);
}

static void flows_of_one_event_are_put_once(void **state)
{
    struct picket_flow flows[2] = {flow_of(1), flow_of(2)};
    struct picket_event_row first = event_of("d", 100, 1), second = event_of("d", 101, 2);
    MUST(picket_store_begin(*state, &error));
    int64_t first_id = put(*state, &first), second_id = put(*state, &second);
    MUST(picket_store_put_flows(*state, first_id, flows, 2, &error));
    MUST(picket_store_put_flows(*state, second_id, flows, 2, &error));
    assert_int_equal(picket_store_put_flows(*state, first_id, flows, 2, &error), PICKET_INVALID);
    picket_store_rollback(*state);
    assert_int_equal(totals_of(*state).flows, 0);
}

/* Some are written together, the rest when the batch ends, or is read within. */
static void flows_are_there_however_many_events_have_them(void **state)
{
    static struct picket_flow flows[60];
    for (size_t i = 0; i < 60; i++)
        flows[i] = flow_of(i + 1);
    MUST(picket_store_begin(*state, &error));
    for (uint64_t i = 1; i <= 53; i++) {
        struct picket_event_row event = event_of("d", (int64_t)i, i);
        int64_t id = put(*state, &event);
        MUST(picket_store_put_flows(*state, id, flows, i, &error));
        if (i == 20) {
            look(*state, (struct picket_event_query){.limit = 1});
            assert_int_equal(seen.flow_count, 20);
        }
    }
    MUST(picket_store_commit(*state, &error));
    for (int i = 1; i <= 53; i++) {
        look(*state, (struct picket_event_query){.limit = 1, .before_id = i + 1});
        assert_int_equal(seen.flow_count, i);
        assert_true(flows_are_equal(&seen.flows[i - 1], &flows[i - 1]));
    }
    assert_int_equal(totals_of(*state).flows, 53 * 54 / 2);
}

static void flows_of_a_batch_rolled_back_are_not_in_the_next(void **state)
{
    struct picket_flow flows[2] = {flow_of(1), flow_of(2)};
    struct picket_event_row event = event_of("d", 100, 1);
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_put_flows(*state, put(*state, &event), flows, 2, &error));
    picket_store_rollback(*state);
    put_alone(*state, &event);
    look(*state, (struct picket_event_query){.limit = 1});
    assert_int_equal(seen.flow_count, 0);
    assert_int_equal(ask_sql("picket.db", "select count(*) from flows"), 0);
}

/* As only damage can make it; the batch fails, and no message is to blame. */
static void flows_that_are_there_before_their_event_fail_the_batch(void **state)
{
    struct picket_flow flow = flow_of(1);
    struct picket_event_row event = event_of("d", 100, 1);
    run_sql("picket.db", "insert into flows values (65536, x'00')");
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_put_flows(*state, put(*state, &event), &flow, 1, &error));
    assert_int_equal(picket_store_commit(*state, &error), PICKET_IO);
    assert_non_null(strstr(error.text, "damaged"));
    assert_int_equal(totals_of(*state).events, 0);
}

static void events_come_newest_first(void **state)
{
    for (uint64_t i = 1; i <= 150; i++) {
        struct picket_event_row event = event_of(i % 3 ? "a" : "b", (int64_t)i, i);
        put_alone(*state, &event);
    }
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen.count, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen.ids[i], 150 - i);
    look(*state, (struct picket_event_query){.limit = 3, .before_id = 51});
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.ids[0], 50);
    assert_int_equal(seen.ids[2], 48);
}

static void events_of_one_device_are_found(void **state)
{
    for (uint64_t i = 1; i <= 150; i++) {
        struct picket_event_row event = event_of(i % 3 ? "a" : "b", (int64_t)i, i);
        put_alone(*state, &event);
    }
    look(*state, (struct picket_event_query){.device = "b", .limit = 200});
    assert_int_equal(seen.count, 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(seen.ids[i], 150 - 3 * i);
        assert_string_equal(seen.devices[i], "b");
    }
    look(*state, (struct picket_event_query){.device = "b", .before_id = 60, .limit = 2});
    assert_int_equal(seen.ids[0], 57);
    assert_int_equal(seen.ids[1], 54);
    look(*state, (struct picket_event_query){.device = "b", .before_id = 59, .limit = 2});
    assert_int_equal(seen.ids[0], 57);
    look(*state, (struct picket_event_query){.device = "b", .before_id = 3});
    assert_int_equal(seen.count, 0);
    look(*state, (struct picket_event_query){.device = "nobody"});
    assert_int_equal(seen.count, 0);
}

static void since_means_received_since(void **state)
{
    for (uint64_t i = 1; i <= 100; i++) {
        struct picket_event_row event = event_of(i % 2 ? "a" : "b", 100000 + (int64_t)i * 600, i);
        if (i == 50)
            event.received_ms -= 50 * 60 * 1000; /* the clock was set back and forth */
        put_alone(*state, &event);
    }
    struct picket_event_query query = {.since_ms = (100000 + 46 * 600) * 1000, .limit = 200};
    look(*state, query);
    assert_int_equal(seen.count, 54); /* 46 to 100 without 50 */
    query.device = "b";
    look(*state, query);
    assert_int_equal(seen.count, 27);
    assert_int_equal(seen.ids[26], 46);
}

/* A clock that walks on, and is set back or forth now and then. */
static int64_t next_receipt(uint64_t *seed, int64_t at_ms)
{
    if (random_below(seed, 12) == 0)
        return at_ms + random_below(seed, 20000) - 10000;
    return at_ms + random_below(seed, 100);
}

static void assert_since(struct picket_store *store, const int64_t *received, int count,
                         struct picket_event_query query)
{
    int expected = 0;
    look(store, query);
    int last = query.before_id > 0 ? (int)query.before_id - 1 : count;
    for (int id = last; id > 0 && expected < query.limit; id--) {
        bool is_of_device = query.device == NULL || (query.device[0] == 'a') == (id % 3 != 0);
        if (received[id] < query.since_ms || !is_of_device)
            continue;
        assert_true(expected < seen.count);
        assert_int_equal(seen.ids[expected++], id);
    }
    assert_int_equal(seen.count, expected);
}

static void since_is_exact_however_the_clock_was_set(void **state)
{
    static int64_t received[300];
    static const char *const devices[] = {NULL, "a", "b"};
    enum { COUNT = 190 };
    struct picket_store *handles[2] = {*state, NULL};
    uint64_t seed = 4;
    int64_t now_ms = 1000000;
    MUST(picket_store_open(&handles[1], folder, &error));
    for (int id = 1; id <= COUNT; id++) {
        struct picket_store *store = handles[random_below(&seed, 2)];
        struct picket_event_row event = event_of(id % 3 ? "a" : "b", id, (uint64_t)id);
        event.received_ms = received[id] = now_ms = next_receipt(&seed, now_ms);
        MUST(picket_store_begin(store, &error));
        put(store, &event);
        if (random_below(&seed, 8) == 0) {
            picket_store_rollback(store);
            MUST(picket_store_begin(store, &error));
            put(store, &event);
        }
        MUST(picket_store_commit(store, &error));
    }
    for (int i = 0; i < 600; i++) {
        struct picket_event_query query = {.device = devices[i % 3],
                                           .since_ms = received[1 + random_below(&seed, COUNT)] +
                                                       random_below(&seed, 3) - 1,
                                           .limit = 1 + random_below(&seed, 200)};
        if (random_below(&seed, 2))
            query.before_id = 1 + random_below(&seed, COUNT + 5);
        if (query.before_id > COUNT)
            query.before_id = 0;
        assert_since(*state, received, COUNT, query);
    }
    picket_store_close(handles[1]);
}

static void the_clocks_steps_of_an_older_store_are_found(void **state)
{
    struct picket_store *store;
    (void)state;
    new_folder();
    make_old_store(2);
    run_sql("picket.db",
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 9) "
            "insert into events (id, device, previous, module, time_s, key, received_ms, type, "
            "event_id, collection_interval_s, duration_s, lost_flows, lost_bytes_in, "
            "lost_bytes_out) select i, 1, 0, '', i, x'', case when i in (4, 8) then 1 else i end, "
            "1, x'', 0, 0, 0, 0, 0 from n");
    MUST(picket_store_open(&store, folder, &error));
    assert_int_equal(ask_sql("picket.db", "select count(*) from clock_steps"), 2);
    assert_int_equal(ask_sql("picket.db", "select before_ms from clock_steps where event = 4"), 3);
    assert_int_equal(ask_sql("picket.db", "select before_ms from clock_steps where event = 8"), 7);
    picket_store_close(store);
    forget_folder();
}

static void a_batch_that_is_rolled_back_never_was(void **state)
{
    struct picket_event_row event = event_of("d", 100, 1);
    struct picket_flow flow = flow_of(1);
    MUST(picket_store_begin(*state, &error));
    int64_t id = put(*state, &event);
    MUST(picket_store_put_flows(*state, id, &flow, 1, &error));
    picket_store_rollback(*state);
    picket_store_rollback(*state);
    look(*state, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen.count, 0);
    assert_int_equal(totals_of(*state).events, 0);
    /* The device had been given a number within that batch. */
    struct picket_event_row other = event_of("other", 100, 1);
    put_alone(*state, &other);
    assert_true(put_alone(*state, &event) > 0);
    look(*state, (struct picket_event_query){.device = "d"});
    assert_int_equal(seen.count, 1);
    look(*state, (struct picket_event_query){.device = "other"});
    assert_int_equal(seen.count, 1);
}

static void an_open_batch_sees_its_own_and_nobody_else_does(void **state)
{
    struct picket_store *other;
    MUST(picket_store_open(&other, folder, &error));
    struct picket_event_row event = event_of("d", 100, 1);
    MUST(picket_store_begin(*state, &error));
    put(*state, &event);
    look(*state, (struct picket_event_query){.device = "d"});
    assert_int_equal(seen.count, 1);
    look(other, (struct picket_event_query){.limit = 0});
    assert_int_equal(seen.count, 0);
    event = event_of("d", 101, 2);
    put(*state, &event);
    MUST(picket_store_commit(*state, &error));
    look(other, (struct picket_event_query){.device = "d"});
    assert_int_equal(seen.count, 2);
    picket_store_close(other);
}

static void two_handles_may_write_for_one_device(void **state)
{
    struct picket_store *handles[2] = {*state, NULL};
    MUST(picket_store_open(&handles[1], folder, &error));
    for (uint64_t i = 1; i <= 40; i++) {
        struct picket_event_row event = event_of("d", 100, i);
        struct picket_device_state device = {.device = "d", .new_events = 1, .os_info = "os"};
        struct picket_store *store = handles[i / 3 % 2];
        device.os_info = i % 2 ? "one" : "two";
        MUST(picket_store_begin(store, &error));
        put(store, &event);
        MUST(picket_store_update_device(store, &device, &error));
        if (i == 20) {
            picket_store_rollback(store);
            MUST(picket_store_begin(store, &error));
            put(store, &event);
            MUST(picket_store_update_device(store, &device, &error));
        }
        MUST(picket_store_commit(store, &error));
    }
    look(*state, (struct picket_event_query){.device = "d", .limit = 50});
    assert_int_equal(seen.count, 40);
    assert_int_equal(ask_sql("picket.db", "select events from activity"), 40);
    assert_int_equal(ask_sql("picket.db", "select os_info = 'two' from inventory"), 1);
    picket_store_close(handles[1]);
}

static void nothing_is_put_outside_of_a_batch(void **state)
{
    struct picket_event_row event = event_of("d", 100, 1);
    struct picket_flow flow = flow_of(1);
    int64_t id;
    assert_int_equal(picket_store_put_event(*state, &event, &id, &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "no batch has begun"));
    assert_int_equal(picket_store_put_flows(*state, 1, &flow, 1, &error), PICKET_INVALID);
    assert_int_equal(picket_store_commit(*state, &error), PICKET_INVALID);
    MUST(picket_store_begin(*state, &error));
    assert_int_equal(picket_store_begin(*state, &error), PICKET_INVALID);
    MUST(picket_store_commit(*state, &error));
}

static void a_batch_that_has_failed_takes_nothing_more(void **state)
{
    struct picket_event_row event = event_of("d", 100, 1);
    struct picket_flow flow = flow_of(1);
    int64_t id;
    MUST(picket_store_begin(*state, &error));
    put(*state, &event);
    assert_int_equal(picket_store_put_flows(*state, -1, &flow, 1, &error), PICKET_INVALID);
    event = event_of("d", 101, 2);
    assert_int_equal(picket_store_put_event(*state, &event, &id, &error), PICKET_INVALID);
    assert_non_null(strstr(error.text, "has failed before"));
    assert_int_equal(picket_store_commit(*state, &error), PICKET_INVALID);
    assert_int_equal(totals_of(*state).events, 0);
    assert_true(put_alone(*state, &event) > 0);
}

static void damaged_flows_are_reported(void **state)
{
    struct picket_event_row event = event_of("d", 100, 1);
    struct picket_flow flow = flow_of(1);
    MUST(picket_store_begin(*state, &error));
    int64_t id = put(*state, &event);
    MUST(picket_store_put_flows(*state, id, &flow, 1, &error));
    MUST(picket_store_commit(*state, &error));
    run_sql("picket.db", "update flows set block = block || x'0000'");
    struct picket_event_query query = {.limit = 0};
    seen.count = 0;
    assert_int_equal(picket_store_events(*state, &query, note, NULL, &error), PICKET_IO);
    assert_non_null(strstr(error.text, "flows of event 1: damaged at byte 22"));
    assert_int_equal(seen.count, 0);
}

static struct picket_dead_letter letters[3];
static char letter_reasons[3][64];
static uint8_t letter_payloads[3][8];
static int letter_count;

static void note_letter(void *context, const struct picket_dead_letter *letter)
{
    (void)context;
    assert_true(letter_count < 3 && letter->payload_bytes <= 8);
    snprintf(letter_reasons[letter_count], 64, "%s %s %s %s", letter->device, letter->module,
             letter->reason, letter->properties);
    if (letter->payload_bytes > 0)
        memcpy(letter_payloads[letter_count], letter->payload, letter->payload_bytes);
    letters[letter_count++] = *letter;
}

static void dead_letters_come_back_newest_first(void **state)
{
    struct picket_dead_letter letter = {
        .device = "d",
        .module = "m",
        .received_ms = 5,
        .reason = "vtable past the end",
        .offset = 77,
        .properties = "mti=1",
        .payload = (const uint8_t *)"\0ab",
        .payload_bytes = 3,
    };
    MUST(picket_store_begin(*state, &error));
    MUST(picket_store_put_dead_letter(*state, &letter, &error));
    letter.payload = NULL;
    letter.payload_bytes = 0;
    letter.module = "";
    MUST(picket_store_put_dead_letter(*state, &letter, &error));
    MUST(picket_store_commit(*state, &error));
    letter_count = 0;
    MUST(picket_store_dead_letters(*state, 0, note_letter, NULL, &error));
    assert_int_equal(letter_count, 2);
    assert_int_equal(letters[0].payload_bytes, 0);
    assert_int_equal(letters[1].payload_bytes, 3);
    assert_memory_equal(letter_payloads[1], "\0ab", 3);
    assert_true(letters[0].id > letters[1].id);
    assert_string_equal(letter_reasons[1], "d m vtable past the end mti=1");
    assert_int_equal(letters[1].offset, 77);
    assert_int_equal(letters[1].received_ms, 5);
    letter_count = 0;
    MUST(picket_store_dead_letters(*state, 1, note_letter, NULL, &error));
    assert_int_equal(letter_count, 1);
    assert_int_equal(totals_of(*state).dead_letters, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_store, without_store)
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_given_back_as_it_was_put),
        TEST(content_may_be_absent),
        TEST(a_known_event_changes_nothing),
        TEST(events_differ_by_device_module_time_and_key),
        TEST(event_ids_grow),
        TEST(flows_come_back_whole_and_in_order),
        TEST(flows_of_one_event_are_put_once),
        TEST(flows_are_there_however_many_events_have_them),
        TEST(flows_of_a_batch_rolled_back_are_not_in_the_next),
        TEST(flows_that_are_there_before_their_event_fail_the_batch),
        TEST(events_come_newest_first),
        TEST(events_of_one_device_are_found),
        TEST(since_means_received_since),
        TEST(since_is_exact_however_the_clock_was_set),
        cmocka_unit_test(the_clocks_steps_of_an_older_store_are_found),
        TEST(a_batch_that_is_rolled_back_never_was),
        TEST(an_open_batch_sees_its_own_and_nobody_else_does),
        TEST(two_handles_may_write_for_one_device),
        TEST(nothing_is_put_outside_of_a_batch),
        TEST(a_batch_that_has_failed_takes_nothing_more),
        TEST(damaged_flows_are_reported),
        TEST(dead_letters_come_back_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
