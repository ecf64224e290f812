/* One client: socket, TLS, buffers, and its end. What its packets mean is session.h's. Thread: the
 * hub's. */
#ifndef PICKET_HUB_CONNECTION_H
#define PICKET_HUB_CONNECTION_H

#include "internal.h"

/* Takes over the accepted, non-blocking socket, also on failure. */
void connection_open(struct picket_hub *hub, int fd, const struct picket_address *address,
                     uint16_t port);

/* Does a bounded amount of what there is to do: handshake, read and handle packets, write. */
void connection_turn(struct connection *connection);

/* Queues bytes for the client; connection_flush() or the end of the turn sends them. */
void connection_send(struct connection *connection, const uint8_t *bytes, size_t size);
void connection_flush(struct connection *connection);

/* Ends it now. The sentence, printf-like, goes to the log with the device and its address. */
void connection_end(struct connection *connection, enum ending ending, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses its CONNECT: answers `code`, and gives the client a moment to read that. */
void connection_refuse(struct connection *connection, enum ending ending,
                       enum mqtt_connack_code code, const char *sentence);

/* Frees what is left of a closed one, when no handshake thread has it any more. */
void connection_let_go(struct connection *connection);

/* It is authenticated: no longer among those that make room for others. */
void connection_authenticated(struct connection *connection);

/* Looks at its deadlines; may end it. */
void connection_check(struct connection *connection, int64_t now_ms, int64_t unix_s);

/* Asks libuv for the events it can use now. */
void connection_poll(struct connection *connection);

static inline bool connection_is_open(const struct connection *connection)
{
    return connection->state != CONNECTION_CLOSED;
}

#endif
