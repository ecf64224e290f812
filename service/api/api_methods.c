/* /v1/devices/{id}/methods: asks a device, and waits for its answer. */
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"

enum { TIMEOUT_S = 30, TIMEOUT_S_MIN = 1, TIMEOUT_S_MAX = 300 };

/* The device's payload; NULL: it is no JSON. Nothing is null. */
static json_t *payload_json(const struct picket_api_method_result *result)
{
    if (result->payload_bytes == 0)
        return json_null();
    return json_loadb(result->payload, result->payload_bytes, JSON_DECODE_ANY, NULL);
}

static void answer_result(struct api_answer *answer, const char *device,
                          const struct picket_api_method_result *result)
{
    json_t *payload = payload_json(result);
    if (payload)
        api_answer_json(answer, 200,
                        json_pack("{s:i, s:o}", "status", result->status, "payload", payload));
    else
        api_answer_refuse(answer, 502, "device %s: answered %d with %zu bytes that are not JSON",
                          device, result->status, result->payload_bytes);
}

/* A device that does not answer is a gateway's time-out, and nothing that failed here. */
static void answer_failure(struct api_answer *answer, const struct picket_error *error)
{
    if (error->status == PICKET_IO)
        api_answer_refuse(answer, 504, "%s", error->text);
    else if (error->status == PICKET_BUSY)
        api_answer_refuse(answer, 429, "%s", error->text);
    else
        api_answer_error(answer, error);
}

static int check_device(const struct api_request *request, struct picket_error *error)
{
    struct picket_device_identity device;
    struct picket_store *store = api_store_borrow(request->api, error);
    if (!store)
        return error->status;
    int status = picket_store_device_get(store, request->argument, &device, error);
    api_store_return(request->api, store);
    return status;
}

static int parse_method(const struct api_request *request, struct picket_api_method *method,
                        struct picket_error *error)
{
    int64_t timeout_s = TIMEOUT_S, connect_timeout_s = 0;
    int status = api_member_text(request->body, "name", true, &method->name, error);
    if (status == PICKET_OK)
        status = api_member_number(request->body, "timeout_s", TIMEOUT_S_MIN, TIMEOUT_S_MAX,
                                   &timeout_s, error);
    if (status == PICKET_OK)
        status = api_member_number(request->body, "connect_timeout_s", 0, TIMEOUT_S_MAX,
                                   &connect_timeout_s, error);
    if (status == PICKET_OK)
        status = api_query_module(request, &method->module, error);
    method->device = request->argument;
    method->timeout_s = (uint32_t)timeout_s;
    method->connect_timeout_s = (uint32_t)connect_timeout_s;
    return status == PICKET_OK ? check_device(request, error) : status;
}

static int invoke(const struct api_request *request, struct picket_api_method *method,
                  struct picket_api_method_result *result, struct picket_error *error)
{
    const struct picket_api_config *config = api_config(request->api);
    const json_t *payload = json_object_get(request->body, "payload");
    if (!config->invoke_method)
        return picket_fail(error, PICKET_CLOSED, "there is no hub here");
    char *text = payload
                     ? json_dumps(payload, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15))
                     : strdup("null");
    if (!text)
        return picket_fail(error, PICKET_NO_MEMORY, "out of memory");
    method->payload = text;
    method->payload_bytes = strlen(text);
    int status = config->invoke_method(config->context, method, result, error);
    free(text);
    return status;
}

void api_methods_invoke(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_api_method method;
    struct picket_api_method_result result = {0};
    if (parse_method(request, &method, &error) != PICKET_OK)
        api_answer_error(answer, &error);
    else if (invoke(request, &method, &result, &error) != PICKET_OK)
        answer_failure(answer, &error);
    else
        answer_result(answer, request->argument, &result);
    free(result.payload);
}
