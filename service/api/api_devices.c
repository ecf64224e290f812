/* /v1/devices: who may connect, and what is known of each. */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>

#include "api_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

enum { NEW_KEY_BYTES = 32 };

static json_t *device_json(const struct picket_device_summary *device)
{
    return json_pack(
        "{s:o, s:b, s:b, s:s?, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "id",
        api_json_text(device->id), "registered", device->registered, "enabled",
        device->registered && device->enabled, "authentication",
        device->registered ? picket_authentication_name(device->authentication) : NULL, "created",
        api_json_time(device->created_ms), "last_seen", api_json_time(device->last_seen_ms),
        "events", (json_int_t)device->events, "open_alerts", (json_int_t)device->open_alerts,
        "flows_lost", (json_int_t)device->flows_lost, "bytes_lost", (json_int_t)device->bytes_lost,
        "security_module_id", api_json_known(device->security_module_id), "security_module_version",
        api_json_version(device->security_module_version), "os_info",
        api_json_known(device->os_info), "kernel_info", api_json_known(device->kernel_info),
        "hw_info", api_json_known(device->hw_info));
}

static void append_device(void *context, const struct picket_device_summary *device)
{
    json_array_append_new(context, device_json(device));
}

/* The devices of the query as an array; NULL with *error. */
static json_t *devices_json(struct picket_api *api, const struct picket_device_query *query,
                            struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return NULL;
    json_t *array = json_array();
    int status = picket_store_devices(store, query, append_device, array, error);
    api_store_return(api, store);
    if (status == PICKET_OK)
        return array;
    json_decref(array);
    return NULL;
}

void api_devices_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    int64_t limit = API_LIMIT_DEFAULT;
    json_t *devices = NULL;
    if (api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, &error) == PICKET_OK) {
        struct picket_device_query query = {.after = api_query_text(request, "after"),
                                            .limit = (int)limit};
        devices = devices_json(request->api, &query, &error);
    }
    if (!devices) {
        api_answer_error(answer, &error);
        return;
    }
    json_t *next = api_json_next(devices, (size_t)limit);
    api_answer_json(answer, 200, json_pack("{s:o, s:o}", "devices", devices, "next_after", next));
}

/* ---- identities ---- */

static json_t *key_string(const struct picket_api *api, const char *id, const json_t *key)
{
    return json_sprintf("HostName=%s;DeviceId=%s;SharedAccessKey=%s", api_config(api)->host_name,
                        id, json_string_value(key));
}

static json_t *certificate_string(const struct picket_api *api, const char *id)
{
    return json_sprintf("HostName=%s;DeviceId=%s;x509=true", api_config(api)->host_name, id);
}

static void add_thumbprints(json_t *object, const struct picket_device_identity *device)
{
    json_object_set_new(object, "primary_thumbprint",
                        api_json_thumbprint(&device->primary_thumbprint));
    json_object_set_new(object, "secondary_thumbprint",
                        api_json_thumbprint(&device->secondary_thumbprint));
}

void api_add_credentials(json_t *object, const struct picket_api *api,
                         const struct picket_device_identity *device)
{
    if (device->authentication == PICKET_AUTHENTICATION_THUMBPRINT)
        add_thumbprints(object, device);
    if (device->authentication != PICKET_AUTHENTICATION_SAS) {
        json_object_set_new(object, "connection_string", certificate_string(api, device->id));
        return;
    }
    json_t *primary = api_json_base64(device->primary_key, device->primary_key_bytes);
    json_object_set_new(object, "connection_string", key_string(api, device->id, primary));
    json_object_set_new(object, "primary_key", primary);
    json_object_set_new(object, "secondary_key",
                        api_json_base64(device->secondary_key, device->secondary_key_bytes));
}

int api_make_key(uint8_t *key, size_t *key_bytes, struct picket_error *error)
{
    if (*key_bytes > 0)
        return PICKET_OK;
    if (getrandom(key, NEW_KEY_BYTES, 0) != NEW_KEY_BYTES)
        return picket_fail(error, PICKET_IO, "no random numbers for a key: %s", strerror(errno));
    *key_bytes = NEW_KEY_BYTES;
    return PICKET_OK;
}

int api_make_keys(struct picket_device_identity *device, struct picket_error *error)
{
    if (device->authentication != PICKET_AUTHENTICATION_SAS)
        return PICKET_OK;
    int status = api_make_key(device->primary_key, &device->primary_key_bytes, error);
    return status == PICKET_OK
               ? api_make_key(device->secondary_key, &device->secondary_key_bytes, error)
               : status;
}

static int add_device(struct picket_api *api, struct picket_device_identity *device,
                      struct picket_error *error)
{
    device->created_ms = picket_unix_ms();
    int status = api_make_keys(device, error);
    if (status != PICKET_OK)
        return status;
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    status = picket_store_device_add(store, device, error);
    api_store_return(api, store);
    return status;
}

void api_devices_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_device_identity device;
    if (api_parse_device(request->body, &device, &error) == PICKET_OK &&
        add_device(request->api, &device, &error) == PICKET_OK) {
        picket_say(PICKET_NOTICE, "service", "device %s: added", device.id);
        json_t *object = json_pack("{s:o, s:o, s:s}", "id", api_json_text(device.id), "created",
                                   api_json_time(device.created_ms), "authentication",
                                   picket_authentication_name(device.authentication));
        api_add_credentials(object, request->api, &device);
        api_answer_json(answer, 201, object);
    } else {
        api_answer_error(answer, &error);
    }
    OPENSSL_cleanse(&device, sizeof device);
}

/* Thumbprints always, keys when they are asked for. */
static int add_credentials_of(json_t *object, struct picket_api *api, const char *id, bool keys,
                              struct picket_error *error)
{
    struct picket_device_identity device;
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_device_get(store, id, &device, error);
    api_store_return(api, store);
    if (status == PICKET_OK && keys)
        api_add_credentials(object, api, &device);
    else if (status == PICKET_OK && device.authentication == PICKET_AUTHENTICATION_THUMBPRINT)
        add_thumbprints(object, &device);
    OPENSSL_cleanse(&device, sizeof device);
    return status;
}

static void add_hub(json_t *object, const struct api_request *request)
{
    const struct picket_api_config *config = api_config(request->api);
    json_object_set_new(object, "hub", json_null());
    if (config->add_device_status)
        config->add_device_status(config->context, request->argument, object);
}

void api_devices_show(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    bool keys = false;
    json_t *devices = NULL;
    int status = api_query_flag(request, "keys", &keys, &error);
    if (status == PICKET_OK) {
        struct picket_device_query query = {.id = request->argument};
        devices = devices_json(request->api, &query, &error);
        status = devices ? PICKET_OK : error.status;
    }
    if (status == PICKET_OK)
        status = add_credentials_of(json_array_get(devices, 0), request->api, request->argument,
                                    keys, &error);
    /* Without an identity there is nothing to add, and the rest of it is there to be shown. */
    if (status == PICKET_NOT_FOUND && devices && !keys)
        status = PICKET_OK;
    if (status == PICKET_OK)
        add_hub(json_array_get(devices, 0), request);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_incref(json_array_get(devices, 0)));
    else
        api_answer_error(answer, &error);
    json_decref(devices);
}

void api_tell_hub(const struct picket_api *api, const char *id)
{
    const struct picket_api_config *config = api_config(api);
    if (config->device_changed)
        config->device_changed(config->context, id);
}

static int enable_device(struct picket_api *api, const char *id, bool enabled,
                         struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_device_enable(store, id, enabled, error);
    api_store_return(api, store);
    return status;
}

void api_devices_change(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_device_query query = {.id = request->argument};
    json_t *devices = NULL;
    bool enabled = false;
    int status = json_object_get(request->body, "enabled")
                     ? api_member_flag(request->body, "enabled", &enabled, &error)
                     : picket_fail(&error, PICKET_INVALID, "\"enabled\" is missing");
    if (status == PICKET_OK)
        status = enable_device(request->api, request->argument, enabled, &error);
    if (status == PICKET_OK) {
        if (!enabled)
            api_tell_hub(request->api, request->argument);
        picket_say(PICKET_NOTICE, "service", "device %s: %s", request->argument,
                   enabled ? "enabled" : "disabled");
        devices = devices_json(request->api, &query, &error);
    }
    if (devices)
        api_answer_json(answer, 200, json_incref(json_array_get(devices, 0)));
    else
        api_answer_error(answer, &error);
    json_decref(devices);
}

void api_devices_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    int status = error.status;
    if (store) {
        status = picket_store_device_remove(store, request->argument, &error);
        api_store_return(request->api, store);
    }
    if (status != PICKET_OK) {
        api_answer_error(answer, &error);
        return;
    }
    api_tell_hub(request->api, request->argument);
    picket_say(PICKET_NOTICE, "service", "device %s: removed", request->argument);
    api_answer_json(answer, 200, json_pack("{s:o}", "removed", api_json_text(request->argument)));
}
