/* What an operator reads about a match: title, description, remediation, and the evidence as JSON.
 *
 *     finding_begin ─▶ finding_add_match … (narrowest first)
 *                   ─▶ finding_add_shared …, finding_add_flow … ─▶ finding_yield
 *
 * Thread: one at a time per struct.
 */
#ifndef INTEL_FINDING_H
#define INTEL_FINDING_H

#include <jansson.h>

#include "intel/formats/indicator_list.h"
#include "intel/table/table.h"
#include "picket/service/detector.h"
#include "severity.h"

enum { FINDING_FLOWS_SHOWN = 10, FINDING_MATCHES_SHOWN = 32, FINDING_SHARED_SHOWN = 8 };

/* An indicator of a feed, with what the table does not know of it. */
struct listing {
    struct table_match match;
    int64_t first_seen_ms; /* 0: not known */
    int64_t listed_ms;     /* 0: the feed does not say */
    uint32_t line;         /* 0: not known */
    uint8_t severity;      /* enum picket_severity; 0: the feed does not say */
    uint8_t tlp;           /* enum picket_tlp */
    char tags[INDICATOR_TEXT_BYTES];
    char malware[INDICATOR_TEXT_BYTES];
    char reference[INDICATOR_TEXT_BYTES];
};

/* Fills in what is not in match. False: the feed does not list it any more, and the table is about
 * to hear of it. */
struct listings {
    bool (*look_up)(void *context, struct listing *listing);
    void *context;
};

/* What stored flows to one prefix come to, found when its indicator came, or when somebody looked.
 */
struct finding_past {
    int64_t first_ms, last_ms; /* the events' own times */
    int64_t events, flows;
    uint64_t bytes_in, bytes_out;
    enum severity_contact contact;
    bool several_remotes;
    int64_t searched_from_ms, searched_to_ms;
    bool is_asked;                      /* somebody looked for this prefix; the feed is none */
    const int64_t *event_ids, *seen_ms; /* of the flows shown */
};

struct finding {
    const struct picket_event *event;
    const struct finding_past *past; /* NULL: about an event that has just come */
    struct listing best;             /* the first match: of the narrowest prefix */
    struct severity_inputs weight;   /* of the event; how often and how many the store adds */
    uint32_t matches, flows;
    const struct table_feed *feeds[FINDING_MATCHES_SHOWN]; /* weight.sources are counted by it */
    struct picket_address remote;
    bool several_remotes;
    struct table_match shared_by[FINDING_SHARED_SHOWN];
    uint32_t shared_count; /* of these */
    uint32_t shared_flows; /* to addresses that many use */
    json_t *match_array, *flow_array, *shared_array;
    char *reasons; /* of the severity last weighed */
};

void finding_begin(struct finding *finding, const struct picket_event *event);
/* listings: asked about the matches that are shown, and what is listed no more is left out; NULL:
 * nothing more is known of any. */
void finding_add_match(struct finding *finding, const struct table_match *match,
                       const struct listings *listings);
/* A list of shared addresses has one that a flow goes to; said again, it counts once. */
void finding_add_shared(struct finding *finding, const struct table_match *match,
                        const struct listings *listings);
void finding_add_flow(struct finding *finding, const struct picket_flow *flow, bool is_shared);

/* It is about all these, of which the flows are examples; they have been added. */
void finding_set_past(struct finding *finding, const struct finding_past *past);

/* Hands the finding to yield, if it has a match, and frees it. What yield returned, or
 * PICKET_NO_MEMORY. */
int finding_yield(struct finding *finding, picket_yield yield, void *context);

#endif
