/* The security message, as both sides of the wire see it.
 *
 * A device reports by one FlatBuffer, root table Message of wire/security_message.fbs. It holds the
 * events of all collectors that were due together. The format is that of the Azure Defender-IoT
 * micro-agent, schema 2.3; fields marked "Picket" were appended by us (schema 2.4), and a reader of
 * 2.3 skips them.
 *
 * Freestanding C99; no heap; of libc only memcpy, memset and memcmp.
 */
#ifndef PICKET_WIRE_MESSAGE_H
#define PICKET_WIRE_MESSAGE_H

#include <stdint.h>

enum {
    PICKET_WIRE_EVENT_ID_BYTES = 16,
    PICKET_WIRE_IPV4_BYTES = 4,
    PICKET_WIRE_IPV6_BYTES = 16,
    /* The largest message the decoder opens and the encoder lays out; an IoT hub takes 256 KiB. */
    PICKET_WIRE_MESSAGE_BYTES_MAX = 256 * 1024
};

/* The MQTT topic of a security message is devices/{id}/messages/events/ followed by these. */
#define PICKET_WIRE_MTI "2.4-1-0-0"
#define PICKET_WIRE_TOPIC_PROPERTIES                                                               \
    "mti=" PICKET_WIRE_MTI "&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"
/* The value, URL-decoded, of property $.ifid by which a hub tells a security message from the rest.
 */
#define PICKET_WIRE_INTERFACE_ID "urn:azureiot:Security:SecurityAgent:1"

enum picket_wire_protocol {
    PICKET_WIRE_TCP = 0,
    PICKET_WIRE_UDP = 1,
    PICKET_WIRE_ICMP = 2 /* ICMPv6 too */
};

/* Numbers of the schema's union Payload. */
enum picket_wire_payload {
    PICKET_WIRE_PAYLOAD_NONE = 0,
    PICKET_WIRE_NETWORK_ACTIVITY = 1,
    PICKET_WIRE_SYSTEM_INFORMATION = 2,
    PICKET_WIRE_LISTENING_PORTS = 3,
    PICKET_WIRE_HEARTBEAT = 4,
    PICKET_WIRE_BASELINE = 5,
    PICKET_WIRE_PROCESS = 6,
    PICKET_WIRE_LOG = 7
};

/* One aggregated flow. The addresses point to 4 or 16 bytes in network order that belong to whoever
 * filled the structure. Bytes are IP payload bytes, transport header included. */
struct picket_wire_flow {
    const uint8_t *local_address;
    const uint8_t *remote_address;
    uint32_t bytes_in;
    uint32_t bytes_out;
    uint16_t local_port; /* 0 for ICMP */
    uint16_t remote_port;
    uint8_t protocol; /* enum picket_wire_protocol */
};

/* One open port. The address points to 4 or 16 bytes in network order that belong to whoever filled
 * the structure; all zero: any of the device's. */
struct picket_wire_listening_port {
    const uint8_t *local_address;
    uint16_t local_port;
    uint8_t protocol; /* TCP or UDP */
};

#endif
