#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int http_connect(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static char *read_all(int fd, size_t *bytes)
{
    size_t capacity = 1 << 16;
    char *text = malloc(capacity);
    ssize_t got;
    *bytes = 0;
    while ((got = read(fd, text + *bytes, capacity - *bytes - 1)) > 0) {
        *bytes += (size_t)got;
        if (capacity - *bytes < 4096)
            text = realloc(text, capacity *= 2);
    }
    text[*bytes] = 0;
    return text;
}

struct http_answer http_raw(const char *socket_path, const char *bytes, size_t count)
{
    struct http_answer answer = {0};
    size_t sent = 0, length;
    int fd = http_connect(socket_path);
    if (fd < 0)
        return answer;
    while (sent < count) {
        ssize_t now = send(fd, bytes + sent, count - sent, MSG_NOSIGNAL);
        if (now <= 0)
            break; /* it may have answered already */
        sent += (size_t)now;
    }
    char *text = read_all(fd, &length);
    close(fd);
    char *end = strstr(text, "\r\n\r\n");
    if (end)
        sscanf(text, "HTTP/1.1 %d", &answer.status);
    if (end)
        answer.body = json_loadb(end + 4, length - (size_t)(end + 4 - text), 0, NULL);
    answer.headers = text;
    if (end)
        *end = 0;
    return answer;
}

struct http_answer http_call(const char *socket_path, const char *method, const char *path,
                             const char *body)
{
    char *request = NULL;
    int count = asprintf(&request,
                         "%s %s HTTP/1.1\r\nHost: picket\r\nConnection: close\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         method, path, body ? strlen(body) : 0, body ? body : "");
    struct http_answer answer = http_raw(socket_path, request, (size_t)count);
    free(request);
    return answer;
}

void http_release(struct http_answer *answer)
{
    free(answer->headers);
    json_decref(answer->body);
    memset(answer, 0, sizeof *answer);
}
