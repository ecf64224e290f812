/* What a device subscribes to, and what of it is kept between connections.
 *
 * A client that connects with clean session 0 need not subscribe again when it comes back, and
 * Microsoft's Node client does not: what it subscribes to is kept, and a SUBACK says that it is.
 * With clean session 1 nothing is kept, and what was is forgotten. Of a session nothing else is
 * kept here: messages to devices wait in any case.
 *
 * In connection->subscriptions: a bit for each enum dialect_filter, and one for QoS 1 of messages
 * to the device. Thread: the hub's.
 */
#ifndef PICKET_HUB_SUBSCRIPTIONS_H
#define PICKET_HUB_SUBSCRIPTIONS_H

#include "dialect.h"
#include "exchange/exchange.h"
#include "internal.h"

enum { SUBSCRIPTION_QOS_1 = 0x8000 };

void subscriptions_register_counters(void);

static inline bool subscriptions_have(const struct connection *connection,
                                      enum dialect_filter filter)
{
    return (connection->subscriptions & 1u << filter) != 0;
}

/* At an accepted CONNECT, before its CONNACK: takes up what was kept. True: there was something. */
bool subscriptions_resume(struct connection *connection, bool clean_session);

/* After the CONNACK, or a SUBACK: what waits for the device goes out. May end the connection. */
void subscriptions_begin(struct connection *connection);

/* Each answers now, or when what is kept is on disk. False: the connection has ended. */
bool subscriptions_take_subscribe(struct connection *connection, struct mqtt_filters *filters);
bool subscriptions_take_unsubscribe(struct connection *connection, struct mqtt_filters *filters);

/* What became of keeping them. May end the connection. */
void subscriptions_answer(struct connection *connection, const struct exchange_request *request);

#endif
