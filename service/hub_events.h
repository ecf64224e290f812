/* Detectors of what the hub and Picket itself tell (events of type PICKET_EVENT_OF_HUB).
 *
 * They keep nothing of what they have seen. Thread: any.
 */
#ifndef SERVICE_HUB_EVENTS_H
#define SERVICE_HUB_EVENTS_H

#include "picket/service/detector.h"

typedef int (*hub_events_inspect)(void *state, const struct picket_event *event, picket_yield yield,
                                  void *context);

/* inspect is given devices' events, too, and has nothing to say of them. */
struct picket_detector hub_events_detector(const char *name, hub_events_inspect inspect);

#endif
