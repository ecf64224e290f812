/* The queues that share the loop's time among connections. Thread: the hub's. */
#ifndef PICKET_HUB_WORK_H
#define PICKET_HUB_WORK_H

#include "internal.h"

/* Puts the connection into a queue, out of the one it was in; WORK_NONE: out of all. At the end, or
 * at the head. */
void work_queue(struct connection *connection, enum work_queue queue);
void work_queue_first(struct connection *connection, enum work_queue queue);

/* One bounded round through everything that waits; stays scheduled while something is left. */
void work_round(struct picket_hub *hub);

/* After a turn that the loop itself gave: now and then sends what has become durable meanwhile, so
 * that devices work on while a thousand others are read. */
void work_between_turns(struct picket_hub *hub);

/* Sees to it that a round takes place soon. */
void work_schedule(struct picket_hub *hub);

#endif
