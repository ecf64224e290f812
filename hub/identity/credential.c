#include "credential.h"

#include <openssl/evp.h>
#include <string.h>

struct credential credential_of_key(const uint8_t *key, size_t key_bytes)
{
    struct credential credential = {.kind = CREDENTIAL_KEY};
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    EVP_Digest(key, key_bytes, digest, NULL, EVP_sha256(), NULL);
    memcpy(credential.mark, digest, sizeof credential.mark);
    return credential;
}

struct credential credential_of_print(enum credential_kind kind,
                                      const struct picket_thumbprint *print)
{
    struct credential credential = {.kind = (uint8_t)kind};
    memcpy(credential.mark, print->bytes, sizeof credential.mark);
    return credential;
}

static bool has_mark(const struct credential *credential, const struct credential *other)
{
    return memcmp(credential->mark, other->mark, sizeof credential->mark) == 0;
}

static bool is_key(const struct credential *credential, const uint8_t *key, size_t key_bytes)
{
    struct credential other = credential_of_key(key, key_bytes);
    return key_bytes > 0 && has_mark(credential, &other);
}

static bool is_print(const struct credential *credential, const struct picket_thumbprint *print)
{
    struct credential other = credential_of_print(credential->kind, print);
    return print->size_bytes > 0 && has_mark(credential, &other);
}

bool credential_is_of_authorities(const struct credential *credential,
                                  const struct admission *admission)
{
    for (size_t i = 0; i < admission->anchor_count; i++)
        if (is_print(credential, &admission->anchors[i]))
            return true;
    return false;
}

bool credential_holds(const struct credential *credential,
                      const struct picket_device_identity *device,
                      const struct admission *admission)
{
    if (!device->enabled)
        return false;
    switch (credential->kind) {
    case CREDENTIAL_KEY:
        return device->authentication == PICKET_AUTHENTICATION_SAS &&
               (is_key(credential, device->primary_key, device->primary_key_bytes) ||
                is_key(credential, device->secondary_key, device->secondary_key_bytes));
    case CREDENTIAL_THUMBPRINT:
        return device->authentication == PICKET_AUTHENTICATION_THUMBPRINT &&
               (is_print(credential, &device->primary_thumbprint) ||
                is_print(credential, &device->secondary_thumbprint));
    default:
        return device->authentication == PICKET_AUTHENTICATION_CA &&
               credential_is_of_authorities(credential, admission);
    }
}

const char *credential_name(const struct credential *credential)
{
    return credential->kind == CREDENTIAL_KEY ? "its SAS token" : "its certificate";
}
