/* What the files of the hunter share: who searches, and how a search is run and shown. */
#ifndef INTEL_HUNTER_INTERNAL_H
#define INTEL_HUNTER_INTERNAL_H

#include <pthread.h>

#include "hunt_record.h"
#include "picket/service/hunter.h"

/* A thread, and its own handle of the store. */
struct searcher {
    struct picket_store *store;
    pthread_t thread;
    bool is_started;
};

struct picket_hunter {
    struct picket_hunter_config config;
    struct searcher arrivals, asked;
    atomic_bool stopping;
    pthread_mutex_t lock; /* around what follows */
    pthread_cond_t changed;
    struct hunt_record *records; /* newest first */
    int64_t last_id;
};

/* With the lock held: from now on it is shown. */
void hunter_add(struct picket_hunter *hunter, struct hunt_record *record);
/* With the lock held: nobody else takes it away then. */
void hunter_begin(struct hunt_record *record);
/* What it is for has been loaded. PICKET_CLOSED: the hunter is being stopped. */
int hunter_run(struct picket_hunter *hunter, struct hunt_record *record,
               struct picket_error *error);
/* With the result of the above, and why if it failed. It may be forgotten when this returns. */
void hunter_end(struct picket_hunter *hunter, struct hunt_record *record, int result,
                const struct picket_error *error);

/* This thread: whoever inspects and commits goes first. */
void hunter_be_nice(void);

/* The threads, each with its own handle of the store; context is the hunter. hunter_arrivals.c,
 * hunter_asked.c. */
void *hunter_run_arrivals(void *context);
void *hunter_run_asked(void *context);

#endif
