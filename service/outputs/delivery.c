#include "delivery.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../alert_json.h"
#include "../text.h"
#include "picket/base/time.h"

struct loading {
    struct delivery *items;
    size_t count, max;
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

static void take_item(void *context, const struct picket_outbox_item *item)
{
    struct loading *loading = context;
    if (loading->count == loading->max || loading->failed)
        return;
    struct delivery *delivery = &loading->items[loading->count];
    *delivery =
        (struct delivery){.id = item->id, .alert_id = item->alert_id, .refusals = item->refusals};
    if (item->alert_id == 0) {
        delivery->body = delivery_telemetry_text(item);
        if (delivery->body == NULL) {
            loading->failed = true;
            return;
        }
        delivery->body_bytes = strlen(delivery->body);
    }
    loading->count++;
}

static void take_alert(void *context, const struct picket_alert *alert)
{
    struct delivery *delivery = context;
    json_t *object = picket_alert_json(alert);
    delivery->body = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    delivery->body_bytes = delivery->body != NULL ? strlen(delivery->body) : 0;
    json_decref(object);
}

int deliveries_load(struct picket_store *store, const char *target, struct delivery *items,
                    size_t max, size_t *count, struct picket_error *error)
{
    struct loading loading = {.items = items, .max = max};
    int status = picket_store_outbox(store, target, (int)max, take_item, &loading, error);
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
    for (size_t i = 0; i < count; i++)
        free(items[i].body);
}
