/* Matches the flows of one event against the table: one finding for each indicator's prefix.
 *
 * A flow's remote address matches an indicator when the prefix covers it, the indicator has no port
 * or the flow's remote port, it had not expired at the time of the event, and the address is not a
 * special-purpose one (private, multicast, ...), unless the feed asks for those. The narrowest
 * prefix that matches is the finding's subject; all that match are its evidence.
 *
 * Thread: pure functions of their arguments, between readers_enter() and readers_leave().
 */
#ifndef INTEL_MATCHER_H
#define INTEL_MATCHER_H

#include "finding.h"
#include "picket/service/detector.h"
#include "table.h"

/* Whether there is a finding in the event; its device, group and id are not looked at. */
bool matcher_finds(const struct table *table, const struct picket_event *event);

/* PICKET_OK, what yield returned, or PICKET_NO_MEMORY. */
int matcher_inspect(const struct table *table, const struct picket_event *event,
                    const struct listings *listings, picket_yield yield, void *context);

#endif
