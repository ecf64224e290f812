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

/* What a flow needs of a packet beside its addresses. */
struct picket_packet {
    uint32_t ports; /* source, destination: as they lie there; ICMP, later fragments: 0 */
    uint32_t payload_bytes;
    uint8_t address_words; /* 1: IPv4; 4: IPv6 */
    uint8_t protocol;      /* enum picket_wire_protocol */
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

/* The source address; right behind it is the destination. */
PICKET_HOT const uint8_t *picket_packet_addresses(const uint8_t *bytes, uint32_t address_words)
{
    return bytes + (address_words == 1 ? 12 : 8);
}

/* What is behind the IP headers. */
struct picket_carried {
    uint32_t at;
    uint32_t end; /* of the packet, as declared */
    uint32_t number;
    bool later_fragment;
    bool too_many; /* extension headers: as many were walked as may be */
};

PICKET_HOT uint8_t picket_wanted_protocol(uint32_t number, uint32_t address_words)
{
    uint32_t icmp_number = address_words == 1 ? PICKET_NUMBER_ICMP : PICKET_NUMBER_ICMPV6;
    if (PICKET_AGENT_TCP && number == PICKET_NUMBER_TCP)
        return PICKET_WIRE_TCP;
    if (PICKET_AGENT_UDP && number == PICKET_NUMBER_UDP)
        return PICKET_WIRE_UDP;
    if (PICKET_AGENT_ICMP && number == icmp_number)
        return PICKET_WIRE_ICMP;
    return PICKET_NOT_WANTED;
}

/* The TCP header's own length: within the payload, which has room for the fixed part of the header,
 * and at least that part. */
PICKET_HOT bool picket_tcp_offset_valid(uint32_t offset_byte, uint32_t payload_bytes)
{
    /* Without options, that is all. */
    if (PICKET_FOR_SPEED && offset_byte == 0x50)
        return true;
    uint32_t header_bytes = (offset_byte >> 4) * 4;
    return header_bytes >= PICKET_TCP_BYTES && header_bytes <= payload_bytes;
}

PICKET_HOT bool picket_is_extension(uint32_t number)
{
    return number == PICKET_NUMBER_ROUTING || number == PICKET_NUMBER_FRAGMENT ||
           number == PICKET_NUMBER_AUTHENTICATION || number == PICKET_NUMBER_DESTINATION_OPTIONS;
}

/* Steps over extension headers, from the IPv6 header on, which is captured, as far as they are. */
PICKET_HOT struct picket_carried picket_walk_extensions(const uint8_t *bytes, size_t captured_bytes,
                                                        uint32_t end)
{
    size_t at = PICKET_IPV6_HEADER_BYTES;
    uint32_t number = bytes[6], left = PICKET_AGENT_EXTENSION_HEADERS_MAX;
    bool later_fragment = false;
    if (number == PICKET_NUMBER_HOP_BY_HOP) /* like destination options, but here only */
        number = PICKET_NUMBER_DESTINATION_OPTIONS;
    /* Up to here the shortest of them is there. */
    size_t room = (captured_bytes < end ? captured_bytes : end) - PICKET_EXTENSION_BYTES_MIN;
    while (at <= room) {
        const uint8_t *header = bytes + at;
        switch (number) {
        case PICKET_NUMBER_FRAGMENT:
            at += PICKET_EXTENSION_BYTES_MIN;
            later_fragment = picket_big_endian_16_has(header + 2, 0xFFF8);
            if (later_fragment)
                left = 1; /* behind it there are no headers */
            break;
        case PICKET_NUMBER_AUTHENTICATION:
            at += PICKET_EXTENSION_BYTES_MIN + (size_t)header[1] * 4;
            break;
        case PICKET_NUMBER_ROUTING:
        case PICKET_NUMBER_DESTINATION_OPTIONS:
            at += PICKET_EXTENSION_BYTES_MIN + (size_t)header[1] * 8;
            break;
        default:
            return (struct picket_carried){(uint32_t)at, end, number, false, false};
        }
        number = header[0];
        if (--left == 0)
            break;
    }
    return (struct picket_carried){(uint32_t)at, end, number, later_fragment, left == 0};
}

/* Of what is not counted behind the headers that were walked. */
PICKET_HOT enum picket_packet_verdict picket_unwanted_verdict(const struct picket_carried *carried,
                                                              uint32_t address_words)
{
    if (address_words == 1 || carried->later_fragment || !picket_is_extension(carried->number))
        return PICKET_PACKET_OTHER_PROTOCOL;
    if (carried->at + PICKET_EXTENSION_BYTES_MIN > carried->end)
        return PICKET_PACKET_MALFORMED;
    return carried->too_many ? PICKET_PACKET_HEADER_CHAIN : PICKET_PACKET_TRUNCATED;
}

/* How much of the transport header is needed; a later fragment has none. */
PICKET_HOT uint32_t picket_transport_bytes(uint32_t protocol)
{
#if PICKET_FOR_SPEED
    return protocol == PICKET_WIRE_TCP   ? PICKET_TCP_BYTES
           : protocol == PICKET_WIRE_UDP ? PICKET_UDP_BYTES
                                         : PICKET_ICMP_BYTES;
#else
    static const uint8_t bytes[] = {PICKET_TCP_BYTES, PICKET_UDP_BYTES, PICKET_ICMP_BYTES};
    return bytes[protocol];
#endif
}

/* Fills the packet in, but for HEADER_CHAIN only address_words and payload_bytes. */
PICKET_HOT enum picket_packet_verdict
picket_parse_carried(struct picket_packet *packet, const uint8_t *bytes, size_t captured_bytes,
                     const struct picket_carried *carried, uint32_t address_words)
{
    uint32_t protocol = picket_wanted_protocol(carried->number, address_words);
    uint32_t needed = carried->at;
    packet->address_words = (uint8_t)address_words;
    packet->protocol = (uint8_t)protocol;
    if (protocol == PICKET_NOT_WANTED) {
        packet->payload_bytes = carried->end - PICKET_IPV6_HEADER_BYTES;
        return picket_unwanted_verdict(carried, address_words);
    }
    if (!carried->later_fragment)
        needed += picket_transport_bytes(protocol);
    if (needed > carried->end)
        return PICKET_PACKET_MALFORMED;
    if (needed > captured_bytes)
        return PICKET_PACKET_TRUNCATED;
    packet->payload_bytes = carried->end - carried->at;
    packet->ports = 0;
    if (carried->later_fragment || protocol == PICKET_WIRE_ICMP)
        return PICKET_PACKET_COUNTED;
    packet->ports = picket_word(bytes + carried->at);
    if (protocol == PICKET_WIRE_TCP &&
        !picket_tcp_offset_valid(bytes[carried->at + 12], packet->payload_bytes))
        return PICKET_PACKET_MALFORMED;
    return PICKET_PACKET_COUNTED;
}

/* The fixed part of an IPv4 header is captured; `first` is its first byte. */
PICKET_HOT struct picket_carried picket_carried_by_ipv4(const uint8_t *bytes, uint32_t first)
{
    return (struct picket_carried){(first & 0x0F) * 4, picket_big_endian_16(bytes + 2), bytes[9],
                                   picket_big_endian_16_has(bytes + 6, 0x1FFF), false};
}

PICKET_HOT enum picket_packet_verdict picket_parse_ipv4(struct picket_packet *packet,
                                                        const uint8_t *bytes, size_t captured_bytes,
                                                        uint32_t wire_bytes, uint32_t first)
{
    if ((first & 0x0F) * 4 < PICKET_IPV4_HEADER_BYTES ||
        picket_big_endian_16(bytes + 2) > wire_bytes)
        return PICKET_PACKET_MALFORMED;
    if (picket_wanted_protocol(bytes[9], 1) == PICKET_NOT_WANTED)
        return PICKET_PACKET_OTHER_PROTOCOL;
    const struct picket_carried carried = picket_carried_by_ipv4(bytes, first);
    return picket_parse_carried(packet, bytes, captured_bytes, &carried, 1);
}

/* The IPv6 header is captured. */
PICKET_HOT enum picket_packet_verdict picket_parse_ipv6(struct picket_packet *packet,
                                                        const uint8_t *bytes, size_t captured_bytes,
                                                        uint32_t wire_bytes)
{
    uint32_t end = PICKET_IPV6_HEADER_BYTES + picket_big_endian_16(bytes + 4);
    const struct picket_carried plain = {PICKET_IPV6_HEADER_BYTES, end, bytes[6], false, false};
    if (end > wire_bytes)
        return PICKET_PACKET_MALFORMED;
    if (picket_wanted_protocol(bytes[6], 4) != PICKET_NOT_WANTED)
        return picket_parse_carried(packet, bytes, captured_bytes, &plain, 4);
    const struct picket_carried carried = picket_walk_extensions(bytes, captured_bytes, end);
    return picket_parse_carried(packet, bytes, captured_bytes, &carried, 4);
}

/* IPv4 without options, as most packets are. */
PICKET_HOT bool picket_is_plain_ipv4(const uint8_t *bytes, size_t captured_bytes)
{
    return captured_bytes >= PICKET_IPV4_HEADER_BYTES && bytes[0] == PICKET_IPV4_PLAIN;
}

/* COUNTED: *packet is filled in. HEADER_CHAIN: its address_words is, and payload_bytes are all
 * behind the IPv6 header. Any other verdict: it is not to be used. Never LOST or MULTICAST. */
PICKET_HOT enum picket_packet_verdict picket_packet_parse(struct picket_packet *packet,
                                                          const uint8_t *bytes,
                                                          size_t captured_bytes,
                                                          uint32_t wire_bytes)
{
    struct picket_carried carried;
    uint32_t address_words = 1;
    if (captured_bytes < PICKET_IPV4_HEADER_BYTES)
        return PICKET_PACKET_TRUNCATED;
    if (bytes[0] >> 4 == 4) {
        if (PICKET_FOR_SPEED)
            return picket_parse_ipv4(packet, bytes, captured_bytes, wire_bytes, bytes[0]);
        carried = picket_carried_by_ipv4(bytes, bytes[0]);
    } else if (bytes[0] >> 4 != 6) {
        return PICKET_PACKET_MALFORMED;
    } else if (!PICKET_AGENT_IPV6 || captured_bytes < PICKET_IPV6_HEADER_BYTES) {
        return PICKET_AGENT_IPV6 ? PICKET_PACKET_TRUNCATED : PICKET_PACKET_OTHER_PROTOCOL;
    } else {
        if (PICKET_FOR_SPEED)
            return picket_parse_ipv6(packet, bytes, captured_bytes, wire_bytes);
        carried = picket_walk_extensions(
            bytes, captured_bytes, PICKET_IPV6_HEADER_BYTES + picket_big_endian_16(bytes + 4));
        address_words = 4;
    }
    if (carried.at < PICKET_IPV4_HEADER_BYTES || carried.end > wire_bytes)
        return PICKET_PACKET_MALFORMED;
    return picket_parse_carried(packet, bytes, captured_bytes, &carried, address_words);
}

#endif
