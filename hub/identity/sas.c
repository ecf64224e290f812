#include "sas.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* 32 bytes are 44 characters of base64, the last of them '='. */
static bool decode_signature(uint8_t *signature, struct slice encoded)
{
    char base64[45];
    if (slice_percent_decode(encoded, base64, 44) != 44 || base64[43] != '=' || base64[42] == '=')
        return false;
    uint8_t decoded[33];
    if (EVP_DecodeBlock(decoded, (const unsigned char *)base64, 44) != 33)
        return false;
    memcpy(signature, decoded, SAS_SIGNATURE_BYTES);
    return true;
}

static bool read_expiry(int64_t *expires_s, struct slice digits)
{
    if (digits.size == 0 || digits.size > 15)
        return false;
    *expires_s = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return false;
        *expires_s = *expires_s * 10 + (digits.bytes[i] - '0');
    }
    return true;
}

static bool set_once(struct slice *field, struct slice value)
{
    if (field->bytes != NULL)
        return false;
    *field = value;
    return true;
}

const char *sas_parse(struct sas_token *token, struct slice text)
{
    memset(token, 0, sizeof *token);
    if (text.size > SAS_TOKEN_BYTES_MAX)
        return "longer than 2,048 bytes";
    if (!slice_skip(&text, "SharedAccessSignature "))
        return "does not begin with \"SharedAccessSignature \"";
    struct slice signature = {NULL, 0};
    while (text.size > 0) {
        struct slice value = slice_cut(&text, '&');
        struct slice name = slice_cut(&value, '=');
        struct slice *field = slice_equals(name, "sr")    ? &token->resource
                              : slice_equals(name, "sig") ? &signature
                              : slice_equals(name, "se")  ? &token->expiry
                              : slice_equals(name, "skn") ? &token->policy
                                                          : NULL;
        if (field != NULL && !set_once(field, value))
            return "a field stands there twice, or has no value";
    }
    if (token->resource.size == 0)
        return "no sr";
    if (!read_expiry(&token->expires_s, token->expiry))
        return "se is not a number of seconds";
    if (!decode_signature(token->signature, signature))
        return "sig is not the base64 of 32 bytes";
    return NULL;
}

static bool segment_is(struct slice segment, const char *name)
{
    char decoded[3 * 128];
    long size = slice_percent_decode(segment, decoded, sizeof decoded);
    return slice_equals(segment, name) ||
           (size >= 0 && slice_equals((struct slice){decoded, (size_t)size}, name));
}

/* resource: decoded as often as it was encoded as a whole. Ids may be encoded once more: Node's
 * client encodes the id, puts the resource together, and encodes that again. */
static bool resource_covers(struct slice resource, const char *host, const char *device,
                            const char *module)
{
    if (!slice_equals_ignoring_case(slice_cut(&resource, '/'), host) ||
        !slice_equals(slice_cut(&resource, '/'), "devices"))
        return false;
    /* What follows the id as a query says nothing about the scope. */
    struct slice path = slice_cut(&resource, '?');
    if (!segment_is(slice_cut(&path, '/'), device))
        return false;
    if (!slice_equals(slice_cut(&path, '/'), "modules"))
        return true;
    return module != NULL && module[0] != '\0' && segment_is(slice_cut(&path, '/'), module);
}

bool sas_covers(const struct sas_token *token, const char *host, const char *device,
                const char *module)
{
    char decoded[SAS_TOKEN_BYTES_MAX];
    if (resource_covers(token->resource, host, device, module))
        return true;
    long size = slice_percent_decode(token->resource, decoded, sizeof decoded);
    return size >= 0 &&
           resource_covers((struct slice){decoded, (size_t)size}, host, device, module);
}

bool sas_is_signed_with(const struct sas_token *token, const uint8_t *key, size_t key_bytes)
{
    uint8_t signed_text[SAS_TOKEN_BYTES_MAX + 1];
    uint8_t expected[EVP_MAX_MD_SIZE];
    unsigned int expected_bytes = 0;
    size_t size = token->resource.size;
    if (key_bytes == 0 || size + 1 + token->expiry.size > sizeof signed_text)
        return false;
    memcpy(signed_text, token->resource.bytes, size);
    signed_text[size++] = '\n';
    memcpy(signed_text + size, token->expiry.bytes, token->expiry.size);
    size += token->expiry.size;
    if (HMAC(EVP_sha256(), key, (int)key_bytes, signed_text, size, expected, &expected_bytes) ==
        NULL)
        return false;
    return expected_bytes == SAS_SIGNATURE_BYTES &&
           CRYPTO_memcmp(expected, token->signature, SAS_SIGNATURE_BYTES) == 0;
}
