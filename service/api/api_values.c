#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "picket/base/time.h"

enum { KEY_BYTES_MIN = 16 };

/* ---- query ---- */

const char *api_query_text(const struct api_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    }
    return NULL;
}

static bool number_parse(const char *text, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits])
        return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

int api_query_number(const struct api_request *request, const char *name, int64_t min, int64_t max,
                     int64_t *out, struct picket_error *error)
{
    const char *text = api_query_text(request, name);
    int64_t number;
    if (!text)
        return PICKET_OK;
    if (!number_parse(text, &number) || number < min || number > max)
        return picket_fail(error, PICKET_INVALID,
                           "query parameter %s: \"%.60s\" is not a number from %lld to %lld", name,
                           text, (long long)min, (long long)max);
    *out = number;
    return PICKET_OK;
}

int api_parse_time(const char *what, const char *text, int64_t *unix_ms, struct picket_error *error)
{
    return picket_time_parse(text, unix_ms)
               ? PICKET_OK
               : picket_fail(error, PICKET_INVALID,
                             "%s: \"%.60s\" is neither a time (2026-11-20T23:51:17Z, Unix seconds) "
                             "nor a span back from now (90s, 15m, 24h, 7d)",
                             what, text);
}

int api_query_time(const struct api_request *request, const char *name, int64_t *unix_ms,
                   struct picket_error *error)
{
    const char *text = api_query_text(request, name);
    char what[64];
    snprintf(what, sizeof what, "query parameter %s", name);
    return text ? api_parse_time(what, text, unix_ms, error) : PICKET_OK;
}

int api_query_module(const struct api_request *request, const char **out,
                     struct picket_error *error)
{
    const char *module = api_query_text(request, "module");
    *out = module ? module : "";
    if (strlen(*out) > 128 || strpbrk(*out, "/+#"))
        return picket_fail(error, PICKET_INVALID,
                           "query parameter module: longer than 128 bytes, or with one of / + #");
    return PICKET_OK;
}

int api_query_flag(const struct api_request *request, const char *name, bool *out,
                   struct picket_error *error)
{
    const char *text = api_query_text(request, name);
    if (!text)
        return PICKET_OK;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return picket_fail(error, PICKET_INVALID,
                           "query parameter %s: \"%.60s\" is neither true nor false", name, text);
    *out = text[0] == 't';
    return PICKET_OK;
}

bool api_path_id(const struct api_request *request, const char *noun, int64_t *id,
                 struct api_answer *answer)
{
    if (number_parse(request->argument, id) && *id > 0)
        return true;
    api_answer_refuse(answer, 400, "%s \"%s\": its id is a positive number", noun,
                      request->argument);
    return false;
}

/* ---- body ---- */

int api_members_check(const json_t *object, const char *members, struct picket_error *error)
{
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *name = json_object_iter_key(at);
        if (!*name || !api_listed(members, name))
            return picket_fail(error, PICKET_INVALID, "unknown member \"%.60s\"; known here: %s",
                               name, members);
    }
    return PICKET_OK;
}

int api_body_parse(const char *text, size_t size_bytes, const char *members, json_t **body,
                   struct picket_error *error)
{
    json_error_t problem;
    *body = NULL;
    if (size_bytes == 0)
        return picket_fail(error, PICKET_INVALID, "the body is empty; expected a JSON object");
    json_t *object = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (!object)
        return picket_fail(error, PICKET_INVALID, "body:%d:%d: %s", problem.line, problem.column,
                           problem.text);
    int status = json_is_object(object)
                     ? api_members_check(object, members, error)
                     : picket_fail(error, PICKET_INVALID, "the body is not a JSON object");
    if (status != PICKET_OK)
        json_decref(object);
    else
        *body = object;
    return status;
}

static bool is_plain_text(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return true;
}

int api_member_text(const json_t *body, const char *name, bool required, const char **out,
                    struct picket_error *error)
{
    const json_t *value = json_object_get(body, name);
    if (!value && !required)
        return PICKET_OK;
    if (!value)
        return picket_fail(error, PICKET_INVALID, "member \"%s\" is missing", name);
    if (!json_is_string(value) || !is_plain_text(value))
        return picket_fail(error, PICKET_INVALID,
                           "%s: expected a string without control characters", name);
    *out = json_string_value(value);
    return PICKET_OK;
}

int api_member_number(const json_t *body, const char *name, int64_t min, int64_t max, int64_t *out,
                      struct picket_error *error)
{
    const json_t *value = json_object_get(body, name);
    if (!value)
        return PICKET_OK;
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max)
        return picket_fail(error, PICKET_INVALID, "%s: expected an integer from %lld to %lld", name,
                           (long long)min, (long long)max);
    *out = json_integer_value(value);
    return PICKET_OK;
}

int api_member_flag(const json_t *body, const char *name, bool *out, struct picket_error *error)
{
    const json_t *value = json_object_get(body, name);
    if (!value)
        return PICKET_OK;
    if (!json_is_boolean(value))
        return picket_fail(error, PICKET_INVALID, "%s: expected true or false", name);
    *out = json_is_true(value);
    return PICKET_OK;
}

/* ---- a device ---- */

/* Strict: what it decodes to must encode to the same text again. */
static bool base64_decode(const char *text, uint8_t *out, size_t capacity, size_t *size_bytes)
{
    unsigned char decoded[3 * 32], encoded[4 * 32 + 1];
    size_t length = strlen(text);
    if (length == 0 || length % 4 != 0 || length > 4 * 32)
        return false;
    int bytes = EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)length);
    if (bytes < 0)
        return false;
    bytes -= (text[length - 1] == '=') + (text[length - 2] == '=');
    EVP_EncodeBlock(encoded, decoded, bytes);
    bool same = strcmp((const char *)encoded, text) == 0 && (size_t)bytes <= capacity;
    if (same) {
        memcpy(out, decoded, (size_t)bytes);
        *size_bytes = (size_t)bytes;
    }
    OPENSSL_cleanse(decoded, sizeof decoded);
    OPENSSL_cleanse(encoded, sizeof encoded);
    return same;
}

int api_member_key(const json_t *body, const char *name, uint8_t *key, size_t *key_bytes,
                   struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, name, false, &text, error);
    if (status != PICKET_OK || !text)
        return status;
    if (!base64_decode(text, key, PICKET_KEY_BYTES_MAX, key_bytes) || *key_bytes < KEY_BYTES_MIN)
        return picket_fail(error, PICKET_INVALID,
                           "%s: expected are %d to %d bytes in base64 with padding", name,
                           KEY_BYTES_MIN, PICKET_KEY_BYTES_MAX);
    return PICKET_OK;
}

int api_member_thumbprint(const json_t *body, const char *name,
                          struct picket_thumbprint *thumbprint, struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, name, false, &text, error);
    if (status != PICKET_OK || !text)
        return status;
    if (!picket_thumbprint_parse(thumbprint, text))
        return picket_fail(error, PICKET_INVALID,
                           "%s: expected are 64 hexadecimal digits (SHA-256) or 40 (SHA-1)", name);
    return PICKET_OK;
}

/* Thumbprints speak for themselves. */
static int parse_authentication(const json_t *body, struct picket_device_identity *device,
                                struct picket_error *error)
{
    static const int kinds[] = {PICKET_AUTHENTICATION_SAS, PICKET_AUTHENTICATION_THUMBPRINT,
                                PICKET_AUTHENTICATION_CA};
    const char *text = NULL;
    int status = api_member_text(body, "authentication", false, &text, error);
    if (status != PICKET_OK)
        return status;
    if (!text && (device->primary_thumbprint.size_bytes || device->secondary_thumbprint.size_bytes))
        device->authentication = PICKET_AUTHENTICATION_THUMBPRINT;
    if (!text)
        return PICKET_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        device->authentication = kinds[i];
        if (strcmp(text, picket_authentication_name(kinds[i])) == 0)
            return PICKET_OK;
    }
    return picket_fail(error, PICKET_INVALID,
                       "authentication: \"%.60s\" is none of sas, thumbprint, ca", text);
}

int api_parse_device(const json_t *body, struct picket_device_identity *device,
                     struct picket_error *error)
{
    const char *id = NULL;
    memset(device, 0, sizeof *device);
    int status = api_member_text(body, "id", true, &id, error);
    if (status != PICKET_OK)
        return status;
    if (strlen(id) >= sizeof device->id)
        return picket_fail(error, PICKET_INVALID, "id: longer than %zu characters",
                           sizeof device->id - 1);
    strcpy(device->id, id);
    device->enabled = true;
    status =
        api_member_key(body, "primary_key", device->primary_key, &device->primary_key_bytes, error);
    if (status == PICKET_OK)
        status = api_member_key(body, "secondary_key", device->secondary_key,
                                &device->secondary_key_bytes, error);
    if (status == PICKET_OK)
        status =
            api_member_thumbprint(body, "primary_thumbprint", &device->primary_thumbprint, error);
    if (status == PICKET_OK)
        status = api_member_thumbprint(body, "secondary_thumbprint", &device->secondary_thumbprint,
                                       error);
    return status == PICKET_OK ? parse_authentication(body, device, error) : status;
}

/* ---- addresses to look up ---- */

int api_parse_protocol(const char *name, uint8_t *protocol, struct picket_error *error)
{
    for (uint8_t i = PICKET_TCP; i <= PICKET_ICMP; i++) {
        if (strcmp(name, picket_protocol_name(i)) != 0)
            continue;
        *protocol = (uint8_t)(i + 1);
        return PICKET_OK;
    }
    return picket_fail(error, PICKET_INVALID, "protocol: \"%.60s\" is none of tcp, udp, icmp",
                       name);
}

int api_parse_addresses(const json_t *body, struct picket_address *addresses, size_t *count,
                        struct picket_error *error)
{
    const json_t *list = json_object_get(body, "addresses");
    *count = 0;
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > API_LOOKUP_MAX)
        return picket_fail(error, PICKET_INVALID, "addresses: expected an array of 1 to %d strings",
                           API_LOOKUP_MAX);
    size_t index;
    const json_t *value;
    json_array_foreach(list, index, value)
    {
        if (!json_is_string(value))
            return picket_fail(error, PICKET_INVALID, "addresses[%zu] is not a string", index);
        if (!picket_address_parse(&addresses[index], json_string_value(value),
                                  json_string_length(value)))
            return picket_fail(error, PICKET_INVALID,
                               "addresses[%zu]: \"%.60s\" is not an IPv4 or IPv6 address", index,
                               json_string_value(value));
        *count = index + 1;
    }
    return PICKET_OK;
}
