#include "delivery.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../alert_json.h"
#include "../text.h"
#include "picket/base/time.h"

enum { TOGETHER_BYTES = 4 << 20 }; /* of payloads, and one more */

struct loading {
    const struct picket_output_config *config;
    struct delivery *items;
    size_t count;
    bool failed;
};

static bool set_base64(json_t *object, const uint8_t *bytes, size_t size)
{
    char *text = malloc((size + 2) / 3 * 4 + 1);
    if (text == NULL)
        return false;
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
    int failed = json_object_set_new(object, "body_base64", json_string(text));
    free(text);
    return failed == 0;
}

char *delivery_telemetry_text(const struct picket_outbox_item *item)
{
    char received[PICKET_TIME_TEXT_BYTES];
    const char *properties = item->properties != NULL ? item->properties : "";
    const char *module = item->module != NULL ? item->module : "";
    json_t *object = json_object();
    json_object_set_new(object, "device", text_json(item->device, strlen(item->device)));
    if (module[0] != '\0')
        json_object_set_new(object, "module", text_json(module, strlen(module)));
    json_object_set_new(object, "received",
                        json_string(picket_time_format(item->received_ms, received)));
    json_object_set_new(object, "properties", text_json(properties, strlen(properties)));
    const char *payload = item->payload_bytes > 0 ? (const char *)item->payload : "";
    json_t *body = json_stringn(payload, item->payload_bytes); /* NULL if it is not UTF-8 */
    bool ok = body != NULL ? json_object_set_new(object, "body", body) == 0
                           : set_base64(object, item->payload, item->payload_bytes);
    char *text = ok ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

static char *clean_copy(const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;
    char *copy = malloc(size + 1);
    return copy != NULL ? text_clean(text != NULL ? text : "", size, copy, size + 1) : NULL;
}

static char *whole_body(const struct picket_outbox_item *item, size_t *bytes)
{
    char *body = malloc(item->payload_bytes + 1);
    if (body == NULL)
        return NULL;
    if (item->payload_bytes > 0)
        memcpy(body, item->payload, item->payload_bytes);
    *bytes = item->payload_bytes;
    return body;
}

static bool take_telemetry(const struct picket_output_config *config,
                           const struct picket_outbox_item *item, struct delivery *delivery)
{
    if (config->payload == PICKET_PAYLOAD_BODY) {
        delivery->body = whole_body(item, &delivery->body_bytes);
    } else {
        delivery->body = delivery_telemetry_text(item);
        delivery->body_bytes = delivery->body != NULL ? strlen(delivery->body) : 0;
    }
    return delivery->body != NULL;
}

static void take_item(void *context, const struct picket_outbox_item *item)
{
    struct loading *loading = context;
    if (loading->failed)
        return;
    struct delivery *delivery = &loading->items[loading->count++];
    *delivery = (struct delivery){.id = item->id,
                                  .alert_id = item->alert_id,
                                  .device = strdup(item->device),
                                  .module = strdup(item->module != NULL ? item->module : ""),
                                  .properties = clean_copy(item->properties),
                                  .received_ms = item->received_ms,
                                  .refusals = item->refusals};
    loading->failed = delivery->device == NULL || delivery->module == NULL ||
                      delivery->properties == NULL ||
                      (item->alert_id == 0 && !take_telemetry(loading->config, item, delivery));
}

static void take_alert(void *context, const struct picket_alert *alert)
{
    struct delivery *delivery = context;
    json_t *object = picket_alert_json(alert);
    delivery->body = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    delivery->body_bytes = delivery->body != NULL ? strlen(delivery->body) : 0;
    json_decref(object);
}

int deliveries_load(struct picket_store *store, const struct picket_output_config *config,
                    struct delivery *items, int max, size_t *count, struct picket_error *error)
{
    struct loading loading = {.config = config, .items = items};
    int status =
        picket_store_outbox(store, config->name, max, TOGETHER_BYTES, take_item, &loading, error);
    *count = loading.count;
    if (status == PICKET_OK && loading.failed)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory for what is to be sent");
    for (size_t i = 0; i < *count && status == PICKET_OK; i++) {
        struct picket_alert_query query = {.id = items[i].alert_id, .limit = 1};
        if (items[i].alert_id > 0)
            status = picket_store_alerts(store, &query, take_alert, &items[i], error);
    }
    return status;
}

void deliveries_free(struct delivery *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i].device);
        free(items[i].module);
        free(items[i].properties);
        free(items[i].body);
    }
}

static void add_label(struct delivery_labels *labels, const char *name, const char *value)
{
    if (value[0] != '\0')
        labels->labels[labels->count++] = (struct delivery_label){name, value};
}

void delivery_label(const struct delivery *item, const struct picket_output_config *config,
                    struct delivery_labels *labels)
{
    labels->count = 0;
    snprintf(labels->delivery, sizeof labels->delivery, "%.64s-%" PRId64, config->name, item->id);
    add_label(labels, "picket-delivery", labels->delivery);
    if (item->alert_id > 0) {
        snprintf(labels->alert, sizeof labels->alert, "%" PRId64, item->alert_id);
        add_label(labels, "picket-alert", labels->alert);
    } else if (config->payload == PICKET_PAYLOAD_BODY) {
        add_label(labels, "picket-device", item->device);
        add_label(labels, "picket-module", item->module);
        add_label(labels, "picket-received",
                  picket_time_format(item->received_ms, labels->received));
        add_label(labels, "picket-properties", item->properties);
    }
}
