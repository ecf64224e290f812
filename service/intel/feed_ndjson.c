/* One JSON object a line, as Spamhaus gives DROP:
 * {"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"}
 *
 * What its members hold is known by their names (feed_values.h), or said by the feed's owner
 * (feed_columns.h), who may name members within members: "data.ip". Where there is an array, each
 * of its elements is meant. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "feed_reader.h"
#include "feed_values.h"
#include "indicator_text.h"

enum { PATH_DEPTH_MAX = 8 };

/* ---- values as text ---- */

struct member_text {
    char text[INDICATOR_TEXT_BYTES];
    size_t bytes;
};

static void append(struct member_text *joined, const char *text, size_t size)
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

/* A string or a number; of anything else nothing. */
static void append_value(struct member_text *joined, const json_t *value)
{
    char number[32];
    if (json_is_string(value)) {
        append(joined, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        int size =
            snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        append(joined, number, (size_t)size);
    }
}

/* ---- finding members ---- */

typedef void (*value_visit)(void *context, const json_t *value);

/* Each value at a path of members, "data.ip"; the elements of arrays on the way, and at its end. */
static void visit_path(const json_t *from, const char *path, unsigned depth, value_visit visit,
                       void *context)
{
    size_t i;
    json_t *element;
    if (json_is_array(from)) {
        json_array_foreach(from, i, element) if (depth < PATH_DEPTH_MAX)
            visit_path(element, path, depth + 1, visit, context);
        return;
    }
    if (path == NULL) {
        visit(context, from);
        return;
    }
    const json_t *whole = json_object_get(from, path);
    if (whole != NULL && depth < PATH_DEPTH_MAX) { /* a name may hold dots itself */
        visit_path(whole, NULL, depth + 1, visit, context);
        return;
    }
    const char *dot = strchr(path, '.');
    const json_t *next = dot != NULL ? json_object_getn(from, path, (size_t)(dot - path)) : NULL;
    if (next != NULL && depth < PATH_DEPTH_MAX)
        visit_path(next, dot + 1, depth + 1, visit, context);
}

static void take_text(void *context, const json_t *value)
{
    append_value(context, value);
}

static void collect(const json_t *object, const char *path, struct member_text *text)
{
    visit_path(object, path, 0, take_text, text);
}

/* ---- members known by their names ---- */

static void name_is_indicator(void *context, const json_t *value)
{
    struct address_range range;
    const char *text = json_string_value(value);
    if (text != NULL && indicator_text_parse(text, json_string_length(value), &range) == NULL)
        *(bool *)context = true;
}

/* The name of the member that holds the address: the first that is called like one and holds one;
 * if none does, the first that is called like one. NULL: there is none. */
static const char *address_member(json_t *object)
{
    const char *name, *found = NULL;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        bool is_indicator = false;
        if (feed_member_called(name, strlen(name)) != FEED_ADDRESS ||
            (!json_is_string(value) && !json_is_array(value)))
            continue;
        visit_path(value, NULL, 0, name_is_indicator, &is_indicator);
        if (is_indicator)
            return name;
        found = found != NULL ? found : name;
    }
    return found;
}

struct object_texts {
    struct member_text of[FEED_MEMBERS];
};

static void collect_known(json_t *object, const char *address, struct object_texts *texts)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        enum feed_member member = feed_member_called(name, strlen(name));
        if (member == FEED_MEMBERS || member == FEED_ADDRESS || strcmp(name, address) == 0)
            continue;
        if (member == FEED_TAGS || texts->of[member].bytes == 0)
            visit_path(value, NULL, 0, take_text, &texts->of[member]);
    }
}

static void collect_given(const json_t *object, const struct feed_column_names *names,
                          struct object_texts *texts)
{
    for (int i = FEED_ADDRESS + 1; i < FEED_TAGS; i++)
        if (names->of[i][0] != '\0')
            collect(object, names->of[i], &texts->of[i]);
    for (int i = 0; i < FEED_TAG_COLUMNS; i++)
        if (names->tags[i][0] != '\0')
            collect(object, names->tags[i], &texts->of[FEED_TAGS]);
}

/* ---- an object's indicators ---- */

struct taking {
    struct feed_reading *reading;
    struct feed_item item;
    bool any;
};

static void take_address(void *context, const json_t *value)
{
    struct taking *taking = context;
    if (!json_is_string(value))
        return;
    taking->item.indicator =
        (struct feed_text){json_string_value(value), json_string_length(value)};
    feed_trim(&taking->item.indicator.text, &taking->item.indicator.bytes);
    taking->any = true;
    feed_take(taking->reading, &taking->item);
}

static const char *fill_item(struct feed_item *item, const struct object_texts *texts)
{
    for (int i = FEED_ADDRESS + 1; i < FEED_TAGS; i++) {
        const char *text = texts->of[i].text;
        size_t size = texts->of[i].bytes;
        feed_trim(&text, &size);
        const char *reason = feed_item_set(item, (enum feed_member)i, text, size);
        if (reason != NULL)
            return reason;
    }
    item->texts.tags = (struct feed_text){texts->of[FEED_TAGS].text, texts->of[FEED_TAGS].bytes};
    return NULL;
}

static bool is_metadata(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    return type != NULL && strcmp(type, "metadata") == 0;
}

static void take_object(struct feed_reading *reading, uint32_t line, json_t *object,
                        const char *text, size_t size)
{
    struct object_texts texts = {0};
    struct taking taking = {.reading = reading, .item = {.line = line, .confidence = -1}};
    if (is_metadata(object)) {
        feed_pass_over(reading);
        return;
    }
    const char *address =
        reading->columns != NULL ? reading->columns->of[FEED_ADDRESS] : address_member(object);
    if (address == NULL) {
        feed_skip(reading, line, text, size, "no member holds an address");
        return;
    }
    if (reading->columns != NULL)
        collect_given(object, reading->columns, &texts);
    else
        collect_known(object, address, &texts);
    const char *reason = fill_item(&taking.item, &texts);
    if (reason != NULL) {
        feed_skip(reading, line, text, size, reason);
        return;
    }
    visit_path(object, address, 0, take_address, &taking);
    if (!taking.any)
        feed_skip(reading, line, text, size, "no member holds an address");
}

/* ---- lines ---- */

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
    while (text < end && (feed_is_blank(*text) || *text == '\n'))
        text++;
    if (text == end || *text != '{')
        return false;
    size_t first_line = line_size(text, end);
    json_t *object = load_line(text, first_line);
    bool found = json_is_object(object) && address_member(object) != NULL;
    json_decref(object);
    return found;
}
