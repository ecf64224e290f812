#include "certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

enum { SECURITY_LEVEL = 2 }; /* OpenSSL's: 112 bits */

/* ---- what it says ---- */

static bool take_print(X509 *certificate, const EVP_MD *hash, struct picket_thumbprint *print)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    memset(print, 0, sizeof *print);
    if (X509_digest(certificate, hash, digest, &size) != 1 || size > sizeof print->bytes)
        return false;
    memcpy(print->bytes, digest, size);
    print->size_bytes = size;
    return true;
}

bool certificate_prints(X509 *certificate, struct certificate_prints *prints)
{
    return take_print(certificate, EVP_sha256(), &prints->sha256) &&
           take_print(certificate, EVP_sha1(), &prints->sha1);
}

bool certificate_has_print(const struct certificate_prints *prints,
                           const struct picket_thumbprint *thumbprint)
{
    return thumbprint->size_bytes > 0 && (picket_thumbprint_equals(&prints->sha256, thumbprint) ||
                                          picket_thumbprint_equals(&prints->sha1, thumbprint));
}

static bool read_time(const ASN1_TIME *time, int64_t *unix_s)
{
    struct tm broken_down;
    if (time == NULL || ASN1_TIME_to_tm(time, &broken_down) != 1)
        return false;
    *unix_s = timegm(&broken_down);
    return true;
}

bool certificate_period(const X509 *certificate, int64_t *from_s, int64_t *until_s)
{
    return read_time(X509_get0_notBefore(certificate), from_s) &&
           read_time(X509_get0_notAfter(certificate), until_s);
}

/* Two common names would let the one that a CA looked at differ from the one that we look at. */
bool certificate_common_name(const X509 *certificate, char *out)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false;
    unsigned char *text = NULL;
    int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool fits =
        size > 0 && size < CERTIFICATE_NAME_BYTES && memchr(text, '\0', (size_t)size) == NULL;
    if (fits) {
        memcpy(out, text, (size_t)size);
        out[size] = '\0';
    }
    OPENSSL_free(text);
    return fits;
}

/* ---- who stands behind it ---- */

static enum certificate_problem problem_of(int error)
{
    switch (error) {
    case X509_V_OK:
        return CERTIFICATE_GOOD;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return CERTIFICATE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CERTIFICATE_EARLY;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return CERTIFICATE_UNKNOWN_CA;
    default:
        return CERTIFICATE_UNFIT;
    }
}

/* Whom a chain ends at, and when its first certificate does. */
static bool look_at_chain(STACK_OF(X509) * chain, struct certificate_verdict *verdict)
{
    int count = sk_X509_num(chain);
    for (int i = 0; i < count; i++) {
        int64_t from_s, until_s;
        if (!certificate_period(sk_X509_value(chain, i), &from_s, &until_s))
            return false;
        if (i == 0 || until_s < verdict->until_s)
            verdict->until_s = until_s;
    }
    return count > 0 && take_print(sk_X509_value(chain, count - 1), EVP_sha256(), &verdict->anchor);
}

/* A registered CA is trusted though it be an intermediate one: its owner said so. */
static void ask_for_client(X509_STORE_CTX *context, int64_t now_s)
{
    X509_VERIFY_PARAM *asked = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_purpose(asked, X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_depth(asked, CERTIFICATE_CHAIN_DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(asked, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_flags(asked, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(asked, (time_t)now_s);
}

void certificate_verify(X509_STORE *authorities, X509 *certificate, STACK_OF(X509) * chain,
                        int64_t now_s, struct certificate_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->problem = CERTIFICATE_UNFIT;
    verdict->reason = "no memory";
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context != NULL && X509_STORE_CTX_init(context, authorities, certificate, chain) == 1) {
        ask_for_client(context, now_s);
        bool good = X509_verify_cert(context) == 1;
        int error = X509_STORE_CTX_get_error(context);
        verdict->reason = X509_verify_cert_error_string(error);
        verdict->depth = X509_STORE_CTX_get_error_depth(context);
        if (!good)
            verdict->problem = error == X509_V_OK ? CERTIFICATE_UNFIT : problem_of(error);
        else if (look_at_chain(X509_STORE_CTX_get0_chain(context), verdict))
            verdict->problem = CERTIFICATE_GOOD;
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
}
