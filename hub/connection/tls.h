/* The server's side of TLS: which versions, suites and groups (docs/hub.md, "TLS"). */
#ifndef PICKET_HUB_TLS_H
#define PICKET_HUB_TLS_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "picket/base/error.h"

/* What a peer can make TLS do without sending a byte of data: key updates, renegotiations that are
 * refused. OpenSSL handles all that has come before it returns from a read, so a read is given so
 * many tries at the socket, and a connection so many such messages. */
enum { TLS_SOCKET_READS = 8, TLS_MESSAGES_MAX = 64 };

struct tls_patience {
    uint16_t socket_reads; /* left to the call under way */
    uint16_t messages;     /* after the handshake */
};

/* Once, after SSL_set_fd(); patience lives as long as ssl. */
void tls_watch(SSL *ssl, struct tls_patience *patience);

/* Before each SSL_accept() and SSL_read(). */
void tls_begin_read(struct tls_patience *patience);

/* NULL and *error on failure. */
SSL_CTX *tls_server_context(const char *certificate_file, const char *key_file,
                            struct picket_error *error);

/* When the first of the server's certificate and its chain ends, Unix time; 0: cannot be read. */
int64_t tls_server_until(SSL_CTX *context);

#endif
