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

void audit_register_counters(void);

/* Does the request, and answers it, between its two entries. */
void audit_act(const struct api_route *route, struct api_request *request,
               struct api_answer *answer);

/* Picket's own start, as that process: an entry without an outcome to come; and another one if the
 * audit log is kept for another time than at the last. */
void audit_start(struct picket_api *api);

/* What there is to say of the thing that an act ("device.rotate") changes, as it is now
 * (audit_state.c); null when there is nothing. module: of the request, "" for none. */
json_t *audit_state(struct picket_store *store, const char *act, const char *thing,
                    const char *module);

#endif
