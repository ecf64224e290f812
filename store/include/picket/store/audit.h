/* The audit log: what owners did, by whom, and what came of it. Only ever appended to; each entry
 * is sealed with a hash over itself and the seal before it, so that one that was changed, taken out
 * or put in between shows (except that whoever may write the file may seal all of it anew, or cut
 * its end off: compare with a seal that was noted elsewhere).
 *
 *     seal = SHA-256 of the netstrings ("LENGTH:BYTES,") of
 *            the seal before it in small hexadecimal digits (64 zeros before the first), and of
 *            id, time_ms, uid, pid, of, status as decimal numbers, act, thing, detail
 *
 * The functions belong to a handle of store.h, and keep its rules.
 */
#ifndef PICKET_STORE_AUDIT_H
#define PICKET_STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"

struct picket_store;

enum { PICKET_SEAL_BYTES = 32, PICKET_AUDIT_DETAIL_BYTES_MAX = 65536 };

struct picket_audit_entry {
    int64_t id; /* 1, 2, 3 …; set by the store */
    int64_t time_ms;
    int64_t uid; /* of who asked; -1: not known */
    int64_t pid;
    int64_t of;                          /* the outcome of that entry; 0: an act is begun */
    int64_t status;                      /* HTTP status; 0: an act is begun */
    const char *act;                     /* "device.add" */
    const char *thing;                   /* on what, e.g. a device's id; "" for none */
    const char *detail;                  /* a JSON object */
    uint8_t previous[PICKET_SEAL_BYTES]; /* set by the store, as is the next */
    uint8_t seal[PICKET_SEAL_BYTES];
};

/* Appends one, and takes away some of those that are older than age_s (0: none), of the oldest,
 * never the newest. PICKET_OK: it is on the disk. entry->id, previous and seal are set.
 * PICKET_INVALID: its detail is too long. Its own transaction. */
int picket_store_audit_append(struct picket_store *store, struct picket_audit_entry *entry,
                              int64_t age_s, struct picket_error *error);

struct picket_audit_query {
    int64_t after_id;  /* > 0: only later ones, in their order */
    bool oldest_first; /* in their order even with after_id 0 */
    int64_t before_id; /* > 0: only earlier ones, the newest first */
    int64_t since_ms;  /* of that time or later, by the clock as it was then */
    int limit;         /* 0: 100 */
};
typedef void (*picket_audit_visit)(void *context, const struct picket_audit_entry *entry);
int picket_store_audit(struct picket_store *store, const struct picket_audit_query *query,
                       picket_audit_visit visit, void *context, struct picket_error *error);

/* How far the log holds together. */
struct picket_audit_check {
    int64_t count;
    int64_t first_id, last_id;       /* 0: there is none */
    uint8_t head[PICKET_SEAL_BYTES]; /* the last seal */
    int64_t broken_id; /* the first entry that does not follow from the one before; 0: all do */
};
int picket_store_audit_check(struct picket_store *store, struct picket_audit_check *check,
                             struct picket_error *error);
/* The same of the entries after that id alone. */
int picket_store_audit_check_after(struct picket_store *store, int64_t after_id,
                                   struct picket_audit_check *check, struct picket_error *error);

/* The seal that the entry should have after `previous`. Thread: a pure function. */
void picket_audit_seal(const struct picket_audit_entry *entry,
                       const uint8_t previous[PICKET_SEAL_BYTES], uint8_t seal[PICKET_SEAL_BYTES]);

#endif
