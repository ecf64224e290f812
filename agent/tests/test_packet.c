/* The packet parser, header by header: each case is a good packet with one thing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../src/packet.h"
#include "harness.h"

static const uint32_t unknown = PICKET_WIRE_BYTES_UNKNOWN;

/* A packet exactly as large as what is captured of it, so that the sanitizer sees a read past it.
 */
static enum picket_packet_verdict parse(struct picket_packet *packet, const uint8_t *bytes,
                                        size_t captured_bytes, uint32_t wire_bytes)
{
    uint8_t *copy = malloc(captured_bytes > 0 ? captured_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, captured_bytes);
    enum picket_packet_verdict verdict =
        picket_packet_parse(packet, copy, captured_bytes, wire_bytes);
    free(copy);
    return verdict;
}

/* A packet in the making. */
struct making {
    uint8_t bytes[4096];
    size_t size_bytes;
    size_t ip_bytes; /* IPv6: where the extension headers or the transport header start */
};

static void append(struct making *making, const void *bytes, size_t size_bytes)
{
    assert_true(making->size_bytes + size_bytes <= sizeof making->bytes);
    memcpy(making->bytes + making->size_bytes, bytes, size_bytes);
    making->size_bytes += size_bytes;
}

/* Writes the length fields to what there is, plus declared_more. */
static void seal(struct making *making, uint32_t declared_more)
{
    uint32_t length = (uint32_t)making->size_bytes + declared_more;
    size_t at = 2;
    if (making->bytes[0] >> 4 == 6) {
        length -= 40;
        at = 4;
    }
    making->bytes[at] = (uint8_t)(length >> 8);
    making->bytes[at + 1] = (uint8_t)length;
}

static void start_ipv4(struct making *making, uint8_t protocol, size_t option_bytes)
{
    memset(making, 0, sizeof *making);
    making->size_bytes = making->ip_bytes = 20 + option_bytes;
    making->bytes[0] = (uint8_t)(0x40 | making->size_bytes / 4);
    making->bytes[8] = 64;
    making->bytes[9] = protocol;
    memcpy(making->bytes + 12, "\x0A\x01\x02\x03\xC0\x00\x02\x09", 8);
}

static void start_ipv6(struct making *making, uint8_t next_header)
{
    memset(making, 0, sizeof *making);
    making->size_bytes = making->ip_bytes = 40;
    making->bytes[0] = 0x60;
    making->bytes[6] = next_header;
    making->bytes[7] = 64;
    for (uint8_t i = 0; i < 32; i++)
        making->bytes[8 + i] = (uint8_t)(0x20 + i);
}

static void append_extension(struct making *making, uint8_t next_header, uint8_t length)
{
    uint8_t header[2048] = {next_header, length};
    append(making, header, (length + 1u) * 8);
}

static void append_authentication(struct making *making, uint8_t next_header, uint8_t length)
{
    uint8_t header[2048] = {next_header, length};
    append(making, header, (length + 2u) * 4);
}

static void append_fragment(struct making *making, uint8_t next_header, uint16_t offset, bool more)
{
    uint16_t field = (uint16_t)(offset << 3 | more);
    uint8_t header[8] = {next_header, 0, (uint8_t)(field >> 8), (uint8_t)field, 1, 2, 3, 4};
    append(making, header, 8);
}

static void append_tcp(struct making *making)
{
    uint8_t header[20] = {0x12, 0x34, 0x01, 0xBB};
    header[12] = 0x50;
    append(making, header, sizeof header);
}

static void append_udp(struct making *making)
{
    append(making, "\x12\x34\x01\xBB\0\0\0", 8);
}

static void expect(struct making *making, enum picket_packet_verdict verdict)
{
    struct picket_packet packet;
    assert_int_equal(parse(&packet, making->bytes, making->size_bytes, unknown), verdict);
}

static void expect_flow(struct making *making, uint8_t protocol, uint32_t ports,
                        uint32_t payload_bytes)
{
    struct picket_packet packet;
    assert_int_equal(parse(&packet, making->bytes, making->size_bytes, unknown),
                     PICKET_PACKET_COUNTED);
    assert_int_equal(packet.protocol, protocol);
    assert_int_equal(picket_big_endian_32((const uint8_t *)&packet.ports), ports);
    assert_int_equal(packet.payload_bytes, payload_bytes);
    bool ipv4 = making->bytes[0] >> 4 == 4;
    assert_int_equal(packet.address_words, ipv4 ? 1 : 4);
    assert_ptr_equal(picket_packet_addresses(making->bytes, packet.address_words),
                     making->bytes + (ipv4 ? 12 : 8));
}

static void expect_truncated_up_to(struct making *making, size_t needed)
{
    struct picket_packet packet;
    for (size_t captured = 0; captured < needed; captured++)
        assert_int_equal(parse(&packet, making->bytes, captured, unknown), PICKET_PACKET_TRUNCATED);
    assert_int_equal(parse(&packet, making->bytes, needed, unknown), PICKET_PACKET_COUNTED);
}

static void tcp_udp_and_icmp_over_ipv4_are_counted_with_their_payload(void **state)
{
    (void)state;
    struct making making;
    start_ipv4(&making, 6, 0);
    append_tcp(&making);
    seal(&making, 100);
    expect_flow(&making, PICKET_WIRE_TCP, 0x123401BB, 120);
    start_ipv4(&making, 17, 0);
    append_udp(&making);
    seal(&making, 0);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 8);
    start_ipv4(&making, 1, 0);
    append(&making, "\x08\0\xAA\xBB", 4);
    seal(&making, 56);
    expect_flow(&making, PICKET_WIRE_ICMP, 0, 60);
}

static void tcp_udp_and_icmp_over_ipv6_are_counted_with_their_payload(void **state)
{
    (void)state;
    struct making making;
    start_ipv6(&making, 6);
    append_tcp(&making);
    seal(&making, 1400);
    expect_flow(&making, PICKET_WIRE_TCP, 0x123401BB, 1420);
    start_ipv6(&making, 17);
    append_udp(&making);
    seal(&making, 1);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 9);
    start_ipv6(&making, 58);
    append(&making, "\x80\0\xAA\xBB", 4);
    seal(&making, 0);
    expect_flow(&making, PICKET_WIRE_ICMP, 0, 4);
}

static void ipv4_options_are_not_payload(void **state)
{
    (void)state;
    for (size_t option_bytes = 0; option_bytes <= 40; option_bytes += 4) {
        struct making making;
        start_ipv4(&making, 17, option_bytes);
        append_udp(&making);
        seal(&making, 32);
        expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 40);
        expect_truncated_up_to(&making, making.size_bytes);
    }
}

static void a_version_other_than_4_and_6_is_malformed(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        struct making making;
        start_ipv4(&making, 17, 0);
        append_udp(&making);
        append(&making, "0123456789012345678901234567890123456789", 40);
        seal(&making, 0);
        making.bytes[0] = (uint8_t)(version << 4 | 5);
        struct picket_packet packet;
        enum picket_packet_verdict verdict =
            parse(&packet, making.bytes, making.size_bytes, unknown);
        if (version != 4 && version != 6)
            assert_int_equal(verdict, PICKET_PACKET_MALFORMED);
        else
            assert_int_not_equal(verdict, PICKET_PACKET_TRUNCATED);
    }
}

static void an_ipv4_header_shorter_than_20_bytes_is_malformed(void **state)
{
    (void)state;
    for (uint8_t words = 0; words < 5; words++) {
        struct making making;
        start_ipv4(&making, 17, 0);
        append_udp(&making);
        seal(&making, 0);
        making.bytes[0] = (uint8_t)(0x40 | words);
        expect(&making, PICKET_PACKET_MALFORMED);
    }
}

static void an_ipv4_length_without_room_for_the_headers_is_malformed(void **state)
{
    (void)state;
    for (uint16_t length = 0; length < 28; length++) { /* 0: segmentation offload */
        struct making making;
        start_ipv4(&making, 17, 0);
        append_udp(&making);
        making.bytes[3] = (uint8_t)length;
        expect(&making, PICKET_PACKET_MALFORMED);
        start_ipv4(&making, 17, 40);
        append_udp(&making);
        making.bytes[3] = (uint8_t)(length + 40);
        expect(&making, PICKET_PACKET_MALFORMED);
    }
}

static void a_declared_length_beyond_the_wire_is_refused_where_the_wire_is_known(void **state)
{
    (void)state;
    struct making making;
    struct picket_packet packet;
    start_ipv4(&making, 17, 0);
    append_udp(&making);
    seal(&making, 10);
    assert_int_equal(parse(&packet, making.bytes, 28, 37), PICKET_PACKET_MALFORMED);
    assert_int_equal(parse(&packet, making.bytes, 28, 38), PICKET_PACKET_COUNTED);
    /* Padding of a short frame does not count. */
    assert_int_equal(parse(&packet, making.bytes, 28, 46), PICKET_PACKET_COUNTED);
    assert_int_equal(packet.payload_bytes, 18);
    start_ipv6(&making, 17);
    append_udp(&making);
    seal(&making, 10);
    assert_int_equal(parse(&packet, making.bytes, 48, 57), PICKET_PACKET_MALFORMED);
    assert_int_equal(parse(&packet, making.bytes, 48, 58), PICKET_PACKET_COUNTED);
    assert_int_equal(packet.payload_bytes, 18);
}

static void headers_that_are_not_all_there_are_truncated_and_not_read(void **state)
{
    (void)state;
    static const struct {
        uint8_t ipv4, ipv6, bytes;
    } transports[] = {{6, 6, 20}, {17, 17, 8}, {1, 58, 4}};
    for (size_t i = 0; i < 3; i++) {
        struct making making;
        start_ipv4(&making, transports[i].ipv4, 0);
        append_tcp(&making);
        seal(&making, 100);
        expect_truncated_up_to(&making, 20u + transports[i].bytes);
        start_ipv6(&making, transports[i].ipv6);
        append_tcp(&making);
        seal(&making, 100);
        expect_truncated_up_to(&making, 40u + transports[i].bytes);
    }
}

static void a_payload_without_room_for_the_transport_header_is_malformed(void **state)
{
    (void)state;
    static const struct {
        uint8_t ipv4, ipv6, bytes;
    } transports[] = {{6, 6, 20}, {17, 17, 8}, {1, 58, 4}};
    for (size_t i = 0; i < 3; i++) {
        for (uint8_t payload = 0; payload <= transports[i].bytes; payload++) {
            enum picket_packet_verdict verdict =
                payload < transports[i].bytes ? PICKET_PACKET_MALFORMED : PICKET_PACKET_COUNTED;
            struct making making;
            start_ipv4(&making, transports[i].ipv4, 0);
            append_tcp(&making);
            making.bytes[3] = (uint8_t)(20 + payload);
            expect(&making, verdict);
            start_ipv6(&making, transports[i].ipv6);
            append_tcp(&making);
            making.bytes[5] = payload;
            expect(&making, verdict);
        }
    }
}

static void a_tcp_data_offset_lies_within_the_payload(void **state)
{
    (void)state;
    for (uint8_t words = 0; words < 16; words++) {
        for (uint32_t more = 0; more <= 44; more += 4) {
            struct making making;
            start_ipv4(&making, 6, 0);
            append_tcp(&making);
            making.bytes[32] = (uint8_t)(words << 4 | 0x0F);
            seal(&making, more);
            bool good = words >= 5 && words * 4u <= 20 + more;
            expect(&making, good ? PICKET_PACKET_COUNTED : PICKET_PACKET_MALFORMED);
        }
    }
}

static void other_protocols_are_not_counted(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 256; number++) {
        struct making making;
        start_ipv4(&making, (uint8_t)number, 0);
        append_tcp(&making);
        seal(&making, 0);
        if (number != 1 && number != 6 && number != 17)
            expect(&making, PICKET_PACKET_OTHER_PROTOCOL);
        start_ipv6(&making, (uint8_t)number);
        append_extension(&making, 59, 7);
        seal(&making, 0);
        if (number != 58 && number != 6 && number != 17)
            expect(&making, PICKET_PACKET_OTHER_PROTOCOL);
    }
}

static void ipv4_fragments_count_the_later_ones_under_ports_0(void **state)
{
    (void)state;
    struct making making;
    start_ipv4(&making, 17, 0);
    append_udp(&making);
    making.bytes[6] = 0x20; /* more fragments, offset 0 */
    seal(&making, 1472);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 1480);
    for (uint16_t offset = 1; offset < 0x2000; offset = (uint16_t)(offset * 2)) {
        start_ipv4(&making, 6, 0);
        making.bytes[6] = (uint8_t)(offset >> 8);
        making.bytes[7] = (uint8_t)offset;
        seal(&making, 3); /* fewer bytes than any transport header */
        expect_flow(&making, PICKET_WIRE_TCP, 0, 3);
    }
    /* Reserved, don't fragment and more fragments are no offset. */
    start_ipv4(&making, 17, 0);
    append_udp(&making);
    making.bytes[6] = 0xE0;
    seal(&making, 0);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 8);
}

static void ipv6_fragments_count_the_later_ones_under_ports_0(void **state)
{
    (void)state;
    struct making making;
    start_ipv6(&making, 44);
    append_fragment(&making, 17, 0, true);
    append_udp(&making);
    seal(&making, 1000);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 1008);
    start_ipv6(&making, 44); /* atomic */
    append_fragment(&making, 17, 0, false);
    append_udp(&making);
    seal(&making, 0);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 8);
    start_ipv6(&making, 44);
    append_fragment(&making, 58, 1, false);
    seal(&making, 1);
    expect_flow(&making, PICKET_WIRE_ICMP, 0, 1);
    start_ipv6(&making, 44);
    append_fragment(&making, 60, 185, true); /* an extension header in a later fragment is data */
    seal(&making, 100);
    expect(&making, PICKET_PACKET_OTHER_PROTOCOL);
}

static void ipv6_extension_headers_are_not_payload(void **state)
{
    (void)state;
    struct making making;
    start_ipv6(&making, 0);
    append_extension(&making, 60, 0);
    append_extension(&making, 43, 3);
    append_extension(&making, 44, 2);
    append_fragment(&making, 6, 0, false);
    append_tcp(&making);
    seal(&making, 80);
    expect_flow(&making, PICKET_WIRE_TCP, 0x123401BB, 100);
    expect_truncated_up_to(&making, making.size_bytes);
    start_ipv6(&making, 51);
    append_authentication(&making, 60, 4);
    append_extension(&making, 17, 255);
    append_udp(&making);
    seal(&making, 80);
    expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 88);
    expect_truncated_up_to(&making, making.size_bytes);
}

static void hop_by_hop_options_stand_directly_after_the_ipv6_header_only(void **state)
{
    (void)state;
    struct making making;
    start_ipv6(&making, 60);
    append_extension(&making, 0, 0);
    append_extension(&making, 17, 0);
    append_udp(&making);
    seal(&making, 0);
    expect(&making, PICKET_PACKET_OTHER_PROTOCOL);
}

static void an_extension_header_beyond_the_declared_end_is_malformed(void **state)
{
    (void)state;
    for (uint8_t payload = 1; payload < 24; payload++) {
        struct making making;
        start_ipv6(&making, 60);
        append_extension(&making, 17, 1);
        append_udp(&making);
        making.bytes[5] = payload;
        expect(&making, PICKET_PACKET_MALFORMED);
    }
    struct making making;
    start_ipv6(&making, 44);
    append_fragment(&making, 17, 9, true);
    making.bytes[5] = 7;
    expect(&making, PICKET_PACKET_MALFORMED);
    start_ipv6(&making, 51);
    append_authentication(&making, 17, 255);
    seal(&making, 0);
    making.bytes[4] = 0;
    making.bytes[5] = 100;
    expect(&making, PICKET_PACKET_MALFORMED);
}

static void a_jumbogram_is_malformed(void **state)
{
    (void)state;
    struct making making;
    start_ipv6(&making, 0);
    append_extension(&making, 17, 0);
    append_udp(&making);
    expect(&making, PICKET_PACKET_MALFORMED);
}

static void a_chain_of_extension_headers_is_walked_up_to_a_bound(void **state)
{
    (void)state;
    for (unsigned headers = 0; headers < 40; headers++) {
        struct making making;
        start_ipv6(&making, headers > 0 ? 60 : 17);
        for (unsigned i = 1; i <= headers; i++)
            append_extension(&making, i < headers ? 60 : 17, 0);
        append_udp(&making);
        seal(&making, 0);
        if (headers <= PICKET_AGENT_EXTENSION_HEADERS_MAX)
            expect_flow(&making, PICKET_WIRE_UDP, 0x123401BB, 8);
        else
            expect(&making, PICKET_PACKET_HEADER_CHAIN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_udp_and_icmp_over_ipv4_are_counted_with_their_payload),
        cmocka_unit_test(tcp_udp_and_icmp_over_ipv6_are_counted_with_their_payload),
        cmocka_unit_test(ipv4_options_are_not_payload),
        cmocka_unit_test(a_version_other_than_4_and_6_is_malformed),
        cmocka_unit_test(an_ipv4_header_shorter_than_20_bytes_is_malformed),
        cmocka_unit_test(an_ipv4_length_without_room_for_the_headers_is_malformed),
        cmocka_unit_test(a_declared_length_beyond_the_wire_is_refused_where_the_wire_is_known),
        cmocka_unit_test(headers_that_are_not_all_there_are_truncated_and_not_read),
        cmocka_unit_test(a_payload_without_room_for_the_transport_header_is_malformed),
        cmocka_unit_test(a_tcp_data_offset_lies_within_the_payload),
        cmocka_unit_test(other_protocols_are_not_counted),
        cmocka_unit_test(ipv4_fragments_count_the_later_ones_under_ports_0),
        cmocka_unit_test(ipv6_fragments_count_the_later_ones_under_ports_0),
        cmocka_unit_test(ipv6_extension_headers_are_not_payload),
        cmocka_unit_test(hop_by_hop_options_stand_directly_after_the_ipv6_header_only),
        cmocka_unit_test(an_extension_header_beyond_the_declared_end_is_malformed),
        cmocka_unit_test(a_jumbogram_is_malformed),
        cmocka_unit_test(a_chain_of_extension_headers_is_walked_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
