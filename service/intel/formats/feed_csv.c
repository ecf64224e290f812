/* Feeds in CSV (RFC 4180; newlines within quotes too), separated by commas, or by semicolons or
 * tabs if the header is.
 *
 * Which column holds the addresses is found by looking at the first records, since headers mislead;
 * the other columns are known by the header's names (feed_values.h). Or the feed's owner says which
 * they are (feed_columns.h). The header is the first record, or the last comment line in front of
 * it (abuse.ch).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "feed_reader.h"
#include "feed_values.h"
#include "indicator_text.h"

enum {
    FIELDS_MAX = 64,
    RECORD_BYTES_MAX = 64 * 1024, /* a quote never closed costs one line, not the file */
    SAMPLE_RECORDS = 100,
    NO_COLUMN = -1
};

struct field {
    const char *text;
    size_t size;
};

struct record {
    uint32_t line; /* of its first byte */
    const char *start;
    size_t size; /* without the line's end */
    int count;
    bool unclosed; /* a quote that is never closed; the record is then the line */
    struct field fields[FIELDS_MAX];
};

struct cursor {
    const char *at, *end;
    uint32_t line;
    char separator;
};

struct columns {
    int of[FEED_TAGS]; /* NO_COLUMN: there is none */
    bool tags[FIELDS_MAX];
    int named; /* fields the header names; what has no name is a tag */
};

/* ---- records ---- */

/* The closing quote of the field that starts after `at`, or NULL; doubled quotes are content. */
static const char *closing_quote(const char *at, const char *end)
{
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        if (at + 1 >= end || at[1] != '"')
            return at;
        at += 2;
        if (at >= end)
            return NULL;
    }
    return NULL;
}

/* A tab may be the separator. */
static const char *skip_blanks(const char *at, const char *end, char separator)
{
    while (at < end && (*at == ' ' || *at == '\t') && *at != separator)
        at++;
    return at;
}

/* Parses one field at `at`; returns where it ended (a separator, a newline or the end), NULL if a
 * quote is not closed. */
static const char *next_field(const char *at, const char *end, char separator, struct field *field)
{
    const char *quoted = skip_blanks(at, end, separator);
    if (quoted < end && *quoted == '"') {
        const char *limit = end - quoted > RECORD_BYTES_MAX ? quoted + RECORD_BYTES_MAX : end;
        const char *close = closing_quote(quoted + 1, limit);
        if (close == NULL)
            return NULL;
        *field = (struct field){quoted + 1, (size_t)(close - quoted - 1)};
        at = close + 1;
        while (at < end && *at != separator && *at != '\n')
            at++;
    } else {
        const char *start = at;
        while (at < end && *at != separator && *at != '\n')
            at++;
        *field = (struct field){start, (size_t)(at - start)};
    }
    feed_trim(&field->text, &field->size);
    return at;
}

static uint32_t newlines(const char *at, const char *end)
{
    uint32_t count = 0;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static void take_line_whole(struct cursor *cursor, struct record *record)
{
    const char *newline = memchr(record->start, '\n', (size_t)(cursor->end - record->start));
    const char *line_end = newline != NULL ? newline : cursor->end;
    record->size = (size_t)(line_end - record->start);
    record->count = 1;
    record->fields[0] = (struct field){record->start, record->size};
    cursor->at = newline != NULL ? newline + 1 : cursor->end;
    cursor->line++;
}

static bool is_comment(const struct cursor *cursor)
{
    const char *at = skip_blanks(cursor->at, cursor->end, '\0');
    return at < cursor->end &&
           (*at == '#' || *at == ';' || (cursor->end - at >= 2 && at[0] == '/' && at[1] == '/'));
}

static void parse_fields(struct cursor *cursor, struct record *record)
{
    const char *at = cursor->at;
    record->count = 0;
    for (;;) {
        struct field field;
        at = next_field(at, cursor->end, cursor->separator, &field);
        if (at == NULL) {
            record->unclosed = true;
            take_line_whole(cursor, record);
            return;
        }
        if (record->count < FIELDS_MAX)
            record->fields[record->count++] = field;
        if (at == cursor->end || *at == '\n')
            break;
        at++;
    }
    record->size = (size_t)(at - record->start);
    cursor->line += newlines(record->start, at) + 1;
    cursor->at = at < cursor->end ? at + 1 : at;
}

/* The next record that is not blank. Comments are handed out only when asked for, as records of one
 * field. */
static bool next_record(struct cursor *cursor, struct record *record, bool *comment)
{
    while (cursor->at < cursor->end) {
        record->line = cursor->line;
        record->start = cursor->at;
        record->unclosed = false;
        *comment = is_comment(cursor);
        if (*comment)
            take_line_whole(cursor, record);
        else
            parse_fields(cursor, record);
        if (*comment || record->count > 1 || record->fields[0].size > 0)
            return true;
    }
    return false;
}

/* ---- columns ---- */

static void no_columns(struct columns *columns)
{
    memset(columns, 0, sizeof *columns);
    for (int i = 0; i < FEED_TAGS; i++)
        columns->of[i] = NO_COLUMN;
}

/* What the header's fields are called, the first of each kind; the address's column is not taken
 * from it. True if any of them has a name known here. */
static bool read_header(const struct record *header, struct columns *columns)
{
    bool known = false;
    for (int i = 0; i < header->count; i++) {
        enum feed_member member =
            feed_member_called(header->fields[i].text, header->fields[i].size);
        if (member == FEED_MEMBERS)
            continue;
        known = true;
        if (member == FEED_TAGS)
            columns->tags[i] = true;
        else if (member != FEED_ADDRESS && columns->of[member] == NO_COLUMN)
            columns->of[member] = i;
    }
    if (known)
        columns->named = header->count;
    return known;
}

static bool names_address(const struct record *header)
{
    for (int i = 0; i < header->count; i++)
        if (feed_member_called(header->fields[i].text, header->fields[i].size) == FEED_ADDRESS)
            return true;
    return false;
}

static bool is_indicator(struct field field)
{
    struct address_range range;
    return indicator_text_parse(field.text, field.size, &range) == NULL;
}

static bool holds_indicator(const struct record *record)
{
    for (int i = 0; i < record->count; i++)
        if (is_indicator(record->fields[i]))
            return true;
    return false;
}

/* The fields of a comment line: "# DstIP,DstPort". */
static void fields_of_comment(const struct record *comment, char separator, struct record *fields)
{
    const char *at = comment->start, *end = comment->start + comment->size;
    while (at < end && strchr("#;/ \t", *at) != NULL && *at != '\0')
        at++;
    struct cursor cursor = {at, end, 1, separator};
    fields->line = comment->line;
    fields->start = at;
    fields->unclosed = false;
    parse_fields(&cursor, fields);
}

/* Looks at the first records for the header: the first that is no comment and holds no indicator,
 * or else the last comment in front of it that names an address. False: there is none. */
static bool find_header(const char *text, size_t size, char separator, struct record *header)
{
    struct cursor cursor = {text, text + size, 1, separator};
    struct record record, fields;
    bool comment, found = false;
    while (next_record(&cursor, &record, &comment)) {
        if (!comment) {
            if (record.count > 1 && !holds_indicator(&record) &&
                (!found || names_address(&record))) {
                *header = record;
                found = true;
            }
            break;
        }
        fields_of_comment(&record, separator, &fields);
        if (fields.count > 1 && names_address(&fields)) {
            *header = fields;
            found = true;
        }
    }
    return found;
}

/* The column in which the first records have most indicators. */
static void find_address(const char *text, size_t size, char separator, struct columns *columns)
{
    struct cursor cursor = {text, text + size, 1, separator};
    struct record record;
    bool comment;
    unsigned addresses[FIELDS_MAX] = {0}, most = 0;
    for (int sampled = 0; sampled < SAMPLE_RECORDS && next_record(&cursor, &record, &comment);) {
        if (comment)
            continue;
        for (int i = 0; i < record.count; i++)
            addresses[i] += is_indicator(record.fields[i]);
        sampled++;
    }
    for (int i = 0; i < FIELDS_MAX; i++)
        if (addresses[i] > most) {
            most = addresses[i];
            columns->of[FEED_ADDRESS] = i;
        }
}

/* ---- columns that the owner names ---- */

static bool is_called(struct field field, const char *name)
{
    return strlen(name) == field.size && strncasecmp(field.text, name, field.size) == 0;
}

/* "#3" is the third; any other name is looked for in the header. NO_COLUMN: it is not there. */
static int column_called(const struct record *header, const char *name)
{
    char *end;
    if (name[0] == '#') {
        long number = strtol(name + 1, &end, 10);
        return *end == '\0' && number >= 1 && number <= FIELDS_MAX ? (int)number - 1 : NO_COLUMN;
    }
    for (int i = 0; header != NULL && i < header->count; i++)
        if (is_called(header->fields[i], name))
            return i;
    return NO_COLUMN;
}

static bool take_named(struct feed_reading *reading, const struct record *header, const char *name,
                       int *column)
{
    *column = name[0] != '\0' ? column_called(header, name) : NO_COLUMN;
    if (name[0] == '\0' || *column != NO_COLUMN)
        return true;
    if (header == NULL)
        feed_refuse(reading,
                    "has no header, so no column is called \"%s\"; #1, #2, ... are its "
                    "columns",
                    name);
    else
        feed_refuse(reading, "no column is called \"%s\"; the header is \"%.*s\"", name,
                    (int)(header->size < 200 ? header->size : 200), header->start);
    return false;
}

static void take_given(struct feed_reading *reading, const struct record *header,
                       struct columns *columns)
{
    const struct feed_column_names *names = reading->columns;
    int column;
    no_columns(columns);
    columns->named = FIELDS_MAX;
    for (int i = 0; i < FEED_TAGS; i++)
        if (!take_named(reading, header, names->of[i], &columns->of[i]))
            return;
    for (int i = 0; i < FEED_TAG_COLUMNS; i++) {
        if (!take_named(reading, header, names->tags[i], &column))
            return;
        if (column != NO_COLUMN)
            columns->tags[column] = true;
    }
}

static void find_columns(struct feed_reading *reading, const char *text, size_t size,
                         char separator, struct columns *columns)
{
    struct record header;
    bool has_header = find_header(text, size, separator, &header);
    if (reading->columns != NULL) {
        take_given(reading, has_header ? &header : NULL, columns);
        return;
    }
    no_columns(columns);
    if (has_header)
        read_header(&header, columns);
    find_address(text, size, separator, columns);
}

/* ---- values ---- */

static const struct field *column(const struct record *record, int index)
{
    return index >= 0 && index < record->count && record->fields[index].size > 0
               ? &record->fields[index]
               : NULL;
}

static size_t collect_tags(const struct record *record, const struct columns *columns, char *out,
                           size_t out_bytes)
{
    size_t used = 0;
    for (int i = 0; i < record->count && i < FIELDS_MAX; i++) {
        size_t size = record->fields[i].size;
        bool is_tag = columns->tags[i] || i >= columns->named;
        if (!is_tag || i == columns->of[FEED_ADDRESS] || size == 0)
            continue;
        size_t separator = used > 0 ? 2 : 0;
        if (used + separator + size > out_bytes)
            break;
        memcpy(out + used, ", ", separator);
        memcpy(out + used + separator, record->fields[i].text, size);
        used += separator + size;
    }
    return used;
}

/* NULL, or why the record cannot be used. */
static const char *fill_item(const struct columns *columns, const struct record *record,
                             struct feed_item *item)
{
    const struct field *address = column(record, columns->of[FEED_ADDRESS]);
    if (record->unclosed)
        return "a quote is not closed";
    if (address == NULL)
        return "no address";
    item->indicator = (struct feed_text){address->text, address->size};
    for (int i = 0; i < FEED_TAGS; i++) {
        const struct field *field = column(record, columns->of[i]);
        const char *reason =
            field != NULL ? feed_item_set(item, (enum feed_member)i, field->text, field->size)
                          : NULL;
        if (reason != NULL)
            return reason;
    }
    return NULL;
}

static void take_record(struct feed_reading *reading, const struct columns *columns,
                        const struct record *record)
{
    char tags[INDICATOR_TEXT_BYTES];
    struct feed_item item = {.line = record->line, .confidence = -1};
    const char *reason = fill_item(columns, record, &item);
    if (reason != NULL && item.indicator.bytes > 0 &&
        indicator_text_is_something_else(item.indicator.text, item.indicator.bytes)) {
        feed_pass_over(reading);
    } else if (reason != NULL) {
        feed_skip(reading, record->line, record->start, record->size, reason);
    } else {
        item.texts.tags =
            (struct feed_text){tags, collect_tags(record, columns, tags, sizeof tags)};
        feed_take(reading, &item);
    }
}

/* The header in front of the records is no indicator, and nothing that was not understood either.
 */
static bool is_header(const struct feed_reading *reading, const struct columns *columns,
                      const struct record *record)
{
    struct columns scratch;
    const struct field *address = column(record, columns->of[FEED_ADDRESS]);
    no_columns(&scratch);
    return record->count > 1 && (address == NULL || !is_indicator(*address)) &&
           (reading->columns != NULL || read_header(record, &scratch));
}

/* ---- reading ---- */

/* A comma, unless the header has names that are known only if it is separated by something else. */
static char find_separator(const char *text, size_t size)
{
    struct record header;
    static const char others[] = {';', '\t'};
    if (find_header(text, size, ',', &header) && header.count > 1)
        return ',';
    for (size_t i = 0; i < sizeof others; i++)
        if (find_header(text, size, others[i], &header) && names_address(&header))
            return others[i];
    return ',';
}

void feed_read_csv(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct columns columns;
    struct record record;
    bool comment, first = true;
    char separator = find_separator(text, size_bytes);
    find_columns(reading, text, size_bytes, separator, &columns);
    struct cursor cursor = {text, text + size_bytes, 1, separator};
    while (reading->failure == 0 && next_record(&cursor, &record, &comment)) {
        if (comment)
            continue;
        if (!first || !is_header(reading, &columns, &record))
            take_record(reading, &columns, &record);
        first = false;
    }
}

bool feed_looks_like_csv(const char *text, size_t size_bytes)
{
    char separator = find_separator(text, size_bytes);
    struct cursor cursor = {text, text + size_bytes, 1, separator};
    struct record record;
    bool comment;
    int records = 0, with_commas = 0;
    while (records < SAMPLE_RECORDS && next_record(&cursor, &record, &comment)) {
        if (comment)
            continue;
        records++;
        with_commas += record.count > 1;
    }
    return records > 0 && with_commas * 2 > records;
}
