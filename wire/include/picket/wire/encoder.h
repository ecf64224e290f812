/* Lays a security message out front to back, in pieces, without a message buffer.
 *
 * The flows are walked over twice, to write where they will be and then to write them. Memory used
 * is a constant few hundred bytes of stack, whatever the number of flows. The values must not
 * change between the walks; the caller freezes them. (If they do the message is wrong, but nothing
 * is read or written out of bounds.)
 *
 * Source: FlatBuffers binary format, https://flatbuffers.dev/internals/ ;
 * wire/security_message.fbs. Thread: no global state; any thread, one per message at a time.
 */
#ifndef PICKET_WIRE_ENCODER_H
#define PICKET_WIRE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/wire/message.h"

/* A list of flows that the encoder walks by a cursor. next() fills *flow with the flow at or after
 * the cursor and returns the cursor of the following one; the first cursor is 0. It is called
 * exactly count times a walk, and each walk must yield the same values in the same order. */
struct picket_wire_flows {
    uint32_t count;
    uint32_t (*next)(const void *table, uint32_t cursor, struct picket_wire_flow *flow);
    const void *table;
};

struct picket_wire_network_activity {
    struct picket_wire_flows ipv4;
    struct picket_wire_flows ipv6;
    /* Picket: what did not fit the device's table in this window. lost_flows is a lower bound of
     * the number of distinct flows; all saturate at UINT32_MAX. */
    uint32_t lost_flows;
    uint32_t lost_bytes_in;
    uint32_t lost_bytes_out;
};

/* Strings are NUL-terminated UTF-8 or NULL for absent. */
struct picket_wire_system_information {
    const char *os_info;
    const char *kernel_info;
    const char *hw_info;
};

/* One open port at one of the device's addresses: in network order, IPv4 in the first four bytes;
 * all zero: any. */
struct picket_wire_open_port {
    uint8_t address[PICKET_WIRE_IPV6_BYTES];
    uint16_t port;
    uint8_t protocol; /* PICKET_WIRE_TCP or PICKET_WIRE_UDP */
    bool is_ipv6;
};

/* The open ports of a family: the first count of it in an array, which may hold those of the other
 * family, too. So one array can serve both. */
struct picket_wire_ports {
    uint32_t count;
    const struct picket_wire_open_port *ports;
};

struct picket_wire_listening_ports {
    struct picket_wire_ports ipv4;
    struct picket_wire_ports ipv6;
    uint32_t unlisted; /* Picket: open ports that there was no room for */
};

struct picket_wire_heartbeat {
    uint32_t uptime_s; /* Picket: seconds since boot; 0: not told */
};

struct picket_wire_event {
    uint8_t id[PICKET_WIRE_EVENT_ID_BYTES];
    uint32_t time_s; /* Unix seconds at the end of the window; UINT32_MAX: clock unknown */
    uint32_t collection_interval_s; /* nominal period */
    uint32_t duration_s;            /* Picket: seconds the window really covers; 0: not told */
    /* NETWORK_ACTIVITY, SYSTEM_INFORMATION, LISTENING_PORTS or HEARTBEAT. */
    enum picket_wire_payload payload_type;
    union {
        struct picket_wire_network_activity network_activity;
        struct picket_wire_system_information system_information;
        struct picket_wire_listening_ports listening_ports;
        struct picket_wire_heartbeat heartbeat;
    } payload;
};

struct picket_wire_message {
    const char *security_module_id;   /* NUL-terminated, not NULL */
    uint32_t security_module_version; /* PICKET_WIRE_VERSION(major, minor, patch) */
    const struct picket_wire_event *events;
    uint32_t event_count; /* 0..PICKET_WIRE_EVENTS_MAX */
};

enum { PICKET_WIRE_EVENTS_MAX = 8 };

#define PICKET_WIRE_VERSION(major, minor, patch)                                                   \
    ((uint32_t)(major) << 24 | (uint32_t)(minor) << 16 | (uint32_t)(patch))

/* Takes the next piece of a message, size_bytes > 0; false ends the encoding. The piece is the
 * encoder's and valid during the call only. */
typedef bool (*picket_wire_sink)(void *context, const void *piece, size_t size_bytes);

/* The exact size in bytes of the message, or 0 if it cannot be encoded: more than
 * PICKET_WIRE_EVENTS_MAX events, a payload type that is unknown or not built in (options.h), or
 * larger than PICKET_WIRE_MESSAGE_BYTES_MAX if each flow, of whatever kind, were of 64 bytes, the
 * most that one takes. It is found by encoding. */
uint32_t picket_wire_message_size(const struct picket_wire_message *message);

/* Writes the message to the sink, front to back. Returns false if the message cannot be encoded
 * (then nothing was written) or the sink refused a piece. On true, exactly
 * picket_wire_message_size() bytes were handed over. */
bool picket_wire_encode(const struct picket_wire_message *message, picket_wire_sink sink,
                        void *context);

#endif
