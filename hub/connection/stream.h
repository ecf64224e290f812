/* A connection's bytes: TLS handshake, input into packets, output. Thread: the hub's. */
#ifndef PICKET_HUB_STREAM_H
#define PICKET_HUB_STREAM_H

#include "internal.h"

/* A step of the handshake is done: handshakes.h. */
void stream_shaken(struct connection *connection);

/* Reads and handles packets, a bounded number of bytes; queues the connection as ready when there
 * may be more. */
void stream_receive(struct connection *connection);

/* Throws away what a refused client still sends, until it closes. */
void stream_discard(struct connection *connection);

/* Sends what is unsent, as far as the socket takes it. */
void stream_flush(struct connection *connection);
void stream_forget_unsent(struct connection *connection);

/* Is there input that we have not looked at? Then silence is ours, not the peer's. */
bool stream_has_input(struct connection *connection);

bool bytes_append(struct bytes *bytes, const uint8_t *data, size_t size);
void bytes_free(struct bytes *bytes);

#endif
