#include "testing.h"

#include "link_layer.h"

/* A frame of bytes in hexadecimal; exactly as large, so that the sanitizer sees a read past its
 * end. */
struct frame {
    uint8_t *bytes;
    size_t size;
};

static struct frame frame_of(const char *hex)
{
    struct frame frame = {malloc(strlen(hex) / 2 + 1), 0};
    uint8_t *bytes = frame.bytes;
    for (; *hex != '\0'; hex++) {
        unsigned byte;
        if (*hex == ' ')
            continue;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        bytes[frame.size++] = (uint8_t)byte;
        hex++;
    }
    frame.bytes = realloc(bytes, frame.size > 0 ? frame.size : 1);
    return frame;
}

static enum link_verdict find(int link, const char *hex, size_t *offset, uint16_t *vlan)
{
    struct ip_packet packet = {0};
    struct frame frame = frame_of(hex);
    enum link_verdict verdict =
        link_layer_find_ip(link, frame.bytes, frame.size, (uint32_t)frame.size, &packet);
    if (verdict == LINK_IP) {
        *offset = (size_t)(packet.bytes - frame.bytes);
        *vlan = packet.vlan;
        assert_int_equal(packet.captured_bytes, frame.size - *offset);
        assert_int_equal(packet.wire_bytes, frame.size - *offset);
    }
    free(frame.bytes);
    return verdict;
}

#define MACS "020000000001 020000000002 "
#define V4   "45000014"
#define V6   "60000000"

static const struct {
    const char *what;
    int link;
    const char *hex;
    enum link_verdict verdict;
    size_t offset;
    uint16_t vlan;
} cases[] = {
    {"Ethernet, IPv4", LINK_ETHERNET, MACS "0800" V4, LINK_IP, 14, 0},
    {"Ethernet, IPv6", LINK_ETHERNET, MACS "86dd" V6, LINK_IP, 14, 0},
    {"Ethernet, ARP", LINK_ETHERNET, MACS "0806" V4, LINK_NOT_IP, 0, 0},
    {"the version contradicts", LINK_ETHERNET, MACS "0800" V6, LINK_CONTRADICTS, 0, 0},
    {"Ethernet without a byte of IP", LINK_ETHERNET, MACS "0800", LINK_TRUNCATED, 0, 0},
    {"a cut Ethernet header", LINK_ETHERNET, MACS "08", LINK_TRUNCATED, 0, 0},
    {"an empty frame", LINK_ETHERNET, "", LINK_TRUNCATED, 0, 0},
    {"VLAN", LINK_ETHERNET, MACS "8100 a00a 0800" V4, LINK_IP, 18, 10},
    {"priority tag, VLAN 0", LINK_ETHERNET, MACS "8100 e000 0800" V4, LINK_IP, 18, 0},
    {"three tags of all kinds", LINK_ETHERNET,
     MACS "88a8 0001 9100 0002 9200 0003 8100 0004 86dd" V6, LINK_IP, 30, 4},
    {"a cut tag", LINK_ETHERNET, MACS "8100 0a", LINK_TRUNCATED, 0, 0},
    {"MPLS, two labels", LINK_ETHERNET, MACS "8847 00001040 00002140" V4, LINK_IP, 22, 0},
    {"MPLS that never ends", LINK_ETHERNET, MACS "8847 00001040 00002040", LINK_TRUNCATED, 0, 0},
    {"MPLS with a pseudowire", LINK_ETHERNET, MACS "8847 00001140 00000000", LINK_NOT_IP, 0, 0},
    {"PPPoE session", LINK_ETHERNET, MACS "8864 1100 0001 0006 0021" V4, LINK_IP, 22, 0},
    {"PPPoE session, IPv6", LINK_ETHERNET, MACS "8864 1100 0001 0006 0057" V6, LINK_IP, 22, 0},
    {"PPPoE session, LCP", LINK_ETHERNET, MACS "8864 1100 0001 0006 c021" V4, LINK_NOT_IP, 0, 0},
    {"PPPoE discovery", LINK_ETHERNET, MACS "8863 1109 0000 0000 0101" V4, LINK_NOT_IP, 0, 0},
    {"SNAP", LINK_ETHERNET, MACS "000c aaaa03 000000 0800" V4, LINK_IP, 22, 0},
    {"SNAP of an organisation", LINK_ETHERNET, MACS "000c aaaa03 00000c 2000" V4, LINK_NOT_IP, 0,
     0},
    {"spanning tree", LINK_ETHERNET, MACS "0026 424203 000000000000", LINK_NOT_IP, 0, 0},
    {"SNAP whose type is a length", LINK_ETHERNET,
     MACS "000c aaaa03 000000 0004 aaaa03 000000 0800" V4, LINK_NOT_IP, 0, 0},
    {"raw IPv4", LINK_RAW, V4, LINK_IP, 0, 0},
    {"raw IPv6", LINK_RAW, V6, LINK_IP, 0, 0},
    {"raw nothing", LINK_RAW, "00000000", LINK_CONTRADICTS, 0, 0},
    {"IPv4 link with IPv6", LINK_IPV4, V6, LINK_CONTRADICTS, 0, 0},
    {"IPv6 link", LINK_IPV6, V6, LINK_IP, 0, 0},
    {"loopback, little-endian", LINK_NULL, "02000000" V4, LINK_IP, 4, 0},
    {"loopback, big-endian", LINK_NULL, "00000002" V4, LINK_IP, 4, 0},
    {"loopback, Darwin's IPv6", LINK_NULL, "1e000000" V6, LINK_IP, 4, 0},
    {"loopback, FreeBSD's IPv6", LINK_LOOP, "0000001c" V6, LINK_IP, 4, 0},
    {"loopback, an EtherType where the family belongs", LINK_NULL, "0f000800" V4, LINK_NOT_IP, 0,
     0},
    {"cooked", LINK_LINUX_SLL, "0000 0001 0006 0200000000010000 0800" V4, LINK_IP, 16, 0},
    {"cooked, VLAN", LINK_LINUX_SLL, "0000 0001 0006 0200000000010000 8100 0007 0800" V4, LINK_IP,
     20, 7},
    {"cooked, netlink", LINK_LINUX_SLL, "0000 0338 0006 0200000000010000 0800" V4, LINK_NOT_IP, 0,
     0},
    {"cooked, CAN", LINK_LINUX_SLL, "0000 0001 0006 0200000000010000 000c" V4, LINK_NOT_IP, 0, 0},
    {"cooked, cut", LINK_LINUX_SLL, "0000 0001 0006 0200000000010000 08", LINK_TRUNCATED, 0, 0},
    {"cooked 2", LINK_LINUX_SLL2, "86dd 0000 00000002 0001 00 06 0200000000010000" V6, LINK_IP, 20,
     0},
    {"PPP with address and control", LINK_PPP, "ff03 0021" V4, LINK_IP, 4, 0},
    {"PPP without", LINK_PPP, "0057" V6, LINK_IP, 2, 0},
    {"PPP, LCP", LINK_PPP, "ff03 c021 0101", LINK_NOT_IP, 0, 0},
    {"IEEE 802.11", 105, "0800" V4, LINK_UNKNOWN, 0, 0},
};

static void the_ip_packet_is_found_behind_each_link_layer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t offset = 0;
        uint16_t vlan = 0;
        enum link_verdict verdict = find(cases[i].link, cases[i].hex, &offset, &vlan);
        if (verdict != cases[i].verdict || offset != cases[i].offset || vlan != cases[i].vlan)
            fail_msg("%s: verdict %d, offset %zu, VLAN %u; expected %d, %zu, %u", cases[i].what,
                     verdict, offset, vlan, cases[i].verdict, cases[i].offset, cases[i].vlan);
    }
}

static void no_prefix_of_a_frame_is_read_past_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct frame whole = frame_of(cases[i].hex);
        for (size_t size = 0; size < whole.size; size++) {
            struct ip_packet packet;
            uint8_t *cut = malloc(size > 0 ? size : 1);
            memcpy(cut, whole.bytes, size);
            enum link_verdict verdict =
                link_layer_find_ip(cases[i].link, cut, size, (uint32_t)whole.size, &packet);
            assert_true(verdict != LINK_IP || packet.captured_bytes >= 1);
            free(cut);
        }
        free(whole.bytes);
    }
}

static void the_wire_length_is_that_of_the_ip_packet(void **state)
{
    (void)state;
    struct ip_packet packet;
    struct frame frame = frame_of(MACS "8100 000a 0800" V4);
    assert_int_equal(link_layer_find_ip(LINK_ETHERNET, frame.bytes, frame.size, 1518, &packet),
                     LINK_IP);
    assert_int_equal(packet.wire_bytes, 1500);
    /* A file may claim less than it holds. */
    assert_int_equal(link_layer_find_ip(LINK_ETHERNET, frame.bytes, frame.size, 3, &packet),
                     LINK_IP);
    assert_int_equal(packet.wire_bytes, 4);
    free(frame.bytes);
}

static void libpcaps_number_of_bare_ip_is_translated(void **state)
{
    (void)state;
    assert_int_equal(link_layer_of_pcap(12), LINK_RAW);
    assert_int_equal(link_layer_of_pcap(1), LINK_ETHERNET);
    assert_true(link_layer_is_known(link_layer_of_pcap(12)));
    assert_false(link_layer_is_known(127));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ip_packet_is_found_behind_each_link_layer),
        cmocka_unit_test(no_prefix_of_a_frame_is_read_past_its_end),
        cmocka_unit_test(the_wire_length_is_that_of_the_ip_packet),
        cmocka_unit_test(libpcaps_number_of_bare_ip_is_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
