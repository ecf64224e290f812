/* Who is connecting? From what a CONNECT says, and the certificate that came before it, to a device
 * of the registry, or a reason to refuse. The registry says by what a device is to be known. */
#ifndef PICKET_HUB_IDENTITY_H
#define PICKET_HUB_IDENTITY_H

#include <openssl/x509.h>
#include <stdint.h>

#include "admission.h"
#include "credential.h"
#include "ending.h"
#include "mqtt/mqtt.h"
#include "picket/log/log.h"
#include "registry.h"

struct identity {
    char device[PICKET_DEVICE_ID_BYTES];
    char module[PICKET_DEVICE_ID_BYTES]; /* "": the device itself */
    struct credential credential;
    int64_t expires_s; /* Unix time at which the proof ends */
};

/* What a client shows of itself. */
struct proof {
    const struct mqtt_connect *connect;
    X509 *certificate;      /* whose key it has, by the handshake; NULL: it showed none */
    STACK_OF(X509) * chain; /* others that it sent along; NULL: none */
};

/* What it is held against. */
struct gate {
    const char *host_name;
    const struct hub_registry *registry;
    const struct admission *admission;
    int64_t now_s; /* Unix time */
};

struct refusal {
    enum ending ending;
    enum mqtt_connack_code code;
    bool device_is_known; /* it is in the registry */
    char sentence[360];   /* for the log */
};

/* True and *identity, or false and *refusal; then identity->device is what the client calls itself,
 * "" when that is not known. Thread: that of the registry. */
bool identity_establish(struct identity *identity, const struct proof *proof,
                        const struct gate *gate, struct refusal *refusal);

#endif
