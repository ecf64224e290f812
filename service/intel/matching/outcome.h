/* What an indicator means for a flow: an alert, or why not. All rules of what alerts and what stays
 * silent are here; matcher.h applies them to flows, and lookups tell them to people.
 *
 * Thread: pure functions of their arguments.
 */
#ifndef INTEL_OUTCOME_H
#define INTEL_OUTCOME_H

#include "intel/table/table.h"
#include "picket/service/intel.h"

/* The fleet's own addresses. */
struct own_networks {
    const struct picket_prefix *prefixes;
    size_t count;
};

/* What goes to an address: a flow, or what a flow may be. */
struct traffic {
    uint16_t port;
    bool any_port;
    uint8_t protocol; /* enum picket_protocol + 1; 0: any */
    int64_t at_ms;
    bool is_special_purpose, is_own; /* the address */
};

/* The narrowest given prefix of the fleet's own around the address, or NULL. */
const struct picket_prefix *own_network_of(const struct own_networks *own,
                                           const struct picket_address *address);

struct traffic traffic_of_flow(const struct picket_flow *flow, int64_t at_ms,
                               const struct own_networks *own);

/* Of an indicator by itself: PICKET_OUTCOME_ALERT, ALLOWS or SHARED, by the role of its feed, or
 * what keeps it from being that. */
enum picket_outcome outcome_of(const struct traffic *traffic, const struct table_match *match);

/* Whether an indicator of an allow list, whose outcome is ALLOWS, silences all that the other one
 * would alert on. */
bool outcome_is_allowed(const struct traffic *traffic, const struct table_match *threat,
                        const struct table_match *allow);

#endif
