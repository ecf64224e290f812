/* The store as a child would write it: arrays, searched from end to end. What a batch does to it is
 * undone by taking the copy made at its begin. */
#ifndef PICKET_STORE_TESTS_TWIN_H
#define PICKET_STORE_TESTS_TWIN_H

#include "support.h"

enum {
    TWIN_DEVICES = 7,
    TWIN_EVENTS_MAX = 6000,
    TWIN_ALERTS_MAX = 400,
    TWIN_ITEMS_MAX = 4000,
    TWIN_TARGETS = 2,
    TWIN_SUPPRESSED = 6, /* the device whose findings are kept back */
};

struct twin_event {
    int device;
    char module[4];
    int64_t time_s;
    uint64_t key;
    int flows; /* flow_of(key), flow_of(key + 1), ... */
};

struct twin_alert {
    int device;
    char subject[8];
    int severity;
    int64_t first_seen_ms, last_seen_ms, count;
    int64_t first_evidence, last_evidence;
};

struct twin_item {
    int target;
    int64_t alert_id; /* 0: telemetry */
    uint64_t payload;
};

struct twin_device {
    int64_t last_seen_ms, events, flows_lost, bytes_lost;
    char os_info[8];
    bool known;
};

struct twin {
    struct twin_event events[TWIN_EVENTS_MAX];
    struct twin_alert alerts[TWIN_ALERTS_MAX];
    struct twin_item items[TWIN_ITEMS_MAX];
    struct twin_device devices[TWIN_DEVICES];
    int event_count, alert_count, item_count;
    int64_t flow_count, dead_letter_count;
    int64_t suppressed_findings, suppressed_alerts;
};

extern const char *const twin_targets[TWIN_TARGETS + 1];

/* Before the first step. */
void twin_suppress(struct picket_store *store);

/* One thing at random, done to both. The store's status; the twin is as if it had succeeded. */
int twin_step(struct twin *twin, struct picket_store *store, uint64_t *seed);

/* Delivers some of a target's items: on both. */
int twin_deliver(struct twin *twin, struct picket_store *store, uint64_t *seed);

/* Fails the test unless the store shows exactly what the twin has. */
void twin_compare(const struct twin *twin, struct picket_store *store);

#endif
