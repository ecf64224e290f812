#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "identity/certificate.h"

/* Forward secrecy first, AEAD first; then what NetX Duo's usual configuration can do: CBC with
 * SHA-256, and RSA key exchange where a device was built without elliptic curves. */
#define SUITES_OF_TLS_1_2                                                                          \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"                                           \
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"                                           \
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256"

/* The same order: what small devices are quickest with first, and least of it to keep. */
#define SUITES_OF_TLS_1_3                                                                          \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

enum { CERTIFICATE_BYTES_MAX = 16384 }; /* of a client, with its chain; nobody knows it yet */

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

/* A certificate is asked for and not required: NetX Duo sends an empty list, others the one they
 * have. That the client has its key is proved by the handshake; whether it is good is said at
 * CONNECT, when there is a device to name. */
static int accept_any_certificate(X509_STORE_CTX *chain, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    (void)unused;
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    SSL_set_num_tickets(ssl, 0); /* it would be of no use: see below */
    return 1;
}

/* A resumed session proves no key, and brings no chain: who comes with a certificate shakes hands
 * in full each time. */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                      size_t name_bytes, SSL_TICKET_STATUS status, void *unused)
{
    (void)ssl;
    (void)name;
    (void)name_bytes;
    (void)unused;
    if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (SSL_SESSION_get0_peer(session) != NULL)
        return SSL_TICKET_RETURN_IGNORE;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static void ask_for_certificate(SSL_CTX *context)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, accept_any_certificate, NULL);
    SSL_CTX_set_max_cert_list(context, CERTIFICATE_BYTES_MAX);
    SSL_CTX_set_session_ticket_cb(context, NULL, judge_ticket, NULL);
}

/* Called at the end of each handshake message that comes after the handshake, and for alerts. */
static void count_message(const SSL *ssl, int where, int result)
{
    struct tls_patience *patience = SSL_get_app_data(ssl);
    (void)result;
    if (patience != NULL && SSL_is_init_finished(ssl) && patience->messages < UINT16_MAX &&
        ((where & SSL_CB_EXIT) != 0 || (where & SSL_CB_ALERT) != 0))
        patience->messages++;
}

/* As if the socket had no more for now; it is asked again at the next event. */
static long limit_reads(BIO *socket, int operation, const char *data, size_t size, int argument,
                        long number, int result, size_t *processed)
{
    struct tls_patience *patience = (struct tls_patience *)(void *)BIO_get_callback_arg(socket);
    (void)data;
    (void)size;
    (void)argument;
    (void)number;
    (void)processed;
    if (operation != BIO_CB_READ)
        return result;
    if (patience->socket_reads == 0) {
        BIO_set_retry_read(socket);
        errno = EAGAIN;
        return -1;
    }
    patience->socket_reads--;
    return result;
}

void tls_watch(SSL *ssl, struct tls_patience *patience)
{
    BIO *socket = SSL_get_rbio(ssl);
    BIO_set_callback_ex(socket, limit_reads);
    BIO_set_callback_arg(socket, (char *)patience);
    SSL_set_app_data(ssl, patience);
}

void tls_begin_read(struct tls_patience *patience)
{
    patience->socket_reads = TLS_SOCKET_READS;
}

static int configure(SSL_CTX *context, struct picket_error *error)
{
    static const unsigned char session_context[] = "picket hub";
    static char groups[] = "X25519:P-256:P-384:P-521"; /* OpenSSL's macro casts const away */
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, SUITES_OF_TLS_1_2) != 1 ||
        SSL_CTX_set_ciphersuites(context, SUITES_OF_TLS_1_3) != 1 ||
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
    SSL_CTX_set_info_callback(context, count_message);
    ask_for_certificate(context);
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

int64_t tls_server_until(SSL_CTX *context)
{
    STACK_OF(X509) *chain = NULL;
    int64_t from_s, until_s = 0, end_s;
    X509 *own = SSL_CTX_get0_certificate(context);
    if (own == NULL || !certificate_period(own, &from_s, &until_s))
        return 0;
    SSL_CTX_get0_chain_certs(context, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (certificate_period(sk_X509_value(chain, i), &from_s, &end_s) && end_s < until_s)
            until_s = end_s;
    return until_s;
}
