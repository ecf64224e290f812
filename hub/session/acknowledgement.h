/* Messages in the log that their devices wait for, in the order of the log: a device gets its
 * PUBACK when everything up to its message is durable. Thread: the hub's.
 *
 *     sequence   first                                            end
 *         ring ───┼──[a 7]──[b 3]──[a 8]──[c 1]──[a 9]─────────────┼───
 *                      ▲              │ ▲            │
 *                      └── previous ──┘ └─ previous ─┘   (of one connection)
 *
 * One ring for all connections: what becomes durable is at its head, whoever it belongs to. Entries
 * of a connection that has gone are passed over. It is as long as the log lets messages in.
 */
#ifndef PICKET_HUB_ACKNOWLEDGEMENT_H
#define PICKET_HUB_ACKNOWLEDGEMENT_H

#include "internal.h"

bool acknowledgement_open(struct acknowledgements *acknowledgements);
void acknowledgement_close(struct acknowledgements *acknowledgements);

/* Makes room for one entry more, before the log takes the message. */
bool acknowledgement_reserve(struct acknowledgements *acknowledgements);
void acknowledgement_add(struct connection *connection, uint16_t packet_id, uint64_t position);

/* Is a message with this id on its way from this connection? */
bool acknowledgement_is_awaited(const struct connection *connection, uint16_t packet_id);

/* Sends what has become durable, a bounded number, each connection's PUBACKs together. */
void acknowledgement_run(struct picket_hub *hub);
bool acknowledgement_is_due(const struct picket_hub *hub);

#endif
