/* A search of stored events against a naive twin: every stored flow matched one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "decode.h"
#include "harness.h"
#include "intel/hunting/hunt.h"

enum { DEVICES = 7, EVENTS = 600, FLOWS_MAX = 5000, INDICATORS = 40, PAIRS_MAX = 4000 };

static uint64_t state = 99;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int below(int bound)
{
    return (int)(random_number() % (uint64_t)bound);
}

/* Some are special-purpose, some share their first bits with others. */
static struct picket_address some_address(void)
{
    static const uint8_t firsts[] = {45, 45, 10, 91};
    uint8_t bytes[16] = {0x2a, 0x03, (uint8_t)below(2)};
    if (below(4) == 0) {
        bytes[5] = (uint8_t)below(3);
        bytes[15] = (uint8_t)below(4);
        return picket_address_ipv6(bytes);
    }
    bytes[0] = firsts[below(4)];
    bytes[1] = (uint8_t)below(2);
    bytes[2] = (uint8_t)below(3);
    bytes[3] = (uint8_t)below(8);
    return picket_address_ipv4(bytes);
}

/* ---- what is stored, and what is searched for ---- */

static struct put_flow {
    int64_t event_id, received_ms, seen_ms;
    int device;
    struct picket_flow flow;
} flows[FLOWS_MAX];
static int flow_count;

static struct picket_indicator indicators[INDICATORS];
static int feeds[INDICATORS]; /* of each */
static const struct table_feed feed_kinds[] = {
    {.name = "threat"},
    {.name = "asks", .match_special_purpose = true},
    {.name = "allows", .role = PICKET_FEED_ALLOW},
};

static const char *device_name(int device)
{
    static char names[DEVICES][16];
    snprintf(names[device], sizeof names[device], "pump-%d", device);
    return names[device];
}

static void put_event(struct picket_store *store, int number)
{
    struct picket_event_row event = {
        .device = device_name(below(DEVICES)), .module = "", .type = 1};
    struct picket_flow several[12];
    int64_t id;
    int count = below(12), device = atoi(event.device + 5), replaced;
    event.received_ms = 1790000000000 + (int64_t)number * 1000;
    event.time_s = below(20) == 0 ? UINT32_MAX : event.received_ms / 1000 - below(100);
    memcpy(event.key, &number, sizeof number);
    assert_int_equal(picket_store_put_event(store, &event, &id, NULL), PICKET_OK);
    for (int i = 0; i < count; i++) {
        several[i] = (struct picket_flow){.local = some_address(),
                                          .remote = some_address(),
                                          .remote_port = (uint16_t)(below(3) * 100),
                                          .protocol = (uint8_t)below(2),
                                          .bytes_in = (uint32_t)below(1000),
                                          .bytes_out = (uint32_t)below(1000)};
        flows[flow_count++] = (struct put_flow){
            id, event.received_ms, decode_seen_ms(event.time_s, event.received_ms, &replaced),
            device, several[i]};
    }
    assert_int_equal(picket_store_put_flows(store, id, several, (size_t)count, NULL), PICKET_OK);
}

static void make_indicators(void)
{
    for (int i = 0; i < INDICATORS; i++) {
        struct picket_indicator *indicator = &indicators[i];
        *indicator = (struct picket_indicator){.prefix = {some_address(), 0}, .confidence = 50};
        bool is_ipv4 = indicator->prefix.address.family == 4;
        indicator->prefix.length = (uint8_t)(is_ipv4 ? 12 + below(21) : 30 + below(99));
        picket_prefix_mask(&indicator->prefix);
        if (below(3) == 0)
            indicator->port = (uint16_t)(below(3) * 100);
        if (below(3) == 0)
            indicator->protocol = (uint8_t)(1 + below(2));
        if (below(4) == 0)
            indicator->valid_until_ms = 1790000000000 + (int64_t)below(EVENTS) * 1000;
        feeds[i] = below(8) == 0 ? 2 : below(2);
    }
}

/* ---- the twin ---- */

struct pair {
    int device;
    struct picket_prefix prefix;
    int64_t events, flows, first_ms, last_ms, last_event;
    uint64_t bytes_in, bytes_out;
};
static struct pair pairs[PAIRS_MAX];
static int pair_count;

static bool is_about(const struct picket_indicator *indicator, const struct put_flow *put)
{
    return picket_prefix_covers(&indicator->prefix, &put->flow.remote) &&
           (indicator->port == 0 || indicator->port == put->flow.remote_port) &&
           (indicator->protocol == 0 || indicator->protocol == put->flow.protocol + 1) &&
           (indicator->valid_until_ms == 0 || indicator->valid_until_ms > put->seen_ms);
}

/* Of those alike in one feed the last counts. */
static bool is_replaced(int number)
{
    const struct picket_indicator *one = &indicators[number];
    for (int i = number + 1; i < INDICATORS; i++) {
        const struct picket_indicator *other = &indicators[i];
        if (feeds[i] == feeds[number] && other->port == one->port &&
            other->protocol == one->protocol && other->prefix.length == one->prefix.length &&
            memcmp(&other->prefix.address, &one->prefix.address, sizeof one->prefix.address) == 0)
            return true;
    }
    return false;
}

/* The narrowest prefix that makes it a hit, or NULL. */
static const struct picket_prefix *twin_hit(const struct put_flow *put)
{
    const struct picket_prefix *narrowest = NULL;
    bool special = picket_address_special_purpose(&put->flow.remote) != NULL;
    for (int i = 0; i < INDICATORS; i++) {
        const struct picket_prefix *prefix = &indicators[i].prefix;
        if (is_replaced(i) || !is_about(&indicators[i], put))
            continue;
        if (feeds[i] == 2)
            return NULL;
        if (special && !feed_kinds[feeds[i]].match_special_purpose)
            continue;
        if (narrowest == NULL || prefix->length > narrowest->length)
            narrowest = prefix;
    }
    return narrowest;
}

static struct pair *twin_pair(int device, const struct picket_prefix *prefix)
{
    for (int i = 0; i < pair_count; i++)
        if (pairs[i].device == device && pairs[i].prefix.length == prefix->length &&
            memcmp(&pairs[i].prefix.address, &prefix->address, sizeof prefix->address) == 0)
            return &pairs[i];
    pairs[pair_count] = (struct pair){.device = device, .prefix = *prefix};
    return &pairs[pair_count++];
}

static void twin_search(const struct hunt_range *range)
{
    pair_count = 0;
    for (int i = 0; i < flow_count; i++) {
        const struct put_flow *put = &flows[i];
        bool of_device =
            range->device[0] == '\0' || strcmp(range->device, device_name(put->device)) == 0;
        if (put->event_id < range->first_event || put->event_id >= range->end_event ||
            put->received_ms < range->since_ms || put->received_ms >= range->until_ms || !of_device)
            continue;
        const struct picket_prefix *prefix = twin_hit(put);
        if (prefix == NULL)
            continue;
        struct pair *pair = twin_pair(put->device, prefix);
        pair->first_ms =
            pair->flows == 0 || put->seen_ms < pair->first_ms ? put->seen_ms : pair->first_ms;
        pair->last_ms = put->seen_ms > pair->last_ms ? put->seen_ms : pair->last_ms;
        pair->events += put->event_id != pair->last_event;
        pair->last_event = put->event_id;
        pair->flows++;
        pair->bytes_in += put->flow.bytes_in;
        pair->bytes_out += put->flow.bytes_out;
    }
}

/* ---- the search ---- */

static struct matching matching_of(void *context, const struct table *own)
{
    (void)context;
    return (struct matching){.table = own};
}

static void matching_done(void *context)
{
    (void)context;
}

static void aim(struct hunt *hunt)
{
    struct picket_error error = {0};
    uint16_t numbers[3];
    hunt->matching = matching_of;
    hunt->matching_done = matching_done;
    hunt->table = table_new();
    struct table_batch *batch = table_batch_new(hunt->table);
    assert_true(picket_address_filter_init(&hunt->filter, INDICATORS));
    for (int i = 0; i < 3; i++)
        numbers[i] = table_add_feed(hunt->table, &feed_kinds[i]);
    for (int i = 0; i < INDICATORS; i++) {
        assert_true(table_put(batch, numbers[feeds[i]], &indicators[i]));
        if (feeds[i] != 2)
            assert_true(picket_address_filter_add(&hunt->filter, &indicators[i].prefix));
    }
    assert_int_equal(table_apply(batch, &error), PICKET_OK);
}

static void compare(const struct hunt *hunt)
{
    const struct gathering *gathered = &hunt->gathered;
    assert_int_equal(gathered->count, pair_count);
    for (size_t i = 0; i < gathered->count; i++) {
        const struct gathered *item = &gathered->items[i];
        struct pair *pair = twin_pair(atoi(item->device + 5), &item->prefix);
        assert_int_equal(gathered->count, pair_count);
        assert_int_equal(item->events, pair->events);
        assert_int_equal(item->flows, pair->flows);
        assert_int_equal(item->first_ms, pair->first_ms);
        assert_int_equal(item->last_ms, pair->last_ms);
        assert_int_equal(item->bytes_in, pair->bytes_in);
        assert_int_equal(item->bytes_out, pair->bytes_out);
        assert_int_equal(item->example_count, item->flows < 10 ? item->flows : 10);
    }
}

static void random_range(struct hunt_range *range)
{
    range->first_event = below(EVENTS / 2);
    range->end_event = range->first_event + below(EVENTS);
    range->since_ms = below(2) == 0 ? INT64_MIN : 1790000000000 + (int64_t)below(EVENTS) * 1000;
    range->until_ms = below(2) == 0 ? INT64_MAX : 1790000000000 + (int64_t)below(EVENTS) * 1000;
    if (below(2) == 0)
        snprintf(range->device, sizeof range->device, "%s", device_name(below(DEVICES)));
}

static void a_search_finds_what_matching_every_flow_one_by_one_finds(void **unused)
{
    (void)unused;
    struct harness harness;
    struct picket_store *store;
    struct picket_error error = {0};
    int64_t found = 0;
    char folder[80];
    harness_open(&harness);
    harness_path(&harness, "store", folder, sizeof folder);
    assert_int_equal(picket_store_open(&store, folder, &error), PICKET_OK);
    assert_int_equal(picket_store_begin(store, &error), PICKET_OK);
    for (int i = 0; i < EVENTS; i++)
        put_event(store, i);
    assert_int_equal(picket_store_commit(store, &error), PICKET_OK);
    for (int round = 0; round < 150; round++) {
        struct hunt *hunt = calloc(1, sizeof *hunt);
        make_indicators();
        aim(hunt);
        random_range(&hunt->range);
        hunt_begin(hunt);
        while (!hunt_is_done(hunt))
            assert_int_equal(hunt_step(hunt, store, &error), PICKET_OK);
        twin_search(&hunt->range);
        compare(hunt);
        found += pair_count;
        hunt_free(hunt);
        free(hunt);
    }
    assert_true(found > 1000);
    picket_store_close(store);
    harness_close(&harness);
}

/* ---- what is gathered ---- */

static void what_exceeds_the_bound_is_counted(void **unused)
{
    (void)unused;
    struct gathering gathering = {.items = NULL};
    struct picket_prefix prefix = {picket_address_ipv4((const uint8_t[]){45, 0, 0, 0}), 32};
    struct gathered_example example = {.event_id = 1, .flow = {.remote = prefix.address}};
    for (int i = 0; i < GATHERED_MAX + 7; i++) {
        char device[20];
        snprintf(device, sizeof device, "pump-%d", i);
        assert_true(gathering_add(&gathering, device, &prefix, &example, 1));
    }
    assert_true(gathering_add(&gathering, "pump-0", &prefix, &example, 1));
    assert_int_equal(gathering.count, GATHERED_MAX);
    assert_int_equal(gathering.left_out, 7);
    gathering_sort(&gathering);
    for (size_t i = 1; i < gathering.count; i++)
        assert_true(strcmp(gathering.items[i - 1].device, gathering.items[i].device) < 0);
    gathering_free(&gathering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_finds_what_matching_every_flow_one_by_one_finds),
        cmocka_unit_test(what_exceeds_the_bound_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
