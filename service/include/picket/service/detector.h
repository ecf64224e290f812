/* A detector sees one decoded event with its device and yields findings. Intelligence, baseline and
 * posture are detectors; another one is one file and one line in service/detectors.c.
 *
 * Thread: the service's, within the transaction that stores the event; detectors of one device's
 * events are called in order, and again if the transaction fails and is done again.
 */
#ifndef PICKET_SERVICE_DETECTOR_H
#define PICKET_SERVICE_DETECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "picket/base/flow.h"
#include "picket/store/store.h"

/* A decoded event. All pointers are valid during the call. */
struct picket_event {
    const char *device;
    const char *group; /* security group, "" while there are none */
    int64_t event_id;  /* of the store */
    int64_t received_ms;
    int64_t seen_ms; /* the event's own time, bounded by the time of receipt */
    uint32_t duration_s;
    uint8_t type; /* number of the wire's payload union, or PICKET_EVENT_OF_HUB */
    const struct picket_flow *flows;
    size_t flow_count;
    const char *content; /* JSON of what is not flows; NULL otherwise */
};

/* Takes a finding; its strings are copied before the call returns. Non-zero: stop and return it. */
typedef int (*picket_yield)(void *context, const struct picket_finding *finding);

struct picket_detector {
    const char *name;
    void *state;
    /* PICKET_OK, or what yield returned. */
    int (*inspect)(void *state, const struct picket_event *event, picket_yield yield,
                   void *context);
    /* NULL, or told of each new event before anything else is asked about it: with its commit it is
     * there, or never was. */
    void (*approach)(void *state, int64_t event_id);
    /* Both NULL, or both there: a detector that keeps nothing of what it has seen may look ahead,
     * on the preparing thread, before it is known whether the event is new; group and event_id are
     * not. A stamp > 0: there is nothing in the event for as long as stamp() is the same, and
     * inspect() need not be called. 0: it must be. */
    uint64_t (*look_ahead)(void *state, const struct picket_event *event);
    uint64_t (*stamp)(void *state);
};

#endif
