#include "client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "config.h"

/* ---- addresses ---- */

static void append_start(struct client_url *url, const char *text, size_t length)
{
    if (url->length + length < sizeof url->text) {
        memcpy(url->text + url->length, text, length);
        url->length += length;
        url->text[url->length] = 0;
    } else {
        url->length = sizeof url->text; /* too long from here on */
    }
}

static void append(struct client_url *url, const char *text)
{
    append_start(url, text, strlen(text));
}

static void append_escaped(struct client_url *url, const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    append(url, escaped ? escaped : "");
    curl_free(escaped);
}

void client_url(struct client_url *url, const char *path, const char *operand)
{
    size_t before = strcspn(path, "{");
    url->length = 0;
    url->has_query = strchr(path, '?') != NULL;
    append(url, "http://picket");
    append_start(url, path, before);
    if (path[before]) {
        append_escaped(url, operand);
        append(url, strchr(path + before, '}') + 1);
    }
}

void client_url_query(struct client_url *url, const char *name, const char *value)
{
    append(url, url->has_query ? "&" : "?");
    append(url, name);
    append(url, "=");
    append_escaped(url, value);
    url->has_query = 1;
}

void client_url_query_number(struct client_url *url, const char *name, long long value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", value);
    client_url_query(url, name, text);
}

static const char *default_socket(void)
{
    const char *environment = getenv("PICKET_SOCKET");
    return environment && *environment ? environment : PICKET_DATA_FOLDER "/" PICKET_SOCKET_NAME;
}

/* ---- requests ---- */

struct received {
    char *text;
    size_t bytes;
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct received *received = context;
    size_t bytes = size * count;
    char *text = realloc(received->text, received->bytes + bytes + 1);
    if (!text)
        return 0;
    memcpy(text + received->bytes, data, bytes);
    received->text = text;
    received->bytes += bytes;
    text[received->bytes] = 0;
    return bytes;
}

/* libcurl does not say why a socket could not be connected; the system does: errno. */
static int connection_problem(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    strcpy(address.sun_path, socket_path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(probe, (struct sockaddr *)&address, sizeof address);
    int reason = result != 0 ? errno : ECONNREFUSED;
    close(probe);
    return reason;
}

static void complain_of_connection(const char *socket_path)
{
    int reason = connection_problem(socket_path);
    if (reason == ENAMETOOLONG)
        complain("the socket's path is too long: %s", socket_path);
    else if (reason == EACCES)
        complain("cannot connect to %s: permission denied; its owner and group may", socket_path);
    else
        complain("picket is not running: cannot connect to %s; start it with `picket serve`",
                 socket_path);
}

static void prepare(CURL *curl, const char *socket_path, const char *method,
                    const struct client_url *url, char *error_text, struct received *received)
{
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url->text);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* a device may be called "." or ".." */
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
}

static bool is_gone(CURLcode code, long answer, const char *socket_path)
{
    if (code == CURLE_COULDNT_CONNECT) {
        int reason = connection_problem(socket_path);
        return reason == ENOENT || reason == ECONNREFUSED;
    }
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
           code == CURLE_PARTIAL_FILE || (code == CURLE_OK && answer == 503);
}

static int read_answer(long code, const struct received *received, json_t **answer)
{
    json_error_t problem;
    json_t *value =
        received->text ? json_loadb(received->text, received->bytes, 0, &problem) : NULL;
    if (value && code >= 200 && code < 300) {
        *answer = value;
        return EXIT_DONE;
    }
    if (value && json_is_string(json_object_get(value, "error")))
        complain("%s", json_string_value(json_object_get(value, "error")));
    else
        complain("the server's answer is not understood (HTTP status %ld)", code);
    json_decref(value);
    return EXIT_FAILED;
}

static int perform(CURL *curl, const char *socket_path, const struct client_url *url,
                   const char *method, bool may_be_gone, json_t **answer)
{
    struct received received = {0};
    char error_text[CURL_ERROR_SIZE] = "";
    int result = EXIT_FAILED;
    long status = 0;
    prepare(curl, socket_path, method, url, error_text, &received);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (may_be_gone && is_gone(code, status, socket_path))
        result = CLIENT_GONE;
    else if (code == CURLE_COULDNT_CONNECT)
        complain_of_connection(socket_path);
    else if (code != CURLE_OK)
        complain("%s: %s", socket_path, *error_text ? error_text : curl_easy_strerror(code));
    else
        result = read_answer(status, &received, answer);
    free(received.text);
    return result;
}

static int call(const char *socket_path, const char *method, const struct client_url *url,
                const json_t *body, bool may_be_gone, json_t **answer)
{
    if (url->length >= sizeof url->text) {
        complain("the request is too long");
        return EXIT_USAGE;
    }
    CURL *curl = curl_easy_init();
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (!curl || (body && !text)) {
        complain("out of memory");
        free(text);
        curl_easy_cleanup(curl);
        return EXIT_FAILED;
    }
    struct curl_slist *headers = NULL;
    if (text) {
        headers = curl_slist_append(NULL, "Content-Type: application/json");
        headers = curl_slist_append(headers, "Expect:");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    int result = perform(curl, socket_path ? socket_path : default_socket(), url, method,
                         may_be_gone, answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(text);
    return result;
}

int client_call(const char *socket_path, const char *method, const struct client_url *url,
                const json_t *body, json_t **answer)
{
    return call(socket_path, method, url, body, false, answer);
}

int client_try(const char *socket_path, const char *method, const struct client_url *url,
               const json_t *body, json_t **answer)
{
    return call(socket_path, method, url, body, true, answer);
}

int client_show(const char *socket_path, const struct client_url *url, const char *member,
                bool as_json, void (*print)(const json_t *value))
{
    json_t *answer;
    int result = client_call(socket_path, "GET", url, NULL, &answer);
    if (result == EXIT_DONE)
        print_either(answer, member, as_json, print);
    return result;
}

int client_newest(const char *socket_path, const struct client_url *url, const char *member,
                  long long page, long long limit, json_t *items)
{
    long long before = 0;
    do {
        struct client_url next = *url;
        json_t *answer;
        long long left = limit - (long long)json_array_size(items);
        client_url_query_number(&next, "limit", left < page ? left : page);
        if (before > 0)
            client_url_query_number(&next, "before", before);
        int result = client_call(socket_path, "GET", &next, NULL, &answer);
        if (result != EXIT_DONE)
            return result;
        json_array_extend(items, json_object_get(answer, member));
        before = member_number(answer, "next_before");
        json_decref(answer);
    } while (before > 0 && (long long)json_array_size(items) < limit);
    return EXIT_DONE;
}

int client_change(const char *socket_path, const char *method, const struct client_url *url,
                  json_t *body, bool as_json, void (*print)(const json_t *value))
{
    json_t *answer;
    int result = client_call(socket_path, method, url, body, &answer);
    json_decref(body);
    if (result == EXIT_DONE)
        print_either(answer, NULL, as_json, print);
    return result;
}

/* ---- answers ---- */

const char *member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

const char *member_shown(const json_t *object, const char *name)
{
    const char *text = member_text(object, name);
    return *text ? text : "-";
}

const char *member_time(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

long long member_number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

bool member_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* A terminal gets ASCII alone: what devices chose must not be able to control it. */
static size_t encoding(void)
{
    return isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0;
}

void print_either(json_t *answer, const char *member, bool as_json,
                  void (*print)(const json_t *value))
{
    const json_t *value = member ? json_object_get(answer, member) : answer;
    if (as_json)
        print_json(value);
    else if (print)
        print(value);
    json_decref(answer);
}

int print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15) | encoding());
    putchar('\n');
    return EXIT_DONE;
}

void print_json_line(const json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | encoding());
    putchar('\n');
}
