/* Zeek's intelligence files: tab-separated, "#fields" names the columns.
 *
 *     #fields	indicator	indicator_type	meta.source	meta.desc	meta.url
 *     203.0.113.9	Intel::ADDR	ours	Mirai	-
 *
 * Source: the Zeek manual, Intelligence Framework. */
#include <string.h>

#include "feed_json.h"
#include "feed_lines.h"
#include "feed_reader.h"
#include "feed_values.h"

enum { FIELDS_MAX = 32 };

enum column { INDICATOR, TYPE, SOURCE, DESCRIPTION, URL, CONFIDENCE, COLUMNS };

static const char *const column_names[COLUMNS] = {
    [INDICATOR] = "indicator",   [TYPE] = "indicator_type", [SOURCE] = "meta.source",
    [DESCRIPTION] = "meta.desc", [URL] = "meta.url",        [CONFIDENCE] = "meta.confidence",
};

struct fields {
    int count;
    struct feed_text of[FIELDS_MAX];
};

static void split(const char *text, size_t size, struct fields *fields)
{
    fields->count = 0;
    for (;;) {
        const char *tab = memchr(text, '\t', size);
        struct feed_text field = {text, tab != NULL ? (size_t)(tab - text) : size};
        feed_trim(&field.text, &field.bytes);
        if (fields->count < FIELDS_MAX)
            fields->of[fields->count++] = field;
        if (tab == NULL)
            return;
        size -= (size_t)(tab + 1 - text);
        text = tab + 1;
    }
}

static bool is(struct feed_text text, const char *wanted)
{
    return strlen(wanted) == text.bytes && memcmp(text.text, wanted, text.bytes) == 0;
}

/* fields->of[0] is "#fields" itself. */
static void read_header(const struct fields *fields, int columns[COLUMNS])
{
    for (int column = 0; column < COLUMNS; column++) {
        columns[column] = -1;
        for (int i = 1; i < fields->count; i++)
            if (is(fields->of[i], column_names[column]))
                columns[column] = i - 1;
    }
}

/* "-" and "(empty)" are Zeek's for nothing. */
static struct feed_text field(const struct fields *fields, int column)
{
    const struct feed_text none = {"", 0};
    if (column < 0 || column >= fields->count || is(fields->of[column], "-") ||
        is(fields->of[column], "(empty)"))
        return none;
    return fields->of[column];
}

static void take_line(struct feed_reading *reading, const struct feed_lines *line,
                      const struct fields *fields, const int columns[COLUMNS])
{
    struct feed_joined tags = {.bytes = 0};
    struct feed_text type = field(fields, columns[TYPE]),
                     confidence = field(fields, columns[CONFIDENCE]),
                     source = field(fields, columns[SOURCE]),
                     description = field(fields, columns[DESCRIPTION]);
    struct feed_item item = {.line = line->number,
                             .indicator = field(fields, columns[INDICATOR]),
                             .confidence = -1,
                             .texts.reference = field(fields, columns[URL])};
    if (item.indicator.bytes == 0 || type.bytes == 0) {
        feed_skip(reading, line->number, line->text, line->size,
                  "the indicator, or its type, is missing");
        return;
    }
    if (!is(type, "Intel::ADDR") && !is(type, "Intel::SUBNET")) {
        feed_pass_over(reading);
        return;
    }
    feed_item_set(&item, FEED_CONFIDENCE, confidence.text, confidence.bytes);
    feed_join_new(&tags, source.text, source.bytes);
    feed_join_new(&tags, description.text, description.bytes);
    item.texts.tags = (struct feed_text){tags.text, tags.bytes};
    feed_take(reading, &item);
}

void feed_read_zeek(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct feed_lines line;
    struct fields fields;
    int columns[COLUMNS] = {-1, -1, -1, -1, -1, -1};
    feed_lines_begin(&line, text, size_bytes);
    while (reading->failure == 0 && feed_lines_next(&line)) {
        split(line.text, line.size, &fields);
        if (is(fields.of[0], "#fields"))
            read_header(&fields, columns);
        else if (line.text[0] != '#')
            take_line(reading, &line, &fields, columns);
    }
}

bool feed_looks_like_zeek(const char *text, size_t size_bytes)
{
    struct feed_lines line;
    struct fields fields;
    feed_lines_begin(&line, text, size_bytes);
    while (feed_lines_next(&line) && line.text[0] == '#') {
        int columns[COLUMNS];
        split(line.text, line.size, &fields);
        read_header(&fields, columns);
        if (is(fields.of[0], "#fields") && columns[INDICATOR] >= 0)
            return true;
    }
    return false;
}
