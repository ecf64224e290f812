/* A device's connection string, as `picket device add` and Azure print it:
 *
 *     HostName=hub.example.net;DeviceId=pump-7;SharedAccessKey=qZL1…=
 *
 * Fields in any order; names as written above; nothing twice; unknown fields (SharedAccessKeyName,
 * GatewayHostName...) are refused, since they would mean another kind of connection.
 *
 * Thread: pure functions.
 */
#ifndef PICKET_AGENT_LINUX_CONNECTION_STRING_H
#define PICKET_AGENT_LINUX_CONNECTION_STRING_H

#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"

enum {
    HOST_NAME_BYTES_MAX = 253,
    DEVICE_ID_BYTES_MAX = 128,
    SHARED_ACCESS_KEY_BYTES_MAX = 64 /* decoded */
};

struct connection_string {
    char host_name[HOST_NAME_BYTES_MAX + 1]; /* without a port */
    char device_id[DEVICE_ID_BYTES_MAX + 1];
    uint8_t key[SHARED_ACCESS_KEY_BYTES_MAX];
    size_t key_bytes;
};

/* Blanks and newlines around the text are passed over. The errors never show the key. */
int connection_string_parse(struct connection_string *parsed, const char *text,
                            struct picket_error *error);

/* From the first line of a file. */
int connection_string_read(struct connection_string *parsed, const char *path,
                           struct picket_error *error);

#endif
