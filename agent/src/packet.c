#include "packet.h"

enum picket_packet_verdict picket_packet_parse_ipv4_options(struct picket_packet *packet,
                                                            const uint8_t *bytes,
                                                            size_t captured_bytes,
                                                            uint32_t wire_bytes)
{
    uint32_t at = (uint32_t)(bytes[0] & 0x0F) * 4;
    memset(packet, 0, sizeof *packet);
    if (at < PICKET_IPV4_HEADER_BYTES)
        return PICKET_PACKET_MALFORMED;
    return picket_parse_ipv4_header(packet, bytes, captured_bytes, wire_bytes, at);
}

/* Where a walk over IPv6 extension headers stands. */
struct walk {
    uint32_t at;    /* offset of the header that is next */
    uint8_t number; /* of the header that is next */
    bool later_fragment;
};

static bool is_extension(const struct walk *walk)
{
    switch (walk->number) {
    case PICKET_NUMBER_HOP_BY_HOP:
        return walk->at == PICKET_IPV6_HEADER_BYTES;
    case PICKET_NUMBER_ROUTING:
    case PICKET_NUMBER_FRAGMENT:
    case PICKET_NUMBER_AUTHENTICATION:
    case PICKET_NUMBER_DESTINATION_OPTIONS:
        return true;
    default:
        return false;
    }
}

/* Steps over the extension header at walk->at, of which PICKET_EXTENSION_BYTES_MIN are at hand. */
static void step_over(struct walk *walk, const uint8_t *bytes)
{
    const uint8_t *header = bytes + walk->at;
    uint32_t length = header[1];
    if (walk->number == PICKET_NUMBER_FRAGMENT) {
        walk->later_fragment = (picket_big_endian_16(header + 2) & 0xFFF8) != 0;
        walk->at += PICKET_EXTENSION_BYTES_MIN;
    } else if (walk->number == PICKET_NUMBER_AUTHENTICATION) {
        walk->at += (length + 2) * 4;
    } else {
        walk->at += (length + 1) * 8;
    }
    walk->number = header[0];
}

/* Steps over all extension headers of a packet that ends at `end`. */
static enum picket_packet_verdict walk_extensions(struct walk *walk, const uint8_t *bytes,
                                                  size_t captured_bytes, uint32_t end)
{
    uint32_t left = PICKET_AGENT_EXTENSION_HEADERS_MAX;
    while (!walk->later_fragment && is_extension(walk)) {
        if (left-- == 0)
            return PICKET_PACKET_HEADER_CHAIN;
        if (walk->at + PICKET_EXTENSION_BYTES_MIN > end)
            return PICKET_PACKET_MALFORMED;
        if (walk->at + PICKET_EXTENSION_BYTES_MIN > captured_bytes)
            return PICKET_PACKET_TRUNCATED;
        step_over(walk, bytes);
    }
    return PICKET_PACKET_COUNTED;
}

enum picket_packet_verdict picket_packet_parse_ipv6_extensions(struct picket_packet *packet,
                                                               const uint8_t *bytes,
                                                               size_t captured_bytes, uint32_t end)
{
    memset(packet, 0, sizeof *packet);
    struct walk walk = {PICKET_IPV6_HEADER_BYTES, bytes[6], false};
    enum picket_packet_verdict verdict = walk_extensions(&walk, bytes, captured_bytes, end);
    if (verdict != PICKET_PACKET_COUNTED)
        return verdict;
    packet->protocol = picket_wanted_protocol(walk.number, PICKET_NUMBER_ICMPV6);
    if (packet->protocol == PICKET_NOT_WANTED)
        return PICKET_PACKET_OTHER_PROTOCOL;
    packet->addresses = bytes + 8;
    packet->address_words = 4;
    return picket_parse_transport(packet, bytes, captured_bytes, walk.at, end, walk.later_fragment);
}
