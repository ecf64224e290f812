#include "publish.h"

#include "connection/connection.h"

void publish(struct connection *connection, struct slice topic, struct slice payload, uint8_t qos,
             uint16_t packet_id)
{
    uint8_t head[MQTT_PUBLISH_HEAD_BYTES];
    size_t size = mqtt_write_publish_head(head, topic.size, payload.size, qos);
    connection_send(connection, head, size);
    connection_send(connection, (const uint8_t *)topic.bytes, topic.size);
    if (qos > 0) {
        const uint8_t id[2] = {(uint8_t)(packet_id >> 8), (uint8_t)packet_id};
        connection_send(connection, id, sizeof id);
    }
    connection_send(connection, (const uint8_t *)payload.bytes, payload.size);
}

void publish_flush(struct connection *connection)
{
    if (connection_is_open(connection))
        connection_flush(connection);
}

bool publish_is_over_bound(const struct picket_hub *hub)
{
    return hub->output_bytes > hub->config.output_bytes_max;
}
