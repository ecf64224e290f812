#include "packet.h"

enum picket_packet_verdict picket_packet_parse_ipv4_options(struct picket_packet *packet,
                                                            const uint8_t *bytes,
                                                            size_t captured_bytes,
                                                            uint32_t wire_bytes)
{
    uint32_t at = (uint32_t)(bytes[0] & 0x0F) * 4;
    packet->addresses = NULL;
    packet->ports = packet->payload_bytes = 0;
    packet->protocol = PICKET_NOT_WANTED;
    if (at < PICKET_IPV4_HEADER_BYTES)
        return PICKET_PACKET_MALFORMED;
    return picket_parse_ipv4_header(packet, bytes, captured_bytes, wire_bytes, at);
}

static bool is_extension(const struct picket_extension_walk *walk)
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
static void step_over(struct picket_extension_walk *walk, const uint8_t *bytes)
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

enum picket_packet_verdict picket_packet_walk_extensions(struct picket_extension_walk *walk,
                                                         const uint8_t *bytes,
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
    if (walk->at > end)
        return PICKET_PACKET_MALFORMED;
    return walk->at > captured_bytes ? PICKET_PACKET_TRUNCATED : PICKET_PACKET_COUNTED;
}
