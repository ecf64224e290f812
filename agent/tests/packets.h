/* Packets for tests, made of what tells their flow. */
#ifndef PICKET_AGENT_TESTS_PACKETS_H
#define PICKET_AGENT_TESTS_PACKETS_H

#include <stddef.h>
#include <stdint.h>

#include "picket/agent/agent.h"

enum { PACKET_BYTES_MAX = 512 };

struct packet_spec {
    uint8_t version;  /* 4 or 6 */
    uint8_t protocol; /* enum picket_wire_protocol */
    uint32_t local;   /* the last four bytes of the address */
    uint32_t remote;
    uint16_t local_port;
    uint16_t remote_port;
    uint32_t payload_bytes; /* declared, not stored */
    enum picket_direction direction;
    uint32_t extension_headers; /* of 8 bytes each, in front of the transport header; IPv6 */
};

/* Returns the length of what is there: headers. payload_bytes is of the transport payload; the
 * transport header comes on top. */
size_t packet_build(uint8_t packet[PACKET_BYTES_MAX], const struct packet_spec *spec);

#endif
