/* The device's agent, for the parts of the port that configure it. */
#ifndef PICKET_NETXDUO_SRC_DEVICE_H
#define PICKET_NETXDUO_SRC_DEVICE_H

#include "picket/netxduo/netxduo.h"

/* How often it was started: what is remembered of one run does not hold for the next. */
unsigned picket_device_starts(void);

/* Waits until no other thread is at the agent, and returns it; NULL: it does not run, or this
 * thread is at it already. Others wait until picket_device_leave(). Thread: any, not an interrupt.
 */
struct picket_agent *picket_device_enter(void);
void picket_device_leave(void);

#endif
