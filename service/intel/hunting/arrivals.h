/* Which events were inspected without an indicator that has come since, and so are to be searched
 * for it; and which were inspected with it all the same.
 *
 * Detectors tell of each event before they look at it, and an indicator that comes may be seen by
 * the event being looked at just then. So from the first indicator that comes until a search has
 * its end, what live matching finds is noted; the search leaves out what was noted.
 *
 *     events   ... 41 42 43 44 45 46 47 48 ...
 *                   │     ▲        ▲ └─ inspected with all that had come
 *                   │     │        └─ the search is made up: it ends here
 *                   │     └─ an indicator comes: from here on findings are noted
 *                   └─ inspected without it
 *
 * Thread: any.
 */
#ifndef INTEL_ARRIVALS_H
#define INTEL_ARRIVALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "picket/base/address.h"

enum { ARRIVALS_NOTES_MAX = 65536 };

/* Found live. */
struct arrivals_note {
    int64_t event_id;
    struct picket_prefix prefix;
};

struct arrivals_notes {
    struct arrivals_note *items;
    size_t count, capacity;
    bool is_sorted;
};

struct arrivals {
    _Atomic int64_t begun; /* the newest event that detectors have been told of */
    atomic_bool noting;
    int64_t start_event; /* the newest there was at the start: all that follow are inspected here */
    int64_t start_ms;    /* what had come until then */
    pthread_mutex_t lock; /* around what follows */
    pthread_cond_t changed;
    int64_t stamped_ms; /* the latest that an indicator has come at; what is new comes later */
    int64_t first_ms, last_ms; /* of what has come, monotonic; 0: nothing is waiting */
    bool stopping;
    struct arrivals_notes notes;
};

void arrivals_open(struct arrivals *arrivals);
void arrivals_close(struct arrivals *arrivals);
/* Before the table is loaded and the first event inspected; newest_event: in the store; latest_ms:
 * what came in earlier runs came no later, whatever the clock says now. */
void arrivals_start(struct arrivals *arrivals, int64_t newest_event, int64_t latest_ms);

/* ---- whoever changes the table; one at a time ---- */

/* When what is about to be taken in comes: Unix time that never goes back. */
int64_t arrivals_now_ms(struct arrivals *arrivals);
/* Before the table has it. */
void arrivals_begin(struct arrivals *arrivals);
/* Lookups see it. */
void arrivals_end(struct arrivals *arrivals);

/* ---- the detector ---- */

void arrivals_event(struct arrivals *arrivals, int64_t event_id);
/* subject: of the finding. */
void arrivals_found(struct arrivals *arrivals, int64_t event_id, const char *subject);

/* ---- who searches ---- */

/* Waits until something has come and nothing more has for quiet_ms, or for longest_ms since the
 * first, or there are too many notes. False: it is to stop. */
bool arrivals_wait(struct arrivals *arrivals, int64_t quiet_ms, int64_t longest_ms);
/* While nobody changes the table: what comes from now on waits for the next search. *to_ms: when
 * the last came that this one is about; *end_event: the first event that is not to be searched. */
void arrivals_make_up(struct arrivals *arrivals, int64_t *to_ms, int64_t *end_event);
/* Hands over what was noted about events before that one, and ends the noting unless more has come.
 */
void arrivals_take_notes(struct arrivals *arrivals, int64_t end_event,
                         struct arrivals_notes *notes);
bool arrivals_notes_have(struct arrivals_notes *notes, int64_t event_id,
                         const struct picket_address *address);
void arrivals_notes_free(struct arrivals_notes *notes);
void arrivals_stop(struct arrivals *arrivals);

#endif
