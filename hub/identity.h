/* Who is connecting? From what a CONNECT says to a device of the registry, or a reason to refuse.
 * Further kinds of credentials (X.509) are further answers to the same question. */
#ifndef PICKET_HUB_IDENTITY_H
#define PICKET_HUB_IDENTITY_H

#include <stdint.h>

#include "ending.h"
#include "mqtt.h"
#include "picket/log/log.h"
#include "registry.h"

struct identity {
    char device[PICKET_DEVICE_ID_BYTES];
    char module[PICKET_DEVICE_ID_BYTES]; /* "": the device itself */
    int64_t expires_s;                   /* Unix time at which the proof ends */
};

struct refusal {
    enum ending ending;
    enum mqtt_connack_code code;
    char sentence[300]; /* for the log */
};

/* True and *identity, or false and *refusal; then identity->device is what the client calls itself,
 * "" when that is not known. now_s: Unix time. Thread: that of the registry. */
bool identity_establish(struct identity *identity, const struct mqtt_connect *connect,
                        const char *host_name, const struct hub_registry *registry, int64_t now_s,
                        struct refusal *refusal);

#endif
