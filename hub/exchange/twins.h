/* Twins, as devices ask for them and are told of them. Who asks gets an answer on
 * $iothub/twin/res/, whatever happens; docs/hub.md says which. Thread: the hub's. */
#ifndef PICKET_HUB_TWINS_H
#define PICKET_HUB_TWINS_H

#include "exchange.h"
#include "internal.h"
#include "session/dialect.h"

void twins_register_counters(void);

/* A request that was published. */
void twins_take(struct connection *connection, enum dialect_topic kind,
                const struct dialect_request *request, struct slice payload);

/* What the exchange made of it. May end the connection. */
void twins_answer(struct connection *connection, const struct exchange_request *request);

/* Counts it for the device, whose connection may have gone (NULL). */
void twins_count(struct picket_hub *hub, struct connection *connection,
                 const struct exchange_request *request);

/* Tells a device what its owner has changed: {…,"$version":n}. May end the connection. */
void twins_tell(struct connection *connection, int64_t version, const char *patch);

#endif
