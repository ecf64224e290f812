/* The certificate of a CA, as an owner brings it: looked at before it counts, and described.
 *
 * Thread: pure functions.
 */
#ifndef SERVICE_AUTHORITY_H
#define SERVICE_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/error.h"
#include "picket/store/thumbprint.h"

enum { AUTHORITY_NAME_BYTES = 512, AUTHORITY_PEM_BYTES_MAX = 32768 };

struct authority {
    char subject[AUTHORITY_NAME_BYTES]; /* RFC 2253: "CN=plant CA,O=Example" */
    char issuer[AUTHORITY_NAME_BYTES];
    char key[64];   /* "RSA 2048 bits" */
    int64_t from_s; /* Unix time */
    int64_t until_s;
    struct picket_thumbprint sha256;
};

/* The one certificate in the text, which is PEM, as DER; the caller frees it with free().
 * PICKET_INVALID: there is none or more than one, a private key stands beside it, it is not a CA's
 * (basicConstraints CA:TRUE, and keyCertSign if it says what its key is for), its key is too weak
 * (less than 112 bits), or it has expired at now_s, in Unix seconds. */
int authority_read(const char *pem, int64_t now_s, uint8_t **der, size_t *der_bytes,
                   struct picket_error *error);

/* False if it cannot be read. */
bool authority_describe(const uint8_t *der, size_t der_bytes, struct authority *authority);

/* The same certificate as PEM, NULL without memory or if it is none; the caller frees. */
char *authority_pem(const uint8_t *der, size_t der_bytes);

#endif
