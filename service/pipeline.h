/* A batch of prepared messages becomes events, findings, dead letters and outbox items, in one
 * transaction.
 *
 *     prepared message ─▶ security message? ─no──▶ outbox of each route that takes it
 *                                │yes      └─bad──▶ dead letter with reason and byte
 *                                ▼
 *                            put_event ─known──▶ nothing more
 *                                │new
 *                                ▼
 *                            flows, detectors ─▶ raise ─▶ outbox of each output
 *
 * Before the commit, what exceeds the store's bounds is removed.
 *
 * Thread: one, the service's.
 */
#ifndef SERVICE_PIPELINE_H
#define SERVICE_PIPELINE_H

#include <stdbool.h>

#include "detectors.h"
#include "picket/service/service.h"
#include "picket/store/store.h"
#include "prepare.h"

struct pipeline {
    struct picket_store *store;
    struct picket_detector detectors[DETECTORS_MAX];
    size_t detector_count;
    const char *const *alert_targets;          /* NULL-terminated */
    const struct picket_output_config *routes; /* of telemetry */
    size_t route_count;
    struct picket_store_bounds bounds;
    struct arena arena; /* for the events of a message too large to be prepared */
};

/* What a committed batch brought. */
struct pipeline_result {
    bool alerts;    /* at least one alert that is new, or whose severity has risen */
    bool telemetry; /* at least one item for a route */
    bool old_left;  /* there is more that is too old */
    int64_t told;   /* alerts that outputs get */
};

/* All of the batch is committed, or nothing. A message that the store does not take for what it
 * holds is kept as a dead letter. Anything but PICKET_OK: rolled back, to be tried again. */
int pipeline_process(struct pipeline *pipeline, const struct prepared_message *const *messages,
                     int count, struct pipeline_result *result, struct picket_error *error);

/* Between batches, when none comes: removes what has become too old. */
int pipeline_tidy(struct pipeline *pipeline, struct pipeline_result *result,
                  struct picket_error *error);

/* Between batches: raises what no message has brought, all that give() yields in one transaction.
 */
int pipeline_raise(struct pipeline *pipeline, picket_findings give, void *context,
                   struct pipeline_result *result, struct picket_error *error);

/* Makes the pipeline's counters show from the start. */
void pipeline_register_counters(void);

#endif
