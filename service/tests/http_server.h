/* A small HTTP server on loopback that answers as it is told, one request after another, and keeps
 * what it was sent. */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_SERVER_REQUESTS_MAX = 256 };

struct http_server;

/* What to do with the next request; the last one told holds for all that follow. */
struct http_answer {
    int status;          /* 0: close the connection without an answer */
    const char *headers; /* "Name: value\r\n..." or NULL */
    const char *body;    /* or NULL */
};

struct http_server *http_server_start(void);
void http_server_stop(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);

/* Forgets what it was told before. The texts must live as long as the server. */
void http_server_answers(struct http_server *server, const struct http_answer *answers,
                         size_t count);

/* An answer of another kind, to all requests from now on. */
struct http_special {
    struct http_answer answer;
    size_t body_bytes; /* 0: up to its NUL */
    const char *raw;   /* NULL, or all that is sent in the place of the answer, before closing */
    int pause_ms;      /* before each byte that is sent */
    bool endless;      /* the body over and over, until the client closes */
};
void http_server_special(struct http_server *server, struct http_special special);

/* Requests so far, and one of them as received: head and body. */
size_t http_server_requests(struct http_server *server);
const char *http_server_request(struct http_server *server, size_t index);
const char *http_server_body(struct http_server *server, size_t index);

#endif
