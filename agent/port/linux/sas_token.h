/* The password of a device at an IoT hub: a shared access signature,
 *
 *     SharedAccessSignature sr={resource}&sig={signature}&se={expiry}
 *     resource  = URL-encoded "host/devices/id"
 *     signature = URL-encoded base64(HMAC-SHA256(key, resource "\n" expiry))
 *
 * Source: the hub's contract, https://learn.microsoft.com/azure/iot-hub/iot-hub-dev-guide-sas .
 * Thread: pure functions.
 */
#ifndef PICKET_AGENT_LINUX_SAS_TOKEN_H
#define PICKET_AGENT_LINUX_SAS_TOKEN_H

#include <stdint.h>

#include "connection_string.h"

/* Both names with every byte encoded, and the rest. */
enum { SAS_TOKEN_BYTES = 3 * (HOST_NAME_BYTES_MAX + DEVICE_ID_BYTES_MAX + 16) + 256 };
enum { URL_ENCODED_DEVICE_BYTES = 3 * DEVICE_ID_BYTES_MAX + 1 };

/* Into out, of SAS_TOKEN_BYTES. expiry_s: Unix seconds. */
int sas_token_make(const struct connection_string *device, int64_t expiry_s, char *out,
                   struct picket_error *error);

/* Everything but unreserved characters (RFC 3986) as %XX. out has size_bytes, at least
 * 3 * strlen(text) + 1. */
void url_encode(const char *text, char *out, size_t size_bytes);

#endif
