#include "packets.h"

#include <string.h>

enum { ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION_OPTIONS = 60 };

static const uint8_t local_address[16] = {0x20, 1, 0xD, 0xB8, [15] = 1};
static const uint8_t remote_address[14] = {0xC0, 0, 2, 0x81, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

struct flow_kind flow_kind(uint16_t number)
{
    struct flow_kind kind = {number, number % 5 < 3 ? 4 : 6, (uint8_t)(number % 3),
                             number % 7 == 6};
    return kind;
}

static void put_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_remote(uint8_t *at, const struct flow_kind *kind, size_t address_bytes)
{
    memcpy(at, remote_address, address_bytes - 2);
    put_16(at + address_bytes - 2, kind->number);
}

/* Source, then destination. */
static void put_addresses(uint8_t *at, const struct flow_kind *kind,
                          enum picket_direction direction, size_t address_bytes)
{
    bool out = direction == PICKET_OUT;
    memcpy(out ? at : at + address_bytes, local_address, address_bytes);
    put_remote(out ? at + address_bytes : at, kind, address_bytes);
}

static uint32_t protocol_number(const struct flow_kind *kind)
{
    static const uint8_t numbers[] = {6, 17, 1};
    return kind->version == 6 && kind->protocol == PICKET_WIRE_ICMP ? 58 : numbers[kind->protocol];
}

/* What a fragment says of its place: the first, or a later one. */
static uint32_t fragment_offset(const struct flow_kind *kind)
{
    return kind->later_fragment ? 1 + random_below(8000) : 0;
}

static size_t put_ipv4(uint8_t *packet, const struct flow_kind *kind,
                       enum picket_direction direction, uint32_t payload_bytes)
{
    uint32_t option_words = random_below(3) == 0 ? random_below(11) : 0;
    size_t header_bytes = 20 + 4 * option_words;
    packet[0] = (uint8_t)(0x45 + option_words);
    put_16(packet + 2, (uint32_t)header_bytes + payload_bytes);
    put_16(packet + 6, fragment_offset(kind) | random_below(2) << 13 /* more fragments */);
    packet[8] = 64;
    packet[9] = (uint8_t)protocol_number(kind);
    put_addresses(packet + 12, kind, direction, 4);
    memset(packet + 20, 1, header_bytes - 20); /* no operation */
    return header_bytes;
}

/* An extension header; *next is where its predecessor says what it is. Returns its length. */
static size_t put_extension(uint8_t *header, uint8_t *next, uint32_t number)
{
    uint32_t more_words = number == FRAGMENT ? 0 : random_below(3);
    *next = (uint8_t)number;
    memset(header, 0, 8);
    if (number == AUTHENTICATION) {
        header[1] = (uint8_t)(1 + more_words);
        return (header[1] + 2u) * 4;
    }
    if (number != FRAGMENT)
        header[1] = (uint8_t)more_words;
    return (more_words + 1) * 8;
}

static size_t put_extensions(uint8_t *packet, const struct flow_kind *kind, uint32_t extensions_max)
{
    static const uint8_t numbers[] = {ROUTING, AUTHENTICATION, DESTINATION_OPTIONS};
    uint8_t *next = packet + 6;
    size_t at = 40;
    for (uint32_t left = random_below(extensions_max + 1); left > 0; left--) {
        uint8_t *header = packet + at;
        bool hop_by_hop = at == 40 && random_below(2) == 0;
        at += put_extension(header, next, hop_by_hop ? 0 : numbers[random_below(3)]);
        next = header;
    }
    if (kind->later_fragment || random_below(4) == 0) {
        uint8_t *header = packet + at;
        at += put_extension(header, next, FRAGMENT);
        put_16(header + 2, fragment_offset(kind) << 3 | random_below(2));
        next = header;
    }
    *next = (uint8_t)protocol_number(kind);
    return at;
}

static size_t put_ipv6(uint8_t *packet, const struct flow_kind *kind,
                       enum picket_direction direction, uint32_t payload_bytes,
                       uint32_t extensions_max)
{
    packet[0] = 0x60;
    packet[7] = 64;
    put_addresses(packet + 8, kind, direction, 16);
    size_t header_bytes = put_extensions(packet, kind, extensions_max);
    put_16(packet + 4, (uint32_t)header_bytes - 40 + payload_bytes);
    return header_bytes;
}

static uint16_t local_port(const struct flow_kind *kind)
{
    return (uint16_t)(0x8000 + kind->number);
}

static uint16_t remote_port(const struct flow_kind *kind)
{
    return (uint16_t)(kind->number % 4 * 443);
}

static bool has_ports(const struct flow_kind *kind)
{
    return !kind->later_fragment && kind->protocol != PICKET_WIRE_ICMP;
}

static size_t put_transport(uint8_t *at, const struct flow_kind *kind,
                            enum picket_direction direction)
{
    static const uint8_t header_bytes[] = {20, 8, 4};
    bool out = direction == PICKET_OUT;
    if (kind->later_fragment)
        return 0;
    if (has_ports(kind)) {
        put_16(at, out ? local_port(kind) : remote_port(kind));
        put_16(at + 2, out ? remote_port(kind) : local_port(kind));
    }
    if (kind->protocol == PICKET_WIRE_TCP)
        at[12] = (uint8_t)((5 + random_below(11)) << 4);
    return header_bytes[kind->protocol];
}

size_t make_packet(uint8_t packet[PACKET_BYTES_MAX], const struct flow_kind *kind,
                   enum picket_direction direction, uint32_t payload_bytes, uint32_t extensions_max)
{
    memset(packet, 0, PACKET_BYTES_MAX);
    size_t at = kind->version == 4
                    ? put_ipv4(packet, kind, direction, payload_bytes)
                    : put_ipv6(packet, kind, direction, payload_bytes, extensions_max);
    return at + put_transport(packet + at, kind, direction);
}

uint16_t flow_number(const struct picket_wire_flow *flow, uint8_t version)
{
    const uint8_t *at = flow->remote_address + (version == 4 ? 2 : 14);
    return (uint16_t)(at[0] << 8 | at[1]);
}

bool is_of_kind(const struct picket_wire_flow *flow, const struct flow_kind *kind)
{
    size_t address_bytes = kind->version == 4 ? 4 : 16;
    uint8_t remote[16];
    put_remote(remote, kind, address_bytes);
    return memcmp(flow->local_address, local_address, address_bytes) == 0 &&
           memcmp(flow->remote_address, remote, address_bytes) == 0 &&
           flow->protocol == kind->protocol &&
           flow->local_port == (has_ports(kind) ? local_port(kind) : 0) &&
           flow->remote_port == (has_ports(kind) ? remote_port(kind) : 0);
}
