/* Messages from the owner to a device, on its connection: taken from the keeper in order, a few at
 * a time, sent with QoS 1, and completed by PUBACK.
 *
 *     keeper ──take──▶ sent, not acknowledged: at most DEVICE_BOUND_WINDOW ──PUBACK──▶ keeper: done
 *
 * What is not acknowledged when the connection ends is taken again by the next one. A device that
 * subscribed with QoS 0 gets them with QoS 0, and they are done when they are sent. Thread: the
 * hub's.
 */
#ifndef PICKET_HUB_DEVICE_BOUND_H
#define PICKET_HUB_DEVICE_BOUND_H

#include "exchange.h"
#include "internal.h"

enum { DEVICE_BOUND_WINDOW = 16, DEVICE_BOUND_BYTES = 131072 };

void device_bound_register_counters(void);

/* The device has subscribed. False: there is no memory. */
bool device_bound_subscribed(struct connection *connection);

/* There is something new for it, perhaps. */
void device_bound_queued(struct connection *connection);

/* What the exchange has taken for it. May end the connection. */
void device_bound_answer(struct connection *connection, struct exchange_request *request);

/* False: no message with this id was on its way. */
bool device_bound_acknowledged(struct connection *connection, uint16_t packet_id);

/* Takes what could not be taken before. */
void device_bound_check(struct connection *connection);

#endif
