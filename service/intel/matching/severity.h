/* How bad a match is: from what feeds say, what the device did, and how often. docs/intelligence.md
 * has the table for who reads alerts.
 *
 *     what counts                                                             points
 *     confidence, the highest of the matching sources   75 to 100                 3
 *                                                       50 to 74                  2
 *                                                       25 to 49                  1
 *     sources: feeds that list it                       two or more               1
 *     severity, the highest that a feed gives           high                      1
 *                                                       low                      -1
 *     contact                                           data went both ways       2
 *                                                       the device sent           1
 *     volume: the device sent                           1 MB or more              1
 *     the indicator names the port                                                1
 *     repetition                                        10 times in an hour up    1
 *     devices that talk to it                           3 or more                 1
 *     shared address                                                             -2
 *
 *     5 or more: high; 3 or 4: medium; less: low. At most medium when the confidence is below 50,
 *     or the address is a shared one and no indicator names the port; at most low for a probe,
 *     whatever else there is: who has an address on the internet is probed all day.
 *
 * Thread: pure functions of their arguments.
 */
#ifndef INTEL_SEVERITY_H
#define INTEL_SEVERITY_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/base/flow.h"
#include "picket/store/store.h"

enum {
    SEVERITY_HIGH_POINTS = 5,
    SEVERITY_MEDIUM_POINTS = 3,
    SEVERITY_SURE = 75, /* confidence */
    SEVERITY_LIKELY = 50,
    SEVERITY_POSSIBLE = 25,
    SEVERITY_REPEATED_TIMES = 10,
    SEVERITY_REPEATED_MS = 3600 * 1000,
    SEVERITY_DEVICES = 3,
    SEVERITY_MUCH_BYTES = 1000 * 1000,
    SEVERITY_HANDSHAKE_BYTES = 200, /* of IP payload: what TCP needs to open, refuse and close */
    SEVERITY_REASONS_MAX = 12
};

/* What the device had to do with the address; in order of weight. */
enum severity_contact {
    SEVERITY_PROBE, /* from outside; the device sent nothing, or no more than it takes to refuse */
    SEVERITY_ATTEMPT, /* the device sent, and no data came back */
    SEVERITY_EXCHANGE /* data went both ways */
};

/* Of one flow. Who opened a TCP connection in which no data went both ways is told by its ports:
 * the lower one is the service's. ICMP of as many bytes in as out is taken for pings. */
enum severity_contact severity_contact_of(const struct picket_flow *flow);

struct severity_inputs {
    int confidence;    /* 0..100, the highest of the matching sources */
    uint32_t sources;  /* feeds that list it */
    int feed_severity; /* enum picket_severity, the highest that a feed gives; 0: none says */
    enum severity_contact contact; /* the weightiest of the flows */
    uint64_t bytes_in, bytes_out;  /* of all flows */
    bool names_port;               /* an indicator of that port or protocol */
    bool is_shared;                /* many use the address: a CDN, a carrier's NAT, public DNS */
    int64_t times;                 /* findings of this alert, with this one */
    int64_t span_ms;               /* from its first to its last */
    int64_t
        devices; /* that talk to it, with this one; more than PICKET_STANDING_DEVICES: at least */
};

struct severity_reason {
    int points;  /* 0: it sets a bound */
    int at_most; /* enum picket_severity; 0: it gives points */
    char text[160];
};

struct severity {
    int severity; /* enum picket_severity */
    int points;
    int reason_count; /* what counted, in the order of the table, then the bounds reached */
    struct severity_reason reasons[SEVERITY_REASONS_MAX];
};

void severity_weigh(const struct severity_inputs *inputs, struct severity *severity);

/* JSON: [{"points": 3, "reason": "…"}, {"at_most": "low", "reason": "…"}]. The caller frees it;
 * NULL: no memory. */
char *severity_reasons_text(const struct severity *severity);

#endif
