/* A batch of messages becomes events, findings, dead letters and outbox items, in one transaction.
 *
 *     message ─▶ security message? ─no──▶ outbox of each route
 *                      │yes
 *                      ▼
 *                  decode ─bad──▶ dead letter with reason and byte
 *                      │
 *                      ▼
 *                  put_event ─known──▶ nothing more
 *                      │new
 *                      ▼
 *                  flows, detectors ─▶ raise ─▶ outbox of each output
 *
 * Thread: one, the service's.
 */
#ifndef SERVICE_PIPELINE_H
#define SERVICE_PIPELINE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "decode.h"
#include "detectors.h"
#include "picket/log/log.h"
#include "picket/store/store.h"

/* A route's backlog: what is waiting in the outbox, and what it may hold. */
struct pipeline_route {
    const char *target;
    _Atomic int64_t *backlog; /* counted up here at commit, down by the output */
};

struct pipeline {
    struct picket_store *store;
    struct picket_detector detectors[DETECTORS_MAX];
    size_t detector_count;
    const char *const *alert_targets; /* NULL-terminated */
    const struct pipeline_route *routes;
    size_t route_count;
    int64_t backlog_max; /* of each route, in messages */
    struct decoder decoder;
};

/* What a committed batch brought. */
struct pipeline_result {
    bool alerts;    /* at least one new alert */
    bool telemetry; /* at least one item for a route */
};

/* All of the batch is committed, or nothing. A message that the store does not take for what it
 * holds is kept as a dead letter. Anything but PICKET_OK: rolled back, to be tried again. */
int pipeline_process(struct pipeline *pipeline, const struct picket_log_message *messages,
                     int count, struct pipeline_result *result, struct picket_error *error);

/* Makes the pipeline's counters show from the start. */
void pipeline_register_counters(void);

#endif
