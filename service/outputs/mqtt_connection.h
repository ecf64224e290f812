/* One connection to an MQTT broker, by libmosquitto, driven by its owner's thread alone.
 *
 *     open: TCP ─▶ TLS ─▶ CONNECT ─▶ CONNACK        publish, publish …    step ─▶ a PUBACK each
 *
 * libmosquitto's own loop waits by select(), which cannot take the descriptors of a process with
 * thousands of connections; so step() waits by poll() and calls what reads and writes. MQTT 5, in
 * which a broker says why it refuses something; MQTT 3.1.1 with a broker that does not know it.
 *
 * A connection that has failed stays so; it is closed, and another one opened.
 */
#ifndef OUTPUTS_MQTT_CONNECTION_H
#define OUTPUTS_MQTT_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "delivery.h"

struct mqtt_connection;

/* What the broker made of a message: reason is below 0x80 if it took it (MQTT 5, 3.4.2.1; with MQTT
 * 3.1.1 always 0). */
typedef void (*mqtt_answer)(void *context, int id, int reason);

/* Whom to connect to, how, and what was learned of it; kept by the owner over all connections. */
struct mqtt_broker {
    const struct picket_output_config *config;
    const atomic_int *stopping; /* not 0: everything ends soon */
    bool is_tls;
    char host[BROKER_HOST_BYTES];
    uint16_t port;
    const char *client_id;
    mqtt_answer answer;
    void *context;
    bool is_old;     /* it does not know MQTT 5 */
    unsigned family; /* of addresses: which one led to it last */
};

/* Until the broker has accepted it: some 15 s at most for each of its addresses' families. */
int mqtt_connection_open(struct mqtt_connection **connection, struct mqtt_broker *broker,
                         struct picket_error *error);
/* Says good-bye if it still can. */
void mqtt_connection_close(struct mqtt_connection *connection);

/* Reads and writes what there is, waiting for it for timeout_ms; calls back with answers. Not
 * PICKET_OK: the connection is gone. */
int mqtt_connection_step(struct mqtt_connection *connection, int timeout_ms,
                         struct picket_error *error);

/* QoS 1; *id is what the answer will name. PICKET_INVALID: this message cannot be published. */
int mqtt_connection_publish(struct mqtt_connection *connection, const char *topic,
                            const struct delivery *item, int *id, struct picket_error *error);

/* After it is gone: whether the broker may have ended it for what was published. */
bool mqtt_connection_was_refused(const struct mqtt_connection *connection);

#endif
