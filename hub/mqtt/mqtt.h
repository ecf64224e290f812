/* MQTT 3.1.1 control packets (OASIS mqtt-v3.1.1-os): from bytes and to bytes. No I/O, no memory of
 * its own, nothing of the IoT Hub dialect.
 *
 *     ┌────────────┬──────────────────┬────────────────────┬─────────┐
 *     │ type|flags │ remaining length │ variable header    │ payload │
 *     │ 1 byte     │ 1..4 bytes       │ remaining length bytes       │
 *     └────────────┴──────────────────┴────────────────────┴─────────┘
 *
 * A parser gets one whole packet and the header read from it; it points into the packet. On failure
 * *fault says what is wrong and at which byte of the packet. Thread: pure functions.
 */
#ifndef PICKET_HUB_MQTT_H
#define PICKET_HUB_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT
};

enum mqtt_connack_code {
    MQTT_ACCEPTED = 0,
    MQTT_WRONG_PROTOCOL = 1,
    MQTT_WRONG_CLIENT_ID = 2,
    MQTT_UNAVAILABLE = 3,
    MQTT_NOT_AUTHORIZED = 5
};

enum { MQTT_HEADER_BYTES_MAX = 5, MQTT_SUBSCRIPTION_REFUSED = 0x80 };

struct mqtt_fault {
    size_t offset;
    const char *what; /* a literal */
};

struct mqtt_header {
    uint8_t type; /* enum mqtt_type */
    uint8_t flags;
    uint8_t bytes;      /* of this header: 2..5 */
    uint32_t remaining; /* bytes after it: at most 268,435,455 */
};

/* 1: the header is there. 0: more bytes are needed. -1: no MQTT packet begins like this; reserved
 * types and flags included. */
int mqtt_parse_header(struct mqtt_header *header, const uint8_t *bytes, size_t size,
                      struct mqtt_fault *fault);

struct mqtt_connect {
    bool supported; /* false: another protocol or level than MQTT 4, and nothing below is set */
    bool clean_session;
    uint16_t keep_alive_s;
    struct slice client_id;
    bool has_will;
    uint8_t will_qos; /* 0..2 */
    bool will_retain;
    struct slice will_topic;
    struct slice will_payload;
    bool has_user_name;
    struct slice user_name;
    bool has_password;
    struct slice password;
};
bool mqtt_parse_connect(struct mqtt_connect *connect, const uint8_t *packet,
                        const struct mqtt_header *header, struct mqtt_fault *fault);

struct mqtt_publish {
    uint8_t qos; /* 0..2 */
    bool duplicate;
    bool retain;
    uint16_t packet_id; /* 0 with QoS 0 */
    struct slice topic; /* without wildcards, not empty */
    struct slice payload;
};
bool mqtt_parse_publish(struct mqtt_publish *publish, const uint8_t *packet,
                        const struct mqtt_header *header, struct mqtt_fault *fault);

/* SUBSCRIBE and UNSUBSCRIBE: the packet is checked to its end first; then mqtt_next_filter() goes
 * through it. */
struct mqtt_filters {
    uint16_t packet_id;
    size_t count; /* at least 1 */
    const uint8_t *next;
    const uint8_t *end;
    bool with_qos; /* SUBSCRIBE */
};
struct mqtt_filter {
    struct slice topic;
    uint8_t qos; /* 0..2; 0 in UNSUBSCRIBE */
};
bool mqtt_parse_filters(struct mqtt_filters *filters, const uint8_t *packet,
                        const struct mqtt_header *header, struct mqtt_fault *fault);
bool mqtt_next_filter(struct mqtt_filters *filters, struct mqtt_filter *filter);

/* PUBACK and its like: a packet id and nothing else. */
bool mqtt_parse_packet_id(uint16_t *packet_id, const uint8_t *packet,
                          const struct mqtt_header *header, struct mqtt_fault *fault);

/* PINGREQ, DISCONNECT: nothing after the header. */
bool mqtt_parse_empty(const struct mqtt_header *header, struct mqtt_fault *fault);

/* Each writes a whole packet into out and returns its size. */
enum { MQTT_CONNACK_BYTES = 4, MQTT_PUBACK_BYTES = 4, MQTT_PINGRESP_BYTES = 2 };
size_t mqtt_write_connack(uint8_t *out, enum mqtt_connack_code code, bool session_present);
size_t mqtt_write_puback(uint8_t *out, uint16_t packet_id);
size_t mqtt_write_unsuback(uint8_t *out, uint16_t packet_id); /* 4 bytes */
size_t mqtt_write_pingresp(uint8_t *out);
/* The header and topic length of a PUBLISH; topic, packet id (with QoS 1) and payload follow. The
 * topic is at most 65,535 bytes, all of it at most 268,435,455. */
enum { MQTT_PUBLISH_HEAD_BYTES = MQTT_HEADER_BYTES_MAX + 2 };
size_t mqtt_write_publish_head(uint8_t *out, size_t topic_bytes, size_t payload_bytes, uint8_t qos);
/* The header and packet id of a SUBACK for `count` codes, which follow. */
enum { MQTT_SUBACK_HEAD_BYTES = MQTT_HEADER_BYTES_MAX + 2 };
size_t mqtt_write_suback(uint8_t *out, uint16_t packet_id, size_t count);

const char *mqtt_type_name(uint8_t type);

#endif
