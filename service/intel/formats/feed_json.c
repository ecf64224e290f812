#include "feed_json.h"

#include <stdio.h>
#include <string.h>

/* ---- which kind ---- */

static const char *skip_blanks(const char *text, const char *end)
{
    while (text < end && (feed_is_blank(*text) || *text == '\n'))
        text++;
    return text;
}

bool feed_is_json(const char *text, size_t size)
{
    const char *end = text + size, *content = skip_blanks(text, end);
    if (content == end || (*content != '{' && *content != '['))
        return false;
    const char *inner = skip_blanks(content + 1, end);
    if (*content == '{')
        return inner == end || *inner == '"' || *inner == '}';
    return inner == end || memchr("{[\"]", *inner, 4) != NULL;
}

static bool is_called(struct json_slice name, const char *wanted)
{
    return strlen(wanted) == name.bytes && memcmp(name.text, wanted, name.bytes) == 0;
}

/* "indicator--8e2e2d2b-...": the type in small letters, two dashes. */
static bool is_stix_id(struct json_slice value)
{
    const char *dashes =
        json_slice_is(value, '"') ? memmem(value.text, value.bytes, "--", 2) : NULL;
    for (const char *at = value.text + 1; dashes != NULL && at < dashes; at++)
        if ((*at < 'a' || *at > 'z') && *at != '-')
            return false;
    return dashes != NULL && dashes > value.text + 1;
}

/* What an object's member says of its kind; FEED_AUTO: nothing. */
static enum feed_format kind_told_by(struct json_slice name, struct json_slice value)
{
    if (is_called(name, "Event") || is_called(name, "response") ||
        (is_called(name, "Attribute") && json_slice_is(value, '[')) ||
        is_called(name, "matching_attributes"))
        return FEED_MISP_JSON;
    if ((is_called(name, "objects") && json_slice_is(value, '[')) ||
        (is_called(name, "id") && is_stix_id(value)) ||
        (is_called(name, "type") && is_called(value, "\"bundle\"")))
        return FEED_STIX;
    return FEED_AUTO;
}

/* A warninglist has name, type and list; of these alone none tells. */
static enum feed_format kind_of_object(struct json_slice object)
{
    struct json_scan scan;
    struct json_slice name, value;
    bool has_list = false, has_name = false, has_type = false;
    json_scan_into(&scan, object);
    while (json_scan_member(&scan, &name, &value)) {
        enum feed_format told = kind_told_by(name, value);
        if (told != FEED_AUTO)
            return told;
        has_list |= is_called(name, "list") && json_slice_is(value, '[');
        has_name |= is_called(name, "name");
        has_type |= is_called(name, "type");
    }
    return has_list && has_name && has_type ? FEED_MISP_JSON : FEED_NDJSON;
}

enum feed_format feed_json_format(const char *text, size_t size)
{
    const char *end = text + size, *content = skip_blanks(text, end);
    if (content < end && *content == '[')
        content = skip_blanks(content + 1, end);
    if (content == end || *content != '{')
        return FEED_NDJSON;
    return kind_of_object((struct json_slice){content, (size_t)(end - content), 1});
}

/* ---- values ---- */

static size_t line_size(const char *text, const char *end)
{
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    return (size_t)((newline != NULL ? newline : end) - text);
}

/* Takes the line as one value and nothing else. */
static bool value_of_line(const char *text, size_t size, uint32_t line, struct json_slice *value)
{
    struct json_scan scan;
    struct json_slice more;
    json_scan_begin(&scan, text, size, line);
    return json_scan_value(&scan, value) && !json_scan_value(&scan, &more) && scan.problem == NULL;
}

struct json_feed {
    struct feed_reading *reading;
    feed_json_visit visit;
    void *context;
    const char *at, *end;
    uint32_t line;
    bool visited_any;
    bool lines_only; /* after one that was broken: what follows it is looked for line by line */
};

static void visit_value(struct json_feed *feed, struct json_slice value)
{
    feed->visited_any = true;
    feed->visit(feed->context, value);
}

/* A value that begins here, and ends on another line. */
static bool take_long_value(struct json_feed *feed)
{
    struct json_scan scan;
    struct json_slice value;
    json_scan_begin(&scan, feed->at, (size_t)(feed->end - feed->at), feed->line);
    if (json_scan_value(&scan, &value)) {
        feed->at = scan.at;
        feed->line = scan.line;
        visit_value(feed, value);
        return true;
    }
    if (!feed->visited_any)
        feed_refuse(feed->reading, "line %u: the JSON document %s", scan.line, scan.problem);
    return false;
}

static void take_line(struct json_feed *feed, const char *content, size_t size)
{
    struct json_slice value;
    size_t line_bytes = line_size(feed->at, feed->end);
    if (!value_of_line(content, size, feed->line, &value)) {
        if (!feed->lines_only && take_long_value(feed))
            return;
        feed->lines_only = true;
        feed_skip(feed->reading, feed->line, content, size, "not JSON");
    } else {
        visit_value(feed, value);
    }
    feed->at += line_bytes + (feed->at + line_bytes < feed->end);
    feed->line++;
}

void feed_each_json(struct feed_reading *reading, const char *text, size_t size,
                    feed_json_visit visit, void *context)
{
    struct json_feed feed = {.reading = reading,
                             .visit = visit,
                             .context = context,
                             .at = text,
                             .end = text + size,
                             .line = 1};
    while (feed.at < feed.end && reading->failure == 0) {
        const char *content = feed.at;
        size_t left = line_size(feed.at, feed.end);
        feed_trim(&content, &left);
        if (left > 0) {
            take_line(&feed, content, left);
        } else {
            feed.at += line_size(feed.at, feed.end);
            feed.at += feed.at < feed.end;
            feed.line++;
        }
    }
}

void feed_each_element(struct feed_reading *reading, struct json_slice value, feed_json_visit visit,
                       void *context)
{
    struct json_scan scan;
    struct json_slice element;
    if (!json_slice_is(value, '[')) {
        visit(context, value);
        return;
    }
    json_scan_into(&scan, value);
    while (reading->failure == 0 && json_scan_element(&scan, &element))
        visit(context, element);
    if (scan.problem != NULL)
        feed_refuse(reading, "line %u: the JSON document %s", scan.line, scan.problem);
}

/* ---- joined texts ---- */

void feed_join(struct feed_joined *joined, const char *text, size_t size)
{
    size_t separator = joined->bytes > 0 ? 2 : 0, room = sizeof joined->text - joined->bytes;
    if (size == 0 || room <= separator)
        return;
    if (size > room - separator) {
        size = room - separator;
        while (size > 0 && (text[size] & 0xc0) == 0x80) /* not within a character */
            size--;
    }
    memcpy(joined->text + joined->bytes, ", ", separator);
    memcpy(joined->text + joined->bytes + separator, text, size);
    joined->bytes += separator + size;
}

void feed_join_new(struct feed_joined *joined, const char *text, size_t size)
{
    if (size > 0 && memmem(joined->text, joined->bytes, text, size) == NULL)
        feed_join(joined, text, size);
}

void feed_join_json(struct feed_joined *joined, const json_t *value)
{
    char number[32];
    size_t i;
    json_t *element;
    if (json_is_string(value)) {
        feed_join(joined, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        int size =
            snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        feed_join(joined, number, (size_t)size);
    } else if (json_is_number(value)) { /* we load integers as these */
        int size = snprintf(number, sizeof number, "%.15g", json_number_value(value));
        feed_join(joined, number, (size_t)size);
    }
    if (json_is_array(value))
        json_array_foreach(value, i, element) if (!json_is_array(element))
            feed_join_json(joined, element);
}
