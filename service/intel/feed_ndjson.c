/* One JSON object a line, as Spamhaus gives DROP:
 * {"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"} */
#include <jansson.h>
#include <string.h>

#include "feed_reader.h"

static const char *const address_members[] = {"cidr", "ip", "ip_address", "address", "indicator"};
static const char *const tag_members[] = {"sblid", "malware", "category", "tags", "description"};

static const char *first_string(const json_t *object, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_object_get(object, names[i]));
        if (text != NULL)
            return text;
    }
    return NULL;
}

static void take_object(struct feed_reading *reading, uint32_t line, const json_t *object,
                        const char *text, size_t size)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    if (type != NULL && strcmp(type, "metadata") == 0)
        return;
    const char *address =
        first_string(object, address_members, sizeof address_members / sizeof *address_members);
    if (address == NULL) {
        feed_skip(reading, line, text, size, "no member holds an address");
        return;
    }
    const char *tags = first_string(object, tag_members, sizeof tag_members / sizeof *tag_members);
    const json_t *confidence = json_object_get(object, "confidence");
    json_int_t percent = json_is_integer(confidence) ? json_integer_value(confidence) : -1;
    const json_t *port = json_object_get(object, "port");
    json_int_t number = json_is_integer(port) ? json_integer_value(port) : 0;
    if (number < 0 || number > 65535) {
        feed_skip(reading, line, text, size, "the port is not a number from 1 to 65535");
        return;
    }
    struct feed_item item = {.line = line,
                             .indicator = {address, strlen(address)},
                             .port = (uint16_t)number,
                             .confidence = percent >= 0 && percent <= 100 ? (int)percent : -1,
                             .texts.tags = {tags, tags != NULL ? strlen(tags) : 0}};
    feed_take(reading, &item);
}

static json_t *load_line(const char *text, size_t size)
{
    return json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
}

static size_t line_size(const char *text, const char *end)
{
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    return (size_t)((newline != NULL ? newline : end) - text);
}

void feed_read_ndjson(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    const char *end = text + size_bytes;
    for (uint32_t line = 1; text < end && reading->failure == 0; line++) {
        const char *content = text;
        size_t size = line_size(text, end);
        text += size + 1;
        feed_trim(&content, &size);
        if (size == 0)
            continue;
        json_t *object = load_line(content, size);
        if (json_is_object(object))
            take_object(reading, line, object, content, size);
        else
            feed_skip(reading, line, content, size, "not a JSON object");
        json_decref(object);
    }
}

/* The first line is a whole object with an address in it; a JSON document's first line is not, nor
 * is a line of STIX objects. */
bool feed_looks_like_ndjson(const char *text, size_t size_bytes)
{
    const char *end = text + size_bytes;
    while (text < end && strchr(" \t\r\n", *text) != NULL && *text != '\0')
        text++;
    if (text == end || *text != '{')
        return false;
    size_t first_line = line_size(text, end);
    json_t *object = load_line(text, first_line);
    bool found = first_string(object, address_members,
                              sizeof address_members / sizeof *address_members) != NULL;
    json_decref(object);
    return found;
}
