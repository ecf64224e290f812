#include "json_scan.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool fail(struct json_scan *scan, const char *problem)
{
    if (scan->problem == NULL)
        scan->problem = problem;
    return false;
}

void json_scan_begin(struct json_scan *scan, const char *text, size_t size, uint32_t line)
{
    *scan = (struct json_scan){.at = text, .end = text + size, .line = line};
}

static void skip_blanks(struct json_scan *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at))
        scan->line += *scan->at++ == '\n';
}

static bool is_escaped(const char *quote, const char *start)
{
    const char *at = quote;
    while (at > start && at[-1] == '\\')
        at--;
    return (quote - at) % 2 != 0;
}

/* At a quote: moves behind the one that closes it. A line's end within is a mistake, which whoever
 * loads the string finds; here it only counts. */
static bool skip_string(struct json_scan *scan)
{
    const char *start = scan->at + 1, *quote = start - 1;
    do
        quote = memchr(quote + 1, '"', (size_t)(scan->end - quote - 1));
    while (quote != NULL && is_escaped(quote, start));
    if (quote == NULL)
        return fail(scan, "ends within a string");
    for (const char *at = start; (at = memchr(at, '\n', (size_t)(quote - at))) != NULL; at++)
        scan->line++;
    scan->at = quote + 1;
    return true;
}

/* At an opening bracket: moves behind the one that closes it. */
static bool skip_container(struct json_scan *scan)
{
    char closing[JSON_DEPTH_MAX];
    size_t depth = 0;
    while (scan->at < scan->end) {
        char c = *scan->at;
        if (c == '"') {
            if (!skip_string(scan))
                return false;
            continue;
        }
        scan->at++;
        scan->line += c == '\n';
        if (c == '{' || c == '[') {
            if (depth == JSON_DEPTH_MAX)
                return fail(scan, "is nested too deep");
            closing[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (closing[--depth] != c)
                return fail(scan, "has brackets that do not match");
            if (depth == 0)
                return true;
        }
    }
    return fail(scan, "ends too early");
}

static bool is_number(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (memchr("0123456789+-.eE", text[i], 15) == NULL)
            return false;
    return size > 0;
}

static bool is_word(const char *text, size_t size)
{
    return (size == 4 && (memcmp(text, "true", 4) == 0 || memcmp(text, "null", 4) == 0)) ||
           (size == 5 && memcmp(text, "false", 5) == 0);
}

/* A number or a word: up to what cannot belong to it. */
static bool skip_word(struct json_scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && !is_blank(*scan->at) && memchr(",:{}[]\"", *scan->at, 7) == NULL)
        scan->at++;
    size_t size = (size_t)(scan->at - start);
    return is_number(start, size) || is_word(start, size) ||
           fail(scan, size > 0 ? "holds a word that is no value" : "lacks a value");
}

/* At the first byte of a value. */
static bool take_value(struct json_scan *scan, struct json_slice *value)
{
    *value = (struct json_slice){.text = scan->at, .line = scan->line};
    if (scan->at == scan->end)
        return fail(scan, "ends too early");
    bool taken = *scan->at == '"'                       ? skip_string(scan)
                 : *scan->at == '{' || *scan->at == '[' ? skip_container(scan)
                                                        : skip_word(scan);
    value->bytes = (size_t)(scan->at - value->text);
    return taken;
}

bool json_scan_value(struct json_scan *scan, struct json_slice *value)
{
    skip_blanks(scan);
    return scan->problem == NULL && scan->at < scan->end && take_value(scan, value);
}

void json_scan_into(struct json_scan *scan, struct json_slice container)
{
    json_scan_begin(scan, container.text + 1, container.bytes - 1, container.line);
}

/* True when another element follows; moves to its first byte. */
static bool next_inside(struct json_scan *scan, char closing)
{
    skip_blanks(scan);
    if (scan->problem != NULL)
        return false;
    if (scan->at == scan->end)
        return fail(scan, "ends too early");
    if (*scan->at == closing)
        return false;
    if (scan->inside) {
        if (*scan->at != ',')
            return fail(scan, "lacks a comma");
        scan->at++;
        skip_blanks(scan);
    }
    scan->inside = true;
    return true;
}

bool json_scan_element(struct json_scan *scan, struct json_slice *element)
{
    return next_inside(scan, ']') && take_value(scan, element);
}

bool json_scan_member(struct json_scan *scan, struct json_slice *name, struct json_slice *value)
{
    if (!next_inside(scan, '}'))
        return false;
    if (scan->at == scan->end || *scan->at != '"')
        return fail(scan, "lacks a member's name");
    if (!take_value(scan, name))
        return false;
    name->text++;
    name->bytes -= 2;
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != ':')
        return fail(scan, "lacks a colon");
    scan->at++;
    skip_blanks(scan);
    return take_value(scan, value);
}

/* Without escapes: what is between the quotes is the text. */
static bool is_simple_string(struct json_slice value)
{
    if (value.bytes < 2 || value.text[0] != '"')
        return false;
    for (size_t i = 1; i + 1 < value.bytes; i++)
        if (value.text[i] == '\\' || (unsigned char)value.text[i] < ' ')
            return false;
    return true;
}

/* Most values are simple strings, and jansson's reader is not quick to begin. */
json_t *json_slice_load(struct json_slice value)
{
    if (value.bytes > JSON_PICK_BYTES_MAX)
        return NULL;
    if (is_simple_string(value))
        return json_stringn(value.text + 1, value.bytes - 2);
    return json_loadb(value.text, value.bytes, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

/* A name may be written with escapes. */
static bool is_named(struct json_slice name, const char *wanted)
{
    if (name.bytes > 0 && memchr(name.text, '\\', name.bytes) == NULL)
        return name.text[0] == wanted[0] && strlen(wanted) == name.bytes &&
               memcmp(name.text, wanted, name.bytes) == 0;
    json_t *decoded =
        json_slice_load((struct json_slice){name.text - 1, name.bytes + 2, name.line});
    bool same = json_is_string(decoded) && strcmp(json_string_value(decoded), wanted) == 0;
    json_decref(decoded);
    return same;
}

bool json_slice_member(struct json_slice object, const char *wanted, struct json_slice *found)
{
    struct json_scan scan;
    struct json_slice name, value;
    if (!json_slice_is(object, '{'))
        return false;
    json_scan_into(&scan, object);
    while (json_scan_member(&scan, &name, &value))
        if (is_named(name, wanted)) {
            *found = value;
            return true;
        }
    return false;
}

static const char *pick_member(json_t *picked, const char *name, struct json_slice value)
{
    if (json_object_get(picked, name) != NULL)
        return "a member is there twice";
    if (value.bytes > JSON_PICK_BYTES_MAX)
        return "a member is larger than 4 MiB";
    json_t *loaded = json_slice_load(value);
    if (loaded == NULL || json_object_set_new(picked, name, loaded) != 0)
        return "a member is not JSON";
    return NULL;
}

json_t *json_pick(struct json_slice object, const char *const *names, size_t count,
                  const char **reason)
{
    struct json_scan scan;
    struct json_slice name, value;
    json_t *picked = json_object();
    *reason = picked != NULL ? NULL : "no memory";
    json_scan_into(&scan, object);
    while (*reason == NULL && json_scan_member(&scan, &name, &value))
        for (size_t i = 0; i < count && *reason == NULL; i++)
            if (is_named(name, names[i])) {
                *reason = pick_member(picked, names[i], value);
                break;
            }
    if (*reason == NULL)
        *reason = scan.problem;
    if (*reason == NULL)
        return picked;
    json_decref(picked);
    return NULL;
}
