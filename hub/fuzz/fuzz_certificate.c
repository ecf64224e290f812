/* A client's certificate in DER, as an unauthenticated peer may send it, before a CA that did not
 * issue it. No input may pass. */
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>

#include "identity/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static X509_STORE *nobody;
    if (nobody == NULL)
        nobody = X509_STORE_new();
    X509 *certificate = d2i_X509(NULL, &data, (long)size);
    if (certificate != NULL) {
        struct certificate_prints prints;
        struct certificate_verdict verdict;
        char name[CERTIFICATE_NAME_BYTES];
        int64_t from_s, until_s;
        const struct picket_thumbprint none = {{0}, 0};
        if (certificate_prints(certificate, &prints) && certificate_has_print(&prints, &none))
            abort();
        certificate_period(certificate, &from_s, &until_s);
        certificate_common_name(certificate, name);
        certificate_verify(nobody, certificate, NULL, 1700000000, &verdict);
        if (verdict.problem == CERTIFICATE_GOOD)
            abort();
    }
    X509_free(certificate);
    ERR_clear_error();
    return 0;
}
