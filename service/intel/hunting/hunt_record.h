/* A search as it is kept: what it is for, how far it is, what it found.
 *
 * Thread: whoever runs it; what is said to be `shared` any, with the lock of who keeps it.
 */
#ifndef INTEL_HUNT_RECORD_H
#define INTEL_HUNT_RECORD_H

#include "hunt.h"
#include "hunt_target.h"
#include "intel/intel_internal.h"

struct hunt_record {
    struct hunt_record *next;         /* shared: an older one */
    struct picket_hunt_status status; /* shared; what moves is in hunt.progress */
    atomic_bool is_cancelled;
    struct hunt_target target;
    struct hunt hunt;
    struct picket_intel *intel;
    struct picket_store *store; /* of who runs it */
    struct listings listings;
};

/* Of the kind and range that the caller fills in. NULL: no memory. */
struct hunt_record *hunt_record_new(struct picket_intel *intel, struct picket_store *store);
void hunt_record_free(struct hunt_record *record);

/* Sets up what is searched for; hunt.progress.indicators says how many. */
int hunt_record_load(struct hunt_record *record, struct picket_error *error);
/* From the first event on, until it is done, cancelled, or *stop. */
int hunt_record_search(struct hunt_record *record, const atomic_bool *stop,
                       struct picket_error *error);
/* When all is gathered: has it told, by the service as alerts if it is not NULL. */
int hunt_record_tell(struct hunt_record *record, struct picket_service *service,
                     struct picket_error *error);
/* What takes much memory and is not needed to show what was found. */
void hunt_record_settle(struct hunt_record *record);

/* As it is now. */
struct picket_hunt_status hunt_record_status(const struct hunt_record *record);
void hunt_record_show(const struct hunt_record *record, size_t number,
                      picket_hunt_found_visit visit, void *context);

#endif
