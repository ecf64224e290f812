/* /v1/devices/{id}/messages: what waits for a device. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "message_bag.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"
#include "picket/store/messages.h"

enum { EXPIRES_IN_S = 3600, EXPIRES_IN_S_MAX = 172800 };

/* ---- what is to be sent ---- */

/* The message and what it points to. */
struct draft {
    struct picket_message message;
    char bag[PICKET_MESSAGE_BAG_BYTES_MAX + 1];
    uint8_t *decoded; /* or NULL */
    bool is_large;    /* more than a queue takes */
};

/* Members of the body, and the names that IoT Hub gives them. */
static const struct {
    const char *member, *name;
} system_properties[] = {{"message_id", "$.mid"},
                         {"correlation_id", "$.cid"},
                         {"content_type", "$.ct"},
                         {"content_encoding", "$.ce"}};

static int add_property(struct draft *draft, const char *name, const char *value,
                        struct picket_error *error)
{
    if (message_bag_add(draft->bag, sizeof draft->bag, name, value))
        return PICKET_OK;
    draft->is_large = true;
    return picket_fail(error, PICKET_INVALID,
                       "the message's properties take more than %d bytes of its topic",
                       PICKET_MESSAGE_BAG_BYTES_MAX);
}

static int add_system_properties(struct draft *draft, const json_t *body,
                                 struct picket_error *error)
{
    char to[300];
    snprintf(to, sizeof to, "/devices/%.128s/messages/devicebound", draft->message.device);
    int status = add_property(draft, "$.to", to, error);
    for (size_t i = 0; i < sizeof system_properties / sizeof *system_properties; i++) {
        const char *value = NULL;
        if (status == PICKET_OK)
            status = api_member_text(body, system_properties[i].member, false, &value, error);
        if (status == PICKET_OK && value)
            status = add_property(draft, system_properties[i].name, value, error);
    }
    return status;
}

static int add_own_properties(struct draft *draft, const json_t *body, struct picket_error *error)
{
    json_t *properties = json_object_get(body, "properties");
    const char *name;
    json_t *value;
    if (properties && !json_is_object(properties))
        return picket_fail(error, PICKET_INVALID, "properties: expected an object of strings");
    json_object_foreach(properties, name, value)
    {
        if (!*name || name[0] == '$' || !json_is_string(value))
            return picket_fail(error, PICKET_INVALID,
                               "properties: \"%.60s\": expected a name that does not begin with $, "
                               "and a string",
                               name);
        int status = add_property(draft, name, json_string_value(value), error);
        if (status != PICKET_OK)
            return status;
    }
    return PICKET_OK;
}

static int decode_payload(struct draft *draft, const char *text, struct picket_error *error)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text), digits = strspn(text, alphabet), padding = length - digits;
    if (length % 4 != 0 || padding > 2 || strspn(text + digits, "=") != padding)
        return picket_fail(error, PICKET_INVALID,
                           "payload_base64: expected base64 with padding; byte %zu is none",
                           digits);
    draft->decoded = malloc(length + 1);
    if (!draft->decoded)
        return picket_fail(error, PICKET_NO_MEMORY, "out of memory");
    int bytes =
        length > 0 ? EVP_DecodeBlock(draft->decoded, (const unsigned char *)text, (int)length) : 0;
    draft->message.payload = draft->decoded;
    draft->message.payload_bytes = (size_t)bytes - padding;
    return PICKET_OK;
}

static int parse_payload(struct draft *draft, const json_t *body, struct picket_error *error)
{
    const json_t *text = json_object_get(body, "payload");
    const json_t *base64 = json_object_get(body, "payload_base64");
    if ((text && base64) || (text && !json_is_string(text)) ||
        (base64 && !json_is_string(base64)) || (!text && !base64))
        return picket_fail(error, PICKET_INVALID,
                           "expected payload, a string, or payload_base64, and not both");
    if (base64)
        return decode_payload(draft, json_string_value(base64), error);
    draft->message.payload = (const uint8_t *)json_string_value(text);
    draft->message.payload_bytes = json_string_length(text);
    return PICKET_OK;
}

/* What points to the body is valid as long as it. */
static int parse_draft(const struct api_request *request, struct draft *draft,
                       struct picket_error *error)
{
    int64_t expires_in_s = EXPIRES_IN_S;
    int status =
        api_member_number(request->body, "expires_in_s", 1, EXPIRES_IN_S_MAX, &expires_in_s, error);
    draft->message.device = request->argument;
    draft->message.bag = draft->bag;
    draft->message.queued_ms = picket_unix_ms();
    draft->message.expires_ms = draft->message.queued_ms + expires_in_s * 1000;
    if (status == PICKET_OK)
        status = parse_payload(draft, request->body, error);
    if (status == PICKET_OK)
        status = add_system_properties(draft, request->body, error);
    return status == PICKET_OK ? add_own_properties(draft, request->body, error) : status;
}

static void tell_hub(const struct api_request *request, enum picket_api_messages what,
                     int64_t count)
{
    const struct picket_api_config *config = api_config(request->api);
    if (config->messages_changed && count > 0)
        config->messages_changed(config->context, request->argument, what, (uint64_t)count);
}

/* Others of the device may have expired meanwhile. */
static void add_loss(void *context, const char *device, enum picket_message_loss loss,
                     int64_t count)
{
    int64_t *expired = context;
    (void)device;
    (void)loss;
    *expired += count;
}

static bool is_registered(const struct api_request *request)
{
    struct picket_device_identity device;
    struct picket_store *store = api_store_borrow(request->api, NULL);
    if (!store)
        return false;
    int status = picket_store_device_get(store, request->argument, &device, NULL);
    api_store_return(request->api, store);
    OPENSSL_cleanse(&device, sizeof device);
    return status == PICKET_OK;
}

static int put(const struct api_request *request, struct draft *draft, struct picket_error *error)
{
    int64_t expired = 0;
    struct picket_store *store = api_store_borrow(request->api, error);
    if (!store)
        return error->status;
    picket_store_on_messages_lost(store, add_loss, &expired);
    int status = picket_store_message_put(store, &draft->message, &draft->message.id, error);
    picket_store_on_messages_lost(store, NULL, NULL);
    api_store_return(request->api, store);
    draft->is_large |= status == PICKET_INVALID;
    if (status == PICKET_OK) {
        tell_hub(request, PICKET_API_MESSAGES_EXPIRED, expired);
        tell_hub(request, PICKET_API_MESSAGES_QUEUED, 1);
    }
    return status;
}

static bool is_full_queue(const struct picket_error *error)
{
    return error->status == PICKET_BUSY && strstr(error->text, "wait for it");
}

/* A full queue is the owner's to empty, or the device's. */
static void answer_failure(struct api_answer *answer, const struct picket_error *error)
{
    if (is_full_queue(error))
        api_answer_refuse(answer, 429, "%s", error->text);
    else
        api_answer_error(answer, error);
}

static void tell_of_refusal(const struct api_request *request, const struct draft *draft,
                            const struct picket_error *error)
{
    if (is_full_queue(error))
        tell_hub(request, PICKET_API_MESSAGES_REFUSED_FULL, 1);
    else if (draft->is_large && is_registered(request))
        tell_hub(request, PICKET_API_MESSAGES_REFUSED_LARGE, 1);
}

void api_messages_send(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct draft draft = {.bag = ""};
    if (parse_draft(request, &draft, &error) == PICKET_OK &&
        put(request, &draft, &error) == PICKET_OK)
        api_answer_json(answer, 201,
                        json_pack("{s:I, s:o, s:o}", "id", (json_int_t)draft.message.id, "queued",
                                  api_json_time(draft.message.queued_ms), "expires",
                                  api_json_time(draft.message.expires_ms)));
    else {
        tell_of_refusal(request, &draft, &error);
        answer_failure(answer, &error);
    }
    free(draft.decoded);
}

/* ---- what waits ---- */

struct listing {
    json_t *array;
    bool with_payload;
};

static void append_message(void *context, const struct picket_message *message)
{
    const struct listing *listing = context;
    json_t *object =
        json_pack("{s:I, s:o, s:o, s:i, s:o, s:I}", "id", (json_int_t)message->id, "queued",
                  api_json_time(message->queued_ms), "expires", api_json_time(message->expires_ms),
                  "deliveries", message->deliveries, "properties", message_bag_json(message->bag),
                  "payload_bytes", (json_int_t)message->payload_bytes);
    if (listing->with_payload)
        json_object_set_new(object, "payload_base64",
                            api_json_base64(message->payload, message->payload_bytes));
    json_array_append_new(listing->array, object);
}

static int list(const struct api_request *request, struct listing *listing,
                struct picket_error *error)
{
    int status = api_query_flag(request, "payload", &listing->with_payload, error);
    struct picket_store *store = status == PICKET_OK ? api_store_borrow(request->api, error) : NULL;
    if (!store)
        return error->status;
    status = picket_store_messages(store, request->argument, picket_unix_ms(), append_message,
                                   listing, error);
    api_store_return(request->api, store);
    return status;
}

void api_messages_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct listing listing = {.array = json_array()};
    if (list(request, &listing, &error) == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:O}", "messages", listing.array));
    else
        api_answer_error(answer, &error);
    json_decref(listing.array);
}

static int purge(const struct api_request *request, int64_t *count, struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(request->api, error);
    if (!store)
        return error->status;
    int status = picket_store_messages_purge(store, request->argument, count, error);
    api_store_return(request->api, store);
    if (status == PICKET_OK)
        tell_hub(request, PICKET_API_MESSAGES_PURGED, *count);
    if (status == PICKET_OK)
        picket_say(PICKET_NOTICE, "service", "device %s: %lld messages to it were purged",
                   request->argument, (long long)*count);
    return status;
}

void api_messages_purge(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    int64_t count;
    if (purge(request, &count, &error) == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:I}", "purged", (json_int_t)count));
    else
        api_answer_error(answer, &error);
}
