/* Writes what an owner does into the audit log: that it is begun before it is done, and what came
 * of it before it is answered. An act without an outcome was cut short; one that cannot be written
 * down is not done.
 *
 * Keys, payloads and certificates stay out of it: a key is told from another by the begin of its
 * SHA-256.
 */
#ifndef SERVICE_AUDIT_H
#define SERVICE_AUDIT_H

#include "api_internal.h"
#include "picket/store/audit.h"

void audit_register_counters(void);

/* Does the request, and answers it, between its two entries. */
void audit_act(const struct api_route *route, struct api_request *request,
               struct api_answer *answer);

/* Puts an entry at the end, and tells detectors of those that they raise alerts on. Takes the
 * detail. */
int audit_append(struct picket_api *api, struct picket_store *store,
                 struct picket_audit_entry *entry, json_t *detail, struct picket_error *error);

/* Picket's own start, as that process: an entry without an outcome to come; another one if the
 * audit log is kept for another time than at the last; and one if entries were taken away or
 * changed outside of Picket since (audit_start.c). */
void audit_start(struct picket_api *api);

enum { AUDIT_PROBLEM_BYTES = 200 };

/* What of the log was taken away or changed outside of Picket, as a sentence, "" for nothing. The
 * newest 100,000 entries are looked at. */
int audit_find_loss(struct picket_store *store, const char *folder,
                    char problem[AUDIT_PROBLEM_BYTES], struct picket_error *error);

/* What there is to say of the thing that an act ("device.rotate") changes, as it is now
 * (audit_state.c); null when there is nothing. module: of the request, "" for none. */
json_t *audit_state(struct picket_store *store, const char *act, const char *thing,
                    const char *module);

#endif
