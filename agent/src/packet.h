/* Reads the headers of one IP packet that anybody may have made.
 *
 * Of a packet only what a flow needs is taken: addresses, protocol, ports, bytes. The work is
 * bounded: PICKET_AGENT_EXTENSION_HEADERS_MAX headers at most.
 *
 * Headers.   The outermost IP header counts: IPv4 (RFC 791) with its options, IPv6 (RFC 8200) with
 *            hop-by-hop options (directly after the IPv6 header only), routing, fragment,
 *            authentication and destination options headers. Addresses are the IP header's.
 * Bytes.     The declared IP payload: IPv4 total length less header; IPv6 payload length less
 *            extension headers. A declared length of 0 (segmentation offload, jumbograms) is
 *            refused, as is one beyond the length on the wire where that is known.
 * Transport. TCP needs 20 bytes, UDP 8, ICMP and ICMPv6 4, captured and declared; a TCP data
 *            offset lies within the payload. Checksums are not verified.
 * Fragments. The first is a packet like any other; a later one has no ports: they are 0.
 *
 * Thread: pure.
 */
#ifndef PICKET_AGENT_SRC_PACKET_H
#define PICKET_AGENT_SRC_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "picket/agent/agent.h"

struct picket_packet {
    const uint8_t *addresses; /* the source, right behind it the destination */
    uint32_t ports;           /* source << 16 | destination; ICMP, later fragments: 0 */
    uint32_t payload_bytes;
    uint8_t protocol;      /* enum picket_wire_protocol */
    uint8_t address_words; /* 1: IPv4; 4: IPv6 */
};

/* Internet protocol numbers, IANA. */
enum {
    PICKET_NUMBER_HOP_BY_HOP = 0,
    PICKET_NUMBER_ICMP = 1,
    PICKET_NUMBER_TCP = 6,
    PICKET_NUMBER_UDP = 17,
    PICKET_NUMBER_ROUTING = 43,
    PICKET_NUMBER_FRAGMENT = 44,
    PICKET_NUMBER_AUTHENTICATION = 51,
    PICKET_NUMBER_ICMPV6 = 58,
    PICKET_NUMBER_DESTINATION_OPTIONS = 60
};

enum {
    PICKET_IPV4_HEADER_BYTES = 20,
    PICKET_IPV4_PLAIN = 0x45, /* the first byte of a packet without options */
    PICKET_IPV6_HEADER_BYTES = 40,
    PICKET_EXTENSION_BYTES_MIN = 8,
    PICKET_TCP_BYTES = 20,
    PICKET_UDP_BYTES = 8,
    PICKET_ICMP_BYTES = 4,
    PICKET_NOT_WANTED = 0xFF
};

/* What came of walking over IPv6 extension headers; small enough to be returned in a register. */
struct picket_extension_walk {
    uint32_t at;    /* offset of the header that ends the walk */
    uint8_t number; /* its protocol number */
    bool later_fragment;
    uint8_t verdict; /* enum picket_packet_verdict; but for COUNTED the rest is not to be used */
};

/* Of a packet that ends at `end`; the IPv6 header itself is captured. `at` may lie beyond either.
 */
struct picket_extension_walk picket_packet_walk_extensions(const uint8_t *bytes,
                                                           size_t captured_bytes, uint32_t end);

PICKET_HOT uint8_t picket_wanted_protocol(uint32_t number, uint32_t icmp_number)
{
    if (PICKET_AGENT_TCP && number == PICKET_NUMBER_TCP)
        return PICKET_WIRE_TCP;
    if (PICKET_AGENT_UDP && number == PICKET_NUMBER_UDP)
        return PICKET_WIRE_UDP;
    if (PICKET_AGENT_ICMP && number == icmp_number)
        return PICKET_WIRE_ICMP;
    return PICKET_NOT_WANTED;
}

/* The TCP header's own length: within the payload, and room for its fixed part. */
PICKET_HOT bool picket_tcp_offset_valid(uint32_t offset_byte, uint32_t payload_bytes)
{
    /* Without options, that is all: the payload is known to hold the fixed part. */
    if (offset_byte - 0x50 < 0x10)
        return true;
    uint32_t header_bytes = (offset_byte >> 4) * 4;
    return header_bytes >= PICKET_TCP_BYTES && header_bytes <= payload_bytes;
}

/* The transport header is at `at`, and the packet's declared end at `end`. Fills in ports and
 * payload_bytes. */
PICKET_HOT enum picket_packet_verdict picket_parse_transport(struct picket_packet *packet,
                                                             const uint8_t *bytes,
                                                             size_t captured_bytes, uint32_t at,
                                                             uint32_t end, bool later_fragment)
{
    uint32_t needed = at;
    if (!later_fragment)
        needed += packet->protocol == PICKET_WIRE_TCP   ? PICKET_TCP_BYTES
                  : packet->protocol == PICKET_WIRE_UDP ? PICKET_UDP_BYTES
                                                        : PICKET_ICMP_BYTES;
    if (needed > end)
        return PICKET_PACKET_MALFORMED;
    if (needed > captured_bytes)
        return PICKET_PACKET_TRUNCATED;
    packet->payload_bytes = end - at;
    packet->ports = 0;
    if (later_fragment || packet->protocol == PICKET_WIRE_ICMP)
        return PICKET_PACKET_COUNTED;
    packet->ports = picket_big_endian_32(bytes + at);
    if (packet->protocol == PICKET_WIRE_TCP &&
        !picket_tcp_offset_valid(bytes[at + 12], packet->payload_bytes))
        return PICKET_PACKET_MALFORMED;
    return PICKET_PACKET_COUNTED;
}

/* Of IPv4, with a header of `at` bytes; the fixed part of it is captured. */
PICKET_HOT enum picket_packet_verdict picket_parse_ipv4_header(struct picket_packet *packet,
                                                               const uint8_t *bytes,
                                                               size_t captured_bytes,
                                                               uint32_t wire_bytes, uint32_t at)
{
    uint32_t end = picket_big_endian_16(bytes + 2);
    if (end > wire_bytes)
        return PICKET_PACKET_MALFORMED;
    /* Fragment offset and protocol in one look: offset 0 leaves the number alone. */
    uint32_t offset_and_number = picket_big_endian_32(bytes + 6) & 0x1FFF00FF;
    bool later_fragment = false;
    packet->protocol = picket_wanted_protocol(offset_and_number, PICKET_NUMBER_ICMP);
    if (packet->protocol == PICKET_NOT_WANTED) {
        later_fragment = offset_and_number > 0xFF;
        packet->protocol = picket_wanted_protocol(offset_and_number & 0xFF, PICKET_NUMBER_ICMP);
        if (packet->protocol == PICKET_NOT_WANTED)
            return PICKET_PACKET_OTHER_PROTOCOL;
    }
    packet->addresses = bytes + 12;
    packet->address_words = 1;
    return picket_parse_transport(packet, bytes, captured_bytes, at, end, later_fragment);
}

PICKET_HOT enum picket_packet_verdict picket_parse_ipv4(struct picket_packet *packet,
                                                        const uint8_t *bytes, size_t captured_bytes,
                                                        uint32_t wire_bytes)
{
    /* Without options a compiler counts in constants. */
    if (PICKET_FOR_SPEED && bytes[0] == PICKET_IPV4_PLAIN)
        return picket_parse_ipv4_header(packet, bytes, captured_bytes, wire_bytes,
                                        PICKET_IPV4_HEADER_BYTES);
    uint32_t at = (uint32_t)(bytes[0] & 0x0F) * 4;
    if (at < PICKET_IPV4_HEADER_BYTES)
        return PICKET_PACKET_MALFORMED;
    return picket_parse_ipv4_header(packet, bytes, captured_bytes, wire_bytes, at);
}

PICKET_HOT enum picket_packet_verdict picket_parse_ipv6(struct picket_packet *packet,
                                                        const uint8_t *bytes, size_t captured_bytes,
                                                        uint32_t wire_bytes)
{
    if (captured_bytes < PICKET_IPV6_HEADER_BYTES)
        return PICKET_PACKET_TRUNCATED;
    uint32_t end = PICKET_IPV6_HEADER_BYTES + picket_big_endian_16(bytes + 4);
    if (end == PICKET_IPV6_HEADER_BYTES || end > wire_bytes)
        return PICKET_PACKET_MALFORMED;
    packet->addresses = bytes + 8;
    packet->address_words = 4;
    packet->protocol = picket_wanted_protocol(bytes[6], PICKET_NUMBER_ICMPV6);
    if (PICKET_FOR_SPEED && packet->protocol != PICKET_NOT_WANTED)
        return picket_parse_transport(packet, bytes, captured_bytes, PICKET_IPV6_HEADER_BYTES, end,
                                      false);
    struct picket_extension_walk walk = picket_packet_walk_extensions(bytes, captured_bytes, end);
    if (walk.verdict != PICKET_PACKET_COUNTED)
        return (enum picket_packet_verdict)walk.verdict;
    packet->protocol = picket_wanted_protocol(walk.number, PICKET_NUMBER_ICMPV6);
    if (packet->protocol == PICKET_NOT_WANTED)
        return PICKET_PACKET_OTHER_PROTOCOL;
    return picket_parse_transport(packet, bytes, captured_bytes, walk.at, end, walk.later_fragment);
}

/* COUNTED: *packet is filled in. Any other verdict: it is not to be used. Never LOST or MULTICAST.
 */
PICKET_HOT enum picket_packet_verdict picket_packet_parse(struct picket_packet *packet,
                                                          const uint8_t *bytes,
                                                          size_t captured_bytes,
                                                          uint32_t wire_bytes)
{
    if (captured_bytes < PICKET_IPV4_HEADER_BYTES)
        return PICKET_PACKET_TRUNCATED;
    /* Most packets are IPv4 without options: one comparison. */
    if (bytes[0] == PICKET_IPV4_PLAIN || bytes[0] >> 4 == 4)
        return picket_parse_ipv4(packet, bytes, captured_bytes, wire_bytes);
    if (bytes[0] >> 4 != 6)
        return PICKET_PACKET_MALFORMED;
#if PICKET_AGENT_IPV6
    return picket_parse_ipv6(packet, bytes, captured_bytes, wire_bytes);
#else
    return PICKET_PACKET_OTHER_PROTOCOL;
#endif
}

#endif
