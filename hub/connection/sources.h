/* Connections before an accepted CONNECT, by where they come from: one address, or one /64 of IPv6,
 * which is what one customer has of it. Thread: the hub's. */
#ifndef PICKET_HUB_SOURCES_H
#define PICKET_HUB_SOURCES_H

#include "internal.h"

uint64_t sources_hash(const struct picket_hub *hub, const struct picket_address *address);
bool sources_are_same(const struct picket_address *a, const struct picket_address *b);

bool sources_open(struct picket_hub *hub);
void sources_close(struct picket_hub *hub);

void sources_enter(struct connection *connection);
void sources_leave(struct connection *connection);

/* How many there are from the address' source; *oldest: the one heard of longest ago, NULL: none.
 */
uint32_t sources_count(const struct picket_hub *hub, const struct picket_address *address,
                       struct connection **oldest);

#endif
