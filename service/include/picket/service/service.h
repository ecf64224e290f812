/* The service: takes batches from the log, decodes, asks every detector, and commits events, alerts
 * and outbox in one transaction a batch; then the log's position. Outputs send what was committed.
 */
#ifndef PICKET_SERVICE_SERVICE_H
#define PICKET_SERVICE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/base/error.h"
#include "picket/log/log.h"
#include "picket/service/detector.h"
#include "picket/service/intel.h"
#include "picket/service/output.h"
#include "picket/store/store.h"

struct picket_service_config {
    const char *store_folder;
    const struct picket_output_config *outputs; /* of alerts; must outlive the service */
    size_t output_count;
    const struct picket_output_config *routes; /* of what is not a security message; likewise */
    size_t route_count;
    uint32_t batch_messages_max;       /* 0: 1,000 */
    struct picket_store_bounds bounds; /* kept at each commit */
};

struct picket_service;

/* Starts the service's thread and one for each output. Log and intel must outlive it.
 * PICKET_INVALID, PICKET_EXISTS, PICKET_IO: an output's name, location or file will not do.
 * docs/outputs.md says what outputs guarantee. */
int picket_service_start(struct picket_service **service,
                         const struct picket_service_config *config, struct picket_log *log,
                         struct picket_intel *intel, struct picket_error *error);

/* The log must be closed before; commits what is left, then ends. If nothing can be committed, it
 * ends after the attempt at hand, and what is left was acknowledged to nobody. */
void picket_service_stop(struct picket_service *service);

/* Yields findings, and returns PICKET_OK or what yield returned. */
typedef int (*picket_findings)(void *context, picket_yield yield, void *yield_context);
/* Has the service's thread raise what give() yields, as findings of detectors are; give() is called
 * there, once for each call, and is to take milliseconds. *told: for how many of them alerts are
 * new or of higher severity. Waits. PICKET_CLOSED: the service is being stopped. Thread: any. */
int picket_service_raise(struct picket_service *service, picket_findings give, void *context,
                         int64_t *told, struct picket_error *error);

struct picket_service_status {
    int64_t stalled_since_ms; /* Unix time since when nothing can be committed; 0: all is well */
    char problem[512];        /* why: "disk full: …" */
};
void picket_service_status(struct picket_service *service, struct picket_service_status *status);

struct picket_output_status {
    int64_t failing_since_ms; /* Unix time of the first failed attempt in a row; 0: all is well */
    char problem[256];        /* what the last attempt met: "the receiver answered 503" */
};
/* Of an output or a route. False: the service has none of that name. Thread: any. */
bool picket_service_output_status(struct picket_service *service, const char *name,
                                  struct picket_output_status *status);

#endif
