/* From the outbox to what is sent: an alert, or a telemetry message, as a JSON object in one line.
 *
 * Thread: the store handle's.
 */
#ifndef OUTPUTS_DELIVERY_H
#define OUTPUTS_DELIVERY_H

#include "output.h"
#include "picket/base/time.h"
#include "picket/store/store.h"

/* The oldest items of the output: up to max, or some megabytes. deliveries_free() in any case. */
int deliveries_load(struct picket_store *store, const struct picket_output_config *config,
                    struct delivery *items, int max, size_t *count, struct picket_error *error);
void deliveries_free(struct delivery *items, size_t count);

/* What goes beside an item where there is room for it: "picket-delivery", which is the same at each
 * attempt, "picket-alert", and of a body as the device sent it what the JSON object would have
 * told: "picket-device", "picket-module", "picket-received", "picket-properties". */
struct delivery_label {
    const char *name, *value;
};
enum { DELIVERY_LABELS_MAX = 6 };
struct delivery_labels {
    struct delivery_label labels[DELIVERY_LABELS_MAX]; /* with values of the item, or in here */
    size_t count;
    char delivery[96], alert[24], received[PICKET_TIME_TEXT_BYTES];
};
void delivery_label(const struct delivery *item, const struct picket_output_config *config,
                    struct delivery_labels *labels);

/* A message that is no security message: {"device", "module", "received", "properties", "body"},
 * without "module" if the device itself sent it, the body as text if it is UTF-8, otherwise as
 * "body_base64". NULL: no memory; to be freed. */
char *delivery_telemetry_text(const struct picket_outbox_item *item);

#endif
