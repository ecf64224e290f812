#include "packets.h"

#include <stdbool.h>
#include <string.h>

static void put_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_32(uint8_t *at, uint32_t value)
{
    put_16(at, value >> 16);
    put_16(at + 2, value);
}

static size_t put_ip(uint8_t *packet, const struct packet_spec *spec, uint32_t payload_bytes)
{
    static const uint8_t numbers[] = {6, 17, 1};
    uint32_t source = spec->direction == PICKET_OUT ? spec->local : spec->remote;
    uint32_t destination = spec->direction == PICKET_OUT ? spec->remote : spec->local;
    uint8_t number = numbers[spec->protocol];
    if (spec->version == 4) {
        packet[0] = 0x45;
        put_16(packet + 2, 20 + payload_bytes);
        packet[8] = 64;
        packet[9] = number;
        put_32(packet + 12, source);
        put_32(packet + 16, destination);
        return 20;
    }
    number = number == 1 ? 58 : number;
    packet[0] = 0x60;
    put_16(packet + 4, payload_bytes + 8 * spec->extension_headers);
    packet[6] = spec->extension_headers > 0 ? 60 : number;
    for (uint32_t left = spec->extension_headers, at = 40; left > 0; left--, at += 8)
        packet[at] = left > 1 ? 60 : number;
    packet[7] = 64;
    packet[8] = packet[24] = 0x20;
    packet[9] = packet[25] = 0x01;
    put_32(packet + 20, source);
    put_32(packet + 36, destination);
    return 40 + 8 * spec->extension_headers;
}

size_t packet_build(uint8_t packet[PACKET_BYTES_MAX], const struct packet_spec *spec)
{
    static const uint8_t header_bytes[] = {20, 8, 4};
    uint32_t transport_bytes = header_bytes[spec->protocol];
    memset(packet, 0, PACKET_BYTES_MAX);
    size_t at = put_ip(packet, spec, transport_bytes + spec->payload_bytes);
    if (spec->protocol != PICKET_WIRE_ICMP) {
        bool out = spec->direction == PICKET_OUT;
        put_16(packet + at, out ? spec->local_port : spec->remote_port);
        put_16(packet + at + 2, out ? spec->remote_port : spec->local_port);
    }
    if (spec->protocol == PICKET_WIRE_TCP)
        packet[at + 12] = 0x50;
    return at + transport_bytes;
}
