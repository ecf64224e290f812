/* Reads a security message that anybody may have written.
 *
 * picket_wire_open() checks the whole message first: every offset, vtable, length, alignment
 * (relative to the first byte of the message), string terminator, union type and required field.
 * After that the accessors only read, and cannot fail. Nothing is copied: strings and addresses
 * point into the caller's bytes, which must outlive the views and need no alignment. Strings are
 * not checked to be UTF-8. Enumerations are as sent: a newer device may send numbers that have no
 * name here.
 *
 * Any legal layout is accepted: shared vtables, children in any order, shared strings and tables,
 * unknown appended fields, an event whose payload type is newer than this reader.
 *
 * Work is bounded, for the reader and for who walks the message after it. What is shared counts
 * once for each path that leads to it. Tables may be reached size_bytes / 4 times: an offset takes
 * four bytes, so any message is accepted in which no table that several paths lead to leads to
 * further tables. Strings and vectors of structs may have 40 * size_bytes bytes in all: so a string
 * of up to a kilobyte may be shared by however many flows. (Encoders known to us share vtables, and
 * strings if asked to, but never tables.)
 *
 * Thread: no global state; any thread.
 */
#ifndef PICKET_WIRE_DECODER_H
#define PICKET_WIRE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/wire/message.h"

struct picket_wire_error {
    const char *reason; /* a constant sentence without a full stop: "vtable outside the message" */
    uint32_t offset;    /* the byte of the message at which it was found */
};

/* Not NUL-terminated as far as the reader is concerned; absent: text is NULL. */
struct picket_wire_string {
    const char *text;
    uint32_t size_bytes;
};

struct picket_wire_message_view {
    const uint8_t *bytes;
    uint32_t size_bytes;
    struct picket_wire_string security_module_id;
    uint32_t security_module_version; /* major << 24 | minor << 16 | patch */
    int8_t timezone;
    uint32_t event_count;
    uint32_t events_at; /* internal */
};

struct picket_wire_event_view {
    const struct picket_wire_message_view *message;
    const uint8_t *id; /* PICKET_WIRE_EVENT_ID_BYTES */
    uint32_t time_s;
    uint32_t collection_interval_s;
    uint32_t duration_s;  /* 0: not told */
    uint8_t payload_type; /* enum picket_wire_payload, or a larger number: unknown */
    uint32_t payload_at;  /* internal */
};

struct picket_wire_network_activity_view {
    const struct picket_wire_message_view *message;
    uint32_t ipv4_count;
    uint32_t ipv6_count;
    uint32_t lost_flows;
    uint32_t lost_bytes_in;
    uint32_t lost_bytes_out;
    uint32_t ipv4_at, ipv6_at; /* internal */
};

/* A flow, and the fields that a ThreadX device never sets. */
struct picket_wire_flow_view {
    struct picket_wire_flow flow;
    uint16_t process_id;
    uint16_t user_id;
    struct picket_wire_string executable;
    struct picket_wire_string commandline;
};

struct picket_wire_system_information_view {
    struct picket_wire_string os_info;
    struct picket_wire_string kernel_info;
    struct picket_wire_string hw_info;
};

struct picket_wire_heartbeat_view {
    uint32_t uptime_s; /* 0: not told */
};

struct picket_wire_listening_ports_view {
    const struct picket_wire_message_view *message;
    uint32_t ipv4_count;
    uint32_t ipv6_count;
    uint32_t unlisted;
    uint32_t ipv4_at, ipv6_at; /* internal */
};

struct picket_wire_baseline_view {
    const struct picket_wire_message_view *message;
    uint32_t check_count;
    uint32_t checks_at; /* internal */
};

struct picket_wire_baseline_check_view {
    struct picket_wire_string id; /* never absent */
    struct picket_wire_string error;
    struct picket_wire_string description;
    struct picket_wire_string remediation;
    uint8_t result;   /* pass, fail, error */
    uint8_t severity; /* critical, important, warning, informational */
};

struct picket_wire_process_view {
    struct picket_wire_string executable;
    struct picket_wire_string commandline;
    struct picket_wire_string user_name;
    uint32_t process_id;
    uint32_t parent_process_id;
    uint32_t user_id;
    uint32_t hit_count;
    uint8_t event_type; /* fork, exec, exit */
};

struct picket_wire_log_view {
    const struct picket_wire_message_view *message;
    uint32_t record_count;
    uint32_t records_at; /* internal */
};

struct picket_wire_record_view {
    struct picket_wire_string message;  /* never absent */
    struct picket_wire_string filename; /* never absent */
    uint64_t timestamp;                 /* as the device counts it */
    uint32_t line;
    uint8_t level; /* not set, fatal, error, warn, info, debug */
};

/* Opens and validates. False: *error says what and where, and *view must not be used. */
bool picket_wire_open(struct picket_wire_message_view *view, const void *bytes, size_t size_bytes,
                      struct picket_wire_error *error);

/* index < view->event_count. */
struct picket_wire_event_view picket_wire_event_at(const struct picket_wire_message_view *view,
                                                   uint32_t index);

/* The payload of an event of the matching payload_type, and of no other. */
struct picket_wire_network_activity_view
picket_wire_network_activity(const struct picket_wire_event_view *event);
struct picket_wire_system_information_view
picket_wire_system_information(const struct picket_wire_event_view *event);
struct picket_wire_heartbeat_view picket_wire_heartbeat(const struct picket_wire_event_view *event);

struct picket_wire_listening_ports_view
picket_wire_listening_ports(const struct picket_wire_event_view *event);
struct picket_wire_baseline_view picket_wire_baseline(const struct picket_wire_event_view *event);
struct picket_wire_process_view picket_wire_process(const struct picket_wire_event_view *event);
struct picket_wire_log_view picket_wire_log(const struct picket_wire_event_view *event);

/* index < activity->ipv4_count, respectively ipv6_count. */
struct picket_wire_flow_view
picket_wire_ipv4_flow_at(const struct picket_wire_network_activity_view *activity, uint32_t index);
struct picket_wire_flow_view
picket_wire_ipv6_flow_at(const struct picket_wire_network_activity_view *activity, uint32_t index);

/* index < ports->ipv4_count, respectively ipv6_count. */
struct picket_wire_listening_port
picket_wire_ipv4_port_at(const struct picket_wire_listening_ports_view *ports, uint32_t index);
struct picket_wire_listening_port
picket_wire_ipv6_port_at(const struct picket_wire_listening_ports_view *ports, uint32_t index);

/* index < baseline->check_count. */
struct picket_wire_baseline_check_view
picket_wire_baseline_check_at(const struct picket_wire_baseline_view *baseline, uint32_t index);

/* index < log->record_count. */
struct picket_wire_record_view picket_wire_record_at(const struct picket_wire_log_view *log,
                                                     uint32_t index);

#endif
