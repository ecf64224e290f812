/* Where alerts and telemetry go: what a configuration says of one output or route.
 *
 * Thread: any; nothing here is changed or opened.
 */
#ifndef PICKET_SERVICE_OUTPUT_H
#define PICKET_SERVICE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "picket/base/error.h"

enum picket_output_kind {
    PICKET_OUTPUT_FILE,    /* one JSON object a line, appended */
    PICKET_OUTPUT_WEBHOOK, /* POST application/json, one each */
    PICKET_OUTPUT_MQTT,    /* published to a broker, QoS 1 */
    PICKET_OUTPUT_KAFKA,   /* produced to a topic, with the device as the key */
};

enum picket_output_payload {
    PICKET_PAYLOAD_JSON, /* alerts and messages as JSON objects */
    PICKET_PAYLOAD_BODY  /* a message's body as the device sent it */
};

struct picket_output_property {
    const char *name, *value;
};

/* Which messages a route takes: all of them if there is nothing in it. */
struct picket_route_filter {
    /* Patterns of device ids with * and ?; with a / in it, of DEVICE/MODULE, and DEVICE/ is the
     * device itself. One of them is enough. */
    const char *const *devices;
    size_t device_count;
    const struct picket_output_property *properties; /* all are needed */
    size_t property_count;
};

/* Text that may be NULL is NULL when it was not given. */
struct picket_output_config {
    const char *name; /* of the outbox target: letters, digits, - and _ */
    enum picket_output_kind kind;
    const char *location; /* path or URL; of a broker with the topic as its path */
    enum picket_output_payload payload;
    const char *client_id;        /* MQTT's; NULL: one of Picket's own */
    const char *user;             /* NULL: none */
    const char *password_file;    /* whose first line is the user's password */
    const char *ca_file;          /* PEM; NULL: the system's CAs */
    const char *certificate_file; /* PEM; the client's, with its chain; NULL: none */
    const char *key_file;         /* PEM; belongs to it */
    const struct picket_output_property *properties; /* of librdkafka; Kafka's */
    size_t property_count;
    struct picket_route_filter filter; /* of routes */
};

/* As configuration and status have it: "file", "webhook", "mqtt", "kafka". */
const char *picket_output_kind_name(enum picket_output_kind kind);
/* False: there is none of that name. */
bool picket_output_kind_named(const char *name, enum picket_output_kind *kind);

enum { PICKET_OUTPUT_SETTING_BYTES = 160 };

/* Whether the settings are those of the kind, and the location is one. PICKET_INVALID: `setting`,
 * of PICKET_OUTPUT_SETTING_BYTES, names the member that is wrong: "location",
 * "librdkafka.linger.ms". */
int picket_output_check(const struct picket_output_config *config, char *setting,
                        struct picket_error *error);

#endif
