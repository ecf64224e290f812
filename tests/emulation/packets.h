/* Packets of every kind that the agent counts. */
#ifndef PICKET_EMULATION_PACKETS_H
#define PICKET_EMULATION_PACKETS_H

#include "emulation.h"

/* IPv6 header, extension headers, fragment header, TCP header, and some bytes behind it. */
enum { PACKET_BYTES_MAX = 40 + 24 * PICKET_AGENT_EXTENSION_HEADERS_MAX + 8 + 20 + 8 };

/* A flow, told by its number: in the remote address, and in the ports. */
struct flow_kind {
    uint16_t number;
    uint8_t version;     /* 4 or 6 */
    uint8_t protocol;    /* enum picket_wire_protocol */
    bool later_fragment; /* its packets are fragments without a transport header */
};

/* Of all kinds in turn. */
struct flow_kind flow_kind(uint16_t number);

/* Writes the headers of a packet, of which payload_bytes (at least 60) are declared behind the IP
 * header. Options, up to extensions_max extension headers and one more for a fragment, whether it
 * is a first fragment, and a TCP header's length are random. Returns how many bytes there are. */
size_t make_packet(uint8_t packet[PACKET_BYTES_MAX], const struct flow_kind *kind,
                   enum picket_direction direction, uint32_t payload_bytes,
                   uint32_t extensions_max);

/* Whether a reported flow has what the packets of the kind have. */
bool is_of_kind(const struct picket_wire_flow *flow, const struct flow_kind *kind);

/* The number of a flow, by the remote address that was made of it. */
uint16_t flow_number(const struct picket_wire_flow *flow, uint8_t version);

#endif
