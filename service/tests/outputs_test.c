/* What is committed reaches file and webhook: whole, in order, once confirmed, over failures,
 * restarts and rotation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "http_server.h"
#include "picket/base/counter.h"
#include "picket/base/time.h"
#include "shared_data.h"

static struct harness harness;
static struct http_server *server;
static char location[128], url[64];

static int open_harness(void **state)
{
    (void)state;
    harness_open(&harness);
    server = http_server_start();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/alerts", http_server_port(server));
    harness_path(&harness, "out.jsonl", location, sizeof location);
    return 0;
}

static int close_harness(void **state)
{
    (void)state;
    harness_close(&harness);
    http_server_stop(server);
    return 0;
}

static const char demonstration[] = "127.0.0.0/8\n";

/* Alerts with subject 127.0.0.0/8 on devices named by letter, in order. */
static void raise_alerts(const char *devices)
{
    for (const char *device = devices; *device != '\0'; device++)
        harness_append_flow(&harness, (const char[]){*device, '\0'},
                            (struct flow_message){"127.0.0.9", 80, 0, 1, 1});
    assert_true(harness_wait_durable(&harness));
}

static bool outbox_is_empty(void *context)
{
    int64_t depth = -1;
    const char *const *target = context;
    return picket_store_outbox_depth(harness.store, *target, &depth, NULL) == PICKET_OK &&
           depth == 0;
}

static void wait_delivered(const char *target)
{
    assert_true(harness_wait(outbox_is_empty, &target));
}

/* ---- file ---- */

static json_t *line_json(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    assert_non_null(end);
    *end = '\0';
    *text = end + 1;
    json_t *object = json_loads(line, 0, NULL);
    assert_non_null(object);
    return object;
}

static void assert_devices(char *text, const char *devices)
{
    for (const char *device = devices; *device != '\0'; device++) {
        json_t *alert = line_json(&text);
        assert_string_equal(json_string_value(json_object_get(alert, "device")),
                            ((const char[]){*device, '\0'}));
        json_decref(alert);
    }
    assert_string_equal(text, "");
}

static void assert_alert_members(const char *line)
{
    static const char *const texts[] = {"type",       "severity",  "status",      "device",
                                        "subject",    "title",     "description", "remediation",
                                        "first_seen", "last_seen", "raised"};
    json_t *alert = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(alert);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!json_is_string(json_object_get(alert, texts[i])))
            fail_msg("no %s", texts[i]);
    assert_true(json_is_integer(json_object_get(alert, "id")));
    assert_int_equal(json_integer_value(json_object_get(alert, "count")), 1);
    assert_int_equal(json_array_size(json_object_get(alert, "technique")), 4);
    assert_string_equal(json_string_value(json_object_get(alert, "severity")), "medium");
    assert_int_equal(json_array_size(json_object_get(alert, "severity_reasons")), 2);
    assert_string_equal(json_string_value(json_object_get(alert, "subject")), "127.0.0.0/8");
    assert_true(json_is_object(json_object_get(alert, "evidence")));
    json_decref(alert);
}

static void alerts_are_appended_to_a_file_one_a_line_also_after_rotation(void **state)
{
    size_t size;
    char rotated[140];
    (void)state;
    harness.outputs[0] = (struct picket_output_config){
        .name = "file", .kind = PICKET_OUTPUT_FILE, .location = location};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("ab");
    wait_delivered("file");
    snprintf(rotated, sizeof rotated, "%s.1", location);
    assert_int_equal(rename(location, rotated), 0);
    raise_alerts("c");
    wait_delivered("file");
    char *text = whole_file(rotated, &size);
    assert_alert_members(text);
    assert_devices(text, "ab");
    free(text);
    text = whole_file(location, &size);
    assert_devices(text, "c");
    free(text);
}

static void a_line_that_a_crash_cut_does_not_swallow_the_next(void **state)
{
    size_t size;
    (void)state;
    harness_file(&harness, "out.jsonl", "{\"id\":");
    harness.outputs[0] = (struct picket_output_config){
        .name = "file", .kind = PICKET_OUTPUT_FILE, .location = location};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("a");
    wait_delivered("file");
    char *text = whole_file(location, &size);
    assert_memory_equal(text, "{\"id\":\n", 7);
    assert_devices(text + 7, "a");
    free(text);
}

/* ---- webhook ---- */

static char device_of(size_t request)
{
    json_t *alert = json_loads(http_server_body(server, request), 0, NULL);
    assert_non_null(alert);
    char device = json_string_value(json_object_get(alert, "device"))[0];
    json_decref(alert);
    return device;
}

static bool is_failing_with(void *context)
{
    struct picket_output_status status = {0};
    assert_true(picket_service_output_status(harness.service, "hook", &status));
    assert_int_equal(status.failing_since_ms != 0, status.problem[0] != '\0');
    const char *const *expected = context;
    return strcmp(status.problem, *expected) == 0;
}

static void an_output_that_fails_tells_why_until_it_delivers_again(void **state)
{
    static const struct http_answer unwilling = {503, NULL, NULL}, willing = {200, NULL, NULL};
    const char *well = "", *problem = "the receiver answered 503";
    struct picket_output_status status;
    (void)state;
    http_server_answers(server, &unwilling, 1);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    assert_true(is_failing_with(&well));
    raise_alerts("a");
    assert_true(harness_wait(is_failing_with, &problem));
    http_server_answers(server, &willing, 1);
    wait_delivered("hook");
    assert_true(harness_wait(is_failing_with, &well));
    assert_false(picket_service_output_status(harness.service, "other", &status));
}

static void a_webhook_gets_each_alert_in_order_with_a_header_that_tells_repetitions(void **state)
{
    static const struct http_answer answers[] = {
        {200, NULL, "thanks"}, {500, NULL, NULL}, {0, NULL, NULL}, {204, NULL, NULL}};
    (void)state;
    http_server_answers(server, answers, 4);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("abc");
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), 5);
    assert_int_equal(device_of(0), 'a'); /* 200 */
    assert_int_equal(device_of(1), 'b'); /* 500 */
    assert_int_equal(device_of(2), 'b'); /* no answer */
    assert_int_equal(device_of(3), 'b'); /* 204 */
    assert_int_equal(device_of(4), 'c');
    const char *first = strstr(http_server_request(server, 1), "X-Picket-Delivery: hook-");
    const char *again = strstr(http_server_request(server, 3), "X-Picket-Delivery: hook-");
    assert_non_null(first);
    assert_non_null(again);
    assert_int_equal(strcspn(first, "\r"), strcspn(again, "\r"));
    assert_memory_equal(first, again, strcspn(first, "\r"));
    assert_non_null(strstr(http_server_request(server, 0), "X-Picket-Alert: "));
    assert_non_null(strstr(http_server_request(server, 0), "Content-Type: application/json"));
    assert_memory_equal(http_server_request(server, 0), "POST /alerts HTTP/1.1", 21);
}

static void a_folded_alert_is_not_sent_again(void **state)
{
    (void)state;
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    harness_append_flow(&harness, "a", (struct flow_message){"127.0.0.9", 80, 0, 1, 1});
    harness_append_flow(&harness, "a", (struct flow_message){"127.0.0.8", 80, 0, 2, 1});
    raise_alerts("b");
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), 2);
}

static bool has_been_tried(void *context)
{
    (void)context;
    return http_server_requests(server) >= 2;
}

static void what_was_not_delivered_is_delivered_after_a_restart(void **state)
{
    static const struct http_answer down[] = {{503, NULL, NULL}}, up[] = {{200, NULL, NULL}};
    (void)state;
    http_server_answers(server, down, 1);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("abcdefgh");
    assert_true(harness_wait(has_been_tried, NULL));
    harness_stop(&harness);
    size_t tried = http_server_requests(server);
    http_server_answers(server, up, 1);
    harness_start(&harness);
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), tried + 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(device_of(tried + i), "abcdefgh"[i]);
}

/* ---- receivers that refuse ---- */

static struct picket_target target_named(const char *name);

static void an_item_that_is_refused_does_not_hold_up_those_behind_it(void **state)
{
    static const struct http_answer answers[] = {
        {400, NULL, NULL}, {401, NULL, NULL}, {400, NULL, NULL},
        {500, NULL, NULL}, {400, NULL, NULL}, /* a, five times */
        {400, NULL, NULL}, /* one behind it is refused too: it may be the receiver */
        {400, NULL, NULL}, /* a */
        {200, NULL, NULL}, /* another one behind it */
        {422, NULL, NULL}, /* a once more: set aside */
        {200, NULL, NULL}};
    (void)state;
    http_server_answers(server, answers, 10);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("abcd");
    wait_delivered("hook");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(device_of(i), 'a');
    char first = device_of(5), second = device_of(7);
    assert_true(first > 'a' && second > 'a' && first != second);
    assert_int_equal(device_of(6), 'a');
    assert_int_equal(device_of(8), 'a');
    assert_int_equal(http_server_requests(server), 11);
    assert_true(device_of(9) < device_of(10));
    assert_int_equal(target_named("hook").aside, 1);
}

/* With an item set aside, and another that waits. */
static void start_with_one_aside(void)
{
    static const struct http_answer down[] = {{503, NULL, NULL}};
    http_server_answers(server, down, 1);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("ab");
    harness_stop(&harness);
    harness_start(&harness);
    assert_int_equal(picket_store_outbox_set_aside(harness.store, "hook", 1, "answered 400", NULL),
                     PICKET_OK);
    assert_int_equal(target_named("hook").aside, 1);
    harness_stop(&harness);
}

static void what_was_set_aside_is_sent_again_at_the_next_start(void **state)
{
    static const struct http_answer mended[] = {{200, NULL, NULL}};
    (void)state;
    start_with_one_aside();
    size_t tried = http_server_requests(server);
    http_server_answers(server, mended, 1);
    harness_start(&harness);
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), tried + 2);
    assert_int_equal(device_of(tried), 'a');
    assert_int_equal(target_named("hook").aside, 0);
}

static void what_was_set_aside_is_asked_once_when_it_is_still_refused(void **state)
{
    static const struct http_answer still[] = {
        {400, NULL, NULL}, {200, NULL, NULL}, {400, NULL, NULL}};
    (void)state;
    start_with_one_aside();
    size_t tried = http_server_requests(server);
    http_server_answers(server, still, 3);
    harness_start(&harness);
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), tried + 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(device_of(tried + i), "aba"[i]);
    assert_int_equal(target_named("hook").aside, 1);
}

static bool has_been_tried_eight_times(void *context)
{
    (void)context;
    return http_server_requests(server) >= 8;
}

static void nothing_is_set_aside_while_the_receiver_refuses_all(void **state)
{
    static const struct http_answer no[] = {{403, NULL, NULL}}, yes[] = {{200, NULL, NULL}};
    (void)state;
    http_server_answers(server, no, 1);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("abc");
    assert_true(harness_wait(has_been_tried_eight_times, NULL));
    harness_stop(&harness);
    size_t tried = http_server_requests(server);
    http_server_answers(server, yes, 1);
    harness_start(&harness);
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), tried + 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(device_of(tried + i), "abc"[i]);
}

static void a_receiver_that_says_when_is_not_asked_before(void **state)
{
    static const struct http_answer answers[] = {{429, "Retry-After: 3\r\n", NULL},
                                                 {200, NULL, NULL}};
    (void)state;
    http_server_answers(server, answers, 2);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    int64_t before_ms = picket_monotonic_ms();
    raise_alerts("ab");
    wait_delivered("hook");
    assert_true(picket_monotonic_ms() - before_ms >= 3000);
    assert_int_equal(http_server_requests(server), 3);
}

/* ---- bounds ---- */

static struct picket_target seen_target;

static void note_target(void *context, const struct picket_target *target)
{
    if (strcmp(context, target->name) == 0)
        seen_target = *target;
}

static struct picket_target target_named(const char *name)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", name);
    seen_target = (struct picket_target){.dropped = -1};
    assert_int_equal(picket_store_targets(harness.store, note_target, copy, NULL), PICKET_OK);
    return seen_target;
}

static int64_t dropped_of(const char *name)
{
    return target_named(name).dropped;
}

static void of_too_many_alerts_that_wait_the_newest_are_sent_and_the_rest_is_counted(void **state)
{
    static const struct http_answer down[] = {{503, NULL, NULL}}, up[] = {{200, NULL, NULL}};
    (void)state;
    http_server_answers(server, down, 1);
    harness.outputs[0] = (struct picket_output_config){
        .name = "hook", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.output_count = 1;
    harness.bounds = (struct picket_store_bounds){.outbox_items = 3};
    harness_start(&harness);
    harness_feed(&harness, "demonstration", demonstration, 80, true);
    raise_alerts("abcdefgh");
    harness_stop(&harness);
    size_t tried = http_server_requests(server);
    http_server_answers(server, up, 1);
    harness_start(&harness);
    assert_int_equal(dropped_of("hook"), 5);
    assert_int_equal(harness_totals(&harness).alerts, 8);
    wait_delivered("hook");
    assert_int_equal(http_server_requests(server), tried + 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(device_of(tried + i), "fgh"[i]);
}

static bool has_dropped_one(void *context)
{
    return dropped_of(context) == 1;
}

static void
what_waits_for_an_output_that_is_no_more_goes_by_its_age_without_any_message(void **state)
{
    char name[] = "forgotten";
    struct picket_outbox_item item = {.device = "d", .received_ms = 1};
    (void)state;
    harness_start(&harness);
    assert_int_equal(picket_store_begin(harness.store, NULL), PICKET_OK);
    assert_int_equal(picket_store_enqueue(harness.store, name, &item, NULL), PICKET_OK);
    assert_int_equal(picket_store_commit(harness.store, NULL), PICKET_OK);
    harness_stop(&harness);
    harness.bounds = (struct picket_store_bounds){.outbox_age_s = 3600};
    harness_start(&harness);
    assert_true(harness_wait(has_dropped_one, name));
}

/* ---- routes ---- */

static void telemetry_goes_to_every_route(void **state)
{
    size_t size;
    (void)state;
    harness.routes[0] = (struct picket_output_config){
        .name = "telemetry", .kind = PICKET_OUTPUT_FILE, .location = location};
    harness.routes[1] = (struct picket_output_config){
        .name = "post", .kind = PICKET_OUTPUT_WEBHOOK, .location = url};
    harness.route_count = 2;
    harness_start(&harness);
    harness_append(&harness, "pump", "kind=t&x=%20", "{\"temperature\": 21.50}", 22);
    harness_append(&harness, "pump", "", "\xff\x00\x01", 3);
    harness_append_of_module(&harness, "pump", "valve", "", "", 0);
    assert_true(harness_wait_durable(&harness));
    wait_delivered("telemetry");
    wait_delivered("post");
    char *text = whole_file(location, &size), *rest = text;
    json_t *message = line_json(&rest);
    assert_string_equal(json_string_value(json_object_get(message, "device")), "pump");
    assert_string_equal(json_string_value(json_object_get(message, "properties")), "kind=t&x=%20");
    assert_string_equal(json_string_value(json_object_get(message, "body")),
                        "{\"temperature\": 21.50}");
    assert_non_null(json_string_value(json_object_get(message, "received")));
    assert_null(json_object_get(message, "module"));
    json_decref(message);
    message = line_json(&rest);
    assert_string_equal(json_string_value(json_object_get(message, "body_base64")), "/wAB");
    json_decref(message);
    message = line_json(&rest);
    assert_string_equal(json_string_value(json_object_get(message, "body")), "");
    assert_string_equal(json_string_value(json_object_get(message, "module")), "valve");
    json_decref(message);
    assert_string_equal(rest, "");
    assert_int_equal(http_server_requests(server), 3);
    assert_non_null(strstr(http_server_body(server, 0), "21.50"));
    assert_null(strstr(http_server_request(server, 0), "X-Picket-Alert"));
    free(text);
}

/* The bodies of a route's messages, in a row. */
static void assert_bodies(const char *path, const char *expected)
{
    size_t size;
    char *text = whole_file(path, &size), *rest = text, bodies[64] = "";
    while (*rest != '\0') {
        json_t *message = line_json(&rest);
        strncat(bodies, json_string_value(json_object_get(message, "body")),
                sizeof bodies - strlen(bodies) - 1);
        json_decref(message);
    }
    assert_string_equal(bodies, expected);
    free(text);
}

static uint64_t dropped_count;

static void note_dropped(const struct picket_counter *counter, void *context)
{
    (void)context;
    if (strcmp(counter->name, "service_telemetry_dropped") == 0)
        dropped_count = counter->value;
}

static uint64_t telemetry_dropped(void)
{
    picket_counters_each(note_dropped, NULL);
    return dropped_count;
}

static void a_route_takes_what_its_devices_and_properties_say(void **state)
{
    static const char *const devices[] = {"pump-?", "valve/", "press/ram-*"};
    static const struct picket_output_property alarm[] = {{"kind", "alarm"}, {"site", "a b"}};
    char alarms[140];
    (void)state;
    snprintf(alarms, sizeof alarms, "%s.alarms", location);
    harness.routes[0] = (struct picket_output_config){
        .name = "devices", .location = location, .filter = {devices, 3, NULL, 0}};
    harness.routes[1] = (struct picket_output_config){
        .name = "alarms", .location = alarms, .filter = {NULL, 0, alarm, 2}};
    harness.route_count = 2;
    harness_start(&harness);
    uint64_t before = telemetry_dropped();
    harness_append(&harness, "pump-1", "", "1", 1);
    harness_append_of_module(&harness, "pump-2", "m", "", "2", 1);
    harness_append(&harness, "pump-10", "", "3", 1); /* nobody's */
    harness_append(&harness, "valve", "", "4", 1);
    harness_append_of_module(&harness, "valve", "m", "", "5", 1); /* nobody's */
    harness_append_of_module(&harness, "press", "ram-7", "", "6", 1);
    harness_append(&harness, "lamp", "site=a%20b&kind=alarm", "7", 1);
    harness_append(&harness, "lamp", "kind=alarm", "8", 1); /* nobody's */
    harness_append(&harness, "pump-3", "kind=alarm&site=a%20b/", "9", 1);
    assert_true(harness_wait_durable(&harness));
    wait_delivered("devices");
    wait_delivered("alarms");
    assert_bodies(location, "12469");
    assert_bodies(alarms, "79");
    assert_int_equal(telemetry_dropped() - before, 3);
}

/* ---- configuration ---- */

static int start_with(const struct picket_output_config *outputs, size_t count)
{
    char folder[80];
    struct picket_error error = {0};
    struct picket_service *service = NULL;
    harness_path(&harness, "other-store", folder, sizeof folder);
    struct picket_service_config config = {
        .store_folder = folder, .outputs = outputs, .output_count = count};
    struct picket_log *log;
    struct picket_intel *intel;
    assert_int_equal(picket_log_open_direct(&log, NULL, NULL), PICKET_OK);
    assert_int_equal(picket_intel_start(&intel, folder, NULL), PICKET_OK);
    int status = picket_service_start(&service, &config, log, intel, &error);
    picket_log_close(log);
    if (status == PICKET_OK)
        picket_service_stop(service);
    else
        assert_true(strlen(error.text) > 10);
    picket_intel_stop(intel);
    picket_log_destroy(log);
    return status;
}

static void an_output_that_cannot_be_is_refused_at_the_start(void **state)
{
    (void)state;
    struct picket_output_config twice[] = {
        {.name = "a", .kind = PICKET_OUTPUT_FILE, .location = location},
        {.name = "a", .kind = PICKET_OUTPUT_FILE, .location = location}};
    assert_int_equal(start_with(twice, 2), PICKET_EXISTS);
    assert_int_equal(start_with(twice, 1), PICKET_OK);
    struct picket_output_config bad_name = {
        .name = "a b", .kind = PICKET_OUTPUT_FILE, .location = location};
    assert_int_equal(start_with(&bad_name, 1), PICKET_INVALID);
    struct picket_output_config bad_url = {
        .name = "a", .kind = PICKET_OUTPUT_WEBHOOK, .location = "ftp://x"};
    assert_int_equal(start_with(&bad_url, 1), PICKET_INVALID);
    struct picket_output_config bad_path = {
        .name = "a", .kind = PICKET_OUTPUT_FILE, .location = "/nowhere/at/all"};
    assert_int_equal(start_with(&bad_path, 1), PICKET_IO);
}

#define OUTPUTS_TEST(f) cmocka_unit_test_setup_teardown(f, open_harness, close_harness)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTPUTS_TEST(alerts_are_appended_to_a_file_one_a_line_also_after_rotation),
        OUTPUTS_TEST(a_line_that_a_crash_cut_does_not_swallow_the_next),
        OUTPUTS_TEST(an_output_that_fails_tells_why_until_it_delivers_again),
        OUTPUTS_TEST(a_webhook_gets_each_alert_in_order_with_a_header_that_tells_repetitions),
        OUTPUTS_TEST(a_folded_alert_is_not_sent_again),
        OUTPUTS_TEST(what_was_not_delivered_is_delivered_after_a_restart),
        OUTPUTS_TEST(an_item_that_is_refused_does_not_hold_up_those_behind_it),
        OUTPUTS_TEST(what_was_set_aside_is_sent_again_at_the_next_start),
        OUTPUTS_TEST(what_was_set_aside_is_asked_once_when_it_is_still_refused),
        OUTPUTS_TEST(nothing_is_set_aside_while_the_receiver_refuses_all),
        OUTPUTS_TEST(a_receiver_that_says_when_is_not_asked_before),
        OUTPUTS_TEST(of_too_many_alerts_that_wait_the_newest_are_sent_and_the_rest_is_counted),
        OUTPUTS_TEST(what_waits_for_an_output_that_is_no_more_goes_by_its_age_without_any_message),
        OUTPUTS_TEST(telemetry_goes_to_every_route),
        OUTPUTS_TEST(a_route_takes_what_its_devices_and_properties_say),
        OUTPUTS_TEST(an_output_that_cannot_be_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
