/* What the hub keeps of a device between connections: what it subscribes to, as a number that only
 * the hub reads. Writing is its own transaction, or a part of a group's (picket/store/twins.h). */
#ifndef PICKET_STORE_SESSIONS_H
#define PICKET_STORE_SESSIONS_H

#include "picket/store/store.h"

enum { PICKET_SESSION_MODULES_MAX = 50 }; /* of a device */

/* *subscriptions: 0 if nothing is kept. */
int picket_store_session_get(struct picket_store *store, const char *device, const char *module,
                             uint32_t *subscriptions, struct picket_error *error);

/* 0 keeps nothing any more. PICKET_BUSY: the device is not registered, or has too many modules. */
int picket_store_session_put(struct picket_store *store, const char *device, const char *module,
                             uint32_t subscriptions, struct picket_error *error);

#endif
