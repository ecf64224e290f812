#include "testing.h"

#include "pcapng.h"

/* A file under construction, in either byte order. */
static struct {
    uint8_t bytes[4096];
    size_t size;
    bool big_endian;
    size_t block; /* where the block under construction begins */
} made;

static void put(uint64_t value, unsigned size_bytes)
{
    for (unsigned i = 0; i < size_bytes; i++)
        made.bytes[made.size++] =
            (uint8_t)(value >> 8 * (made.big_endian ? size_bytes - 1 - i : i));
}

static void begin_block(uint32_t type)
{
    made.block = made.size;
    put(type, 4);
    put(0, 4);
}

static void end_block(void)
{
    while (made.size % 4 != 0)
        put(0, 1);
    size_t end = made.size + 4, length = end - made.block;
    put(length, 4);
    made.size = made.block + 4;
    put(length, 4);
    made.size = end;
}

static void section(bool big_endian)
{
    made.big_endian = big_endian;
    begin_block(0x0a0d0d0a);
    put(0x1a2b3c4d, 4);
    put(1, 2);
    put(0, 2);
    put(UINT64_MAX, 8);
    end_block();
}

static void begin_interface(uint16_t link, uint32_t snapshot_bytes)
{
    begin_block(1);
    put(link, 2);
    put(0, 2);
    put(snapshot_bytes, 4);
}

static void interface(uint16_t link)
{
    begin_interface(link, 0);
    end_block();
}

static void enhanced_packet(uint32_t interface_id, uint64_t units, const char *data,
                            uint32_t captured_bytes, uint32_t wire_bytes)
{
    begin_block(6);
    put(interface_id, 4);
    put(units >> 32, 4);
    put(units & 0xffffffff, 4);
    put(captured_bytes, 4);
    put(wire_bytes, 4);
    for (size_t i = 0; i < strlen(data); i++)
        put((uint8_t)data[i], 1);
    end_block();
}

static FILE *stream;
static struct pcapng *reader;
static struct captured_frame frame;
static struct picket_error error;

static void open_made(void)
{
    stream = fmemopen(made.bytes, made.size, "rb");
    assert_non_null(stream);
    reader = pcapng_open(stream);
    assert_non_null(reader);
}

static int start(void **state)
{
    (void)state;
    memset(&made, 0, sizeof made);
    memset(&error, 0, sizeof error);
    return 0;
}

static int end(void **state)
{
    (void)state;
    pcapng_close(reader);
    fclose(stream);
    return 0;
}

static void expect_frame(int link, const char *data, uint32_t wire_bytes, int64_t time_s)
{
    int got = pcapng_next(reader, &frame, &error);
    if (got != 1)
        fail_msg("%d: %s", got, error.text);
    assert_int_equal(frame.link, link);
    assert_int_equal(frame.captured_bytes, strlen(data));
    assert_memory_equal(frame.bytes, data, strlen(data));
    assert_int_equal(frame.wire_bytes, wire_bytes);
    assert_int_equal(frame.has_time, time_s >= 0);
    if (time_s >= 0)
        assert_int_equal(frame.time_s, time_s);
}

static void expect_error(const char *text)
{
    int got;
    while ((got = pcapng_next(reader, &frame, &error)) == 1)
        continue;
    assert_int_equal(got, PICKET_INVALID);
    if (strstr(error.text, text) == NULL)
        fail_msg("'%s' does not say '%s'", error.text, text);
}

static void packets_of_interfaces_with_different_link_layers_are_read(void **state)
{
    (void)state;
    section(false);
    interface(1);
    interface(113);
    enhanced_packet(1, 7000000, "cooked", 6, 60);
    enhanced_packet(0, 8999999, "ether", 5, 5);
    open_made();
    expect_frame(113, "cooked", 60, 7);
    expect_frame(1, "ether", 5, 8);
    assert_int_equal(pcapng_next(reader, &frame, &error), 0);
}

static void a_section_has_its_own_byte_order_and_interfaces(void **state)
{
    (void)state;
    section(true);
    interface(1);
    enhanced_packet(0, UINT64_C(5000000000) * 1000000, "big", 3, 4);
    section(false);
    interface(101);
    enhanced_packet(0, 1000000, "little", 6, 6);
    enhanced_packet(1, 1000000, "gone", 4, 4);
    open_made();
    expect_frame(1, "big", 4, INT64_C(5000000000));
    expect_frame(101, "little", 6, 1);
    expect_error("an interface that is not described");
}

static void times_follow_resolution_and_offset(void **state)
{
    (void)state;
    section(true);
    begin_interface(1, 0);
    put(9, 2), put(1, 2), put(9, 1), put(0, 3);
    put(14, 2), put(8, 2), put(100, 8);
    put(0, 4);
    end_block();
    begin_interface(1, 0);
    put(9, 2), put(1, 2), put(0x80 | 10, 1), put(0, 3);
    end_block();
    enhanced_packet(0, 3999999999, "ns", 2, 2);
    enhanced_packet(1, 5 * 1024 + 1, "2^-10", 5, 5);
    open_made();
    expect_frame(1, "ns", 2, 103);
    expect_frame(1, "2^-10", 5, 5);
}

static void simple_and_obsolete_packets_and_unknown_blocks_are_read(void **state)
{
    (void)state;
    section(false);
    begin_interface(1, 4);
    end_block();
    begin_block(0x0bad);
    put(1, 4);
    end_block();
    begin_block(3);
    put(9, 4);
    put(0x64636261, 4);
    end_block();
    begin_block(2);
    put(0, 2), put(0, 2), put(0, 4), put(2000000, 4), put(4, 4), put(4, 4), put(0x68676665, 4);
    end_block();
    open_made();
    expect_frame(1, "abcd", 9, -1);
    expect_frame(1, "efgh", 4, 2);
    assert_int_equal(pcapng_next(reader, &frame, &error), 0);
}

static void a_cut_file_says_where(void **state)
{
    (void)state;
    section(false);
    interface(1);
    enhanced_packet(0, 0, "whole", 5, 5);
    size_t whole = made.size;
    enhanced_packet(0, 0, "partly", 6, 6);
    made.size -= 5;
    open_made();
    expect_frame(1, "whole", 5, 0);
    expect_error("the file ends within the block");
    char position[32];
    snprintf(position, sizeof position, "byte %zu:", whole);
    assert_non_null(strstr(error.text, position));
}

static void a_packet_longer_than_its_block_is_refused(void **state)
{
    (void)state;
    section(false);
    interface(1);
    enhanced_packet(0, 0, "four", 9, 9);
    open_made();
    expect_error("longer than its block");
}

static void lengths_that_contradict_are_refused(void **state)
{
    (void)state;
    section(false);
    interface(1);
    made.bytes[made.size - 4]++;
    open_made();
    expect_error("two lengths differ");
}

static void a_huge_block_takes_no_memory(void **state)
{
    (void)state;
    section(false);
    begin_block(6);
    put(0, 4);
    made.bytes[made.block + 7] = 0x7f;
    open_made();
    expect_error("its length");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_of_interfaces_with_different_link_layers_are_read,
                                        start, end),
        cmocka_unit_test_setup_teardown(a_section_has_its_own_byte_order_and_interfaces, start,
                                        end),
        cmocka_unit_test_setup_teardown(times_follow_resolution_and_offset, start, end),
        cmocka_unit_test_setup_teardown(simple_and_obsolete_packets_and_unknown_blocks_are_read,
                                        start, end),
        cmocka_unit_test_setup_teardown(a_cut_file_says_where, start, end),
        cmocka_unit_test_setup_teardown(a_packet_longer_than_its_block_is_refused, start, end),
        cmocka_unit_test_setup_teardown(lengths_that_contradict_are_refused, start, end),
        cmocka_unit_test_setup_teardown(a_huge_block_takes_no_memory, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
