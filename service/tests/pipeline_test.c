/* The service from the log to the store, with a real store; commits fail when a test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "decode.h"
#include "failing_store.h"
#include "harness.h"
#include "picket/base/counter.h"
#include "picket/base/time.h"
#include "picket/wire/message.h"
#include "shared_data.h"

static struct harness harness;

static int open_harness(void **state)
{
    (void)state;
    atomic_store(&failures_left, 0);
    harness_open(&harness);
    return 0;
}

static int close_harness(void **state)
{
    (void)state;
    atomic_store(&failures_left, 0);
    harness_close(&harness);
    return 0;
}

struct counter_search {
    const char *name;
    uint64_t value;
};

static void compare_counter(const struct picket_counter *counter, void *context)
{
    struct counter_search *search = context;
    if (strcmp(counter->name, search->name) == 0)
        search->value = atomic_load(&((struct picket_counter *)(uintptr_t)counter)->value);
}

static uint64_t counter(const char *name)
{
    struct counter_search search = {name, 0};
    picket_counters_each(compare_counter, &search);
    return search.value;
}

/* ---- golden messages ---- */

struct expected_event {
    json_t *event;
    bool found;
};

struct expected {
    const char *name;
    struct expected_event events[16];
    size_t count;
};

static long long number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static void assert_address(const json_t *flow, const char *member,
                           const struct picket_address *found)
{
    const char *text = json_string_value(json_object_get(flow, member));
    uint8_t bytes[16] = {0};
    assert_int_equal(inet_pton(found->family == 4 ? AF_INET : AF_INET6, text, bytes), 1);
    assert_memory_equal(bytes, found->bytes, 16);
}

static void assert_flow(const json_t *expected, const struct picket_flow *flow)
{
    static const char *const protocols[] = {"TCP", "UDP", "ICMP"};
    assert_address(expected, "local", &flow->local);
    assert_address(expected, "remote", &flow->remote);
    assert_int_equal(flow->local_port, number(expected, "local_port"));
    assert_int_equal(flow->remote_port, number(expected, "remote_port"));
    assert_int_equal(flow->bytes_in, number(expected, "bytes_in"));
    assert_int_equal(flow->bytes_out, number(expected, "bytes_out"));
    assert_string_equal(protocols[flow->protocol],
                        json_string_value(json_object_get(expected, "protocol")));
}

static void assert_flows(const json_t *event, const struct picket_flow *flows, size_t count)
{
    const json_t *ipv4 = json_object_get(event, "ipv4_activity");
    const json_t *ipv6 = json_object_get(event, "ipv6_activity");
    assert_int_equal(count, json_array_size(ipv4) + json_array_size(ipv6));
    for (size_t i = 0; i < json_array_size(ipv4); i++)
        assert_flow(json_array_get(ipv4, i), &flows[i]);
    for (size_t i = 0; i < json_array_size(ipv6); i++)
        assert_flow(json_array_get(ipv6, i), &flows[json_array_size(ipv4) + i]);
}

static uint8_t payload_type(const json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "payload"));
    return strcmp(name, "NetworkActivity") == 0     ? PICKET_WIRE_NETWORK_ACTIVITY
           : strcmp(name, "SystemInformation") == 0 ? PICKET_WIRE_SYSTEM_INFORMATION
                                                    : PICKET_WIRE_HEARTBEAT;
}

static void check_event(void *context, int64_t id, const struct picket_event_row *row,
                        const struct picket_flow *flows, size_t flow_count)
{
    struct expected *expected = context;
    char id_text[33];
    (void)id;
    for (int i = 0; i < 16; i++)
        snprintf(id_text + 2 * i, 3, "%02x", row->id[i]);
    for (size_t i = 0; i < expected->count; i++) {
        json_t *event = expected->events[i].event;
        const char *wanted = json_string_value(json_object_get(event, "id"));
        if (expected->events[i].found || payload_type(event) != row->type ||
            (wanted != NULL && strcmp(wanted, id_text) != 0))
            continue;
        assert_int_equal(row->time_s, number(event, "time"));
        assert_int_equal(row->collection_interval_s, number(event, "collection_interval"));
        if (row->type == PICKET_WIRE_NETWORK_ACTIVITY)
            assert_flows(event, flows, flow_count);
        else
            assert_non_null(row->content);
        expected->events[i].found = true;
        return;
    }
    fail_msg("%s: an event that nobody sent", expected->name);
}

static void check_golden(const char *name)
{
    char path[300];
    size_t size;
    struct expected expected = {.name = name};
    snprintf(path, sizeof path, "wire/golden/%s.json", name);
    char *text = shared_file(path, &size);
    json_t *golden = json_loads(text, 0, NULL), *event;
    size_t i;
    json_array_foreach(json_object_get(golden, "events"), i, event)
        expected.events[expected.count++]
            .event = event;
    struct picket_event_query query = {.device = name};
    assert_int_equal(picket_store_events(harness.store, &query, check_event, &expected, NULL),
                     PICKET_OK);
    for (i = 0; i < expected.count; i++)
        if (!expected.events[i].found)
            fail_msg("%s: event %zu is missing", name, i);
    json_decref(golden);
    free(text);
}

static void messages_of_the_predecessor_become_events(void **state)
{
    char names[64][64];
    size_t count = 0, size;
    struct dirent *entry;
    (void)state;
    if (!shared_data_is_here())
        skip();
    harness_start(&harness);
    DIR *directory = opendir(PICKET_SHARED_DIRECTORY "/wire/golden");
    while ((entry = readdir(directory)) != NULL) {
        char path[400], *dot = strstr(entry->d_name, ".bin");
        if (dot == NULL || count == 64)
            continue;
        snprintf(names[count], sizeof names[count], "%.*s", (int)(dot - entry->d_name),
                 entry->d_name);
        snprintf(path, sizeof path, "wire/golden/%s", entry->d_name);
        char *payload = shared_file(path, &size);
        harness_append(&harness, names[count++], SECURITY_PROPERTIES, payload, size);
        free(payload);
    }
    closedir(directory);
    assert_true(harness_wait_durable(&harness));
    for (size_t i = 0; i < count; i++)
        check_golden(names[i]);
    assert_int_equal(harness_totals(&harness).dead_letters, 0);
    print_message("%zu messages\n", count);
    assert_true(count >= 30);
}

/* ---- nothing is counted twice ---- */

static void append_ten(uint32_t time_s)
{
    for (uint8_t i = 0; i < 10; i++)
        harness_append_flow(&harness, i % 2 ? "pump-1" : "pump-2",
                            (struct flow_message){"203.0.113.9", 443, time_s + i, i, 10});
}

static void a_second_delivery_changes_nothing(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "bad", "203.0.113.0/24\n", 80, true);
    uint32_t time_s = (uint32_t)(picket_unix_ms() / 1000) - 100;
    append_ten(time_s);
    append_ten(time_s); /* likely in the same batch */
    assert_true(harness_wait_durable(&harness));
    struct picket_store_totals first = harness_totals(&harness);
    int64_t counted = harness_alert_counts(&harness);
    assert_int_equal(first.events, 10);
    assert_int_equal(first.flows, 10);
    assert_int_equal(first.alerts, 2); /* one a device, folded */
    assert_int_equal(counted, 10);
    append_ten(time_s);
    assert_true(harness_wait_durable(&harness));
    struct picket_store_totals again = harness_totals(&harness);
    assert_int_equal(again.events, first.events);
    assert_int_equal(again.flows, first.flows);
    assert_int_equal(again.alerts, first.alerts);
    assert_int_equal(harness_alert_counts(&harness), counted);
}

static void an_event_id_that_repeats_does_not_hide_another_event(void **state)
{
    (void)state;
    harness_start(&harness);
    uint32_t time_s = (uint32_t)(picket_unix_ms() / 1000) - 100;
    harness_append_flow(&harness, "pump", (struct flow_message){"198.51.100.1", 1, time_s, 7, 1});
    harness_append_flow(&harness, "pump",
                        (struct flow_message){"198.51.100.1", 1, time_s + 1, 7, 1});
    harness_append_flow(&harness, "pump", (struct flow_message){"198.51.100.1", 2, time_s, 7, 1});
    harness_append_flow(&harness, "other", (struct flow_message){"198.51.100.1", 1, time_s, 7, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).events, 4);
}

/* ---- bad messages ---- */

static void check_letter(void *context, const struct picket_dead_letter *letter)
{
    ++*(int *)context;
    assert_string_equal(letter->device, "broken");
    assert_true(strlen(letter->reason) > 5);
    assert_int_equal(letter->payload_bytes, 40);
    assert_true(letter->offset <= 40);
}

static void a_malformed_message_costs_itself_only(void **state)
{
    uint8_t garbage[40];
    int letters = 0;
    (void)state;
    memset(garbage, 0xa5, sizeof garbage);
    harness_start(&harness);
    uint64_t before = counter("service_dead_letters");
    harness_append_flow(&harness, "sound", (struct flow_message){"198.51.100.1", 1, 0, 1, 1});
    harness_append(&harness, "broken", SECURITY_PROPERTIES, garbage, sizeof garbage);
    harness_append_flow(&harness, "sound", (struct flow_message){"198.51.100.1", 1, 0, 2, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).events, 2);
    assert_int_equal(picket_store_dead_letters(harness.store, 10, check_letter, &letters, NULL),
                     PICKET_OK);
    assert_int_equal(letters, 1);
    assert_int_equal(counter("service_dead_letters"), before + 1);
}

static void check_refused(void *context, const struct picket_dead_letter *letter)
{
    ++*(int *)context;
    assert_string_equal(letter->device, "refused");
    assert_string_equal(letter->reason, "an event that no store takes");
}

static void a_message_that_the_store_calls_invalid_costs_itself_only(void **state)
{
    static const char *const devices[] = {"sound", "refused", "sound", "refused", "sound"};
    int letters = 0;
    (void)state;
    harness_start(&harness);
    for (uint8_t i = 0; i < 5; i++)
        harness_append_flow(&harness, devices[i],
                            (struct flow_message){"198.51.100.1", 1, 0, i, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).events, 3);
    assert_int_equal(picket_store_dead_letters(harness.store, 10, check_refused, &letters, NULL),
                     PICKET_OK);
    assert_int_equal(letters, 2);
}

/* ---- a store that fails ---- */

static bool has_failed_thrice(void *context)
{
    (void)context;
    return atomic_load(&failures_seen) >= 3;
}

static void nothing_is_acknowledged_while_the_store_fails_and_all_is_once_it_recovers(void **state)
{
    struct picket_service_status status;
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "bad", "203.0.113.0/24\n", 80, true);
    uint64_t events_before = counter("service_events");
    atomic_store(&failures_seen, 0);
    atomic_store(&failures_left, 1000000);
    append_ten((uint32_t)(picket_unix_ms() / 1000) - 100);
    assert_true(harness_wait(has_failed_thrice, NULL));
    assert_int_equal(harness_durable(), 0);
    picket_service_status(harness.service, &status);
    assert_true(status.stalled_since_ms > 0);
    assert_string_equal(status.problem, "disk full: test");
    atomic_store(&failures_left, 0);
    assert_true(harness_wait_durable(&harness));
    picket_service_status(harness.service, &status);
    assert_int_equal(status.stalled_since_ms, 0);
    assert_int_equal(harness_totals(&harness).events, 10);
    assert_int_equal(harness_alert_counts(&harness), 10);
    assert_int_equal(counter("service_events") - events_before, 10);
}

static bool is_stalled(void *context)
{
    struct picket_service_status status;
    (void)context;
    picket_service_status(harness.service, &status);
    return status.stalled_since_ms != 0;
}

/* No file of this process may grow any more: what a full disk is to the real store. */
static void limit_files(rlim_t size_bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size_bytes < limit.rlim_max ? size_bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void files_that_cannot_grow_hold_acknowledgements_back_until_they_can(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    harness_start(&harness);
    append_ten((uint32_t)(picket_unix_ms() / 1000) - 100);
    assert_true(harness_wait_durable(&harness));
    limit_files(4096);
    append_ten((uint32_t)(picket_unix_ms() / 1000) - 50);
    bool stalled = harness_wait(is_stalled, NULL);
    uint64_t durable = harness_durable();
    limit_files(RLIM_INFINITY);
    assert_true(stalled);
    assert_int_equal(durable, 10);
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).events, 20);
}

static void a_stop_while_the_store_fails_ends_and_acknowledges_nothing(void **state)
{
    (void)state;
    harness_start(&harness);
    atomic_store(&failures_seen, 0);
    atomic_store(&failures_left, 1000000);
    append_ten((uint32_t)(picket_unix_ms() / 1000) - 100);
    assert_true(harness_wait(has_failed_thrice, NULL));
    harness_stop(&harness);
    assert_int_equal(harness_durable(), 0);
    atomic_store(&failures_left, 0);
    harness_start(&harness);
    assert_int_equal(harness_totals(&harness).events, 0);
}

/* ---- alerts ---- */

struct alert_copy {
    int count, severity;
    char subject[64], device[64], status[16];
    json_t *evidence;
};

static void copy_alert(void *context, const struct picket_alert *alert)
{
    struct alert_copy *copy = context;
    copy->count++;
    copy->severity = alert->severity;
    snprintf(copy->subject, sizeof copy->subject, "%s", alert->subject);
    snprintf(copy->device, sizeof copy->device, "%s", alert->device);
    json_decref(copy->evidence);
    copy->evidence = json_loads(alert->last_evidence, 0, NULL);
    assert_string_equal(alert->type, "IoT_SuspiciousIpCommunication");
    assert_true(strlen(alert->title) > 10 && strlen(alert->description) > 50);
    assert_non_null(strstr(alert->remediation, "firewall"));
}

static struct alert_copy the_alert(void)
{
    struct alert_copy copy = {.count = 0};
    struct picket_alert_query query = {.limit = 10};
    assert_int_equal(picket_store_alerts(harness.store, &query, copy_alert, &copy, NULL),
                     PICKET_OK);
    return copy;
}

static void an_alert_names_every_feed_that_lists_the_address(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "wide", "# list\n93.184.216.0/24\n", 30, false);
    harness_feed(&harness, "exact", "ip,port,malware,confidence\n93.184.216.34,8883,Mirai,90\n", 50,
                 false);
    harness_feed(&harness, "other-port", "93.184.216.34:22\n", 99, false);
    harness_feed(&harness, "expired", "ip,valid_until\n93.184.216.34,2020-01-01\n", 99, false);
    harness_append_flow(&harness, "pump", (struct flow_message){"93.184.216.34", 8883, 0, 1, 77});
    assert_true(harness_wait_durable(&harness));
    struct alert_copy alert = the_alert();
    assert_int_equal(alert.count, 1);
    assert_int_equal(alert.severity, PICKET_SEVERITY_HIGH);
    assert_string_equal(alert.subject, "93.184.216.34/32");
    assert_string_equal(alert.device, "pump");
    json_t *matches = json_object_get(alert.evidence, "matches");
    assert_int_equal(json_array_size(matches), 2);
    json_t *exact = json_array_get(matches, 0), *wide = json_array_get(matches, 1);
    assert_string_equal(json_string_value(json_object_get(exact, "feed")), "exact");
    assert_int_equal(number(exact, "port"), 8883);
    assert_int_equal(number(exact, "confidence"), 90);
    assert_int_equal(number(exact, "line"), 2);
    assert_string_equal(json_string_value(json_object_get(exact, "malware")), "Mirai");
    assert_non_null(json_string_value(json_object_get(exact, "since")));
    assert_string_equal(json_string_value(json_object_get(wide, "feed")), "wide");
    assert_string_equal(json_string_value(json_object_get(wide, "indicator")), "93.184.216.0/24");
    assert_int_equal(number(alert.evidence, "bytes_out"), 77);
    assert_int_equal(json_array_size(json_object_get(alert.evidence, "flows")), 1);
    json_decref(alert.evidence);
}

static void low_confidence_is_medium_severity(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "weak", "2606:2800:220:1::/64\n", 74, false);
    harness_append_flow(&harness, "pump",
                        (struct flow_message){"2606:2800:220:1::1", 443, 0, 1, 1});
    assert_true(harness_wait_durable(&harness));
    struct alert_copy alert = the_alert();
    assert_int_equal(alert.count, 1);
    assert_int_equal(alert.severity, PICKET_SEVERITY_MEDIUM);
    json_decref(alert.evidence);
}

static void special_purpose_addresses_stay_silent_unless_the_feed_asks(void **state)
{
    (void)state;
    harness_start(&harness);
    harness_feed(&harness, "bogons", "10.0.0.0/8\n127.0.0.0/8\n224.0.0.0/4\n", 90, false);
    const char *const silent[] = {"10.1.2.3", "127.0.0.1", "224.0.0.251"};
    for (uint8_t i = 0; i < 3; i++)
        harness_append_flow(&harness, "pump", (struct flow_message){silent[i], 80, 0, i, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).alerts, 0);
    harness_feed(&harness, "demonstration", "127.0.0.66\n", 90, true);
    harness_append_flow(&harness, "pump", (struct flow_message){"127.0.0.66", 80, 0, 9, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).alerts, 1);
}

/* ---- what is no security message ---- */

static void telemetry_without_a_route_is_counted(void **state)
{
    (void)state;
    harness_start(&harness);
    uint64_t before = counter("service_telemetry_dropped");
    harness_append(&harness, "pump", "", "{\"t\":1}", 7);
    harness_append(&harness, "pump", "a=b&%24.ifid=urn%3Aother", "x", 1);
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(counter("service_telemetry_dropped"), before + 2);
    assert_int_equal(harness_totals(&harness).events, 0);
    assert_int_equal(harness_totals(&harness).dead_letters, 0);
}

static void a_security_message_is_told_by_its_interface_in_either_spelling(void **state)
{
    static const char *const bags[] = {
        "$.ifid=urn:azureiot:Security:SecurityAgent:1",
        "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1&x=y",
        "a=b&%24%2Eifid=urn%3aazureiot%3aSecurity%3aSecurityAgent%3a1/",
    };
    (void)state;
    harness_start(&harness);
    for (int i = 0; i < 3; i++)
        harness_append(&harness, "pump", bags[i], "bad", 3);
    harness_append(&harness, "pump", "$.ifid=urn:azureiot:Security:SecurityAgent:12", "bad", 3);
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).dead_letters, 3);
}

/* ---- age ---- */

/* Event number n of device "old", received n seconds after 1970. */
static void put_old_events(int count)
{
    assert_int_equal(picket_store_begin(harness.store, NULL), PICKET_OK);
    for (int n = 1; n <= count; n++) {
        struct picket_event_row event = {
            .device = "old", .module = "", .received_ms = n * 1000, .time_s = n, .type = 1};
        int64_t id;
        assert_int_equal(picket_store_put_event(harness.store, &event, &id, NULL), PICKET_OK);
    }
    assert_int_equal(picket_store_commit(harness.store, NULL), PICKET_OK);
}

static bool has_one_event(void *context)
{
    (void)context;
    return harness_totals(&harness).events == 1;
}

static void old_events_go_while_no_message_comes(void **state)
{
    (void)state;
    harness_start(&harness);
    put_old_events(3000);
    harness_stop(&harness);
    uint64_t before = counter("service_events_aged");
    harness.bounds.event_age_s = 3600;
    harness_start(&harness);
    assert_true(harness_wait(has_one_event, NULL));
    assert_int_equal(harness_totals(&harness).events_aged, 2999);
    harness_stop(&harness);
    assert_int_equal(counter("service_events_aged"), before + 2999);
}

static void old_events_go_with_each_batch(void **state)
{
    (void)state;
    harness.bounds.event_age_s = 3600;
    harness_start(&harness);
    put_old_events(20);
    harness_append_flow(&harness, "pump", (struct flow_message){"198.51.100.1", 80, 0, 1, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).events, 1);
}

static void without_room_the_oldest_events_go_and_are_counted_as_a_loss(void **state)
{
    (void)state;
    uint64_t before = counter("service_events_for_room");
    harness.bounds.bytes = 1;
    harness_start(&harness);
    put_old_events(20);
    harness_append_flow(&harness, "pump", (struct flow_message){"198.51.100.1", 80, 0, 1, 1});
    assert_true(harness_wait_durable(&harness));
    assert_int_equal(harness_totals(&harness).events, 1);
    assert_int_equal(counter("service_events_for_room"), before + 20);
}

/* ---- time ---- */

static void an_events_time_is_bounded_by_its_receipt(void **state)
{
    const int64_t received_ms = 1700000000000, day_ms = 24 * 3600 * 1000;
    int replaced;
    (void)state;
    assert_int_equal(decode_seen_ms(1699999999, received_ms, &replaced), 1699999999000);
    assert_int_equal(replaced, 0);
    assert_int_equal(decode_seen_ms(1700000001, received_ms, &replaced), received_ms);
    assert_int_equal(replaced, 0);
    assert_int_equal(decode_seen_ms(UINT32_MAX, received_ms, &replaced), received_ms);
    assert_int_equal(replaced, 1);
    assert_int_equal(decode_seen_ms(5, received_ms, &replaced), received_ms);
    assert_int_equal(replaced, 1);
    assert_int_equal(decode_seen_ms((received_ms - 89 * day_ms) / 1000, received_ms, &replaced),
                     received_ms - 89 * day_ms);
    assert_int_equal(replaced, 0);
}

#define PIPELINE_TEST(f) cmocka_unit_test_setup_teardown(f, open_harness, close_harness)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIPELINE_TEST(messages_of_the_predecessor_become_events),
        PIPELINE_TEST(a_second_delivery_changes_nothing),
        PIPELINE_TEST(an_event_id_that_repeats_does_not_hide_another_event),
        PIPELINE_TEST(a_malformed_message_costs_itself_only),
        PIPELINE_TEST(a_message_that_the_store_calls_invalid_costs_itself_only),
        PIPELINE_TEST(nothing_is_acknowledged_while_the_store_fails_and_all_is_once_it_recovers),
        PIPELINE_TEST(files_that_cannot_grow_hold_acknowledgements_back_until_they_can),
        PIPELINE_TEST(a_stop_while_the_store_fails_ends_and_acknowledges_nothing),
        PIPELINE_TEST(an_alert_names_every_feed_that_lists_the_address),
        PIPELINE_TEST(low_confidence_is_medium_severity),
        PIPELINE_TEST(special_purpose_addresses_stay_silent_unless_the_feed_asks),
        PIPELINE_TEST(telemetry_without_a_route_is_counted),
        PIPELINE_TEST(a_security_message_is_told_by_its_interface_in_either_spelling),
        PIPELINE_TEST(old_events_go_while_no_message_comes),
        PIPELINE_TEST(old_events_go_with_each_batch),
        PIPELINE_TEST(without_room_the_oldest_events_go_and_are_counted_as_a_loss),
        PIPELINE_TEST(an_events_time_is_bounded_by_its_receipt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
