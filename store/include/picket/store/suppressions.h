/* Findings that the owner does not want to hear of until a certain day: kept and counted, but told
 * to nobody.
 *
 *     finding ─▶ a suppression that covers it? ─no──▶ alert, open: told to the outputs
 *                            │yes
 *                            ▼
 *                alert of status "suppressed": folded into, told to nobody; the suppression
 *                counts the hit, in the same transaction
 *
 * When it has ended, the next finding is a new alert. What was open when it began stays so.
 *
 * The functions belong to a handle of store.h, and keep its rules; each that writes is a
 * transaction of its own.
 */
#ifndef PICKET_STORE_SUPPRESSIONS_H
#define PICKET_STORE_SUPPRESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "picket/base/address.h"
#include "picket/base/error.h"

struct picket_store;

enum {
    PICKET_SUPPRESSIONS_MAX = 1000,
    PICKET_SUPPRESSION_DAYS_MAX = 366,
    PICKET_SUPPRESSION_REASON_BYTES_MAX = 1000,
    PICKET_ALERT_TYPE_BYTES = 65
};

/* Covers a finding of that type, device and indicator; what is "" or false asks nothing. */
struct picket_suppression {
    int64_t id; /* set by the store, never used twice */
    char type[PICKET_ALERT_TYPE_BYTES];
    char device[129];
    bool has_prefix;
    struct picket_prefix prefix; /* covers the prefix that the finding is about */
    int64_t created_ms;
    int64_t until_ms;
    const char *reason;
    int64_t hits;        /* findings that it has kept back; set by the store */
    int64_t last_hit_ms; /* when it did so last; 0: never; set by the store */
};

/* subject: a finding's; one that is no prefix is covered by no suppression that has one. Whether it
 * has ended is not looked at. Thread: pure function. */
bool picket_suppression_covers(const struct picket_suppression *suppression, const char *type,
                               const char *device, const char *subject);

/* PICKET_INVALID: it asks nothing; it ends at or before created_ms, or more than
 * PICKET_SUPPRESSION_DAYS_MAX behind it; the reason is empty or longer than
 * PICKET_SUPPRESSION_REASON_BYTES_MAX; PICKET_FULL: there are PICKET_SUPPRESSIONS_MAX that have not
 * ended: of those that have, the one that ended first makes room. */
int picket_store_suppression_add(struct picket_store *store,
                                 const struct picket_suppression *suppression, int64_t *id,
                                 struct picket_error *error);
/* Takes it away before its end, or its row after it. PICKET_NOT_FOUND. */
int picket_store_suppression_remove(struct picket_store *store, int64_t id,
                                    struct picket_error *error);
/* In the order of their ids, also those that have ended. */
typedef void (*picket_suppression_visit)(void *context,
                                         const struct picket_suppression *suppression);
int picket_store_suppressions(struct picket_store *store, picket_suppression_visit visit,
                              void *context, struct picket_error *error);

#endif
