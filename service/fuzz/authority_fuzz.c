/* A text that an owner sends as the certificate of a CA. What is taken can be described, written as
 * PEM, and is then the same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/authority.h"

enum { NOW_S = 1800000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void must_stay_the_same(const uint8_t *der, size_t der_bytes)
{
    struct picket_error error = {0};
    uint8_t *again = NULL;
    size_t again_bytes = 0;
    char *pem = authority_pem(der, der_bytes);
    check(pem != NULL && authority_read(pem, NOW_S, &again, &again_bytes, &error) == PICKET_OK);
    check(again_bytes == der_bytes && memcmp(again, der, der_bytes) == 0);
    free(again);
    free(pem);
}

static void try_description(const uint8_t *der, size_t der_bytes)
{
    struct authority authority;
    if (!authority_describe(der, der_bytes, &authority))
        return;
    check(memchr(authority.subject, '\0', sizeof authority.subject) != NULL);
    check(memchr(authority.issuer, '\0', sizeof authority.issuer) != NULL);
    check(memchr(authority.key, '\0', sizeof authority.key) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picket_error error = {0};
    uint8_t *der;
    size_t der_bytes;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (authority_read(text, NOW_S, &der, &der_bytes, &error) == PICKET_OK) {
        try_description(der, der_bytes);
        must_stay_the_same(der, der_bytes);
        free(der);
    } else {
        check(error.text[0] != '\0');
    }
    free(text);
    /* As it may stand in a store that somebody has damaged. */
    try_description(data, size);
    return 0;
}
