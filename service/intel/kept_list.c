/* Lists whose indicators their owner changes one by one. */
#include <stdlib.h>
#include <string.h>

#include "intel_internal.h"
#include "picket/base/time.h"

/* What the lock is held for: the store takes the change, then the table. */
struct list_change {
    struct picket_intel *intel;
    const char *list;
    struct taking taking;
};

static int begin_change(struct list_change *change, struct picket_error *error)
{
    struct picket_intel *intel = change->intel;
    change->taking.feed = table_feed_number(intel->published.table, change->list);
    change->taking.batch = intel_change(intel);
    return change->taking.batch != NULL
               ? PICKET_OK
               : picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory", change->list);
}

/* status: what became of it in the store. */
static int end_change(struct list_change *change, int status, struct picket_error *error)
{
    if (status == PICKET_OK)
        return intel_publish(change->intel, change->taking.batch, error);
    table_batch_free(change->taking.batch);
    return status;
}

/* ---- putting ---- */

static int put(struct picket_intel *intel, const char *list,
               const struct picket_indicator *indicators, size_t count,
               struct picket_feed_delta *delta, struct picket_error *error)
{
    static const struct picket_feed local = {.name = PICKET_LIST_LOCAL,
                                             .confidence = PICKET_LIST_CONFIDENCE};
    struct list_change change = {.intel = intel, .list = list};
    int status = PICKET_OK;
    if (strcmp(list, local.name) == 0)
        status = kept_list_ensure(intel, &local, error);
    if (status == PICKET_OK)
        status = begin_change(&change, error);
    if (status != PICKET_OK)
        return status;
    status = picket_store_indicators_put(intel->store, list, indicators, count, intel_take_change,
                                         &change.taking, delta, error);
    return end_change(&change, status, error);
}

int picket_intel_put(struct picket_intel *intel, const char *list,
                     const struct picket_indicator *indicators, size_t count,
                     struct picket_feed_delta *delta, struct picket_error *error)
{
    struct picket_indicator *stamped = calloc(count > 0 ? count : 1, sizeof *stamped);
    if (stamped == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory for %zu indicators", list,
                           count);
    int64_t now_ms = picket_unix_ms();
    for (size_t i = 0; i < count; i++) {
        stamped[i] = indicators[i];
        stamped[i].first_seen_ms = now_ms; /* the store keeps what it knows */
    }
    pthread_mutex_lock(&intel->changing);
    int status = put(intel, list, stamped, count, delta, error);
    pthread_mutex_unlock(&intel->changing);
    free(stamped);
    return status;
}

/* ---- taking out ---- */

static int take_out(struct picket_intel *intel, const char *list,
                    const struct picket_indicator *which, size_t count, size_t *at,
                    struct picket_error *error)
{
    struct list_change change = {.intel = intel, .list = list};
    int status = begin_change(&change, error);
    if (status != PICKET_OK)
        return status;
    status = picket_store_indicators_take_out(intel->store, list, which, count, intel_take_change,
                                              &change.taking, at, error);
    return end_change(&change, status, error);
}

int picket_intel_take_out(struct picket_intel *intel, const char *list,
                          const struct picket_indicator *which, size_t count, size_t *at,
                          struct picket_error *error)
{
    if (at != NULL)
        *at = count;
    pthread_mutex_lock(&intel->changing);
    int status = take_out(intel, list, which, count, at, error);
    pthread_mutex_unlock(&intel->changing);
    return status;
}
