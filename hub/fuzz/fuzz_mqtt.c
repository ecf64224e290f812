/* Packets as a connection takes them from its input: header, then the parser of its type. Whatever
 * is found lies within the packet. */
#include <stdint.h>
#include <stdlib.h>

#include "mqtt/mqtt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *packet_begin;
static const uint8_t *packet_end;

static void must_lie_within(struct slice slice)
{
    const uint8_t *bytes = (const uint8_t *)slice.bytes;
    if (slice.size > 0 && (bytes < packet_begin || bytes + slice.size > packet_end))
        abort();
}

static void take_connect(const uint8_t *packet, const struct mqtt_header *header,
                         struct mqtt_fault *fault)
{
    struct mqtt_connect connect;
    if (!mqtt_parse_connect(&connect, packet, header, fault))
        return;
    must_lie_within(connect.client_id);
    must_lie_within(connect.will_topic);
    must_lie_within(connect.will_payload);
    must_lie_within(connect.user_name);
    must_lie_within(connect.password);
}

static void take_publish(const uint8_t *packet, const struct mqtt_header *header,
                         struct mqtt_fault *fault)
{
    struct mqtt_publish publish;
    if (!mqtt_parse_publish(&publish, packet, header, fault))
        return;
    if (publish.topic.size == 0 || publish.qos > 2 || (publish.qos > 0 && publish.packet_id == 0))
        abort();
    must_lie_within(publish.topic);
    must_lie_within(publish.payload);
}

static void take_filters(const uint8_t *packet, const struct mqtt_header *header,
                         struct mqtt_fault *fault)
{
    struct mqtt_filters filters;
    struct mqtt_filter filter;
    if (!mqtt_parse_filters(&filters, packet, header, fault))
        return;
    size_t count = filters.count;
    while (mqtt_next_filter(&filters, &filter)) {
        must_lie_within(filter.topic);
        count--;
    }
    if (count != 0)
        abort();
}

static void take(const uint8_t *packet, const struct mqtt_header *header)
{
    struct mqtt_fault fault = {0, ""};
    uint16_t packet_id;
    packet_begin = packet;
    packet_end = packet + header->bytes + header->remaining;
    switch (header->type) {
    case MQTT_CONNECT:
        take_connect(packet, header, &fault);
        break;
    case MQTT_PUBLISH:
        take_publish(packet, header, &fault);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        take_filters(packet, header, &fault);
        break;
    case MQTT_PUBACK:
        mqtt_parse_packet_id(&packet_id, packet, header, &fault);
        break;
    default:
        mqtt_parse_empty(header, &fault);
    }
    if (fault.offset > (size_t)(packet_end - packet_begin))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mqtt_header header;
    struct mqtt_fault fault;
    while (mqtt_parse_header(&header, data, size, &fault) == 1 &&
           size >= header.bytes + (size_t)header.remaining) {
        take(data, &header);
        data += header.bytes + header.remaining;
        size -= header.bytes + (size_t)header.remaining;
    }
    return 0;
}
