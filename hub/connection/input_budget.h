/* Memory for large packets while they come in, over all connections.
 *
 * What a connection has of small packets is bounded by itself: HUB_SCRATCH_BYTES. A larger
 * packet is reserved whole before its rest is read, so that what is begun can also be ended. When
 * config.input_bytes_max is used up, who wants more waits, first come, first served, and is not
 * read meanwhile; and who holds memory has less time to finish its packet
 * (HUB_PACKET_MS_WHEN_SHORT).
 *
 * Thread: the hub's.
 */
#ifndef PICKET_HUB_INPUT_BUDGET_H
#define PICKET_HUB_INPUT_BUDGET_H

#include "internal.h"

void input_budget_register_counters(void);

/* False: there is not enough; the connection waits in WORK_MEMORY. */
bool input_budget_reserve(struct connection *connection, size_t bytes);

/* The packet is done with, or the connection. */
void input_budget_release(struct connection *connection);

/* The first that waits, if there is enough for it now: it has its memory then. NULL: none. */
struct connection *input_budget_grant(struct picket_hub *hub);
bool input_budget_can_grant(const struct picket_hub *hub);

/* Somebody waits. */
bool input_budget_is_short(const struct picket_hub *hub);

#endif
