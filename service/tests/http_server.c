#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_server {
    int listener;
    uint16_t port;
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock;
    struct http_answer answers[16];
    size_t answer_count, next_answer;
    struct http_special special;
    bool is_special;
    char *requests[HTTP_SERVER_REQUESTS_MAX];
    size_t request_count;
};

static size_t content_length(const char *head)
{
    for (const char *line = head; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            return strtoull(line + 15, NULL, 10);
    }
    return 0;
}

/* Reads one request; NULL when the connection ends or the server is to stop. */
static char *read_request(struct http_server *server, int connection)
{
    size_t size = 0, capacity = 1 << 20;
    char *text = malloc(capacity);
    while (!atomic_load(&server->stop) && size < capacity - 1) {
        struct pollfd poller = {.fd = connection, .events = POLLIN};
        if (poll(&poller, 1, 50) == 0)
            continue;
        ssize_t received = recv(connection, text + size, capacity - 1 - size, 0);
        if (received <= 0)
            break;
        size += (size_t)received;
        text[size] = '\0';
        char *end = strstr(text, "\r\n\r\n");
        if (end != NULL && size >= (size_t)(end + 4 - text) + content_length(text))
            return text;
    }
    free(text);
    return NULL;
}

static struct http_special keep_request(struct http_server *server, char *request)
{
    struct http_special what = {.answer.status = 200};
    pthread_mutex_lock(&server->lock);
    if (server->request_count < HTTP_SERVER_REQUESTS_MAX)
        server->requests[server->request_count++] = request;
    else
        free(request);
    if (server->is_special) {
        what = server->special;
    } else if (server->answer_count > 0) {
        what.answer = server->answers[server->next_answer];
        if (server->next_answer + 1 < server->answer_count)
            server->next_answer++;
    }
    pthread_mutex_unlock(&server->lock);
    return what;
}

/* False: the client or the server has had enough. */
static bool send_bytes(struct http_server *server, int connection, const char *bytes, size_t size,
                       int pause_ms)
{
    size_t piece = pause_ms > 0 ? 1 : size;
    for (size_t at = 0; at < size; at += piece) {
        if (atomic_load(&server->stop))
            return false;
        if (pause_ms > 0)
            poll(NULL, 0, pause_ms);
        if (send(connection, bytes + at, piece, MSG_NOSIGNAL) != (ssize_t)piece)
            return false;
    }
    return true;
}

/* False: the connection is to be closed. */
static bool answer_request(struct http_server *server, int connection,
                           const struct http_special *what)
{
    const struct http_answer *answer = &what->answer;
    char head[2048], length[64] = "Transfer-Encoding: identity\r\n";
    const char *body = answer->body != NULL ? answer->body : "";
    size_t size = what->body_bytes > 0 ? what->body_bytes : strlen(body);
    if (answer->status == 0 || what->raw != NULL) {
        if (what->raw != NULL)
            send_bytes(server, connection, what->raw, strlen(what->raw), what->pause_ms);
        return false;
    }
    if (answer->status == 304)
        size = 0;
    if (!what->endless)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", size);
    int head_size = snprintf(head, sizeof head, "HTTP/1.1 %d x\r\n%s%s\r\n", answer->status,
                             answer->headers != NULL ? answer->headers : "", length);
    if (!send_bytes(server, connection, head, (size_t)head_size, 0))
        return false;
    do {
        if (!send_bytes(server, connection, body, size, what->pause_ms))
            return false;
    } while (what->endless);
    return true;
}

static void serve(struct http_server *server, int connection)
{
    char *request;
    while ((request = read_request(server, connection)) != NULL) {
        struct http_special what = keep_request(server, request);
        if (!answer_request(server, connection, &what))
            return;
    }
}

static void *run(void *context)
{
    struct http_server *server = context;
    while (!atomic_load(&server->stop)) {
        struct pollfd poller = {.fd = server->listener, .events = POLLIN};
        if (poll(&poller, 1, 50) <= 0)
            continue;
        int connection = accept(server->listener, NULL, NULL);
        if (connection < 0)
            continue;
        serve(server, connection);
        close(connection);
    }
    return NULL;
}

struct http_server *http_server_start(void)
{
    struct http_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&server->thread, NULL, run, server) != 0) {
        perror("http server");
        exit(2);
    }
    server->port = ntohs(address.sin_port);
    return server;
}

void http_server_stop(struct http_server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    close(server->listener);
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i]);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_answers(struct http_server *server, const struct http_answer *answers,
                         size_t count)
{
    pthread_mutex_lock(&server->lock);
    memcpy(server->answers, answers, count * sizeof *answers);
    server->answer_count = count;
    server->next_answer = 0;
    server->is_special = false;
    pthread_mutex_unlock(&server->lock);
}

void http_server_special(struct http_server *server, struct http_special special)
{
    pthread_mutex_lock(&server->lock);
    server->special = special;
    server->is_special = true;
    pthread_mutex_unlock(&server->lock);
}

size_t http_server_requests(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->request_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *http_server_request(struct http_server *server, size_t index)
{
    pthread_mutex_lock(&server->lock);
    const char *request = index < server->request_count ? server->requests[index] : "";
    pthread_mutex_unlock(&server->lock);
    return request;
}

const char *http_server_body(struct http_server *server, size_t index)
{
    const char *end = strstr(http_server_request(server, index), "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}
