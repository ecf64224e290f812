/* Matches the flows of one event against the table: one finding for each indicator's prefix.
 *
 * An indicator is about a flow when its prefix covers the remote address, it has no port or the
 * flow's remote port, no protocol or the flow's, and had not expired at the time of the event. A
 * flow is a hit when an indicator of a threat feed is about it and none of an allow list, however
 * wide or narrow these are; if the address is a special-purpose one (private, multicast, ...) or
 * one of the fleet's own, only the feeds that ask for those count. The narrowest prefix that
 * matches is the finding's subject; all of threat feeds that match are its evidence, and what lists
 * of shared addresses say of it.
 *
 * Thread: any, between readers_enter() and readers_leave(); functions of their arguments, but for
 * the silences that are counted.
 */
#ifndef INTEL_MATCHER_H
#define INTEL_MATCHER_H

#include "finding.h"
#include "intel/table/table.h"
#include "outcome.h"
#include "picket/service/detector.h"
#include "silences.h"

/* What flows are judged by. */
struct matching {
    const struct table *table;
    const struct listings *listings; /* NULL: nothing is known but what the table has */
    struct own_networks own_networks;
    struct silences *silences; /* where hits that stay silent are counted; NULL: nowhere */
};

/* Whether there is a finding in the event, or a silence to count; its device, group and id are not
 * looked at. */
bool matcher_finds(const struct matching *matching, const struct picket_event *event);

/* PICKET_OK, what yield returned, or PICKET_NO_MEMORY. */
int matcher_inspect(const struct matching *matching, const struct picket_event *event,
                    picket_yield yield, void *context);

/* The narrowest prefix by which the event's flow of that number is a hit. False: that is enough. */
typedef bool (*matcher_hit)(void *context, size_t flow, const struct picket_prefix *prefix);
/* Calls hit for each flow that is one and that no allow list covers, in their order. */
void matcher_hits(const struct matching *matching, const struct picket_event *event,
                  matcher_hit hit, void *context);

/* One finding of all flows of the event, which are hits of that prefix, about the past. As
 * matcher_inspect(). */
int matcher_tell_past(const struct matching *matching, const struct picket_event *event,
                      const struct picket_prefix *prefix, const struct finding_past *past,
                      picket_yield yield, void *context);

#endif
