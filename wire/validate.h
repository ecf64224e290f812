/* Checks a whole message before anything is read from it. */
#ifndef PICKET_WIRE_VALIDATE_H
#define PICKET_WIRE_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/wire/decoder.h"

/* True: the Message table is at the offset at byte 0, and all that can be reached from it by the
 * schema is in bounds. */
bool picket_wire_validate(const uint8_t *bytes, uint32_t size_bytes,
                          struct picket_wire_error *error);

#endif
