#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mqtt/mqtt.h"

#define BYTES(text) ((const uint8_t *)(text)), sizeof(text) - 1

/* On the heap and no longer than it is, so that the sanitizer sees a read past the end. */
static uint8_t *exactly(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static void a_header_is_read_only_when_it_is_whole(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        int result;
        uint32_t remaining;
    } cases[] = {
        {"", 0, 0, 0},
        {"\x30", 1, 0, 0},
        {"\x30\x00", 2, 1, 0},
        {"\x30\x7f", 2, 1, 127},
        {"\x30\x80", 2, 0, 0},
        {"\x30\x80\x01", 3, 1, 128},
        {"\x30\xff\xff\xff\x7f", 5, 1, 268435455},
        {"\x30\xff\xff\xff\xff", 5, -1, 0},
        {"\x30\xff\xff\xff", 4, 0, 0},
        {"\x00\x00", 2, -1, 0},
        {"\xf0\x00", 2, -1, 0},
        {"\x36\x00", 2, -1, 0},
        {"\x80\x00", 2, -1, 0},
        {"\x82\x00", 2, 1, 0},
        {"\xc1\x00", 2, -1, 0},
        {"\x11\x00", 2, -1, 0},
        {"\x62\x02", 2, 1, 2},
        {"\x60\x02", 2, -1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *bytes = exactly((const uint8_t *)cases[i].bytes, cases[i].size);
        struct mqtt_header header;
        struct mqtt_fault fault = {0, NULL};
        assert_int_equal(mqtt_parse_header(&header, bytes, cases[i].size, &fault), cases[i].result);
        if (cases[i].result == 1) {
            assert_int_equal(header.remaining, cases[i].remaining);
            assert_int_equal(header.bytes, cases[i].size);
        } else if (cases[i].result < 0) {
            assert_non_null(fault.what);
        }
        free(bytes);
    }
}

static bool parse_connect(struct mqtt_connect *connect, const uint8_t *bytes, size_t size,
                          struct mqtt_fault *fault)
{
    struct mqtt_header header;
    assert_int_equal(mqtt_parse_header(&header, bytes, size, fault), 1);
    assert_int_equal(header.bytes + header.remaining, size);
    return mqtt_parse_connect(connect, bytes, &header, fault);
}

static const char full_connect[] =
    "\x10\x24\0\4MQTT\4\xee\0\x3c\0\2id\0\2wt\0\3w\0m\0\4user\0\5p\0ss!";

static void a_connect_with_everything_is_taken_apart(void **state)
{
    struct mqtt_connect connect;
    struct mqtt_fault fault;
    (void)state;
    size_t size = sizeof full_connect - 1;
    uint8_t *bytes = exactly((const uint8_t *)full_connect, size);
    bytes[1] = (uint8_t)(size - 2);
    assert_true(parse_connect(&connect, bytes, size, &fault));
    assert_true(connect.supported && connect.clean_session && connect.has_will &&
                connect.will_retain && connect.has_user_name && connect.has_password);
    assert_int_equal(connect.will_qos, 1);
    assert_int_equal(connect.keep_alive_s, 60);
    assert_true(slice_equals(connect.client_id, "id"));
    assert_true(slice_equals(connect.will_topic, "wt"));
    assert_memory_equal(connect.will_payload.bytes, "w\0m", 3);
    assert_true(slice_equals(connect.user_name, "user"));
    assert_int_equal(connect.password.size, 5);
    free(bytes);
}

static void every_truncation_of_a_connect_is_a_fault_within_it(void **state)
{
    (void)state;
    for (size_t size = 2; size < sizeof full_connect - 1; size++) {
        uint8_t *bytes = exactly((const uint8_t *)full_connect, size);
        bytes[1] = (uint8_t)(size - 2);
        struct mqtt_connect connect;
        struct mqtt_fault fault = {0, NULL};
        assert_false(parse_connect(&connect, bytes, size, &fault));
        assert_non_null(fault.what);
        assert_true(fault.offset <= size);
        free(bytes);
    }
}

static void contradictory_connect_flags_are_faults(void **state)
{
    static const uint8_t flags[] = {0x01, 0x08, 0x20, 0x40, 0x1c};
    (void)state;
    for (size_t i = 0; i < sizeof flags; i++) {
        uint8_t bytes[] = "\x10\x14\0\4MQTT\4\0\0\x3c\0\2id\0\0\0\0\0\0";
        bytes[9] = flags[i];
        bytes[1] = (uint8_t)(sizeof bytes - 3);
        struct mqtt_connect connect;
        struct mqtt_fault fault = {0, NULL};
        assert_false(parse_connect(&connect, bytes, sizeof bytes - 1, &fault));
        assert_int_equal(fault.offset, 9);
    }
}

static void other_levels_are_not_supported_rather_than_malformed(void **state)
{
    struct mqtt_connect connect;
    struct mqtt_fault fault;
    (void)state;
    assert_true(parse_connect(&connect, BYTES("\x10\x0a\0\4MQTT\5\2\0\x3c"), &fault));
    assert_false(connect.supported);
    assert_true(parse_connect(&connect, BYTES("\x10\x0c\0\6MQIsdp\3\2\0\x3c"), &fault));
    assert_false(connect.supported);
    assert_false(parse_connect(&connect, BYTES("\x10\x0a\0\4HTTP\4\2\0\x3c"), &fault));
}

static bool parse_publish(struct mqtt_publish *publish, const uint8_t *bytes, size_t size,
                          struct mqtt_fault *fault)
{
    struct mqtt_header header;
    assert_int_equal(mqtt_parse_header(&header, bytes, size, fault), 1);
    return mqtt_parse_publish(publish, bytes, &header, fault);
}

static void a_publish_is_taken_apart(void **state)
{
    struct mqtt_publish publish;
    struct mqtt_fault fault;
    (void)state;
    assert_true(parse_publish(&publish, BYTES("\x3b\x09\0\3a/b\1\2xy"), &fault));
    assert_true(publish.duplicate && publish.retain);
    assert_int_equal(publish.qos, 1);
    assert_int_equal(publish.packet_id, 258);
    assert_true(slice_equals(publish.topic, "a/b"));
    assert_true(slice_equals(publish.payload, "xy"));
    assert_true(parse_publish(&publish, BYTES("\x30\x03\0\1a"), &fault));
    assert_int_equal(publish.payload.size, 0);
}

static void text_that_is_not_utf_8_is_a_fault_where_it_goes_wrong(void **state)
{
    static const char *const bad[] = {
        "\xc0\x80", "\xe0\x9f\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x8f\x80\x80", "\x80",
        "\xc3",     "\xe2\x82",     "\xff"};
    static const char *const good[] = {"\xc3\xa4", "\xe2\x82\xac", "\xed\x9f\xbf",
                                       "\xf0\x9f\x98\x80"};
    struct mqtt_publish publish;
    struct mqtt_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0] + sizeof good / sizeof good[0]; i++) {
        bool is_bad = i < sizeof bad / sizeof bad[0];
        const char *text = is_bad ? bad[i] : good[i - sizeof bad / sizeof bad[0]];
        for (size_t before = 1; before <= 17; before++) {
            size_t size = before + strlen(text);
            uint8_t bytes[32] = {0x30, (uint8_t)(2 + size), 0, (uint8_t)size};
            memset(bytes + 4, 'a', before);
            memcpy(bytes + 4 + before, text, strlen(text));
            uint8_t *exact = exactly(bytes, 4 + size);
            assert_int_equal(parse_publish(&publish, exact, 4 + size, &fault), !is_bad);
            if (is_bad)
                assert_int_equal(fault.offset, 4 + before);
            free(exact);
        }
    }
}

static void a_nul_in_text_is_a_fault_wherever_it_stands(void **state)
{
    struct mqtt_publish publish;
    struct mqtt_fault fault;
    (void)state;
    for (size_t size = 1; size <= 20; size++)
        for (size_t at = 0; at < size; at++) {
            uint8_t bytes[32] = {0x30, (uint8_t)(2 + size), 0, (uint8_t)size};
            memset(bytes + 4, '\x01', size);
            bytes[4 + at] = 0;
            assert_false(parse_publish(&publish, bytes, 4 + size, &fault));
            assert_int_equal(fault.offset, 4 + at);
        }
}

static void filters_are_counted_and_handed_out_in_order(void **state)
{
    static const uint8_t packet[] = "\x82\x0c\0\7\0\1a\0\0\3b/#\2";
    struct mqtt_header header;
    struct mqtt_filters filters;
    struct mqtt_filter filter;
    struct mqtt_fault fault;
    (void)state;
    assert_int_equal(mqtt_parse_header(&header, packet, sizeof packet - 1, &fault), 1);
    assert_true(mqtt_parse_filters(&filters, packet, &header, &fault));
    assert_int_equal(filters.packet_id, 7);
    assert_int_equal(filters.count, 2);
    assert_true(mqtt_next_filter(&filters, &filter));
    assert_true(slice_equals(filter.topic, "a"));
    assert_int_equal(filter.qos, 0);
    assert_true(mqtt_next_filter(&filters, &filter));
    assert_true(slice_equals(filter.topic, "b/#"));
    assert_int_equal(filter.qos, 2);
    assert_false(mqtt_next_filter(&filters, &filter));
}

static void packets_are_written_as_the_standard_draws_them(void **state)
{
    uint8_t out[8];
    (void)state;
    assert_int_equal(mqtt_write_connack(out, MQTT_ACCEPTED, true), 4);
    assert_memory_equal(out, "\x20\2\1\0", 4);
    assert_int_equal(mqtt_write_connack(out, MQTT_NOT_AUTHORIZED, false), 4);
    assert_memory_equal(out, "\x20\x02\x00\x05", 4);
    assert_int_equal(mqtt_write_puback(out, 0x1234), 4);
    assert_memory_equal(out, "\x40\x02\x12\x34", 4);
    assert_int_equal(mqtt_write_unsuback(out, 1), 4);
    assert_memory_equal(out, "\xb0\x02\x00\x01", 4);
    assert_int_equal(mqtt_write_pingresp(out), 2);
    assert_memory_equal(out, "\xd0\x00", 2);
    assert_int_equal(mqtt_write_publish_head(out, 5, 10, 0), 4);
    assert_memory_equal(out, "\x30\x11\0\5", 4);
    assert_int_equal(mqtt_write_publish_head(out, 300, 65536, 1), 6);
    assert_memory_equal(out, "\x32\xb0\x82\x04\x01\x2c", 6);
    assert_int_equal(mqtt_write_suback(out, 2, 1), 4);
    assert_memory_equal(out, "\x90\x03\x00\x02", 4);
    assert_int_equal(mqtt_write_suback(out, 2, 500), 5);
    assert_memory_equal(out, "\x90\xf6\x03\x00\x02", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_only_when_it_is_whole),
        cmocka_unit_test(a_connect_with_everything_is_taken_apart),
        cmocka_unit_test(every_truncation_of_a_connect_is_a_fault_within_it),
        cmocka_unit_test(contradictory_connect_flags_are_faults),
        cmocka_unit_test(other_levels_are_not_supported_rather_than_malformed),
        cmocka_unit_test(a_publish_is_taken_apart),
        cmocka_unit_test(text_that_is_not_utf_8_is_a_fault_where_it_goes_wrong),
        cmocka_unit_test(a_nul_in_text_is_a_fault_wherever_it_stands),
        cmocka_unit_test(filters_are_counted_and_handed_out_in_order),
        cmocka_unit_test(packets_are_written_as_the_standard_draws_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
