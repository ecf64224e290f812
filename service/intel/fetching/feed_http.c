#include "feed_http.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "feed_inflate.h"
#include "http.h"
#include "picket/base/time.h"
#include "secret.h"

enum {
    CONNECT_TIMEOUT_S = 15,
    STALLED_BYTES_PER_S = 100,
    REDIRECTS_MAX = 5,
    REDIRECT_BODY_BYTES_MAX = 1024 * 1024
};

/* A server may ask to be left alone, but not for ever. */
enum { RETRY_AFTER_S_MAX = 24 * 3600 };

static atomic_int total_timeout_s = 300, stalled_timeout_s = 30;

void feed_http_patience(int total_s, int stalled_s)
{
    atomic_store(&total_timeout_s, total_s);
    atomic_store(&stalled_timeout_s, stalled_s);
}

bool feed_http_is_url(const char *location)
{
    return strncasecmp(location, "http://", 7) == 0 || strncasecmp(location, "https://", 8) == 0;
}

static bool is_secure(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

/* ---- whom we speak to ---- */

struct origin {
    char scheme[8], host[256], port[8];
    bool has_user;
};

static bool take_part(CURLU *url, CURLUPart part, char *out, size_t out_bytes)
{
    char *text = NULL;
    bool taken =
        curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK && strlen(text) < out_bytes;
    if (taken)
        strcpy(out, text);
    curl_free(text);
    return taken;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static bool origin_of(const char *text, struct origin *origin)
{
    memset(origin, 0, sizeof *origin);
    CURLU *url = curl_url();
    bool is_url = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                  take_part(url, CURLUPART_SCHEME, origin->scheme, sizeof origin->scheme) &&
                  take_part(url, CURLUPART_HOST, origin->host, sizeof origin->host) &&
                  take_part(url, CURLUPART_PORT, origin->port, sizeof origin->port);
    if (is_url)
        origin->has_user = has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD);
    curl_url_cleanup(url);
    return is_url;
}

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
           strcmp(a->port, b->port) == 0;
}

static bool is_loopback(const struct origin *origin)
{
    struct picket_address address;
    if (strcasecmp(origin->host, "localhost") == 0 || strcmp(origin->host, "[::1]") == 0)
        return true;
    return picket_address_parse(&address, origin->host, strlen(origin->host)) &&
           address.family == 4 && address.bytes[0] == 127;
}

static bool is_localhost(const char *host)
{
    static const char below[] = ".localhost";
    size_t length = strlen(host), suffix = sizeof below - 1;
    return strcasecmp(host, below + 1) == 0 ||
           (length > suffix && strcasecmp(host + length - suffix, below) == 0);
}

static bool is_near_ipv4(const uint8_t *bytes)
{
    return bytes[0] == 127 || bytes[0] == 0 || (bytes[0] == 169 && bytes[1] == 254);
}

static bool is_near_ipv6(const uint8_t *bytes)
{
    static const uint8_t none[16] = {0}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(bytes, mapped, sizeof mapped) == 0)
        return is_near_ipv4(bytes + 12);
    bool is_link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
    return is_link_local || (memcmp(bytes, none, 15) == 0 && bytes[15] <= 1);
}

/* This machine, or who is on its own cable: what answers there (a cloud's metadata, say) is for
 * nobody else. As the address is written; what a name leads to is not looked at. */
static bool is_near(const struct origin *origin)
{
    struct picket_address address;
    size_t in_brackets = origin->host[0] == '[', length = strlen(origin->host);
    if (is_localhost(origin->host))
        return true;
    if (!picket_address_parse(&address, origin->host + in_brackets, length - 2 * in_brackets))
        return false;
    return address.family == 4 ? is_near_ipv4(address.bytes) : is_near_ipv6(address.bytes);
}

/* ---- what goes together ---- */

static bool has_secrets(const struct picket_feed_access *access)
{
    return access->user[0] != '\0' || access->token_file[0] != '\0' || access->header[0] != '\0';
}

static int check_header(const char *name, struct picket_error *error)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    static const char *const ours[] = {"Host",          "Content-Length",    "Transfer-Encoding",
                                       "If-None-Match", "If-Modified-Since", "Connection"};
    if (name[strspn(name, token)] != '\0')
        return picket_fail(error, PICKET_INVALID,
                           "header: \"%s\" is no header's name (letters, digits, -)", name);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcasecmp(name, ours[i]) == 0)
            return picket_fail(error, PICKET_INVALID, "header: %s is Picket's own to set", name);
    return PICKET_OK;
}

static int check_pairs(const struct picket_feed_access *access, struct picket_error *error)
{
    const struct {
        const char *name, *value, *other_name, *other_value;
    } pairs[] = {{"user", access->user, "password_file", access->password_file},
                 {"header", access->header, "header_file", access->header_file},
                 {"certificate_file", access->certificate_file, "key_file", access->key_file}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if ((pairs[i].value[0] != '\0') != (pairs[i].other_value[0] != '\0'))
            return picket_fail(error, PICKET_INVALID, "%s and %s go together, and one is missing",
                               pairs[i].name, pairs[i].other_name);
    if (access->user[0] != '\0' && access->token_file[0] != '\0')
        return picket_fail(error, PICKET_INVALID,
                           "user and token_file: a request has one authorization, not two");
    if (strchr(access->user, ':') != NULL)
        return picket_fail(error, PICKET_INVALID, "user: a colon cannot be part of it (RFC 7617)");
    return check_header(access->header, error);
}

static int check_proxy(const char *proxy, struct picket_error *error)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    if (proxy[0] == '\0')
        return PICKET_OK;
    if (strchr(proxy, '@') != NULL) /* not quoted: it holds a password */
        return picket_fail(error, PICKET_INVALID,
                           "proxy: there is an @ in it; user and password of a proxy come from the "
                           "environment alone (https_proxy)");
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(proxy, schemes[i], strlen(schemes[i])) == 0)
            return PICKET_OK;
    return picket_fail(error, PICKET_INVALID,
                       "proxy: \"%.100s\" starts with none of http://, https://, socks5://, "
                       "socks5h://",
                       proxy);
}

int feed_http_check(const char *url, const struct picket_feed_access *access,
                    struct picket_error *error)
{
    struct origin origin;
    if (!origin_of(url, &origin))
        return picket_fail(error, PICKET_INVALID, "%s: is no address of a server", url);
    if (origin.has_user) /* not quoted: it holds a password */
        return picket_fail(error, PICKET_INVALID,
                           "there is an @ in the address; user and password are settings of their "
                           "own: user, password_file");
    int status = check_pairs(access, error);
    if (status == PICKET_OK)
        status = check_proxy(access->proxy, error);
    if (status == PICKET_OK && !is_secure(url) && has_secrets(access) && !is_loopback(&origin))
        status =
            picket_fail(error, PICKET_INVALID,
                        "%s: credentials would go over plain http, which everybody between can "
                        "read; expected https:// (or loopback)",
                        url);
    if (status == PICKET_OK && !is_secure(url) &&
        (access->ca_file[0] != '\0' || access->certificate_file[0] != '\0'))
        status = picket_fail(error, PICKET_INVALID,
                             "%s: ca_file and certificate_file are for https://", url);
    return status;
}

/* ---- a connection ---- */

struct feed_http {
    CURL *curl;
    char reason[CURL_ERROR_SIZE];
    struct picket_feed_access access;
    struct origin origin; /* to which alone the secrets go */
    const atomic_int *cancel;
    char password[SECRET_BYTES];
    char bearer[SECRET_BYTES + 32], header[SECRET_BYTES + 80]; /* lines; "" for none */
};

static int read_secrets(struct feed_http *http, struct picket_error *error)
{
    const struct picket_feed_access *access = &http->access;
    char secret[SECRET_BYTES];
    int status = PICKET_OK;
    if (access->user[0] != '\0')
        status = secret_read(access->password_file, http->password, error);
    if (status == PICKET_OK && access->token_file[0] != '\0') {
        status = secret_read(access->token_file, secret, error);
        if (status == PICKET_OK)
            snprintf(http->bearer, sizeof http->bearer, "Authorization: Bearer %s", secret);
    }
    if (status == PICKET_OK && access->header[0] != '\0') {
        status = secret_read(access->header_file, secret, error);
        if (status == PICKET_OK)
            snprintf(http->header, sizeof http->header, "%s: %s", access->header, secret);
    }
    OPENSSL_cleanse(secret, sizeof secret);
    return status;
}

int feed_http_open(struct feed_http **http, const char *url,
                   const struct picket_feed_access *access, const atomic_int *cancel,
                   struct picket_error *error)
{
    int status = feed_http_check(url, access, error);
    if (status != PICKET_OK)
        return status;
    struct feed_http *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", url);
    opened->access = *access;
    opened->cancel = cancel;
    origin_of(url, &opened->origin);
    opened->curl = http_handle(opened->reason);
    status = opened->curl != NULL ? read_secrets(opened, error)
                                  : picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", url);
    if (status == PICKET_OK)
        *http = opened;
    else
        feed_http_close(opened);
    return status;
}

void feed_http_close(struct feed_http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->curl);
    OPENSSL_cleanse(http, sizeof *http);
    free(http);
}

/* ---- one exchange ---- */

struct exchange {
    struct feed_http *http;
    struct feed_http_answer *answer;
    char encoding[32]; /* of the content */
    size_t ignored_bytes;
    int64_t deadline_ms;
    int failure; /* enum picket_status: why no more was taken */
    struct picket_error error;
};

static bool is_redirect(long status)
{
    return status >= 300 && status <= 399 && status != 304;
}

/* Where a redirect leads is only known when its body, a page for people, has come. */
static size_t ignore_body(struct exchange *exchange, size_t count)
{
    exchange->ignored_bytes += count;
    return exchange->ignored_bytes <= REDIRECT_BODY_BYTES_MAX ? count : 0;
}

/* Of other answers than 200 nobody reads the body. */
static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    struct exchange *exchange = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(exchange->http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (is_redirect(status))
        return ignore_body(exchange, count);
    if (status != 200)
        return 0;
    exchange->failure = feed_bytes_append(&exchange->answer->body, bytes, count, &exchange->error);
    return exchange->failure == PICKET_OK ? count : 0;
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
    struct exchange *exchange = context;
    struct feed_http_answer *answer = exchange->answer;
    const struct {
        const char *name;
        char *out;
        size_t out_bytes;
    } taken[] = {
        {"ETag:", answer->etag, sizeof answer->etag},
        {"Last-Modified:", answer->last_modified, sizeof answer->last_modified},
        {"X-TAXII-Date-Added-Last:", answer->date_added_last, sizeof answer->date_added_last},
        {"Content-Encoding:", exchange->encoding, sizeof exchange->encoding},
    };
    (void)one;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        size_t length = strlen(taken[i].name);
        if (size > length && strncasecmp(line, taken[i].name, length) == 0)
            take_value(line + length, size - length, taken[i].out, taken[i].out_bytes);
    }
    return size;
}

static int is_cancelled(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct exchange *exchange = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(exchange->http->cancel) != 0;
}

static bool append_line(struct curl_slist **lines, const char *line)
{
    struct curl_slist *longer = line[0] != '\0' ? curl_slist_append(*lines, line) : *lines;
    if (line[0] != '\0' && longer == NULL)
        return false;
    *lines = longer;
    return true;
}

static bool make_lines(const struct feed_http *http, const struct feed_http_request *request,
                       bool trusted, struct curl_slist **lines)
{
    char line[400];
    bool made = append_line(lines, "Accept-Encoding: gzip");
    if (request->accept != NULL) {
        snprintf(line, sizeof line, "Accept: %s", request->accept);
        made = made && append_line(lines, line);
    }
    if (request->etag[0] != '\0') {
        snprintf(line, sizeof line, "If-None-Match: %s", request->etag);
        made = made && append_line(lines, line);
    }
    if (request->last_modified[0] != '\0') {
        snprintf(line, sizeof line, "If-Modified-Since: %s", request->last_modified);
        made = made && append_line(lines, line);
    }
    if (trusted)
        made = made && append_line(lines, http->bearer) && append_line(lines, http->header);
    return made;
}

static void set_access(CURL *curl, const struct feed_http *http, const char *url, bool trusted)
{
    const struct picket_feed_access *access = &http->access;
    bool authenticates = trusted && access->user[0] != '\0';
    bool shows_certificate = trusted && access->certificate_file[0] != '\0';
    bool goes_direct = trusted && !is_secure(url) && has_secrets(access);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, authenticates ? access->user : NULL);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, authenticates ? http->password : NULL);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, shows_certificate ? access->certificate_file : NULL);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, shows_certificate ? access->key_file : NULL);
    if (access->ca_file[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_CAINFO, access->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(curl, CURLOPT_PROXY,
                     goes_direct                ? ""
                     : access->proxy[0] != '\0' ? access->proxy
                                                : NULL);
}

static void set_options(CURL *curl, struct exchange *exchange, const char *url)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* the proxy's own */
    curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALLED_BYTES_PER_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)atomic_load(&stalled_timeout_s));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    int64_t left_ms = exchange->deadline_ms - picket_monotonic_ms();
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
}

/* From one address, without going where it redirects to. */
static CURLcode exchange_once(struct exchange *exchange, const struct feed_http_request *request,
                              const char *url)
{
    struct feed_http *http = exchange->http;
    struct feed_http_answer *answer = exchange->answer;
    struct curl_slist *lines = NULL;
    struct origin origin;
    bool trusted = origin_of(url, &origin) && same_origin(&origin, &http->origin);
    answer->etag[0] = answer->last_modified[0] = answer->date_added_last[0] = '\0';
    answer->status = 0;
    exchange->encoding[0] = http->reason[0] = '\0';
    exchange->ignored_bytes = 0;
    if (!make_lines(http, request, trusted, &lines)) {
        curl_slist_free_all(lines);
        return CURLE_OUT_OF_MEMORY;
    }
    set_options(http->curl, exchange, url);
    set_access(http->curl, http, url, trusted);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, lines);
    CURLcode code = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(lines);
    bool cut_short = code == CURLE_WRITE_ERROR && exchange->failure == PICKET_OK;
    return cut_short ? CURLE_OK : code;
}

/* NULL: it does not redirect. */
static char *redirect_of(CURL *curl)
{
    const char *next = NULL;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
    return next != NULL ? strdup(next) : NULL;
}

/* A server far away has no business here. */
static bool leads_near(const char *url, const char *next)
{
    struct origin from, to;
    return origin_of(url, &from) && origin_of(next, &to) && is_near(&to) && !is_near(&from);
}

static int check_redirect(const char *url, const char *next, int redirects,
                          struct picket_error *error)
{
    if (redirects == REDIRECTS_MAX)
        return picket_fail(error, PICKET_IO, "%s: more than %d redirects", url, REDIRECTS_MAX);
    if (is_secure(url) ? !is_secure(next) : !feed_http_is_url(next))
        return picket_fail(error, PICKET_IO, "%s: redirects elsewhere than to %s", url,
                           is_secure(url) ? "https://" : "http:// or https://");
    if (leads_near(url, next))
        return picket_fail(error, PICKET_IO,
                           "%s: redirects to this machine, or to a link-local address", url);
    return PICKET_OK;
}

/* ---- what came of it ---- */

static int64_t retry_after_s(CURL *curl, long status)
{
    curl_off_t seconds = 0;
    if (status == 429 || status == 503)
        curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    return seconds < 0 ? 0 : seconds > RETRY_AFTER_S_MAX ? RETRY_AFTER_S_MAX : (int64_t)seconds;
}

static int fail_for_proxy(const char *url, struct picket_error *error)
{
    return picket_fail(error, PICKET_DENIED, "%s: the proxy wants credentials (407)", url);
}

static int refusal(const char *url, const struct feed_http_answer *answer,
                   struct picket_error *error)
{
    long status = answer->status;
    if (status == 404 || status == 410)
        return picket_fail(error, PICKET_NOT_FOUND, "%s: the server answered %ld", url, status);
    if (status == 401 || status == 403)
        return picket_fail(error, PICKET_DENIED,
                           "%s: the server answered %ld: the credentials are missing or wrong", url,
                           status);
    if (status == 407)
        return fail_for_proxy(url, error);
    if (answer->retry_after_s > 0)
        return picket_fail(error, status == 429 ? PICKET_BUSY : PICKET_IO,
                           "%s: the server answered %ld, and wants to be left alone for %lld s",
                           url, status, (long long)answer->retry_after_s);
    return picket_fail(error, status == 429 ? PICKET_BUSY : PICKET_IO,
                       "%s: the server answered %ld", url, status);
}

static int decode(struct exchange *exchange, const char *url, struct picket_error *error)
{
    const char *encoding = exchange->encoding;
    struct feed_bytes *body = &exchange->answer->body;
    int status = PICKET_OK;
    if (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0 ||
        strcasecmp(encoding, "deflate") == 0)
        status = body->size_bytes > 0 ? feed_inflate(body, error) : PICKET_OK;
    else if (encoding[0] != '\0' && strcasecmp(encoding, "identity") != 0)
        return picket_fail(error, PICKET_INVALID, "%s: is encoded with %s, which was not asked for",
                           url, encoding);
    if (status != PICKET_OK)
        picket_fail_in(error, "%s", url);
    return status;
}

/* Nothing came of it: why. */
static int failure_of(const struct exchange *exchange, CURLcode code, const char *url,
                      struct picket_error *error)
{
    long tunnel_status = 0; /* of the proxy */
    curl_easy_getinfo(exchange->http->curl, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return picket_fail(error, PICKET_CLOSED, "%s: given up, for Picket is stopping", url);
    if (tunnel_status == 407)
        return fail_for_proxy(url, error);
    return picket_fail(error, PICKET_IO, "%s: %s", url,
                       exchange->http->reason[0] != '\0' ? exchange->http->reason
                                                         : curl_easy_strerror(code));
}

static int result_of(struct exchange *exchange, CURLcode code, const char *url,
                     struct picket_error *error)
{
    struct feed_http_answer *answer = exchange->answer;
    if (exchange->failure != PICKET_OK)
        return picket_fail(error, exchange->failure, "%s: %s", url, exchange->error.text);
    if (code != CURLE_OK)
        return failure_of(exchange, code, url, error);
    answer->retry_after_s = retry_after_s(exchange->http->curl, answer->status);
    answer->not_modified = answer->status == 304;
    if (answer->status != 200 && answer->status != 304)
        return refusal(url, answer, error);
    int status = answer->status == 200 ? decode(exchange, url, error) : PICKET_OK;
    if (status == PICKET_OK && answer->status == 200)
        status = feed_bytes_reserve(&answer->body, 0, error); /* an empty body is one, too */
    return status;
}

int feed_http_get(struct feed_http *http, const struct feed_http_request *request,
                  struct feed_http_answer *answer, struct picket_error *error)
{
    struct exchange exchange = {.http = http, .answer = answer};
    exchange.deadline_ms = picket_monotonic_ms() + 1000LL * atomic_load(&total_timeout_s);
    char *url = strdup(request->url), *next = NULL;
    int status = url != NULL ? PICKET_OK : picket_fail(error, PICKET_NO_MEMORY, "no memory");
    for (int redirects = 0; status == PICKET_OK; redirects++) {
        CURLcode code = exchange_once(&exchange, request, url);
        next = code == CURLE_OK ? redirect_of(http->curl) : NULL;
        if (next == NULL) {
            status = result_of(&exchange, code, url, error);
            break;
        }
        status = check_redirect(url, next, redirects, error);
        free(url);
        url = next;
    }
    free(url);
    return status;
}
