/* From the outbox to what is sent: an alert, or a telemetry message, as a JSON object in one line.
 *
 * Thread: the store handle's.
 */
#ifndef OUTPUTS_DELIVERY_H
#define OUTPUTS_DELIVERY_H

#include "output.h"
#include "picket/store/store.h"

/* The oldest items of the target, up to max; deliveries_free() in any case. */
int deliveries_load(struct picket_store *store, const char *target, struct delivery *items,
                    size_t max, size_t *count, struct picket_error *error);
void deliveries_free(struct delivery *items, size_t count);

/* A message that is no security message: {"device", "module", "received", "properties", "body"},
 * without "module" if the device itself sent it, the body as text if it is UTF-8, otherwise as
 * "body_base64". NULL: no memory; to be freed. */
char *delivery_telemetry_text(const struct picket_outbox_item *item);

#endif
