#include "feed_settings.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picket/base/time.h"

const char *feed_absolute(const char *path, char *out, size_t size_bytes)
{
    char folder[PATH_MAX];
    if (strstr(path, "://") || path[0] == '/' || !path[0] || !getcwd(folder, sizeof folder))
        return path;
    snprintf(out, size_bytes, "%s/%s", folder, path);
    return out;
}

/* "90s", "30m", "1h", "2d"; "0" or "never". Negative: it is none. */
static long long span_s(const char *text)
{
    int64_t span;
    if (strcmp(text, "never") == 0 || strcmp(text, "0") == 0)
        return 0;
    return picket_span_parse(text, &span) && span > 0 ? (long long)span : -1;
}

/* "500000", "64k", "50M"; "0" for no bound of its own. Negative: it is none. */
static long long size_of(const char *text)
{
    char *end;
    errno = 0;
    long long size = strtoll(text, &end, 10);
    if (end == text || text[0] == '-' || text[0] == '+' || errno || size > INT_MAX)
        return -1;
    if (strcmp(end, "k") == 0 || strcmp(end, "K") == 0)
        return size * 1024;
    if (strcmp(end, "M") == 0)
        return size * 1024 * 1024;
    return *end ? -1 : size;
}

static bool put_text(json_t *body, const char *member, const char *text)
{
    if (!text || json_object_set_new(body, member, json_string(text)) == 0)
        return true;
    complain("%s must be UTF-8", member);
    return false;
}

static bool put_path(json_t *body, const char *member, const char *path)
{
    char whole[2 * PATH_MAX];
    return put_text(body, member, path ? feed_absolute(path, whole, sizeof whole) : NULL);
}

static bool put_texts(json_t *body, const struct feed_settings *settings)
{
    return put_path(body, "source", settings->source) &&
           put_text(body, "format", settings->format) &&
           put_text(body, "columns", settings->columns) &&
           put_text(body, "pattern", settings->pattern) && put_text(body, "role", settings->role) &&
           put_text(body, "user", settings->user) &&
           put_path(body, "password_file", settings->password_file) &&
           put_path(body, "token_file", settings->token_file) &&
           put_text(body, "header", settings->header) &&
           put_path(body, "header_file", settings->header_file) &&
           put_text(body, "proxy", settings->proxy) && put_path(body, "ca_file", settings->ca) &&
           put_path(body, "certificate_file", settings->certificate) &&
           put_path(body, "key_file", settings->key);
}

static bool put_answer(json_t *body, const char *member, const char *option, const char *text)
{
    if (!text)
        return true;
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
        complain("--%s: \"%s\" is neither yes nor no", option, text);
        return false;
    }
    json_object_set_new(body, member, json_boolean(text[0] == 'y'));
    return true;
}

static bool put_numbers(json_t *body, const struct feed_settings *settings)
{
    if (settings->confidence >= 0)
        json_object_set_new(body, "confidence", json_integer(settings->confidence));
    if (settings->refresh && span_s(settings->refresh) < 0) {
        complain("--refresh: \"%s\" is not a span such as 90s, 30m, 1h, 2d, or never",
                 settings->refresh);
        return false;
    }
    if (settings->refresh)
        json_object_set_new(body, "refresh_s", json_integer(span_s(settings->refresh)));
    if (settings->max_bytes && size_of(settings->max_bytes) < 0) {
        complain("--max-bytes: \"%s\" is not a size such as 500000, 64k, 50M", settings->max_bytes);
        return false;
    }
    if (settings->max_bytes)
        json_object_set_new(body, "max_bytes", json_integer(size_of(settings->max_bytes)));
    return true;
}

bool feed_settings_put(json_t *body, const struct feed_settings *settings)
{
    return put_texts(body, settings) && put_numbers(body, settings) &&
           put_answer(body, "match_special_purpose", "match-special-purpose",
                      settings->match_special_purpose) &&
           put_answer(body, "match_own_networks", "match-own-networks",
                      settings->match_own_networks);
}
