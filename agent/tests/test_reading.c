/* A packet that is read first and counted later counts like one that is counted at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

static struct harness at_once, later;

static enum picket_packet_verdict count_later(const uint8_t *packet, size_t size_bytes,
                                              enum picket_direction direction)
{
    struct picket_packet_reading reading;
    uint8_t *copy = malloc(size_bytes + 1);
    memcpy(copy, packet, size_bytes);
    picket_agent_read_packet(&later.agent, copy, size_bytes, PICKET_WIRE_BYTES_UNKNOWN, direction,
                             &reading);
    free(copy);
    return picket_agent_count_reading(&later.agent, &reading);
}

static void a_packet_read_first_counts_like_one_counted_at_once(void **state)
{
    (void)state;
    harness_setup(&at_once);
    harness_setup(&later);
    harness_start(&at_once);
    harness_start(&later);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t drawn = harness_random(&at_once);
        struct packet_spec spec = {.version = drawn & 1 ? 4 : 6,
                                   .protocol = (uint8_t)((drawn >> 1) % 3),
                                   .local = 1 + (drawn >> 4) % 2,
                                   .remote = (drawn >> 6) % 5,
                                   .local_port = (uint16_t)((drawn >> 9) % 3),
                                   .remote_port = (uint16_t)((drawn >> 12) % 4),
                                   .payload_bytes = (drawn >> 16) % 100,
                                   .direction = drawn >> 31 ? PICKET_IN : PICKET_OUT,
                                   .extension_headers = i % 16 == 0 ? 5 : 0};
        uint8_t packet[PACKET_BYTES_MAX];
        size_t size_bytes = packet_build(packet, &spec);
        if ((drawn >> 24) % 8 == 0)
            size_bytes = drawn % size_bytes; /* truncated */
        enum picket_packet_verdict expected = picket_agent_count_packet(
            &at_once.agent, packet, size_bytes, PICKET_WIRE_BYTES_UNKNOWN, spec.direction);
        assert_int_equal(count_later(packet, size_bytes, spec.direction), expected);
    }
    harness_run(&at_once, 10);
    harness_run(&later, 10);
    struct harness_totals expected = harness_totals(&at_once), got = harness_totals(&later);
    assert_int_equal(got.flows, expected.flows);
    assert_int_equal(got.bytes_in, expected.bytes_in);
    assert_int_equal(got.bytes_out, expected.bytes_out);
    assert_int_equal(got.lost_bytes_in, expected.lost_bytes_in);
    assert_int_equal(got.lost_bytes_out, expected.lost_bytes_out);
    struct picket_agent_statistics a, b;
    picket_agent_statistics(&at_once.agent, &a);
    picket_agent_statistics(&later.agent, &b);
    assert_int_equal(b.packets_counted, a.packets_counted);
    assert_int_equal(b.packets_ignored, a.packets_ignored);
    assert_int_equal(b.packets_lost, a.packets_lost);
    harness_forget_messages(&at_once);
    harness_forget_messages(&later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_read_first_counts_like_one_counted_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
