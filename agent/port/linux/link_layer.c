#include "link_layer.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_SERVICE_VLAN = 0x88a8,
    ETHERTYPE_OLD_QINQ_1 = 0x9100,
    ETHERTYPE_OLD_QINQ_2 = 0x9200,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE_SESSION = 0x8864,
    ETHERTYPE_MIN = 0x0600, /* below, the field is an 802.3 length */
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    SLL_LLC = 0x0004 /* Linux' own "protocol" for an 802.2 frame in a cooked capture */
};

/* Where we are in the frame. left_wire shrinks with left, so that it ends as the IP packet's. */
struct cursor {
    const uint8_t *at;
    size_t left;
    uint32_t left_wire;
    uint16_t vlan;
};

static uint16_t big16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool skip(struct cursor *cursor, size_t size_bytes)
{
    if (cursor->left < size_bytes)
        return false;
    cursor->at += size_bytes;
    cursor->left -= size_bytes;
    cursor->left_wire -= (uint32_t)size_bytes;
    return true;
}

/* version 0: whichever the header says. */
static enum link_verdict at_ip(const struct cursor *cursor, unsigned version,
                               struct ip_packet *packet)
{
    if (cursor->left == 0)
        return LINK_TRUNCATED;
    unsigned found = cursor->at[0] >> 4;
    if (version == 0 ? found != 4 && found != 6 : found != version)
        return LINK_CONTRADICTS;
    packet->bytes = cursor->at;
    packet->captured_bytes = cursor->left;
    packet->wire_bytes = cursor->left_wire;
    packet->version = (uint8_t)found;
    packet->vlan = cursor->vlan;
    return LINK_IP;
}

static enum link_verdict at_mpls(struct cursor *cursor, struct ip_packet *packet)
{
    bool bottom = false;
    while (!bottom) {
        if (cursor->left < 4)
            return LINK_TRUNCATED;
        bottom = cursor->at[2] & 1;
        skip(cursor, 4);
    }
    /* Labels do not say what they carry. What does not begin like IP is a pseudowire or the like.
     */
    enum link_verdict verdict = at_ip(cursor, 0, packet);
    return verdict == LINK_CONTRADICTS ? LINK_NOT_IP : verdict;
}

static enum link_verdict at_ppp_protocol(struct cursor *cursor, struct ip_packet *packet)
{
    if (cursor->left < 2)
        return LINK_TRUNCATED;
    uint16_t protocol = big16(cursor->at);
    skip(cursor, 2);
    switch (protocol) {
    case PPP_IPV4:
        return at_ip(cursor, 4, packet);
    case PPP_IPV6:
        return at_ip(cursor, 6, packet);
    default:
        return LINK_NOT_IP;
    }
}

static enum link_verdict at_ppp(struct cursor *cursor, struct ip_packet *packet)
{
    /* Address and control field of HDLC-like framing; may be left out. */
    if (cursor->left >= 2 && cursor->at[0] == 0xff && cursor->at[1] == 0x03)
        skip(cursor, 2);
    return at_ppp_protocol(cursor, packet);
}

static enum link_verdict at_pppoe(struct cursor *cursor, struct ip_packet *packet)
{
    enum { SESSION_DATA = 0 };
    if (cursor->left < 6)
        return LINK_TRUNCATED;
    if (cursor->at[0] != 0x11 || cursor->at[1] != SESSION_DATA)
        return LINK_NOT_IP;
    skip(cursor, 6);
    return at_ppp_protocol(cursor, packet);
}

/* Behind an EtherType. Tags in front of the packet are taken off one by one: each costs at least
 * two bytes of the frame, which bounds the loop. */
static enum link_verdict at_ethertype(struct cursor *cursor, uint16_t type,
                                      struct ip_packet *packet)
{
    for (;;) {
        switch (type) {
        case ETHERTYPE_IPV4:
            return at_ip(cursor, 4, packet);
        case ETHERTYPE_IPV6:
            return at_ip(cursor, 6, packet);
        case ETHERTYPE_MPLS:
        case ETHERTYPE_MPLS_MULTICAST:
            return at_mpls(cursor, packet);
        case ETHERTYPE_PPPOE_SESSION:
            return at_pppoe(cursor, packet);
        case ETHERTYPE_VLAN:
        case ETHERTYPE_SERVICE_VLAN:
        case ETHERTYPE_OLD_QINQ_1:
        case ETHERTYPE_OLD_QINQ_2:
            if (cursor->left < 4)
                return LINK_TRUNCATED;
            cursor->vlan = big16(cursor->at) & 0x0fff;
            type = big16(cursor->at + 2);
            skip(cursor, 4);
            break;
        default:
            if (type >= ETHERTYPE_MIN)
                return LINK_NOT_IP;
            /* 802.3: the length, then LLC; SNAP with the zero organisation holds an EtherType. */
            if (cursor->left < 8)
                return cursor->left >= 1 && cursor->at[0] != 0xaa ? LINK_NOT_IP : LINK_TRUNCATED;
            if (cursor->at[0] != 0xaa || cursor->at[1] != 0xaa || cursor->at[2] != 0x03 ||
                cursor->at[3] != 0 || cursor->at[4] != 0 || cursor->at[5] != 0)
                return LINK_NOT_IP;
            type = big16(cursor->at + 6);
            skip(cursor, 8);
            if (type < ETHERTYPE_MIN)
                return LINK_NOT_IP;
        }
    }
}

static enum link_verdict at_ethernet(struct cursor *cursor, struct ip_packet *packet)
{
    if (cursor->left < 14)
        return LINK_TRUNCATED;
    uint16_t type = big16(cursor->at + 12);
    skip(cursor, 14);
    return at_ethertype(cursor, type, packet);
}

/* A protocol family in the byte order of the machine that captured, which the file does not tell:
 * families are small numbers, so either order is recognised. IPv6 differs from system to system. */
static enum link_verdict at_family(struct cursor *cursor, struct ip_packet *packet)
{
    if (cursor->left < 4)
        return LINK_TRUNCATED;
    const uint8_t *f = cursor->at;
    uint32_t big = (uint32_t)f[0] << 24 | (uint32_t)f[1] << 16 | (uint32_t)f[2] << 8 | f[3];
    uint32_t little = (uint32_t)f[3] << 24 | (uint32_t)f[2] << 16 | (uint32_t)f[1] << 8 | f[0];
    uint32_t family = big < little ? big : little;
    skip(cursor, 4);
    switch (family) {
    case 2:
        return at_ip(cursor, 4, packet);
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return at_ip(cursor, 6, packet);
    default:
        return LINK_NOT_IP;
    }
}

/* hardware: of the interface that the packet was seen on; on some the protocol field is not an
 * EtherType. */
static enum link_verdict at_cooked(struct cursor *cursor, uint16_t hardware, uint16_t protocol,
                                   size_t header_bytes, struct ip_packet *packet)
{
    enum {
        HARDWARE_NETLINK = 824,
        HARDWARE_GRE = 778,
        HARDWARE_RADIOTAP = 803,
        HARDWARE_FRAD = 770
    };
    if (hardware == HARDWARE_NETLINK || hardware == HARDWARE_GRE || hardware == HARDWARE_RADIOTAP ||
        hardware == HARDWARE_FRAD)
        return LINK_NOT_IP;
    skip(cursor, header_bytes);
    if (protocol < ETHERTYPE_MIN && protocol != SLL_LLC)
        return LINK_NOT_IP;
    return at_ethertype(cursor, protocol, packet);
}

static enum link_verdict at_sll(struct cursor *cursor, struct ip_packet *packet)
{
    enum { HEADER_BYTES = 16 };
    if (cursor->left < HEADER_BYTES)
        return LINK_TRUNCATED;
    return at_cooked(cursor, big16(cursor->at + 2), big16(cursor->at + 14), HEADER_BYTES, packet);
}

static enum link_verdict at_sll2(struct cursor *cursor, struct ip_packet *packet)
{
    enum { HEADER_BYTES = 20 };
    if (cursor->left < HEADER_BYTES)
        return LINK_TRUNCATED;
    return at_cooked(cursor, big16(cursor->at + 8), big16(cursor->at), HEADER_BYTES, packet);
}

enum link_verdict link_layer_find_ip(int link, const uint8_t *frame, size_t captured_bytes,
                                     uint32_t wire_bytes, struct ip_packet *packet)
{
    if (captured_bytes > UINT32_MAX)
        captured_bytes = UINT32_MAX;
    if (wire_bytes < captured_bytes)
        wire_bytes = (uint32_t)captured_bytes;
    struct cursor cursor = {frame, captured_bytes, wire_bytes, 0};
    switch (link) {
    case LINK_ETHERNET:
        return at_ethernet(&cursor, packet);
    case LINK_RAW:
        return at_ip(&cursor, 0, packet);
    case LINK_IPV4:
        return at_ip(&cursor, 4, packet);
    case LINK_IPV6:
        return at_ip(&cursor, 6, packet);
    case LINK_NULL:
    case LINK_LOOP:
        return at_family(&cursor, packet);
    case LINK_LINUX_SLL:
        return at_sll(&cursor, packet);
    case LINK_LINUX_SLL2:
        return at_sll2(&cursor, packet);
    case LINK_PPP:
        return at_ppp(&cursor, packet);
    default:
        return LINK_UNKNOWN;
    }
}

bool link_layer_is_known(int link)
{
    struct ip_packet packet;
    return link_layer_find_ip(link, NULL, 0, 0, &packet) != LINK_UNKNOWN;
}

int link_layer_of_pcap(int dlt)
{
    /* Of those decoded here only bare IP has another number in libpcap (12, on OpenBSD 14). */
    enum { DLT_RAW_HERE = 12 };
    return dlt == DLT_RAW_HERE ? LINK_RAW : dlt;
}
