/* What the senders to brokers share: locations and topics.
 *
 *     mqtts://broker.example.org:8883/fleet/{device}/{module}
 *     scheme  brokers                 topic
 *
 * Thread: pure functions.
 */
#ifndef OUTPUTS_BROKER_H
#define OUTPUTS_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/service/output.h"

enum { BROKER_HOST_BYTES = 256, BROKERS_BYTES = 2048 };

struct broker_location {
    bool is_tls;                 /* the scheme ends in s */
    char brokers[BROKERS_BYTES]; /* HOST[:PORT], several with a comma between them */
    const char *topic;           /* within the location, not empty */
};

/* scheme: "mqtt". The error says what of the location is wrong; a location that seems to hold a
 * password is not quoted. */
int broker_location_parse(const char *location, const char *scheme, struct broker_location *parsed,
                          struct picket_error *error);

/* HOST, HOST:PORT or [ADDRESS]:PORT; host has BROKER_HOST_BYTES. *port stays as it is if there is
 * none. */
int broker_parse(const char *broker, size_t length, char *host, uint16_t *port,
                 struct picket_error *error);

/* Files for TLS go with a location that says TLS. */
int broker_check_tls(const struct picket_output_config *config, const char *scheme, bool is_tls,
                     char *setting, struct picket_error *error);

/* A topic may hold {device} and {module}, and nothing else in braces. */
int topic_template_check(const char *template, struct picket_error *error);
/* The topic for these; to be freed, NULL: no memory. In their place, a device that is "" and a
 * module that is "" are "-", and what could be more than a part of one level of a topic (/ + # $,
 * control characters, bytes of more than 7 bits) is written %XX, as % itself: so two devices never
 * share a topic. */
char *topic_render(const char *template, const char *device, const char *module);

#endif
