/* GET over http and https for feeds: with conditions, credentials, a proxy, bounds of size and
 * time.
 *
 * Credentials come from files, which are read when the connection is opened. They go to the scheme,
 * host and port of the address that it is opened for, and to no other, whatever redirects say; and
 * over plain http to loopback only, then past any proxy. From https no redirect leads to http;
 * and from elsewhere none to this machine or a link-local address.
 *
 * Thread: one at a time per struct.
 */
#ifndef INTEL_FEED_HTTP_H
#define INTEL_FEED_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "feed_bytes.h"
#include "picket/store/store.h"

struct feed_http;

struct feed_http_request {
    const char *url;
    const char *accept;        /* media type; NULL: any */
    const char *etag;          /* of the last time, or "" to have it in any case */
    const char *last_modified; /* the same */
};

struct feed_http_answer {
    struct feed_bytes body; /* decoded; its max_bytes is set by the caller */
    bool not_modified;
    long status; /* of HTTP; 0: there was none */
    char etag[256];
    char last_modified[64];
    char date_added_last[64]; /* of TAXII */
    int64_t retry_after_s;    /* with 429 and 503: leave it alone for so long; 0: not said */
};

/* True: starts with http:// or https://. */
bool feed_http_is_url(const char *location);

/* What can be known of an address and how to reach it before it is fetched. PICKET_INVALID: no
 * address, user and password in it, secrets over plain http, or settings that do not go together.
 */
int feed_http_check(const char *url, const struct picket_feed_access *access,
                    struct picket_error *error);

/* Checks, and reads the secrets. Once *cancel is not 0, requests are given up soon. */
int feed_http_open(struct feed_http **http, const char *url,
                   const struct picket_feed_access *access, const atomic_int *cancel,
                   struct picket_error *error);
void feed_http_close(struct feed_http *http);

/* PICKET_OK: 200 or 304. Otherwise answer->status tells of the server's, and the error says all
 * with the address; PICKET_NOT_FOUND (404, 410), PICKET_DENIED (401, 403, 407), PICKET_BUSY (429),
 * PICKET_IO, PICKET_CLOSED (cancelled), and what feed_bytes_append() says.
 * feed_bytes_free(&answer->body) in any case. */
int feed_http_get(struct feed_http *http, const struct feed_http_request *request,
                  struct feed_http_answer *answer, struct picket_error *error);

/* How long one request may take in all, and be slower than 100 bytes/s; 300 s and 30 s at first. */
void feed_http_patience(int total_s, int stalled_s);

#endif
