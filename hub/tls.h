/* The server's side of TLS: which versions, suites and groups (docs/hub.md, "TLS"). */
#ifndef PICKET_HUB_TLS_H
#define PICKET_HUB_TLS_H

#include <openssl/ssl.h>

#include "picket/base/error.h"

/* NULL and *error on failure. */
SSL_CTX *tls_server_context(const char *certificate_file, const char *key_file,
                            struct picket_error *error);

#endif
