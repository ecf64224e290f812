/* JSON objects, one a line as Spamhaus gives DROP,
 * {"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"}, in an array as abuse.ch gives Feodo's,
 * or in a member of a document: {"meta":{...},"data":[...]}. An array may be of addresses, too.
 *
 * What its members hold is known by their names (feed_values.h), or said by the feed's owner
 * (feed_columns.h), who may name members within members: "data.ip". Where there is an array, each
 * of its elements is meant. */
#include <string.h>

#include "feed_json.h"
#include "feed_values.h"
#include "indicator_text.h"

enum { PATH_DEPTH_MAX = 8 };

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
    feed_join_json(context, value);
}

static void collect(const json_t *object, const char *path, struct feed_joined *text)
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
    struct feed_joined of[FEED_MEMBERS];
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

/* ---- values ---- */

static void take_string(struct feed_reading *reading, struct json_slice value)
{
    json_t *string = json_slice_load(value);
    struct feed_item item = {.line = value.line,
                             .indicator = {json_string_value(string), json_string_length(string)},
                             .confidence = -1};
    if (json_is_string(string))
        feed_take(reading, &item);
    else
        feed_skip(reading, value.line, value.text, value.bytes, "not JSON");
    json_decref(string);
}

static void take_value(void *context, struct json_slice value)
{
    struct feed_reading *reading = context;
    if (json_slice_is(value, '"')) {
        take_string(reading, value);
        return;
    }
    json_t *object = json_slice_is(value, '{') ? json_slice_load(value) : NULL;
    if (json_is_object(object))
        take_object(reading, value.line, object, value.text, value.bytes);
    else
        feed_skip(reading, value.line, value.text, value.bytes,
                  value.bytes > JSON_PICK_BYTES_MAX ? "larger than 4 MiB" : "not a JSON object");
    json_decref(object);
}

/* {"meta":{...},"data":[{"ip":...},...]}: an object without an address whose members are arrays of
 * objects or strings. */
static bool is_wrapper(struct json_slice object)
{
    struct json_scan scan;
    struct json_slice name, value, first;
    bool has_array = false;
    if (!json_slice_is(object, '{') || memchr(object.text, '[', object.bytes) == NULL)
        return false;
    json_scan_into(&scan, object);
    while (json_scan_member(&scan, &name, &value)) {
        enum feed_member member = feed_member_called(name.text, name.bytes);
        if (member == FEED_ADDRESS && json_slice_is(value, '"'))
            return false;
        if (!json_slice_is(value, '['))
            continue;
        struct json_scan elements;
        json_scan_into(&elements, value);
        bool of_objects = json_scan_element(&elements, &first) && json_slice_is(first, '{');
        if (member == FEED_ADDRESS && !of_objects)
            return false;
        has_array |= of_objects;
    }
    return has_array;
}

static void take_wrapped(struct feed_reading *reading, struct json_slice object)
{
    struct json_scan scan;
    struct json_slice name, value;
    json_scan_into(&scan, object);
    while (reading->failure == 0 && json_scan_member(&scan, &name, &value))
        if (json_slice_is(value, '['))
            feed_each_element(reading, value, take_value, reading);
}

static void take_document(void *context, struct json_slice value)
{
    struct feed_reading *reading = context;
    if (reading->columns == NULL && is_wrapper(value))
        take_wrapped(reading, value);
    else
        feed_each_element(reading, value, take_value, reading);
}

void feed_read_ndjson(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    feed_each_json(reading, text, size_bytes, take_document, reading);
}
