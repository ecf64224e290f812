/* Routes to Kafka: against librdkafka's mock cluster, read back by librdkafka's consumer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "kafka_cluster.h"
#include "picket/base/time.h"

enum { DEVICES = 5, PRODUCE_REQUEST = 0, READ_MS = 200, MESSAGES_MAX = 2000 };

static struct harness harness;
static struct kafka_cluster *cluster;
static char location[300], unreachable[] = "127.0.0.1";

static int open_harness(void **state)
{
    (void)state;
    harness_open(&harness);
    cluster = kafka_cluster_start(3, "telemetry");
    snprintf(location, sizeof location, "kafka://%s/telemetry", kafka_cluster_brokers(cluster));
    harness.routes[0] = (struct picket_output_config){.name = "lake",
                                                      .kind = PICKET_OUTPUT_KAFKA,
                                                      .location = location,
                                                      .payload = PICKET_PAYLOAD_BODY};
    harness.route_count = 1;
    return 0;
}

static int close_harness(void **state)
{
    (void)state;
    harness_close(&harness);
    kafka_cluster_stop(cluster);
    return 0;
}

/* ---- what devices send, and what is read back ---- */

/* Message n is of device n % DEVICES, and says n. */
static void send_numbers(int first, int end)
{
    for (int n = first; n < end; n++) {
        char device[16], body[16];
        snprintf(device, sizeof device, "d%d", n % DEVICES);
        snprintf(body, sizeof body, "%d", n);
        harness_append(&harness, device, "kind=t", body, strlen(body));
    }
    assert_true(harness_wait_durable(&harness));
}

static struct {
    int seen[MESSAGES_MAX]; /* how often */
    int last[DEVICES];      /* the largest number of a device so far */
    int different;
} read_back;

/* A repetition may come at any time; what comes for the first time has to be next of its device. */
static void note_message(const rd_kafka_message_t *message)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)message->len, (const char *)message->payload);
    int number = atoi(text), device = number % DEVICES;
    assert_true(number >= 0 && number < MESSAGES_MAX);
    assert_int_equal(message->key_len, 2);
    assert_int_equal(((const char *)message->key)[1] - '0', device);
    if (read_back.seen[number]++ > 0)
        return;
    if (number != read_back.last[device] + DEVICES && number >= DEVICES)
        fail_msg("device %d: %d came behind %d", device, number, read_back.last[device]);
    read_back.last[device] = number;
    read_back.different++;
}

static void read_until(int different)
{
    int64_t until_ms = picket_monotonic_ms() + 60000;
    while (read_back.different < different && picket_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = kafka_cluster_read(cluster, READ_MS);
        if (message == NULL)
            continue;
        note_message(message);
        rd_kafka_message_destroy(message);
    }
    assert_int_equal(read_back.different, different);
}

static int64_t waiting(void)
{
    int64_t depth = -1;
    assert_int_equal(picket_store_outbox_depth(harness.store, "lake", &depth, NULL), PICKET_OK);
    return depth;
}

static bool is_sent(void *context)
{
    (void)context;
    return waiting() == 0;
}

static bool is_failing_with(void *context)
{
    struct picket_output_status status = {0};
    assert_true(picket_service_output_status(harness.service, "lake", &status));
    return status.failing_since_ms != 0 && strstr(status.problem, context) != NULL;
}

static bool is_well(void *context)
{
    struct picket_output_status status = {0};
    (void)context;
    assert_true(picket_service_output_status(harness.service, "lake", &status));
    return status.failing_since_ms == 0;
}

/* ---- tests ---- */

static void what_devices_send_arrives_once_and_in_each_devices_order(void **state)
{
    (void)state;
    memset(&read_back, 0, sizeof read_back);
    harness_start(&harness);
    send_numbers(0, 500);
    read_until(500);
    assert_true(harness_wait(is_sent, NULL));
    for (int i = 0; i < 500; i++)
        assert_int_equal(read_back.seen[i], 1);
}

static void assert_header(const rd_kafka_headers_t *headers, const char *name, const char *value)
{
    const void *found;
    size_t size;
    assert_int_equal(rd_kafka_header_get_last(headers, name, &found, &size),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(size, strlen(value));
    assert_memory_equal(found, value, size);
}

static rd_kafka_message_t *read_one(void)
{
    rd_kafka_message_t *message = NULL;
    for (int i = 0; i < 100 && message == NULL; i++)
        message = kafka_cluster_read(cluster, READ_MS);
    assert_non_null(message);
    return message;
}

static void a_body_has_beside_it_who_sent_it(void **state)
{
    rd_kafka_headers_t *headers;
    (void)state;
    harness_start(&harness);
    harness_append_of_module(&harness, "pump", "valve", "kind=t", "\xff\x00\x01", 3);
    rd_kafka_message_t *message = read_one();
    assert_int_equal(message->len, 3);
    assert_memory_equal(message->payload, "\xff\x00\x01", 3);
    assert_int_equal(rd_kafka_message_headers(message, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_header(headers, "picket-delivery", "lake-1");
    assert_header(headers, "picket-device", "pump");
    assert_header(headers, "picket-module", "valve");
    assert_header(headers, "picket-properties", "kind=t");
    rd_kafka_message_destroy(message);
}

static void without_another_wish_a_json_object_says_it_all(void **state)
{
    (void)state;
    harness.routes[0].payload = PICKET_PAYLOAD_JSON;
    harness_start(&harness);
    harness_append(&harness, "pump", "kind=t", "21.50", 5);
    rd_kafka_message_t *message = read_one();
    json_t *object = json_loadb(message->payload, message->len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(object, "device")), "pump");
    assert_string_equal(json_string_value(json_object_get(object, "body")), "21.50");
    json_decref(object);
    rd_kafka_message_destroy(message);
}

static void errors_that_pass_lose_nothing_and_change_no_order(void **state)
{
    (void)state;
    memset(&read_back, 0, sizeof read_back);
    harness_start(&harness);
    rd_kafka_mock_push_request_errors(
        kafka_cluster_mock(cluster), PRODUCE_REQUEST, 6, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    send_numbers(0, 300);
    read_until(300);
    assert_true(harness_wait(is_sent, NULL));
}

static void brokers_that_go_down_are_told_of_and_nothing_is_missing_when_they_are_back(void **state)
{
    (void)state;
    memset(&read_back, 0, sizeof read_back);
    harness_start(&harness);
    send_numbers(0, 100);
    read_until(100);
    rd_kafka_mock_broker_set_down(kafka_cluster_mock(cluster), -1);
    send_numbers(100, 200);
    assert_true(harness_wait(is_failing_with, unreachable));
    assert_true(waiting() > 0);
    rd_kafka_mock_broker_set_up(kafka_cluster_mock(cluster), -1);
    read_until(200);
    assert_true(harness_wait(is_sent, NULL));
    assert_true(harness_wait(is_well, NULL));
}

static void brokers_that_are_not_there_are_told_of_before_there_is_anything_to_send(void **state)
{
    (void)state;
    rd_kafka_mock_broker_set_down(kafka_cluster_mock(cluster), -1);
    harness_start(&harness);
    assert_true(harness_wait(is_failing_with, unreachable));
    int64_t before_ms = picket_monotonic_ms();
    harness_stop(&harness);
    assert_true(picket_monotonic_ms() - before_ms < 20000);
}

struct targets {
    int64_t aside;
    char refusal[200];
};

static void note_target(void *context, const struct picket_target *target)
{
    struct targets *targets = context;
    targets->aside = target->aside;
    snprintf(targets->refusal, sizeof targets->refusal, "%s", target->refusal);
}

static bool has_one_aside(void *context)
{
    assert_int_equal(picket_store_targets(harness.store, note_target, context, NULL), PICKET_OK);
    return ((struct targets *)context)->aside == 1;
}

static void a_message_that_is_too_large_is_set_aside_and_the_others_go_on(void **state)
{
    static const struct picket_output_property properties[] = {{"message.max.bytes", "1000"}};
    char large[2000];
    struct targets targets = {0};
    (void)state;
    memset(&read_back, 0, sizeof read_back);
    memset(large, '1', sizeof large);
    harness.routes[0].properties = properties;
    harness.routes[0].property_count = 1;
    harness_start(&harness);
    send_numbers(0, 20);
    harness_append(&harness, "d1", "", large, sizeof large);
    send_numbers(20, 100);
    read_until(100);
    assert_true(harness_wait(has_one_aside, &targets));
    assert_non_null(strstr(targets.refusal, "Message size too large"));
}

#define KAFKA_TEST(f) cmocka_unit_test_setup_teardown(f, open_harness, close_harness)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KAFKA_TEST(what_devices_send_arrives_once_and_in_each_devices_order),
        KAFKA_TEST(a_body_has_beside_it_who_sent_it),
        KAFKA_TEST(without_another_wish_a_json_object_says_it_all),
        KAFKA_TEST(errors_that_pass_lose_nothing_and_change_no_order),
        KAFKA_TEST(brokers_that_go_down_are_told_of_and_nothing_is_missing_when_they_are_back),
        KAFKA_TEST(brokers_that_are_not_there_are_told_of_before_there_is_anything_to_send),
        KAFKA_TEST(a_message_that_is_too_large_is_set_aside_and_the_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
