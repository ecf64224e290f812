/* The MQTT connection to the hub, as any IoT Hub device has it: TLS, SAS token, QoS 1.
 *
 * A thread of its own connects, reconnects with exponential back-off and jitter, renews the token
 * by reconnecting before it expires, and carries messages through libmosquitto. A message counts as
 * accepted when it was handed over while connected; it is then kept, and sent again after a
 * reconnect, until the hub acknowledges it. At most HUB_IN_FLIGHT_MAX messages are on their way;
 * more are refused, so that what is not delivered stays folded in the agent's table.
 *
 *          hub_connection_publish()         PUBACK
 *     caller ────────▶ in flight ────▶ hub ───────▶ forgotten
 *
 * Source: the hub's contract; OASIS MQTT 3.1.1.
 * Thread: publish, ready and wait from any thread; start and stop from one.
 */
#ifndef PICKET_AGENT_LINUX_HUB_CONNECTION_H
#define PICKET_AGENT_LINUX_HUB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection_string.h"

enum { HUB_IN_FLIGHT_MAX = 16, HUB_RECEIVED_MAX = 16, HUB_RECEIVED_BYTES_MAX = 131072 };

/* The strings must outlive the connection. */
struct hub_connection_config {
    struct connection_string device;
    uint16_t port;
    const char *ca_file; /* NULL: the system's certificates */
    uint32_t token_life_s;
};

struct hub_connection;

int hub_connection_start(struct hub_connection **connection,
                         const struct hub_connection_config *config, struct picket_error *error);

/* Connected, and taking messages as far as there is room. */
bool hub_connection_ready(struct hub_connection *connection);

/* Takes a copy of a security message. PICKET_CLOSED: not connected; PICKET_BUSY: too much on its
 * way. */
int hub_connection_publish(struct hub_connection *connection, const void *bytes,
                           uint32_t size_bytes, struct picket_error *error);

/* The device twin. True once after each time that its topics were subscribed to: what is desired
 * may have changed meanwhile, and has to be asked for. */
bool hub_connection_twin_is_new(struct hub_connection *connection);

/* Publishes on a topic of the twin, like a message. PICKET_CLOSED, PICKET_BUSY: not now. */
int hub_connection_request(struct hub_connection *connection, const char *topic,
                           const char *payload, struct picket_error *error);

/* What came on the twin's topics, for the caller to free; NULL: nothing. When more comes than is
 * taken, the twin is new. */
struct hub_message {
    char *topic;
    char *payload; /* with a NUL behind it */
    size_t payload_bytes;
};
struct hub_message *hub_connection_take(struct hub_connection *connection);

/* Waits until a message was acknowledged, or the connection came or went, or the time is over. */
void hub_connection_wait(struct hub_connection *connection, uint32_t time_ms);

/* Waits at most time_ms for what is on its way to be acknowledged, disconnects and frees
 * everything. Returns the number of messages that were accepted and not acknowledged. */
unsigned hub_connection_stop(struct hub_connection *connection, uint32_t time_ms);

#endif
