/* MISP: events, as its feeds and exports have them ({"Event":{...}}, {"response":[...]}), and
 * warninglists ({"name":...,"type":"cidr","list":[...]}).
 *
 * Of an event's attributes those with an address are read that are for detection (to_ids) and not
 * deleted; their own tags count beside the event's. Source: the MISP core format (draft-dulaunoy-
 * misp-core-format), and warninglists (MISP/misp-warninglists). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "feed_json.h"
#include "feed_values.h"

/* What holds for all attributes of an event, or for one. */
struct misp_context {
    struct feed_reading *reading;
    char event[64]; /* uuid */
    struct feed_joined tags, malware;
    uint8_t tlp, severity;
    int64_t listed_ms;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* true, 1 or "1": versions differ. */
static bool is_set(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_true(value) || json_integer_value(value) == 1 ||
           (text != NULL && (strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0));
}

/* Unix seconds, as a string or a number; RFC 3339; 0: none. */
static int64_t time_of(const json_t *object, const char *name)
{
    struct feed_joined text = {.bytes = 0};
    int64_t unix_ms;
    feed_join_json(&text, json_object_get(object, name));
    return feed_time_parse(text.text, text.bytes, &unix_ms) ? unix_ms : 0;
}

/* ---- tags ---- */

/* Kinds of galaxies (https://www.misp-galaxy.org) whose clusters are malware or who uses it. */
static bool is_malware_galaxy(const char *kind, size_t size)
{
    static const char *const kinds[] = {"malware", "malpedia",     "botnet",        "ransomware",
                                        "rat",     "stealer",      "banker",        "backdoor",
                                        "tool",    "threat-actor", "intrusion-set", "cryptominers",
                                        "android"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (memmem(kind, size, kinds[i], strlen(kinds[i])) != NULL)
            return true;
    return false;
}

/* misp-galaxy:malpedia="Emotet": the name between the quotes; false for any other tag. */
static bool take_galaxy_tag(struct misp_context *context, const char *tag)
{
    static const char start[] = "misp-galaxy:";
    const char *quote = strchr(tag, '"');
    if (strncasecmp(tag, start, sizeof start - 1) != 0 || quote == NULL)
        return false;
    const char *kind = tag + sizeof start - 1;
    if (!is_malware_galaxy(kind, (size_t)(quote - kind)))
        return false;
    feed_join_new(&context->malware, quote + 1, strcspn(quote + 1, "\""));
    return true;
}

static void take_tag(struct misp_context *context, const char *tag)
{
    if (strncasecmp(tag, "tlp:", 4) == 0) {
        uint8_t tlp = feed_tlp_parse(tag, strlen(tag));
        context->tlp = tlp > context->tlp ? tlp : context->tlp;
    } else if (strncasecmp(tag, "malware:", 8) == 0) {
        feed_join_new(&context->malware, tag + 8, strlen(tag + 8));
    } else if (!take_galaxy_tag(context, tag)) {
        feed_join_new(&context->tags, tag, strlen(tag));
    }
}

static void take_tags(struct misp_context *context, const json_t *object)
{
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(object, "Tag"), i, tag)
        take_tag(context, text_of(tag, "name"));
}

/* Clusters carry pages of text: only their tag names are loaded. */
static void take_cluster(void *context, struct json_slice cluster)
{
    const char *reason;
    static const char *const members[] = {"tag_name"};
    json_t *picked = json_slice_is(cluster, '{') ? json_pick(cluster, members, 1, &reason) : NULL;
    take_tag(context, text_of(picked, "tag_name"));
    json_decref(picked);
}

static void take_galaxy(void *context, struct json_slice galaxy)
{
    struct misp_context *event = context;
    struct json_slice clusters;
    if (json_slice_member(galaxy, "GalaxyCluster", &clusters) && json_slice_is(clusters, '['))
        feed_each_element(event->reading, clusters, take_cluster, context);
}

static void take_galaxies(struct misp_context *context, struct json_slice holder)
{
    struct json_slice galaxies;
    if (json_slice_member(holder, "Galaxy", &galaxies) && json_slice_is(galaxies, '['))
        feed_each_element(context->reading, galaxies, take_galaxy, context);
}

/* ---- attributes ---- */

/* "ip-dst|port" has the port behind the bar, "domain|ip" the address. */
static bool take_value(struct feed_item *item, const char *type, const char *value,
                       const char **reason)
{
    const char *bar = strchr(value, '|');
    const char *behind = bar != NULL ? bar + 1 : "";
    item->indicator = (struct feed_text){value, strlen(value)};
    if (strcmp(type, "ip-src") == 0 || strcmp(type, "ip-dst") == 0)
        return true;
    if (strcmp(type, "domain|ip") == 0) {
        item->indicator = (struct feed_text){behind, strlen(behind)};
        return true;
    }
    if (strcmp(type, "ip-src|port") != 0 && strcmp(type, "ip-dst|port") != 0)
        return false;
    if (bar != NULL)
        item->indicator.bytes = (size_t)(bar - value);
    *reason = bar != NULL ? feed_item_set(item, FEED_PORT, behind, strlen(behind))
                          : "the port behind the bar is missing";
    if (*reason == NULL && item->port == 0)
        *reason = "the port is not a number from 1 to 65535";
    return true;
}

static void fill_item(const struct misp_context *context, const json_t *attribute, char *reference,
                      size_t reference_bytes, struct feed_item *item)
{
    const char *uuid = text_of(attribute, "uuid");
    bool both = context->event[0] != '\0' && uuid[0] != '\0';
    int size =
        snprintf(reference, reference_bytes, "%s%s%.64s", context->event, both ? "/" : "", uuid);
    item->texts = (struct feed_texts){.tags = {context->tags.text, context->tags.bytes},
                                      .malware = {context->malware.text, context->malware.bytes},
                                      .reference = {reference, (size_t)size}};
    item->severity = context->severity;
    item->tlp = context->tlp;
    item->listed_ms = time_of(attribute, "first_seen");
    if (item->listed_ms == 0)
        item->listed_ms = time_of(attribute, "timestamp");
    if (item->listed_ms == 0)
        item->listed_ms = context->listed_ms;
}

static void take_attribute(const struct misp_context *event, const json_t *attribute,
                           struct json_slice slice)
{
    char reference[192];
    const char *reason = NULL, *comment = text_of(attribute, "comment");
    struct feed_item item = {.line = slice.line, .confidence = -1};
    bool is_address =
        take_value(&item, text_of(attribute, "type"), text_of(attribute, "value"), &reason);
    if (!is_address || !is_set(json_object_get(attribute, "to_ids")) ||
        is_set(json_object_get(attribute, "deleted"))) {
        feed_pass_over(event->reading);
        return;
    }
    if (reason != NULL) {
        feed_skip(event->reading, slice.line, slice.text, slice.bytes, reason);
        return;
    }
    struct misp_context context = *event;
    take_tags(&context, attribute);
    take_galaxies(&context, slice);
    feed_join_new(&context.tags, comment, strlen(comment));
    fill_item(&context, attribute, reference, sizeof reference, &item);
    feed_take(event->reading, &item);
}

static void read_attribute(void *context, struct json_slice slice)
{
    struct misp_context *event = context;
    static const char *const members[] = {"type", "value",     "to_ids",     "deleted", "uuid",
                                          "Tag",  "timestamp", "first_seen", "comment"};
    const char *reason = "not an attribute";
    json_t *attribute = json_slice_is(slice, '{')
                            ? json_pick(slice, members, sizeof members / sizeof *members, &reason)
                            : NULL;
    if (attribute != NULL)
        take_attribute(event, attribute, slice);
    else
        feed_skip(event->reading, slice.line, slice.text, slice.bytes, reason);
    json_decref(attribute);
}

static void read_attributes(struct misp_context *event, struct json_slice holder)
{
    struct json_slice attributes;
    if (json_slice_member(holder, "Attribute", &attributes) && json_slice_is(attributes, '['))
        feed_each_element(event->reading, attributes, read_attribute, event);
}

static void read_object(void *context, struct json_slice object)
{
    struct misp_context *event = context;
    struct json_slice deleted;
    json_t *flag = json_slice_member(object, "deleted", &deleted) ? json_slice_load(deleted) : NULL;
    if (is_set(flag))
        feed_pass_over(event->reading);
    else
        read_attributes(event, object);
    json_decref(flag);
}

/* ---- events ---- */

/* 1 high, 2 medium, 3 low, 4 undefined. */
static uint8_t severity_of(const json_t *event)
{
    struct feed_joined level = {.bytes = 0};
    feed_join_json(&level, json_object_get(event, "threat_level_id"));
    bool is_known = level.bytes == 1 && level.text[0] >= '1' && level.text[0] <= '3';
    return is_known ? (uint8_t)(PICKET_SEVERITY_HIGH - (level.text[0] - '1')) : 0;
}

static void read_event(struct feed_reading *reading, struct json_slice slice)
{
    static const char *const members[] = {"uuid", "info", "threat_level_id", "timestamp", "Tag"};
    const char *reason = "not an event";
    struct json_slice objects;
    json_t *event = json_slice_is(slice, '{')
                        ? json_pick(slice, members, sizeof members / sizeof *members, &reason)
                        : NULL;
    if (event == NULL) {
        feed_skip(reading, slice.line, slice.text, slice.bytes, reason);
        return;
    }
    struct misp_context context = {.reading = reading,
                                   .severity = severity_of(event),
                                   .listed_ms = time_of(event, "timestamp")};
    const char *info = text_of(event, "info");
    snprintf(context.event, sizeof context.event, "%s", text_of(event, "uuid"));
    feed_join(&context.tags, info, strlen(info));
    take_tags(&context, event);
    take_galaxies(&context, slice);
    json_decref(event);
    read_attributes(&context, slice);
    if (json_slice_member(slice, "Object", &objects) && json_slice_is(objects, '['))
        feed_each_element(reading, objects, read_object, &context);
}

/* ---- warninglists ---- */

struct misp_list {
    struct feed_reading *reading;
    struct feed_text name;
    bool of_addresses;
};

static void read_entry(void *context, struct json_slice slice)
{
    struct misp_list *list = context;
    json_t *entry = json_slice_is(slice, '"') ? json_slice_load(slice) : NULL;
    struct feed_item item = {.line = slice.line,
                             .indicator = {json_string_value(entry), json_string_length(entry)},
                             .confidence = -1,
                             .texts.tags = list->name};
    feed_trim(&item.indicator.text, &item.indicator.bytes);
    if (entry == NULL)
        feed_skip(list->reading, slice.line, slice.text, slice.bytes, "not a string");
    else if (list->of_addresses)
        feed_take(list->reading, &item);
    else
        feed_pass_over(list->reading);
    json_decref(entry);
}

/* Of hostname, substring and regex lists nothing is an address, whatever it looks like. */
static void read_warninglist(struct feed_reading *reading, struct json_slice slice,
                             struct json_slice entries)
{
    static const char *const members[] = {"name", "type"};
    const char *reason;
    json_t *head = json_pick(slice, members, 2, &reason);
    if (head == NULL) {
        feed_skip(reading, slice.line, slice.text, slice.bytes, reason);
        return;
    }
    const char *name = text_of(head, "name"), *type = text_of(head, "type");
    struct misp_list list = {.reading = reading,
                             .name = {name, strlen(name)},
                             .of_addresses = type[0] == '\0' || strcmp(type, "cidr") == 0 ||
                                             strcmp(type, "string") == 0};
    feed_each_element(reading, entries, read_entry, &list);
    json_decref(head);
}

/* ---- documents ---- */

static void read_document(void *context, struct json_slice value)
{
    struct feed_reading *reading = context;
    struct json_slice inner;
    if (json_slice_member(value, "Event", &inner))
        read_event(reading, inner);
    else if (json_slice_member(value, "list", &inner) && json_slice_is(inner, '['))
        read_warninglist(reading, value, inner);
    else if (json_slice_is(value, '{'))
        read_event(reading, value);
    else
        feed_skip(reading, value.line, value.text, value.bytes, "neither event nor warninglist");
}

/* One of these, an array of them, or a server's response with one or the other. */
static void read_value(void *context, struct json_slice value)
{
    struct feed_reading *reading = context;
    struct json_slice response;
    if (json_slice_member(value, "response", &response))
        value = response;
    feed_each_element(reading, value, read_document, reading);
}

void feed_read_misp(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    feed_each_json(reading, text, size_bytes, read_value, reading);
}
