/* What the files of intelligence share. */
#ifndef INTEL_INTERNAL_H
#define INTEL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "expiry.h"
#include "feed_health.h"
#include "intel/fetching/feed_watch.h"
#include "intel/hunting/arrivals.h"
#include "intel/matching/matcher.h"
#include "intel/matching/outcome.h"
#include "intel/matching/silences.h"
#include "intel/table/published.h"
#include "picket/service/intel.h"

struct refresher;
struct sweeper;

struct picket_intel {
    struct published published;
    pthread_mutex_t changing; /* around the store handle, and changes of feeds and the table */
    struct picket_store *store;
    bool table_lacks;           /* a change that is in the store: the next builds it anew */
    pthread_mutex_t looking_up; /* around a handle that waits for no feed being taken in */
    struct picket_store *listed;
    atomic_int stopping;
    atomic_int requests; /* feeds being read because somebody asked for it */
    struct refresher *refresher;
    struct feed_watch *watch; /* NULL: files are not watched */
    struct silences silences;
    struct own_networks own_networks;
    struct expiry expiry; /* of the feeds in the table */
    struct sweeper *sweeper;
    struct feed_health *health;
    struct arrivals arrivals; /* for who searches stored events */
};

/* A picket_indicator_visit; its context is the struct listing to be filled in. */
void intel_take_listing(void *context, const char *feed, const struct picket_indicator *indicator);

/* With the lock held: the table knows of a feed that the store has; its number, or 0: no memory, or
 * too many. And not any more: nothing of it is left. */
uint16_t intel_add_to_table(struct picket_intel *intel, const struct picket_feed *feed);
void intel_remove_from_table(struct picket_intel *intel, uint16_t feed);

/* Changes of one feed, on their way from the store to the table. */
struct taking {
    struct table_batch *batch;
    uint16_t feed;
    struct expiry_change expiry;
    bool brings; /* indicators that were not there */
};

/* With the lock held: false is no memory. */
bool intel_begin_taking(struct picket_intel *intel, uint16_t feed, struct taking *taking);
/* A picket_indicator_change_visit; its context is a struct taking. */
void intel_take_change(void *context, const struct picket_indicator *before,
                       const struct picket_indicator *now);
/* With the lock held: what the store has taken, the table takes too, and lookups know of it when
 * this returns. Ends the taking. If it cannot be, the table is built anew from the store, now or
 * with the next change. */
int intel_publish(struct picket_intel *intel, struct taking *taking, struct picket_error *error);

/* With the lock held. PICKET_NOT_FOUND. */
int intel_find_feed(struct picket_intel *intel, const char *name, struct picket_feed *feed,
                    struct picket_error *error);

/* With the lock held: makes a kept list like *list (name, confidence, ...) if there is no feed of
 * that name. */
int kept_list_ensure(struct picket_intel *intel, const struct picket_feed *list,
                     struct picket_error *error);

struct refresh_how {
    bool conditional;   /* only if it has changed */
    bool accept_shrink; /* take it even if it leaves less than half of what is there */
};
/* Reads the feed again. */
int intel_refresh(struct picket_intel *intel, const char *name, struct refresh_how how,
                  struct picket_feed_report *report, struct picket_error *error);

/* The thread that takes out of memory what has expired, and removes from kept lists what did so
 * long ago. */
int sweeper_start(struct sweeper **sweeper, struct picket_intel *intel, const char *store_folder,
                  struct picket_error *error);
void sweeper_stop(struct sweeper *sweeper);
/* What is due at that Unix time. Thread: any. */
void sweeper_sweep(struct sweeper *sweeper, int64_t now_ms);

/* The threads that refresh feeds when they are due. */
int refresher_start(struct refresher **refresher, struct picket_intel *intel,
                    struct picket_error *error);
void refresher_stop(struct refresher *refresher);
/* Feeds have changed: look again which is due next. */
void refresher_wake(struct refresher *refresher);
/* The feed is due now, unless it is only read on request. */
void refresher_ask(struct refresher *refresher, const char *name);
/* When the feed is due, Unix time; 0: only on request. */
int64_t refresher_next_ms(struct refresher *refresher, const struct picket_feed *feed);

#endif
