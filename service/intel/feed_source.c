#include "feed_source.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../http.h"

enum {
    CONNECT_TIMEOUT_S = 15,
    TOTAL_TIMEOUT_S = 300,
    STALLED_BYTES_PER_S = 100, /* slower than this for STALLED_S, and it has failed */
    STALLED_S = 30,
    REDIRECTS_MAX = 5
};

/* ---- what all hold ---- */

static atomic_size_t held_bytes;
static atomic_size_t held_bytes_max = FEED_SOURCES_BYTES;

void feed_sources_bound(size_t bytes)
{
    atomic_store(&held_bytes_max, bytes);
}

/* So many in all for this one. */
static bool reserve(struct feed_source *source, size_t bytes)
{
    size_t more = bytes - source->reserved_bytes;
    if (atomic_fetch_add(&held_bytes, more) + more > atomic_load(&held_bytes_max)) {
        atomic_fetch_sub(&held_bytes, more);
        return false;
    }
    source->reserved_bytes = bytes;
    return true;
}

static int fail_for_others(const char *location, struct picket_error *error)
{
    return picket_fail(error, PICKET_BUSY,
                       "%s: the feeds that are being read would hold more than %zu MiB together; "
                       "try again later",
                       location, atomic_load(&held_bytes_max) / (1024 * 1024));
}

void feed_source_free(struct feed_source *source)
{
    free(source->text);
    atomic_fetch_sub(&held_bytes, source->reserved_bytes);
    memset(source, 0, sizeof *source);
}

/* ---- files ---- */

static int read_whole(struct feed_source *source, FILE *file, const char *path, size_t size,
                      struct picket_error *error)
{
    if (!reserve(source, size + 1))
        return fail_for_others(path, error);
    source->text = malloc(size + 1);
    if (source->text == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for %zu bytes", path, size);
    source->size_bytes = fread(source->text, 1, size, file);
    if (ferror(file))
        return picket_fail(error, PICKET_IO, "%s: %s", path, strerror(errno));
    source->text[source->size_bytes] = '\0';
    return PICKET_OK;
}

static int read_file(struct feed_source *source, const char *path, const char *last_modified,
                     struct picket_error *error)
{
    struct stat status;
    /* Not blocking: a pipe without a writer must not hold the feeds up. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
    if (file == NULL) {
        int problem = errno;
        if (descriptor >= 0)
            close(descriptor);
        return picket_fail(error, problem == ENOENT ? PICKET_NOT_FOUND : PICKET_IO, "%s: %s", path,
                           strerror(problem));
    }
    int result = PICKET_OK;
    if (fstat(fileno(file), &status) != 0)
        result = picket_fail(error, PICKET_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        result = picket_fail(error, PICKET_INVALID, "%s: not a regular file", path);
    else if (status.st_size > FEED_SOURCE_BYTES_MAX)
        result = picket_fail(error, PICKET_FULL, "%s: larger than %d MiB", path,
                             FEED_SOURCE_BYTES_MAX / (1024 * 1024));
    if (result == PICKET_OK) {
        snprintf(source->last_modified, sizeof source->last_modified, "%lld.%09ld %lld",
                 (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                 (long long)status.st_size);
        source->not_modified = strcmp(source->last_modified, last_modified) == 0;
        if (!source->not_modified)
            result = read_whole(source, file, path, (size_t)status.st_size, error);
    }
    fclose(file);
    return result;
}

/* ---- URLs ---- */

struct transfer {
    struct feed_source *source;
    size_t capacity;
    bool too_large, no_room, no_memory;
    const atomic_int *cancel;
};

/* Twice what is needed, but no more than any may have. */
static bool grow(struct transfer *transfer, size_t needed)
{
    size_t capacity = needed * 2;
    if (capacity > (size_t)FEED_SOURCE_BYTES_MAX + 1)
        capacity = (size_t)FEED_SOURCE_BYTES_MAX + 1;
    transfer->no_room = !reserve(transfer->source, capacity);
    if (transfer->no_room)
        return false;
    char *text = realloc(transfer->source->text, capacity);
    transfer->no_memory = text == NULL;
    if (transfer->no_memory)
        return false;
    transfer->source->text = text;
    transfer->capacity = capacity;
    return true;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct feed_source *source = transfer->source;
    (void)one;
    if (source->size_bytes + count > FEED_SOURCE_BYTES_MAX) {
        transfer->too_large = true;
        return 0;
    }
    if (source->size_bytes + count + 1 > transfer->capacity &&
        !grow(transfer, source->size_bytes + count + 1))
        return 0;
    memcpy(source->text + source->size_bytes, bytes, count);
    source->size_bytes += count;
    source->text[source->size_bytes] = '\0';
    return count;
}

/* Copies the value of a header line; one that does not fit is of no use cut. */
static void take_value(const char *value, size_t size, char *out, size_t out_bytes)
{
    while (size > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        size--;
    }
    while (size > 0 && strchr(" \t\r\n", value[size - 1]) != NULL)
        size--;
    if (size >= out_bytes)
        size = 0;
    memcpy(out, value, size);
    out[size] = '\0';
}

static size_t take_header(char *line, size_t one, size_t size, void *context)
{
    struct feed_source *source = ((struct transfer *)context)->source;
    (void)one;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* the next answer, after a redirect */
        source->etag[0] = source->last_modified[0] = '\0';
    } else if (size > 5 && strncasecmp(line, "ETag:", 5) == 0) {
        take_value(line + 5, size - 5, source->etag, sizeof source->etag);
    } else if (size > 14 && strncasecmp(line, "Last-Modified:", 14) == 0) {
        take_value(line + 14, size - 14, source->last_modified, sizeof source->last_modified);
    }
    return size;
}

static int cancelled(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *transfer = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(transfer->cancel) != 0;
}

static struct curl_slist *conditions(const char *etag, const char *last_modified)
{
    char line[320];
    struct curl_slist *headers = NULL;
    if (etag[0] != '\0') {
        snprintf(line, sizeof line, "If-None-Match: %s", etag);
        headers = curl_slist_append(headers, line);
    }
    if (last_modified[0] != '\0') {
        snprintf(line, sizeof line, "If-Modified-Since: %s", last_modified);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static bool is_secure(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

static void set_options(CURL *curl, const char *url, struct transfer *transfer,
                        struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    /* Who asks for https does not want the answer of whoever sits between. */
    if (is_secure(url))
        curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALLED_BYTES_PER_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
}

static int transfer_result(const struct transfer *transfer, const char *url, CURLcode code,
                           long answer, const char *reason, struct picket_error *error)
{
    if (transfer->too_large)
        return picket_fail(error, PICKET_FULL, "%s: larger than %d MiB", url,
                           FEED_SOURCE_BYTES_MAX / (1024 * 1024));
    if (transfer->no_room)
        return fail_for_others(url, error);
    if (transfer->no_memory)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", url);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return picket_fail(error, PICKET_CLOSED, "%s: given up, for Picket is stopping", url);
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
        return picket_fail(error, PICKET_IO, "%s: redirects elsewhere than to %s", url,
                           is_secure(url) ? "https://" : "http:// or https://");
    if (code != CURLE_OK)
        return picket_fail(error, PICKET_IO, "%s: %s", url, reason);
    if (answer == 404 || answer == 410)
        return picket_fail(error, PICKET_NOT_FOUND, "%s: the server answered %ld", url, answer);
    if (answer != 200 && answer != 304)
        return picket_fail(error, PICKET_IO, "%s: the server answered %ld", url, answer);
    return PICKET_OK;
}

static int fetch_url(struct feed_source *source, const char *url, const char *etag,
                     const char *last_modified, const atomic_int *cancel,
                     struct picket_error *error)
{
    char reason[CURL_ERROR_SIZE] = "";
    struct transfer transfer = {.source = source, .cancel = cancel};
    CURL *curl = http_handle(reason);
    if (curl == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", url);
    struct curl_slist *headers = conditions(etag, last_modified);
    set_options(curl, url, &transfer, headers);
    long answer = 0;
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    if (reason[0] == '\0')
        snprintf(reason, sizeof reason, "%s", curl_easy_strerror(code));
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    int status = transfer_result(&transfer, url, code, answer, reason, error);
    source->not_modified = status == PICKET_OK && answer == 304;
    if (status == PICKET_OK && answer == 200 && source->text == NULL)
        source->text = calloc(1, 1); /* an empty body */
    return status;
}

int feed_source_fetch(struct feed_source *source, const char *location, const char *etag,
                      const char *last_modified, const atomic_int *cancel,
                      struct picket_error *error)
{
    memset(source, 0, sizeof *source);
    if (strncasecmp(location, "http://", 7) == 0 || strncasecmp(location, "https://", 8) == 0)
        return fetch_url(source, location, etag, last_modified, cancel, error);
    if (strstr(location, "://") != NULL)
        return picket_fail(error, PICKET_INVALID, "%s: expected a file's path, http:// or https://",
                           location);
    return read_file(source, location, last_modified, error);
}
