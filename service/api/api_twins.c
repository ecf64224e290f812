/* /v1/devices/{id}/twin: what is desired of a device, and what it reports. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/twins.h"

/* ---- as JSON ---- */

/* [Unix milliseconds, version] as Azure's metadata of a member. */
static json_t *stamp_json(const json_t *stamp)
{
    return json_pack("{s:o, s:I}", "$lastUpdated",
                     api_json_time(json_integer_value(json_array_get(stamp, 0))),
                     "$lastUpdatedVersion", json_integer_value(json_array_get(stamp, 1)));
}

/* As deep as a twin may be. */
static json_t *metadata_json(json_t *times)
{
    const char *name;
    json_t *value;
    if (!json_is_object(times))
        return stamp_json(times);
    json_t *metadata = stamp_json(json_object_get(times, ""));
    json_object_foreach(times, name, value)
    {
        if (*name)
            json_object_set_new(metadata, name, metadata_json(value));
    }
    return metadata;
}

/* The document with $version, and with $metadata once it has been changed. */
static json_t *document_json(const struct picket_twin_document *document)
{
    json_t *object = json_loads(document->json, 0, NULL);
    json_t *times = json_loads(document->times, 0, NULL);
    if (json_object_size(times) > 0)
        json_object_set_new(object, "$metadata", metadata_json(times));
    json_object_set_new(object, "$version", json_integer(document->version));
    json_decref(times);
    return object;
}

struct twin_answer {
    const char *id;
    const char *module;
    json_t *body;
};

static void write_twin(void *context, const struct picket_twin *twin)
{
    struct twin_answer *answer = context;
    answer->body =
        json_pack("{s:o, s:o, s:o, s:o}", "id", api_json_text(answer->id), "module",
                  api_json_known(answer->module), "desired", document_json(&twin->desired),
                  "reported", document_json(&twin->reported));
}

/* ---- requests ---- */

static int read_twin(struct picket_api *api, struct twin_answer *twin, struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_twin(store, twin->id, twin->module, write_twin, twin, error);
    api_store_return(api, store);
    return status;
}

static void answer_twin(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct twin_answer twin = {.id = request->argument};
    if (api_query_module(request, &twin.module, &error) == PICKET_OK &&
        read_twin(request->api, &twin, &error) == PICKET_OK)
        api_answer_json(answer, 200, twin.body);
    else
        api_answer_error(answer, &error);
}

void api_twins_show(struct api_request *request, struct api_answer *answer)
{
    answer_twin(request, answer);
}

/* ---- change ---- */

static int patch_store(struct picket_api *api, const struct picket_twin_change *change,
                       int64_t *version, struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_twin_patch(store, change, version, error);
    api_store_return(api, store);
    return status;
}

/* One at a time: devices are told of changes in the order of their versions. */
static int patch_and_tell(struct picket_api *api, const struct picket_twin_change *change,
                          struct picket_error *error)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const struct picket_api_config *config = api_config(api);
    int64_t version = 0;
    pthread_mutex_lock(&lock);
    int status = patch_store(api, change, &version, error);
    if (status == PICKET_OK && config->twin_changed)
        config->twin_changed(config->context, change->device, change->module, version,
                             change->patch);
    pthread_mutex_unlock(&lock);
    if (status == PICKET_OK)
        picket_say(PICKET_NOTICE, "service", "device %s: its twin's desired part has version %lld",
                   change->device, (long long)version);
    return status;
}

static int change_desired(const struct api_request *request, const char *patch,
                          struct picket_error *error)
{
    struct picket_twin_change change = {
        .device = request->argument,
        .part = PICKET_TWIN_DESIRED,
        .patch = patch,
        .patch_bytes = strlen(patch),
        .now_ms = picket_unix_ms(),
    };
    int status = api_query_module(request, &change.module, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "if_version", 1, INT64_MAX, &change.if_version, error);
    return status == PICKET_OK ? patch_and_tell(request->api, &change, error) : status;
}

void api_twins_change(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    const json_t *desired = json_object_get(request->body, "desired");
    char *patch = json_is_object(desired)
                      ? json_dumps(desired, JSON_COMPACT | JSON_REAL_PRECISION(15))
                      : NULL;
    if (!patch)
        picket_fail(&error, PICKET_INVALID, "desired: expected an object, a merge patch");
    if (patch && change_desired(request, patch, &error) == PICKET_OK)
        answer_twin(request, answer);
    else
        api_answer_error(answer, &error);
    free(patch);
}
