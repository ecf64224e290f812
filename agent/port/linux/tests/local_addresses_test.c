#include "testing.h"

#include "local_addresses.h"

static struct local_addresses local;

static void start(const char *const *prefixes)
{
    memset(&local, 0, sizeof local);
    for (; *prefixes != NULL; prefixes++)
        assert_int_equal(local_addresses_add(&local, *prefixes, NULL), PICKET_OK);
}

/* Of an IP header with these ends. */
static enum traffic between(const char *source, const char *destination)
{
    uint8_t header[40] = {0};
    struct picket_address from, to;
    assert_true(picket_address_parse(&from, source, strlen(source)));
    assert_true(picket_address_parse(&to, destination, strlen(destination)));
    struct ip_packet packet = {.bytes = header, .version = from.family};
    if (from.family == 4) {
        packet.captured_bytes = 20;
        memcpy(header + 12, from.bytes, 4);
        memcpy(header + 16, to.bytes, 4);
    } else {
        packet.captured_bytes = 40;
        memcpy(header + 8, from.bytes, 16);
        memcpy(header + 24, to.bytes, 16);
    }
    return local_addresses_classify(&local, &packet);
}

static void direction_follows_from_the_local_end(void **state)
{
    (void)state;
    start((const char *[]){"192.168.1.20", "2001:db8:1::/48", NULL});
    assert_int_equal(between("192.168.1.20", "8.8.8.8"), TRAFFIC_OUT);
    assert_int_equal(between("8.8.8.8", "192.168.1.20"), TRAFFIC_IN);
    assert_int_equal(between("8.8.8.8", "192.168.1.21"), TRAFFIC_FOREIGN);
    assert_int_equal(between("2001:db8:1:2::3", "2001:db8:2::1"), TRAFFIC_OUT);
    assert_int_equal(between("2001:db8:2::1", "2001:db8:1::"), TRAFFIC_IN);
    assert_int_equal(between("2001:db8:2::1", "2001:db8:3::1"), TRAFFIC_FOREIGN);
}

static void a_packet_between_two_local_addresses_is_sent_by_its_source(void **state)
{
    (void)state;
    start((const char *[]){"0.0.0.0/0", "::/0", NULL});
    assert_int_equal(between("10.0.0.1", "10.0.0.2"), TRAFFIC_OUT);
    assert_int_equal(between("10.0.0.1", "224.0.0.251"), TRAFFIC_OUT);
    assert_int_equal(between("fe80::1", "ff02::1"), TRAFFIC_OUT);
}

static void what_others_send_to_a_group_is_told_apart(void **state)
{
    (void)state;
    start((const char *[]){"192.168.1.20", "fe80::1", NULL});
    assert_int_equal(between("192.168.1.9", "224.0.0.251"), TRAFFIC_GROUP);
    assert_int_equal(between("192.168.1.9", "255.255.255.255"), TRAFFIC_GROUP);
    assert_int_equal(between("192.168.1.9", "192.168.1.255"), TRAFFIC_FOREIGN);
    local.broadcasts[0] = picket_address_ipv4((const uint8_t[]){192, 168, 1, 255});
    local.broadcast_count = 1;
    assert_int_equal(between("192.168.1.9", "192.168.1.255"), TRAFFIC_GROUP);
    assert_int_equal(between("192.168.1.20", "192.168.1.255"), TRAFFIC_OUT);
    assert_int_equal(between("fe80::2", "ff02::fb"), TRAFFIC_GROUP);
}

static void a_cut_header_has_no_direction(void **state)
{
    (void)state;
    uint8_t header[40] = {0x45};
    struct ip_packet packet = {.bytes = header, .captured_bytes = 19, .version = 4};
    start((const char *[]){"0.0.0.0/0", NULL});
    assert_int_equal(local_addresses_classify(&local, &packet), TRAFFIC_UNKNOWN);
    packet.version = 6;
    packet.captured_bytes = 39;
    assert_int_equal(local_addresses_classify(&local, &packet), TRAFFIC_UNKNOWN);
}

static void text_that_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     "10.0.0",  "10.0.0.1/33", "10.0.0.0/",
                                        "eth0", "::1/129", NULL};
    memset(&local, 0, sizeof local);
    for (const char *const *text = wrong; *text != NULL; text++) {
        struct picket_error error;
        assert_int_equal(local_addresses_add(&local, *text, &error), PICKET_INVALID);
        assert_non_null(strstr(error.text, "expected"));
    }
    assert_int_equal(local.prefix_count, 0);
}

static void this_machines_addresses_are_read(void **state)
{
    (void)state;
    bool changed = true;
    memset(&local, 0, sizeof local);
    assert_int_equal(local_addresses_read_interfaces(&local, NULL, NULL), PICKET_OK);
    assert_int_equal(local_addresses_read_interfaces(&local, &changed, NULL), PICKET_OK);
    assert_false(changed);
    if (local.own_count == 0)
        skip();
    assert_int_equal(between("127.0.0.1", "127.1.2.3"), TRAFFIC_OUT);
    assert_int_equal(between("127.1.2.3", "127.0.0.1"), TRAFFIC_IN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direction_follows_from_the_local_end),
        cmocka_unit_test(a_packet_between_two_local_addresses_is_sent_by_its_source),
        cmocka_unit_test(what_others_send_to_a_group_is_told_apart),
        cmocka_unit_test(a_cut_header_has_no_direction),
        cmocka_unit_test(text_that_is_no_address_is_refused),
        cmocka_unit_test(this_machines_addresses_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
