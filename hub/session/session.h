/* What the packets of a connection mean: the rules of docs/hub.md. Thread: the hub's. */
#ifndef PICKET_HUB_SESSION_H
#define PICKET_HUB_SESSION_H

#include "internal.h"

/* Handles one whole packet. False: nothing of it was taken (it has to wait, and is to be handed in
 * again), or it ended the connection. */
bool session_take(struct connection *connection, const uint8_t *packet,
                  const struct mqtt_header *header);

/* Puts a device's message into the log, and counts it. */
int session_append(struct picket_hub *hub, const struct picket_log_message *message,
                   uint64_t *position);

/* So that each shows as 0 from the start. */
void session_register_counters(void);

#endif
