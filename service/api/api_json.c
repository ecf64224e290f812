#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "message_json.h"
#include "picket/base/time.h"
#include "text.h"

json_t *api_json_text(const char *text)
{
    return text ? text_json(text, strlen(text)) : json_null();
}

json_t *api_json_known(const char *text)
{
    return api_json_text(text && *text ? text : NULL);
}

json_t *api_json_time(int64_t unix_ms)
{
    char text[PICKET_TIME_TEXT_BYTES];
    return unix_ms ? json_string(picket_time_format(unix_ms, text)) : json_null();
}

json_t *api_json_version(uint32_t version)
{
    return version ? json_sprintf("%u.%u.%u", version >> 24, version >> 16 & 0xff, version & 0xffff)
                   : json_null();
}

json_t *api_json_hex(const uint8_t *bytes, size_t count)
{
    char text[2 * 64 + 1] = "";
    for (size_t i = 0; i < count && i < 64; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_string(text);
}

json_t *api_json_base64(const uint8_t *bytes, size_t count)
{
    size_t capacity = 4 * ((count + 2) / 3) + 1;
    char *text = malloc(capacity);
    if (!text)
        return NULL;
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)count);
    json_t *string = json_string(text);
    OPENSSL_cleanse(text, capacity);
    free(text);
    return string;
}

json_t *api_json_thumbprint(const struct picket_thumbprint *thumbprint)
{
    char text[PICKET_THUMBPRINT_TEXT_BYTES];
    return api_json_known(picket_thumbprint_format(thumbprint, text));
}

const char *api_event_type_name(uint8_t type)
{
    const char *name = type == PICKET_EVENT_OF_HUB ? "HubActivity" : picket_payload_name(type);
    return name ? name : "Unknown";
}

json_t *api_json_flow(const struct picket_flow *flow)
{
    char local[PICKET_ADDRESS_TEXT_BYTES], remote[PICKET_ADDRESS_TEXT_BYTES];
    return json_pack(
        "{s:s, s:s, s:i, s:s, s:i, s:I, s:I}", "protocol", picket_protocol_name(flow->protocol),
        "local_address", picket_address_format(&flow->local, local), "local_port",
        (int)flow->local_port, "remote_address", picket_address_format(&flow->remote, remote),
        "remote_port", (int)flow->remote_port, "bytes_in", (json_int_t)flow->bytes_in, "bytes_out",
        (json_int_t)flow->bytes_out);
}

json_t *api_json_next(const json_t *page, size_t limit)
{
    size_t count = json_array_size(page);
    if (count < limit)
        return json_null();
    return json_incref(json_object_get(json_array_get(page, count - 1), "id"));
}
