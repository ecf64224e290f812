/* X.509: what a client's certificate says, and whether a registered CA stands behind it.
 *
 * The handshake proves that the client has the certificate's key, and asks nothing else of it: an
 * expired or unknown one comes through, so that its refusal can name the device (tls.h).
 *
 * Thread: pure functions of their arguments, but for the store, which is the hub's thread's.
 */
#ifndef PICKET_HUB_CERTIFICATE_H
#define PICKET_HUB_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "picket/store/thumbprint.h"

enum { CERTIFICATE_NAME_BYTES = 260, CERTIFICATE_CHAIN_DEPTH_MAX = 4 };

/* SHA-256 and SHA-1 of its DER. */
struct certificate_prints {
    struct picket_thumbprint sha256;
    struct picket_thumbprint sha1;
};
bool certificate_prints(X509 *certificate, struct certificate_prints *prints);

/* Is it the one that the thumbprint, of either kind, belongs to? Never for none. */
bool certificate_has_print(const struct certificate_prints *prints,
                           const struct picket_thumbprint *thumbprint);

/* Unix seconds; false if a time cannot be read. */
bool certificate_period(const X509 *certificate, int64_t *from_s, int64_t *until_s);

/* The subject's only common name, as UTF-8 without NUL, into out, of CERTIFICATE_NAME_BYTES. False:
 * there is none, there are several, or it is too long. */
bool certificate_common_name(const X509 *certificate, char *out);

enum certificate_problem {
    CERTIFICATE_GOOD,
    CERTIFICATE_UNKNOWN_CA, /* no registered one issued it, nor one that came with it */
    CERTIFICATE_EXPIRED,    /* it, or one between it and the registered CA, or that CA */
    CERTIFICATE_EARLY,      /* the same, not valid yet */
    CERTIFICATE_UNFIT       /* a signature is wrong, it is not for TLS clients, … */
};

struct certificate_verdict {
    enum certificate_problem problem;
    const char *reason;              /* OpenSSL's, in English */
    int depth;                       /* of the certificate at fault; 0: the client's own */
    struct picket_thumbprint anchor; /* SHA-256 of the registered CA; when good */
    int64_t until_s;                 /* when the first of the chain expires; when good */
};

/* Leads a chain from the certificate, by those the client sent, to one of the store's? now_s: Unix
 * time. At least 112 bits of security are asked of each signature, so no SHA-1 and no RSA-1024. */
void certificate_verify(X509_STORE *authorities, X509 *certificate, STACK_OF(X509) * chain,
                        int64_t now_s, struct certificate_verdict *verdict);

#endif
