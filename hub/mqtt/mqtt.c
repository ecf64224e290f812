#include "mqtt.h"

#include <string.h>

/* Reads through one packet; the first fault stays and later reads do nothing. */
struct cursor {
    const uint8_t *packet;
    size_t offset;
    size_t size;
    struct mqtt_fault *fault;
    bool failed;
};

static struct cursor cursor_at_body(const uint8_t *packet, const struct mqtt_header *header,
                                    struct mqtt_fault *fault)
{
    return (struct cursor){packet, header->bytes, header->bytes + (size_t)header->remaining, fault,
                           false};
}

static void fail_at(struct cursor *cursor, size_t offset, const char *what)
{
    if (cursor->failed)
        return;
    cursor->failed = true;
    *cursor->fault = (struct mqtt_fault){offset, what};
}

static size_t left(const struct cursor *cursor)
{
    return cursor->size - cursor->offset;
}

static uint8_t read_byte(struct cursor *cursor, const char *what)
{
    if (cursor->failed || left(cursor) < 1) {
        fail_at(cursor, cursor->offset, what);
        return 0;
    }
    return cursor->packet[cursor->offset++];
}

static uint16_t read_number(struct cursor *cursor, const char *what)
{
    if (cursor->failed || left(cursor) < 2) {
        fail_at(cursor, cursor->offset, what);
        return 0;
    }
    const uint8_t *bytes = cursor->packet + cursor->offset;
    cursor->offset += 2;
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static struct slice read_binary(struct cursor *cursor, const char *what)
{
    uint16_t size = read_number(cursor, what);
    if (cursor->failed || left(cursor) < size) {
        fail_at(cursor, cursor->offset, what);
        return (struct slice){NULL, 0};
    }
    struct slice slice = {(const char *)cursor->packet + cursor->offset, size};
    cursor->offset += size;
    return slice;
}

/* The length of the well-formed UTF-8 sequence (Unicode 15, table 3-7) at bytes, 0 if there is
 * none. U+0000 is none: MQTT forbids it (1.5.3-2), and what is behind us uses NUL as the end. */
static size_t utf8_sequence(const uint8_t *bytes, size_t size)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80)
        return lead != 0 ? 1 : 0;
    size_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : 4;
    if (lead < 0xC2 || lead > 0xF4 || size < length)
        return 0;
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

/* How many of the first bytes are ASCII without NUL, eight at a time: topics are nothing else. */
static size_t plain_bytes(const uint8_t *bytes, size_t size)
{
    const uint64_t highest = UINT64_C(0x8080808080808080), lowest = UINT64_C(0x0101010101010101);
    size_t plain = 0;
    for (uint64_t eight; size - plain >= sizeof eight; plain += sizeof eight) {
        memcpy(&eight, bytes + plain, sizeof eight);
        if (((eight | (eight - lowest)) & highest) != 0) /* the lowest byte of 0 becomes 0xff */
            break;
    }
    return plain;
}

static struct slice read_text(struct cursor *cursor, const char *what)
{
    struct slice text = read_binary(cursor, what);
    for (size_t at = plain_bytes((const uint8_t *)text.bytes, text.size); at < text.size;) {
        size_t step = utf8_sequence((const uint8_t *)text.bytes + at, text.size - at);
        if (step == 0) {
            fail_at(cursor, cursor->offset - text.size + at, "text is not UTF-8 without NUL");
            break;
        }
        at += step;
    }
    return text;
}

static bool at_end(struct cursor *cursor)
{
    if (!cursor->failed && left(cursor) > 0)
        fail_at(cursor, cursor->offset, "bytes after the end of the packet's content");
    return !cursor->failed;
}

static bool flags_are_allowed(uint8_t type, uint8_t flags)
{
    switch (type) {
    case MQTT_PUBLISH:
        return (flags & 0x06) != 0x06;
    case MQTT_PUBREL:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        return flags == 0x02;
    default:
        return flags == 0;
    }
}

int mqtt_parse_header(struct mqtt_header *header, const uint8_t *bytes, size_t size,
                      struct mqtt_fault *fault)
{
    if (size == 0)
        return 0;
    header->type = bytes[0] >> 4;
    header->flags = bytes[0] & 0x0F;
    if (header->type < MQTT_CONNECT || header->type > MQTT_DISCONNECT) {
        *fault = (struct mqtt_fault){0, "reserved packet type"};
        return -1;
    }
    if (!flags_are_allowed(header->type, header->flags)) {
        *fault = (struct mqtt_fault){0, "flags that this packet type must not have"};
        return -1;
    }
    header->remaining = 0;
    for (size_t i = 1; i < MQTT_HEADER_BYTES_MAX; i++) {
        if (i == size)
            return 0;
        header->remaining |= (uint32_t)(bytes[i] & 0x7F) << (7 * (i - 1));
        if ((bytes[i] & 0x80) == 0) {
            header->bytes = (uint8_t)(i + 1);
            return 1;
        }
    }
    *fault = (struct mqtt_fault){4, "remaining length of more than four bytes"};
    return -1;
}

static bool is_supported(struct slice name, uint8_t level)
{
    return slice_equals(name, "MQTT") && level == 4;
}

static void read_will(struct mqtt_connect *connect, struct cursor *cursor, size_t flags_at,
                      uint8_t flags)
{
    connect->has_will = (flags & 0x04) != 0;
    connect->will_qos = flags >> 3 & 3;
    connect->will_retain = (flags & 0x20) != 0;
    if (connect->will_qos == 3)
        fail_at(cursor, flags_at, "will with QoS 3");
    if (!connect->has_will) {
        if (connect->will_qos != 0 || connect->will_retain)
            fail_at(cursor, flags_at, "will flags without a will");
        return;
    }
    connect->will_topic = read_text(cursor, "will topic is cut off");
    connect->will_payload = read_binary(cursor, "will message is cut off");
}

static void read_credentials(struct mqtt_connect *connect, struct cursor *cursor, size_t flags_at,
                             uint8_t flags)
{
    connect->has_user_name = (flags & 0x80) != 0;
    connect->has_password = (flags & 0x40) != 0;
    if (connect->has_password && !connect->has_user_name)
        fail_at(cursor, flags_at, "password without a user name");
    if (connect->has_user_name)
        connect->user_name = read_text(cursor, "user name is cut off");
    if (connect->has_password)
        connect->password = read_binary(cursor, "password is cut off");
}

bool mqtt_parse_connect(struct mqtt_connect *connect, const uint8_t *packet,
                        const struct mqtt_header *header, struct mqtt_fault *fault)
{
    struct cursor cursor = cursor_at_body(packet, header, fault);
    memset(connect, 0, sizeof *connect);
    struct slice name = read_text(&cursor, "protocol name is cut off");
    uint8_t level = read_byte(&cursor, "protocol level is cut off");
    if (cursor.failed)
        return false;
    if (!slice_equals(name, "MQTT") && !slice_equals(name, "MQIsdp")) {
        fail_at(&cursor, header->bytes, "protocol name is not MQTT");
        return false;
    }
    connect->supported = is_supported(name, level);
    if (!connect->supported)
        return true;
    size_t flags_at = cursor.offset;
    uint8_t flags = read_byte(&cursor, "connect flags are cut off");
    if ((flags & 0x01) != 0)
        fail_at(&cursor, flags_at, "reserved connect flag is set");
    connect->clean_session = (flags & 0x02) != 0;
    connect->keep_alive_s = read_number(&cursor, "keep-alive is cut off");
    connect->client_id = read_text(&cursor, "client id is cut off");
    read_will(connect, &cursor, flags_at, flags);
    read_credentials(connect, &cursor, flags_at, flags);
    return at_end(&cursor);
}

static uint16_t read_packet_id(struct cursor *cursor)
{
    size_t at = cursor->offset;
    uint16_t id = read_number(cursor, "packet id is cut off");
    if (id == 0)
        fail_at(cursor, at, "packet id 0");
    return id;
}

bool mqtt_parse_publish(struct mqtt_publish *publish, const uint8_t *packet,
                        const struct mqtt_header *header, struct mqtt_fault *fault)
{
    struct cursor cursor = cursor_at_body(packet, header, fault);
    memset(publish, 0, sizeof *publish);
    publish->duplicate = (header->flags & 0x08) != 0;
    publish->qos = header->flags >> 1 & 3;
    publish->retain = (header->flags & 0x01) != 0;
    publish->topic = read_text(&cursor, "topic is cut off");
    size_t topic_at = header->bytes + (size_t)2;
    if (publish->topic.size == 0)
        fail_at(&cursor, topic_at, "topic is empty");
    for (size_t i = 0; i < publish->topic.size; i++)
        if (publish->topic.bytes[i] == '+' || publish->topic.bytes[i] == '#')
            fail_at(&cursor, topic_at + i, "wildcard in a topic that is published to");
    if (publish->qos > 0)
        publish->packet_id = read_packet_id(&cursor);
    if (cursor.failed)
        return false;
    publish->payload = (struct slice){(const char *)packet + cursor.offset, left(&cursor)};
    return true;
}

static bool read_filter(struct cursor *cursor, bool with_qos, struct mqtt_filter *filter)
{
    size_t at = cursor->offset;
    filter->topic = read_text(cursor, "topic filter is cut off");
    if (!cursor->failed && filter->topic.size == 0)
        fail_at(cursor, at, "topic filter is empty");
    filter->qos = 0;
    if (with_qos) {
        at = cursor->offset;
        filter->qos = read_byte(cursor, "requested QoS is cut off");
        if (filter->qos > 2)
            fail_at(cursor, at, "requested QoS is none of 0, 1, 2");
    }
    return !cursor->failed;
}

bool mqtt_parse_filters(struct mqtt_filters *filters, const uint8_t *packet,
                        const struct mqtt_header *header, struct mqtt_fault *fault)
{
    struct cursor cursor = cursor_at_body(packet, header, fault);
    memset(filters, 0, sizeof *filters);
    filters->with_qos = header->type == MQTT_SUBSCRIBE;
    filters->packet_id = read_packet_id(&cursor);
    filters->next = packet + cursor.offset;
    filters->end = packet + cursor.size;
    if (!cursor.failed && left(&cursor) == 0)
        fail_at(&cursor, cursor.offset, "no topic filter");
    struct mqtt_filter filter;
    while (!cursor.failed && left(&cursor) > 0)
        if (read_filter(&cursor, filters->with_qos, &filter))
            filters->count++;
    return !cursor.failed;
}

bool mqtt_next_filter(struct mqtt_filters *filters, struct mqtt_filter *filter)
{
    struct mqtt_fault unused;
    struct cursor cursor = {filters->next, 0, (size_t)(filters->end - filters->next), &unused,
                            false};
    if (left(&cursor) == 0 || !read_filter(&cursor, filters->with_qos, filter))
        return false;
    filters->next += cursor.offset;
    return true;
}

bool mqtt_parse_packet_id(uint16_t *packet_id, const uint8_t *packet,
                          const struct mqtt_header *header, struct mqtt_fault *fault)
{
    struct cursor cursor = cursor_at_body(packet, header, fault);
    *packet_id = read_packet_id(&cursor);
    return at_end(&cursor);
}

bool mqtt_parse_empty(const struct mqtt_header *header, struct mqtt_fault *fault)
{
    if (header->remaining == 0)
        return true;
    *fault = (struct mqtt_fault){header->bytes, "content in a packet that has none"};
    return false;
}

static size_t write_with_id(uint8_t *out, uint8_t first, uint16_t packet_id)
{
    out[0] = first;
    out[1] = 2;
    out[2] = (uint8_t)(packet_id >> 8);
    out[3] = (uint8_t)packet_id;
    return 4;
}

size_t mqtt_write_connack(uint8_t *out, enum mqtt_connack_code code, bool session_present)
{
    out[0] = MQTT_CONNACK << 4;
    out[1] = 2;
    out[2] = session_present;
    out[3] = (uint8_t)code;
    return MQTT_CONNACK_BYTES;
}

size_t mqtt_write_puback(uint8_t *out, uint16_t packet_id)
{
    return write_with_id(out, MQTT_PUBACK << 4, packet_id);
}

size_t mqtt_write_unsuback(uint8_t *out, uint16_t packet_id)
{
    return write_with_id(out, MQTT_UNSUBACK << 4, packet_id);
}

size_t mqtt_write_pingresp(uint8_t *out)
{
    out[0] = MQTT_PINGRESP << 4;
    out[1] = 0;
    return MQTT_PINGRESP_BYTES;
}

static size_t write_header(uint8_t *out, uint8_t first, size_t remaining)
{
    size_t size = 0;
    out[size++] = first;
    do {
        uint8_t digit = remaining & 0x7F;
        remaining >>= 7;
        out[size++] = (uint8_t)(digit | (remaining > 0 ? 0x80 : 0));
    } while (remaining > 0);
    return size;
}

size_t mqtt_write_publish_head(uint8_t *out, size_t topic_bytes, size_t payload_bytes, uint8_t qos)
{
    size_t id_bytes = qos > 0 ? 2 : 0;
    size_t size = write_header(out, (uint8_t)(MQTT_PUBLISH << 4 | qos << 1),
                               2 + topic_bytes + id_bytes + payload_bytes);
    out[size++] = (uint8_t)(topic_bytes >> 8);
    out[size++] = (uint8_t)topic_bytes;
    return size;
}

size_t mqtt_write_suback(uint8_t *out, uint16_t packet_id, size_t count)
{
    size_t size = write_header(out, MQTT_SUBACK << 4, count + 2);
    out[size++] = (uint8_t)(packet_id >> 8);
    out[size++] = (uint8_t)packet_id;
    return size;
}

const char *mqtt_type_name(uint8_t type)
{
    static const char *const names[] = {"reserved",  "CONNECT",  "CONNACK",     "PUBLISH",
                                        "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
                                        "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
                                        "PINGREQ",   "PINGRESP", "DISCONNECT",  "reserved"};
    return names[type & 0x0F];
}
