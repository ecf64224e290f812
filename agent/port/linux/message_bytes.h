/* A security message in one piece of memory, as files and MQTT want it. */
#ifndef PICKET_AGENT_LINUX_MESSAGE_BYTES_H
#define PICKET_AGENT_LINUX_MESSAGE_BYTES_H

#include <stdint.h>

#include "picket/base/error.h"
#include "picket/wire/encoder.h"

/* *bytes is for the caller to free(). */
int message_bytes_encode(const struct picket_wire_message *message, uint8_t **bytes,
                         uint32_t *size_bytes, struct picket_error *error);

#endif
