/* What a search has found, by device and indicator's prefix: how often, how much, since when, and
 * the first flows as examples. Bounded; what exceeds the bound is counted.
 *
 * Thread: one at a time.
 */
#ifndef INTEL_GATHERED_H
#define INTEL_GATHERED_H

#include "intel/matching/finding.h"

enum { GATHERED_MAX = 10000, GATHERED_LIST_BYTES = 65, GATHERED_TAGS_BYTES = 64 };

struct gathered_example {
    int64_t event_id;
    int64_t seen_ms;
    struct picket_flow flow;
};

struct gathered {
    char *device;
    struct picket_prefix prefix;
    int64_t first_ms, last_ms; /* the events' own times */
    int64_t received_ms;       /* of the last event */
    int64_t last_event;
    int64_t events, flows;
    uint64_t bytes_in, bytes_out;
    enum severity_contact contact;
    struct picket_address remote; /* of the first flow */
    bool several_remotes;
    struct gathered_example *examples;
    size_t example_count; /* up to FINDING_FLOWS_SHOWN */
    /* What became of it: filled in when all is gathered. */
    bool is_listed;
    int severity, confidence;
    char list[GATHERED_LIST_BYTES];
    char tags[GATHERED_TAGS_BYTES];
};

struct gathering {
    struct gathered *items; /* in order of device and prefix once sorted */
    size_t count, capacity;
    uint32_t *slots; /* by hash: number of the item + 1; 0: free */
    size_t slot_count;
    int64_t left_out; /* flows of further devices and prefixes */
};

void gathering_free(struct gathering *gathering);

/* False: no memory. */
bool gathering_add(struct gathering *gathering, const char *device,
                   const struct picket_prefix *prefix, const struct gathered_example *example,
                   int64_t received_ms);
/* Nothing is to be added any more. */
void gathering_sort(struct gathering *gathering);

#endif
