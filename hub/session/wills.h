/* Wills on their way to the log. One that finds it full waits, up to HUB_WILLS_BYTES_MAX of all;
 * what exceeds that, or still waits when the hub stops, is dropped and counted. Thread: the hub's.
 */
#ifndef PICKET_HUB_WILLS_H
#define PICKET_HUB_WILLS_H

#include "internal.h"

void wills_register_counters(void);

/* The connection has gone without DISCONNECT: takes its will, if it has one. */
void wills_take(struct connection *connection);

/* Those that wait go into the log, in order, as far as it has room. */
void wills_run(struct picket_hub *hub);

/* The hub stops. */
void wills_drop_all(struct picket_hub *hub);

#endif
