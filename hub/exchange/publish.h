/* Messages to devices, on connections. Thread: the hub's. */
#ifndef PICKET_HUB_PUBLISH_H
#define PICKET_HUB_PUBLISH_H

#include "internal.h"

/* Queues a PUBLISH; packet_id: with QoS 1, not 0. May end the connection, for want of memory. */
void publish(struct connection *connection, struct slice topic, struct slice payload, uint8_t qos,
             uint16_t packet_id);

/* Sends what is queued, outside of the connection's own turn. May end the connection. */
void publish_flush(struct connection *connection);

/* True while what devices have not read yet takes all the memory that it may, of all of them. */
bool publish_is_over_bound(const struct picket_hub *hub);

#endif
