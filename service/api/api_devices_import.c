/* /v1/devices/import: a fleet at once. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

static const char members[] = "line id primary_key secondary_key authentication primary_thumbprint "
                              "secondary_thumbprint";

struct import {
    struct picket_api *api;
    const json_t *list;
    const char *source; /* NULL: it has no name */
    size_t count;
    struct picket_device_identity *devices;
};

/* Where it came from, before what is wrong with it. */
static int fail_at(const struct import *import, size_t at, struct picket_error *error)
{
    const json_t *line = json_object_get(json_array_get(import->list, at), "line");
    if (import->source && json_is_integer(line))
        picket_fail_in(error, "%.200s:%lld", import->source, (long long)json_integer_value(line));
    else
        picket_fail_in(error, "devices[%zu]", at);
    return error->status;
}

static int parse_one(const struct import *import, size_t at, int64_t now_ms,
                     struct picket_error *error)
{
    const json_t *object = json_array_get(import->list, at);
    struct picket_device_identity *device = &import->devices[at];
    int64_t line;
    if (!json_is_object(object))
        return picket_fail(error, PICKET_INVALID, "expected an object");
    int status = api_members_check(object, members, error);
    if (status == PICKET_OK)
        status = api_member_number(object, "line", 1, INT64_MAX, &line, error);
    if (status == PICKET_OK)
        status = api_parse_device(object, device, error);
    if (status == PICKET_OK)
        status = api_make_keys(device, error);
    device->created_ms = now_ms;
    return status;
}

static int parse(struct import *import, const json_t *body, struct picket_error *error)
{
    int status = api_member_text(body, "source", false, &import->source, error);
    if (status != PICKET_OK)
        return status;
    import->list = json_object_get(body, "devices");
    import->count = json_array_size(import->list);
    if (import->count == 0 || import->count > API_IMPORT_DEVICES_MAX)
        return picket_fail(error, PICKET_INVALID, "devices: expected an array of 1 to %d objects",
                           API_IMPORT_DEVICES_MAX);
    import->devices = calloc(import->count, sizeof *import->devices);
    if (!import->devices)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for %zu devices", import->count);
    int64_t now_ms = picket_unix_ms();
    for (size_t i = 0; i < import->count; i++)
        if (parse_one(import, i, now_ms, error) != PICKET_OK)
            return fail_at(import, i, error);
    return PICKET_OK;
}

static int add(const struct import *import, struct picket_error *error)
{
    size_t at;
    struct picket_store *store = api_store_borrow(import->api, error);
    if (!store)
        return error->status;
    int status = picket_store_devices_add(store, import->devices, import->count, &at, error);
    api_store_return(import->api, store);
    return status != PICKET_OK && at < import->count ? fail_at(import, at, error) : status;
}

static json_t *added_json(const struct import *import)
{
    json_t *list = json_array();
    for (size_t i = 0; i < import->count; i++) {
        const struct picket_device_identity *device = &import->devices[i];
        json_t *object = json_pack("{s:o, s:s}", "id", api_json_text(device->id), "authentication",
                                   picket_authentication_name(device->authentication));
        api_add_credentials(object, import->api, device);
        json_array_append_new(list, object);
    }
    return json_pack("{s:I, s:o}", "added", (json_int_t)import->count, "devices", list);
}

void api_devices_import(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct import import = {.api = request->api};
    if (parse(&import, request->body, &error) == PICKET_OK && add(&import, &error) == PICKET_OK) {
        picket_say(PICKET_NOTICE, "service", "%zu devices: added, %s to %s", import.count,
                   import.devices[0].id, import.devices[import.count - 1].id);
        api_answer_json(answer, 201, added_json(&import));
    } else {
        api_answer_error(answer, &error);
    }
    if (import.devices)
        OPENSSL_cleanse(import.devices, import.count * sizeof *import.devices);
    free(import.devices);
}
