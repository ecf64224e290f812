/* Which texts in place of an address are indicators too, though none that flows show: host names,
 * URLs, mail addresses, hashes of files. */
#include <string.h>

#include "indicator_text.h"

enum { NAME_BYTES_MAX = 253, LABEL_BYTES_MAX = 63 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hexadecimal(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
static bool is_hash(const char *text, size_t size)
{
    if (size != 32 && size != 40 && size != 56 && size != 64 && size != 96 && size != 128)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_hexadecimal(text[i]))
            return false;
    return true;
}

/* Letters, digits, '-' and '_'. */
static size_t label_size(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && (is_letter(text[i]) || is_digit(text[i]) || text[i] == '-' ||
                        text[i] == '_' || (text[i] & 0x80) != 0))
        i++;
    return i;
}

/* "." or a defanged one, "[.]"; 0: none. */
static size_t dot_size(const char *text, size_t size)
{
    static const char *const dots[] = {".", "[.]", "(.)", "{.}", "[dot]", "(dot)"};
    for (size_t i = 0; i < sizeof dots / sizeof *dots; i++) {
        size_t length = strlen(dots[i]);
        if (size >= length && memcmp(text, dots[i], length) == 0)
            return length;
    }
    return 0;
}

/* The bytes of the host name (RFC 1123) at the start of the text, 0 if there is none. Its last
 * label starts with a letter: that is what tells it from an address. */
static size_t host_size(const char *text, size_t size)
{
    size_t at = 0, labels = 0;
    for (;;) {
        size_t label = label_size(text + at, size - at), end = at + label;
        if (label == 0 || label > LABEL_BYTES_MAX || end > NAME_BYTES_MAX)
            return 0;
        labels++;
        size_t dot = dot_size(text + end, size - end);
        bool is_last = dot == 0 || label_size(text + end + dot, size - end - dot) == 0;
        if (is_last)
            return labels > 1 && label > 1 && is_letter(text[at]) ? end : 0;
        at = end + dot;
    }
}

/* "http://", "hxxps://", "hxxp[:]//" */
static size_t scheme_size(const char *text, size_t size)
{
    size_t letters = 0;
    while (letters < size && is_letter(text[letters]))
        letters++;
    static const char *const signs[] = {"://", "[:]//", "[://]"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs && letters > 0; i++) {
        size_t length = strlen(signs[i]);
        if (size - letters >= length && memcmp(text + letters, signs[i], length) == 0)
            return letters + length;
    }
    return 0;
}

static bool is_mail_address(const char *text, size_t size)
{
    const char *at = memchr(text, '@', size);
    if (at == NULL || at == text)
        return false;
    size_t host = size - (size_t)(at + 1 - text);
    return memchr(text, ' ', size) == NULL && host > 0 && host_size(at + 1, host) == host;
}

/* What follows a host name in a URL, or a name's last dot. */
static bool ends_host(const char *text, size_t size)
{
    char c = text[0];
    return c == '/' || c == ':' || c == '?' || c == '#' || c == '[' || (c == '.' && size == 1);
}

bool indicator_text_is_something_else(const char *text, size_t size)
{
    if (is_hash(text, size) || is_mail_address(text, size))
        return true;
    size_t scheme = scheme_size(text, size);
    const char *host = text + scheme;
    size_t left = size - scheme;
    while (left > 2 && host[0] == '*' && dot_size(host + 1, left - 1) > 0) {
        size_t wildcard = 1 + dot_size(host + 1, left - 1);
        host += wildcard;
        left -= wildcard;
    }
    size_t name = host_size(host, left);
    return name > 0 && (name == left || ends_host(host + name, left - name));
}
