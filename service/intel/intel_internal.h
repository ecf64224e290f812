/* What the files of intelligence share. */
#ifndef INTEL_INTERNAL_H
#define INTEL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "feed_watch.h"
#include "outcome.h"
#include "picket/service/intel.h"
#include "published.h"
#include "silences.h"

struct refresher;

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
};

/* table_add_feed() of a feed that the store has. */
uint16_t intel_add_to_table(struct table *table, const struct picket_feed *feed);

/* With the lock held: a batch of changes of the table, or NULL: no memory. */
struct table_batch *intel_change(struct picket_intel *intel);
/* With the lock held: what the store has taken, the table takes too, and lookups know of it when
 * this returns. Consumes the batch. If it cannot be, the table is built anew from the store, now or
 * with the next change. */
int intel_publish(struct picket_intel *intel, struct table_batch *batch,
                  struct picket_error *error);

/* With the lock held. PICKET_NOT_FOUND. */
int intel_find_feed(struct picket_intel *intel, const char *name, struct picket_feed *feed,
                    struct picket_error *error);

/* What the store is told of one feed, on its way to the table. */
struct taking {
    struct table_batch *batch;
    uint16_t feed;
};
/* A picket_indicator_change_visit; its context is a struct taking. */
void intel_take_change(void *context, const struct picket_indicator *before,
                       const struct picket_indicator *now);

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
