#include "sas_token.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

void url_encode(const char *text, char *out, size_t size_bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (; *text != '\0' && at + 3 < size_bytes; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL)) {
            out[at++] = (char)c;
        } else {
            out[at++] = '%';
            out[at++] = digits[c >> 4];
            out[at++] = digits[c & 15];
        }
    }
    out[at] = '\0';
}

int sas_token_make(const struct connection_string *device, int64_t expiry_s, char *out,
                   struct picket_error *error)
{
    enum { RESOURCE_BYTES = HOST_NAME_BYTES_MAX + DEVICE_ID_BYTES_MAX + 16, SHA256_BYTES = 32 };
    char resource[RESOURCE_BYTES], encoded[3 * RESOURCE_BYTES + 1];
    char text[sizeof encoded + 32];
    uint8_t digest[SHA256_BYTES];
    unsigned digest_bytes = sizeof digest;
    snprintf(resource, sizeof resource, "%s/devices/%s", device->host_name, device->device_id);
    url_encode(resource, encoded, sizeof encoded);
    int length = snprintf(text, sizeof text, "%s\n%" PRId64, encoded, expiry_s);
    if (HMAC(EVP_sha256(), device->key, (int)device->key_bytes, (const uint8_t *)text,
             (size_t)length, digest, &digest_bytes) == NULL)
        return picket_fail(error, PICKET_IO, "OpenSSL cannot compute HMAC-SHA256");
    char base64[SHA256_BYTES / 3 * 4 + 4 + 1], signature[3 * sizeof base64 + 1];
    EVP_EncodeBlock((uint8_t *)base64, digest, (int)digest_bytes);
    url_encode(base64, signature, sizeof signature);
    snprintf(out, SAS_TOKEN_BYTES, "SharedAccessSignature sr=%s&sig=%s&se=%" PRId64, encoded,
             signature, expiry_s);
    return PICKET_OK;
}
