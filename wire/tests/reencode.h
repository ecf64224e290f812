/* Hands a decoded message to the encoder: its flows are read straight from the view. */
#ifndef PICKET_WIRE_TESTS_REENCODE_H
#define PICKET_WIRE_TESTS_REENCODE_H

#include <stdbool.h>

#include "picket/wire/decoder.h"
#include "picket/wire/encoder.h"

enum { REENCODE_PORTS_MAX = 8 }; /* the smallest machine of tests/emulation has no room for more */

struct reencoding {
    struct picket_wire_message message; /* strings point into the bytes that were decoded */
    struct picket_wire_event events[PICKET_WIRE_EVENTS_MAX];
    struct picket_wire_network_activity_view activities[PICKET_WIRE_EVENTS_MAX];
    struct picket_wire_open_port ports[REENCODE_PORTS_MAX]; /* of all events */
    uint32_t port_count;
};

/* False if the encoder has no words for it: too many events, another payload type; or too many
 * ports. The view must outlive the reencoding. */
bool reencoding_prepare(struct reencoding *reencoding, const struct picket_wire_message_view *view);

/* A sink's context: where the message goes. */
struct sink_buffer {
    unsigned char *bytes;
    size_t size_bytes;
    size_t capacity_bytes;
    size_t pieces;
    size_t refuse_at; /* the piece that is refused, from 1; 0: none */
};
bool sink_buffer_take(void *context, const void *piece, size_t size_bytes);

/* The message in a block of exactly its size, for the caller to free; NULL if it cannot be encoded.
 * Fails the test when the size promised is not the size written. */
unsigned char *encode_exactly(const struct picket_wire_message *message, size_t *size_bytes);

#endif
