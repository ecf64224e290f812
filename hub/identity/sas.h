/* Shared access signatures: the password with which a device proves that it has its key.
 *
 *     SharedAccessSignature sr=RESOURCE&sig=SIGNATURE&se=EXPIRY[&skn=POLICY]
 *
 *     RESOURCE    HOST/devices/DEVICE[/modules/MODULE], percent-encoded wholly, in part or not
 *     SIGNATURE   percent-encoded base64(HMAC-SHA256(key, RESOURCE "\n" EXPIRY)),
 *                 RESOURCE as it stands in the token
 *     EXPIRY      Unix seconds
 *
 * The fields stand in any order. Thread: pure functions.
 */
#ifndef PICKET_HUB_SAS_H
#define PICKET_HUB_SAS_H

#include <stdbool.h>
#include <stdint.h>

#include "mqtt/slice.h"

enum { SAS_TOKEN_BYTES_MAX = 2048, SAS_SIGNATURE_BYTES = 32 };

struct sas_token {
    struct slice resource; /* as received: this is what was signed */
    struct slice expiry;   /* as received */
    struct slice policy;   /* skn, percent-encoded; empty for a device's own key */
    int64_t expires_s;     /* Unix time */
    uint8_t signature[SAS_SIGNATURE_BYTES];
};

/* Points into text. NULL, or what is wrong with the token. */
const char *sas_parse(struct sas_token *token, struct slice text);

/* Does the token speak for this device (module: NULL or "") at this host? A device's token speaks
 * for its modules, a module's not for the device. Host: regardless of case. */
bool sas_covers(const struct sas_token *token, const char *host, const char *device,
                const char *module);

/* Was it made with this key? Takes the same time whatever the signature. */
bool sas_is_signed_with(const struct sas_token *token, const uint8_t *key, size_t key_bytes);

#endif
