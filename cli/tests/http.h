/* A HTTP client that sends exactly what it is told, for tests of the API. */
#ifndef PICKET_CLI_TESTS_HTTP_H
#define PICKET_CLI_TESTS_HTTP_H

#include <jansson.h>
#include <stddef.h>

struct http_answer {
    int status;    /* 0: closed without an answer */
    char *headers; /* with the status line */
    json_t *body;  /* NULL: not JSON */
};

/* Sends the bytes, reads to the end of the answer. */
struct http_answer http_raw(const char *socket_path, const char *bytes, size_t count);

/* body NULL: none. path as it goes over the wire. */
struct http_answer http_call(const char *socket_path, const char *method, const char *path,
                             const char *body);
void http_release(struct http_answer *answer);

/* A connection, for those who keep one open; negative if refused. */
int http_connect(const char *socket_path);

#endif
