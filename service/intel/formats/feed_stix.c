/* STIX 2.1 and 2.0 (OASIS): bundles, TAXII's envelopes, arrays of objects, JSON lines of any of
 * these. Indicators are read; addresses that stand alone (ipv4-addr objects) are observations and
 * no indicators. stix_pattern.h tells which patterns are understood, stix_graph.h how objects
 * concern one another. */
#include <stdio.h>
#include <string.h>

#include "feed_json.h"
#include "feed_values.h"
#include "stix_graph.h"
#include "stix_pattern.h"

struct stix_reader {
    struct feed_reading *reading;
    struct stix_graph graph;
};

static void fail_for_memory(struct stix_reader *reader)
{
    reader->reading->failure = PICKET_NO_MEMORY;
}

static struct feed_text member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value)
               ? (struct feed_text){json_string_value(value), json_string_length(value)}
               : (struct feed_text){"", 0};
}

static bool is(struct feed_text text, const char *wanted)
{
    return strlen(wanted) == text.bytes && memcmp(text.text, wanted, text.bytes) == 0;
}

static int64_t time_of(const json_t *object, const char *name)
{
    int64_t unix_ms;
    struct feed_text text = member(object, name);
    return feed_time_parse(text.text, text.bytes, &unix_ms) ? unix_ms : 0;
}

/* ---- markings ---- */

/* The objects that TLP is given by: STIX 2.1, 7.2.1.4, and OASIS' extension for version 2.0. */
static const struct {
    const char *id;
    uint8_t tlp;
} tlp_markings[] = {
    {"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", PICKET_TLP_CLEAR},
    {"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", PICKET_TLP_GREEN},
    {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", PICKET_TLP_AMBER},
    {"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", PICKET_TLP_RED},
    {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", PICKET_TLP_CLEAR},
    {"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", PICKET_TLP_GREEN},
    {"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", PICKET_TLP_AMBER},
    {"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", PICKET_TLP_AMBER_STRICT},
    {"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", PICKET_TLP_RED},
};
static const char tlp_extension[] = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

static uint8_t tlp_of_marking(struct feed_text id)
{
    for (size_t i = 0; i < sizeof tlp_markings / sizeof *tlp_markings; i++)
        if (is(id, tlp_markings[i].id))
            return tlp_markings[i].tlp;
    return PICKET_TLP_NONE;
}

/* The most restrictive of the markings known by their ids; the others are linked to. */
static uint8_t take_markings(struct stix_reader *reader, const json_t *object, struct feed_text id)
{
    size_t i;
    json_t *reference;
    uint8_t strictest = PICKET_TLP_NONE;
    json_array_foreach(json_object_get(object, "object_marking_refs"), i, reference)
    {
        struct feed_text text = {json_string_value(reference), json_string_length(reference)};
        if (!json_is_string(reference))
            continue;
        uint8_t tlp = tlp_of_marking(text);
        strictest = tlp > strictest ? tlp : strictest;
        if (tlp == PICKET_TLP_NONE && id.bytes > 0 && !stix_graph_link(&reader->graph, id, text))
            fail_for_memory(reader);
    }
    return strictest;
}

static void take_marking(struct stix_reader *reader, const json_t *object)
{
    struct feed_text texts[] = {
        member(json_object_get(object, "definition"), "tlp"),
        member(json_object_get(json_object_get(object, "extensions"), tlp_extension), "tlp_2_0"),
        member(object, "name")};
    struct stix_object *known = stix_graph_object(&reader->graph, member(object, "id"));
    if (known == NULL) {
        fail_for_memory(reader);
        return;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts && known->tlp == PICKET_TLP_NONE; i++)
        known->tlp = feed_tlp_parse(texts[i].text, texts[i].bytes);
}

/* ---- what indicators indicate ---- */

static bool is_named_kind(struct feed_text type)
{
    return is(type, "malware") || is(type, "threat-actor") || is(type, "campaign") ||
           is(type, "intrusion-set") || is(type, "tool");
}

static void take_named(struct stix_reader *reader, const json_t *object)
{
    struct feed_text name = member(object, "name");
    struct stix_object *known = stix_graph_object(&reader->graph, member(object, "id"));
    if (known == NULL) {
        fail_for_memory(reader);
        return;
    }
    known->name =
        name.bytes > 0 ? indicator_list_malware(&reader->reading->indicators, name) : NULL;
}

static void take_relationship(struct stix_reader *reader, const json_t *object)
{
    struct feed_text from = member(object, "source_ref"), to = member(object, "target_ref");
    if (!is(member(object, "relationship_type"), "indicates") ||
        json_is_true(json_object_get(object, "revoked")) || from.bytes == 0 || to.bytes == 0)
        return;
    if (!stix_graph_link(&reader->graph, from, to))
        fail_for_memory(reader);
}

/* ---- indicators ---- */

static void skip(struct stix_reader *reader, const json_t *object, struct json_slice slice,
                 const char *reason)
{
    char text[200];
    struct feed_text id = member(object, "id"), pattern = member(object, "pattern");
    int size = snprintf(text, sizeof text, "%.*s %.*s", (int)id.bytes, id.text,
                        (int)(pattern.bytes < 200 ? pattern.bytes : 200), pattern.text);
    feed_skip(reader->reading, slice.line, text,
              (size_t)size < sizeof text ? (size_t)size : sizeof text - 1, reason);
}

/* Of one id the newest version counts, and of equally new ones all; but none if one is revoked.
 * False: this one does not count, or is revoked. */
static bool counts(struct stix_reader *reader, const json_t *object)
{
    struct feed_text id = member(object, "id");
    int64_t modified_ms = time_of(object, "modified");
    bool is_revoked = json_is_true(json_object_get(object, "revoked"));
    if (id.bytes == 0)
        return !is_revoked;
    struct stix_object *known = stix_graph_object(&reader->graph, id);
    if (known == NULL) {
        fail_for_memory(reader);
        return false;
    }
    bool is_newer = !known->is_known || modified_ms > known->modified_ms;
    if (!is_newer && (modified_ms < known->modified_ms || known->is_revoked))
        return false;
    if ((is_newer || is_revoked) && known->runs != 0) { /* it is the other that is of no use */
        stix_graph_take_back(&reader->graph, known);
        feed_pass_over(reader->reading);
    }
    known->is_known = true;
    known->is_revoked = is_revoked;
    known->modified_ms = modified_ms;
    return !is_revoked;
}

static int confidence_of(const struct feed_reading *reading, const json_t *object)
{
    const json_t *confidence = json_object_get(object, "confidence");
    json_int_t percent = json_is_integer(confidence) ? json_integer_value(confidence) : -1;
    return percent >= 0 && percent <= 100 ? (int)percent : reading->confidence;
}

/* What an object says of all that its pattern names. */
struct stix_saying {
    struct picket_indicator indicator;
    struct feed_texts texts;
    struct feed_joined tags; /* in which the texts' are */
};

/* False: it is not to be read, and was skipped. */
static bool read_saying(struct stix_reader *reader, const json_t *object, struct json_slice slice,
                        struct stix_saying *saying)
{
    struct feed_text id = member(object, "id");
    saying->tags.bytes = 0;
    feed_join_json(&saying->tags, json_object_get(object, "indicator_types"));
    feed_join_json(&saying->tags, json_object_get(object, "labels"));
    saying->indicator =
        (struct picket_indicator){.line = slice.line,
                                  .confidence = (uint8_t)confidence_of(reader->reading, object),
                                  .tlp = take_markings(reader, object, id),
                                  .listed_ms = time_of(object, "valid_from"),
                                  .valid_until_ms = time_of(object, "valid_until")};
    saying->texts =
        (struct feed_texts){.tags = {saying->tags.text, saying->tags.bytes}, .reference = id};
    if (member(object, "valid_until").bytes == 0 || saying->indicator.valid_until_ms != 0)
        return true;
    skip(reader, object, slice, "the time until which it is valid cannot be read");
    return false;
}

/* The list's indicators from first on are the object's. */
static void note_run(struct stix_reader *reader, const struct stix_saying *saying, size_t first)
{
    if (saying->texts.reference.bytes == 0)
        return;
    struct stix_object *known = stix_graph_object(&reader->graph, saying->texts.reference);
    if (known == NULL || !stix_graph_add_run(&reader->graph, known, first))
        fail_for_memory(reader);
}

static void take_terms(struct stix_reader *reader, const struct stix_pattern *pattern,
                       const struct stix_saying *saying)
{
    size_t first = reader->reading->indicators.count;
    for (size_t i = 0; i < pattern->count && reader->reading->failure == 0; i++) {
        struct picket_indicator one = saying->indicator;
        one.port = pattern->terms[i].range.port;
        one.protocol = pattern->terms[i].protocol;
        feed_add(reader->reading, pattern->terms[i].range, &one, &saying->texts);
    }
    note_run(reader, saying, first);
}

static void read_pattern(struct stix_reader *reader, const json_t *object, struct json_slice slice)
{
    struct stix_pattern pattern;
    struct stix_saying saying;
    struct feed_text text = member(object, "pattern");
    if (!stix_pattern_read(&pattern, text.text, text.bytes))
        fail_for_memory(reader);
    if (pattern.reason != NULL)
        skip(reader, object, slice, pattern.reason);
    else if (pattern.count == 0)
        feed_pass_over(reader->reading);
    if (pattern.count > 0 && read_saying(reader, object, slice, &saying))
        take_terms(reader, &pattern, &saying);
    stix_pattern_free(&pattern);
}

/* ---- rules as patterns ---- */

/* The object says more of them than the rules do. */
static void take_rules(struct stix_reader *reader, const struct indicator_list *rules,
                       const struct stix_saying *saying)
{
    size_t first = reader->reading->indicators.count;
    for (size_t i = 0; i < rules->count && reader->reading->failure == 0; i++) {
        const struct picket_indicator *rule = &rules->items[i];
        struct picket_indicator one = saying->indicator;
        struct feed_texts texts = saying->texts;
        one.prefix = rule->prefix;
        one.port = rule->port;
        one.protocol = rule->protocol;
        one.severity = rule->severity;
        texts.malware = (struct feed_text){rule->malware, strlen(rule->malware)};
        if (texts.tags.bytes == 0)
            texts.tags = (struct feed_text){rule->tags, strlen(rule->tags)};
        feed_add_one(reader->reading, &one, &texts);
    }
    note_run(reader, saying, first);
}

static void read_rules(struct stix_reader *reader, const json_t *object, struct json_slice slice)
{
    struct feed_reading rules = {.confidence = 0};
    struct stix_saying saying;
    struct feed_text text = member(object, "pattern");
    feed_read_rules(&rules, text.text, text.bytes);
    if (rules.failure != 0)
        reader->reading->failure = rules.failure;
    else if (rules.problem_count > 0)
        skip(reader, object, slice, rules.problems[0].reason);
    else if (rules.indicators.count == 0)
        feed_pass_over(reader->reading);
    if (rules.indicators.count > 0 && read_saying(reader, object, slice, &saying))
        take_rules(reader, &rules.indicators, &saying);
    feed_reading_free(&rules);
}

/* ---- any ---- */

static void take_indicator(struct stix_reader *reader, const json_t *object,
                           struct json_slice slice)
{
    struct feed_text type = member(object, "pattern_type");
    bool is_stix = type.bytes == 0 || is(type, "stix");
    bool is_rules = is(type, "suricata") || is(type, "snort");
    if (!counts(reader, object) || (!is_stix && !is_rules))
        feed_pass_over(reader->reading);
    else if (member(object, "pattern").bytes == 0)
        skip(reader, object, slice, "the indicator has no pattern");
    else if (is_rules)
        read_rules(reader, object, slice);
    else
        read_pattern(reader, object, slice);
}

/* ---- objects ---- */

static const char *const object_members[] = {"type",       "id",
                                             "pattern",    "pattern_type",
                                             "revoked",    "modified",
                                             "valid_from", "valid_until",
                                             "confidence", "object_marking_refs",
                                             "labels",     "indicator_types",
                                             "name",       "relationship_type",
                                             "source_ref", "target_ref",
                                             "definition", "extensions"};

/* Of most objects nothing is asked. */
static bool is_of_interest(struct feed_text type)
{
    return is(type, "indicator") || is(type, "relationship") || is(type, "marking-definition") ||
           is_named_kind(type);
}

static void dispatch(struct stix_reader *reader, const json_t *object, struct json_slice slice)
{
    struct feed_text type = member(object, "type");
    if (is(type, "indicator"))
        take_indicator(reader, object, slice);
    else if (member(object, "id").bytes == 0)
        return;
    else if (is(type, "relationship"))
        take_relationship(reader, object);
    else if (is(type, "marking-definition"))
        take_marking(reader, object);
    else
        take_named(reader, object);
}

static void read_object(void *context, struct json_slice slice)
{
    struct stix_reader *reader = context;
    struct json_slice type_slice;
    const char *reason = "not a STIX object: it has no type";
    if (!json_slice_member(slice, "type", &type_slice)) {
        feed_skip(reader->reading, slice.line, slice.text, slice.bytes, reason);
        return;
    }
    json_t *type = json_slice_load(type_slice);
    struct feed_text text = {json_string_value(type), json_string_length(type)};
    if (!json_is_string(type)) {
        feed_skip(reader->reading, slice.line, slice.text, slice.bytes, reason);
    } else if (is_of_interest(text)) {
        json_t *object = json_pick(slice, object_members,
                                   sizeof object_members / sizeof *object_members, &reason);
        if (object != NULL)
            dispatch(reader, object, slice);
        else
            feed_skip(reader->reading, slice.line, slice.text, slice.bytes, reason);
        json_decref(object);
    }
    json_decref(type);
}

/* "{}" and {"more":false} are envelopes without objects. */
static bool is_empty_envelope(struct json_slice value)
{
    struct json_slice found;
    return json_slice_is(value, '{') && !json_slice_member(value, "type", &found) &&
           !json_slice_member(value, "id", &found) &&
           (json_slice_member(value, "more", &found) || value.bytes == 2);
}

static bool is_empty_bundle(struct json_slice value)
{
    struct json_slice type;
    return json_slice_member(value, "type", &type) && type.bytes == 8 &&
           memcmp(type.text, "\"bundle\"", 8) == 0;
}

/* An array of objects, a bundle or envelope, or an object. */
static void read_value(void *context, struct json_slice value)
{
    struct stix_reader *reader = context;
    struct json_slice objects;
    if (json_slice_member(value, "objects", &objects) && json_slice_is(objects, '['))
        feed_each_element(reader->reading, objects, read_object, reader);
    else if (!is_empty_envelope(value) && !is_empty_bundle(value))
        feed_each_element(reader->reading, value, read_object, reader);
}

void feed_read_stix(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct stix_reader reader = {.reading = reading};
    stix_graph_begin(&reader.graph, &reading->indicators);
    feed_each_json(reading, text, size_bytes, read_value, &reader);
    if (reading->failure == 0 && !stix_graph_finish(&reader.graph))
        fail_for_memory(&reader);
    stix_graph_free(&reader.graph);
}
