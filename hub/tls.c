#include "tls.h"

#include <openssl/err.h>
#include <string.h>

/* Forward secrecy first, AEAD first; then what NetX Duo's usual configuration can do: CBC with
 * SHA-256, and RSA key exchange where a device was built without elliptic curves. */
#define SUITES_OF_TLS_1_2                                                                          \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"                                           \
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"                                           \
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256"

/* OpenSSL has no text for what the system said, say that there is no such file. */
static const char *openssl_problem(void)
{
    unsigned long problem = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(problem))
        return strerror(ERR_GET_REASON(problem));
    const char *reason = ERR_reason_error_string(problem);
    return reason != NULL ? reason : "unknown error";
}

static int load(SSL_CTX *context, const char *certificate_file, const char *key_file,
                struct picket_error *error)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1)
        return picket_fail(error, PICKET_INVALID, "%s: server certificate cannot be used: %s",
                           certificate_file, openssl_problem());
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return picket_fail(error, PICKET_INVALID, "%s: private key cannot be used: %s", key_file,
                           openssl_problem());
    if (SSL_CTX_check_private_key(context) != 1)
        return picket_fail(error, PICKET_INVALID, "%s: is not the key of %s", key_file,
                           certificate_file);
    return PICKET_OK;
}

static int configure(SSL_CTX *context, struct picket_error *error)
{
    static const unsigned char session_context[] = "picket hub";
    static char groups[] = "X25519:P-256:P-384:P-521"; /* OpenSSL's macro casts const away */
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, SUITES_OF_TLS_1_2) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1 ||
        SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) != 1)
        return picket_fail(error, PICKET_IO, "TLS cannot be configured: %s", openssl_problem());
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Sessions are resumed from tickets that the device keeps, one each: nothing is held here. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_read_ahead(context, 1);
    return PICKET_OK;
}

SSL_CTX *tls_server_context(const char *certificate_file, const char *key_file,
                            struct picket_error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        picket_fail(error, PICKET_NO_MEMORY, "TLS: %s", openssl_problem());
        return NULL;
    }
    if (configure(context, error) != PICKET_OK ||
        load(context, certificate_file, key_file, error) != PICKET_OK) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}
