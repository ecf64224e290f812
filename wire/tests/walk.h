/* Reads everything that a message gives through every accessor. */
#ifndef PICKET_WIRE_TESTS_WALK_H
#define PICKET_WIRE_TESTS_WALK_H

#include "picket/wire/decoder.h"

/* A sum over all values, bytes of addresses and texts included, so that none is optimized away. */
uint64_t walk_message(const struct picket_wire_message_view *view);

#endif
