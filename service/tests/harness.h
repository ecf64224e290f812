/* A whole service in this process: a store in a temporary folder, a direct log, intelligence,
 * outputs. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/log/log.h"
#include "picket/service/hunter.h"
#include "picket/service/intel.h"
#include "picket/service/service.h"
#include "picket/store/store.h"

#define SECURITY_PROPERTIES "mti=2.3-1-0-0&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"

enum { DEADLINE_MS = 120000, HUNT_QUIET_MS = 50, HUNT_NEVER_MS = 3600000 };

struct harness {
    char folder[64];
    struct picket_log *log;
    struct picket_intel *intel;
    struct picket_service *service;
    struct picket_hunter *hunter;
    struct picket_store *store; /* the test's own handle */
    struct picket_output_config outputs[2], routes[2];
    size_t output_count, route_count;
    struct picket_store_bounds bounds;
    int64_t hunt_quiet_ms; /* before what came is searched for */
    uint64_t appended;     /* the last position */
};

/* Makes the folder; then outputs may be set, and harness_start() called, also again after a stop.
 */
void harness_open(struct harness *harness);
void harness_start(struct harness *harness);
void harness_stop(struct harness *harness);
void harness_close(struct harness *harness); /* stops, and removes the folder */

/* Setup and teardown of a test, whose initial state is the harness: open and start; close. */
int harness_set_up(void **state);
int harness_tear_down(void **state);

/* A file in the folder with this text; returns its path, valid until the next call. */
const char *harness_file(struct harness *harness, const char *name, const char *text);
/* Its path alone, in a buffer of its own. */
void harness_path(const struct harness *harness, const char *name, char *out, size_t out_bytes);

void harness_feed(struct harness *harness, const char *name, const char *text, int confidence,
                  bool match_special_purpose);

void harness_append(struct harness *harness, const char *device, const char *properties,
                    const void *payload, size_t size);
void harness_append_of_module(struct harness *harness, const char *device, const char *module,
                              const char *properties, const void *payload, size_t size);
/* One flow to that address. */
struct flow_message {
    const char *remote;
    uint16_t remote_port;
    uint32_t time_s;
    uint8_t event_id;
    uint32_t bytes_out;
};
void harness_append_flow(struct harness *harness, const char *device, struct flow_message flow);
/* A message of one event, now, with so many flows, to 198.18.0.0 and what follows. */
void harness_append_flows(struct harness *harness, const char *device, uint32_t flows);

/* Waits until everything appended is durable; false after the deadline. */
bool harness_wait_durable(struct harness *harness);
uint64_t harness_durable(void);

/* Waits until condition(context) holds; false after the deadline. */
bool harness_wait(bool (*condition)(void *context), void *context);

struct picket_store_totals harness_totals(struct harness *harness);
/* The counts of all alerts together: how many findings there were. */
int64_t harness_alert_counts(struct harness *harness);

#endif
