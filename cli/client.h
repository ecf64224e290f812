/* The HTTP API's client: every command but serve and decode speaks through it.
 */
#ifndef PICKET_CLI_CLIENT_H
#define PICKET_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* An address of the API. Too long ones are refused by client_call(). */
struct client_url {
    char text[8192];
    size_t length;
    int has_query;
};
/* "/v1/devices/{id}/twin": the operand, escaped, stands for what is in braces, of which there is
 * one at most. */
void client_url(struct client_url *url, const char *path, const char *operand);
void client_url_query(struct client_url *url, const char *name, const char *value);
void client_url_query_number(struct client_url *url, const char *name, long long value);

/* Does a request; body may be NULL. The socket is that of --socket; NULL: PICKET_SOCKET's, else the
 * default data folder's. EXIT_DONE and *answer (the caller's to release), or EXIT_FAILED after
 * saying why. */
int client_call(const char *socket_path, const char *method, const struct client_url *url,
                const json_t *body, json_t **answer);

/* The same with GET, of whose answer that member, or the whole for NULL, is printed: as JSON, or by
 * `print`. */
int client_show(const char *socket_path, const struct client_url *url, const char *member,
                bool as_json, void (*print)(const json_t *value));

/* The same for a list whose pages lead on to older ones: up to `limit` of the newest are appended
 * to `items`, in pages of up to `page` of the API's. `url` is without limit and place. */
int client_newest(const char *socket_path, const struct client_url *url, const char *member,
                  long long page, long long limit, json_t *items);

/* The same as client_show() with another method and a body, which it takes, and of the answer the
 * whole. */
int client_change(const char *socket_path, const char *method, const struct client_url *url,
                  json_t *body, bool as_json, void (*print)(const json_t *value));

/* The same, for who goes on when picket has gone: CLIENT_GONE, without saying why, when nobody
 * listens, the connection is lost, or the server is stopping. */
enum { CLIENT_GONE = -1 };
int client_try(const char *socket_path, const char *method, const struct client_url *url,
               const json_t *body, json_t **answer);

/* ---- reading answers: what is missing or of another type is "" or 0 ---- */

const char *member_text(const json_t *object, const char *name);
/* "-" for what is missing, null or empty. */
const char *member_shown(const json_t *object, const char *name);
/* NULL for null: text_time() shows it as "-". */
const char *member_time(const json_t *object, const char *name);
long long member_number(const json_t *object, const char *name);
bool member_true(const json_t *object, const char *name);

/* Prints that member of the answer, or the whole for NULL, as JSON or by `print`; nothing for NULL.
 * Takes the answer. */
void print_either(json_t *answer, const char *member, bool as_json,
                  void (*print)(const json_t *value));

/* As JSON on standard output, readable. Always EXIT_DONE. */
int print_json(const json_t *value);
/* The same, on a line of its own. */
void print_json_line(const json_t *value);

#endif
