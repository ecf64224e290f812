/* Whether people know already: what live alerts tell of.
 *
 * Thread: whoever has the store.
 */
#ifndef INTEL_TOLD_H
#define INTEL_TOLD_H

#include "hunt.h"

/* Whether a live alert on that device and prefix, raised before that time, tells of the time of the
 * hit. */
bool told_live(struct picket_store *store, const struct hunt_hit *hit, int64_t before_ms);

#endif
