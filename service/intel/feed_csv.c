/* Feeds in CSV (RFC 4180; newlines within quotes too).
 *
 * Which column holds the addresses is found by looking at the first records, since headers mislead;
 * the other columns are known by the header's names: port, tags, confidence, valid until. The
 * header is the first record, or the last comment line in front of it (abuse.ch).
 */
#include <string.h>
#include <strings.h>

#include "feed_reader.h"
#include "indicator_text.h"
#include "picket/base/time.h"

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
};

struct columns {
    int address, port, confidence, valid_until;
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

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Parses one field at `at`; returns where it ended (a comma, a newline or the end), NULL if a quote
 * is not closed. */
static const char *next_field(const char *at, const char *end, struct field *field)
{
    const char *quoted = skip_blanks(at, end);
    if (quoted < end && *quoted == '"') {
        const char *limit = end - quoted > RECORD_BYTES_MAX ? quoted + RECORD_BYTES_MAX : end;
        const char *close = closing_quote(quoted + 1, limit);
        if (close == NULL)
            return NULL;
        *field = (struct field){quoted + 1, (size_t)(close - quoted - 1)};
        at = close + 1;
        while (at < end && *at != ',' && *at != '\n')
            at++;
    } else {
        const char *start = at;
        while (at < end && *at != ',' && *at != '\n')
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
    const char *at = skip_blanks(cursor->at, cursor->end);
    return at < cursor->end &&
           (*at == '#' || *at == ';' || (cursor->end - at >= 2 && at[0] == '/' && at[1] == '/'));
}

static void parse_fields(struct cursor *cursor, struct record *record)
{
    const char *at = cursor->at;
    record->count = 0;
    for (;;) {
        struct field field;
        at = next_field(at, cursor->end, &field);
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

static bool named(struct field field, const char *const *names, size_t count)
{
    char name[32];
    size_t size = 0;
    for (size_t i = 0; i < field.size && size < sizeof name - 1; i++)
        if (strchr(" _-\"", field.text[i]) == NULL)
            name[size++] = field.text[i];
    name[size] = '\0';
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

#define NAMED(field, ...)                                                                          \
    named(field, (const char *const[]){__VA_ARGS__},                                               \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static bool names_address(struct field field)
{
    return NAMED(field, "ip", "ipaddress", "dstip", "destip", "destinationip", "srcip", "sourceip",
                 "address", "ioc", "iocvalue", "indicator", "indicatorvalue", "value", "cidr",
                 "network", "netblock", "prefix", "subnet", "range", "host", "ip:port", "data");
}

static bool names_tags(struct field field)
{
    return NAMED(field, "malware", "malwarefamily", "malwareprintable", "family", "tag", "tags",
                 "category", "categories", "threat", "threattype", "threatname", "detail", "note",
                 "notes", "reason", "comment", "description", "campaign");
}

/* What the header's fields are called. True if any of them has a name known here. */
static bool read_header(const struct record *header, struct columns *columns)
{
    bool known = false;
    for (int i = 0; i < header->count; i++) {
        struct field field = header->fields[i];
        if (NAMED(field, "port", "dstport", "destport", "destinationport", "srcport"))
            columns->port = i;
        else if (NAMED(field, "confidence", "confidencelevel", "confidencescore",
                       "abuseconfidencescore", "score"))
            columns->confidence = i;
        else if (NAMED(field, "validuntil", "validto", "expires", "expiry", "expiration",
                       "expirationdate"))
            columns->valid_until = i;
        else if (names_tags(field))
            columns->tags[i] = true;
        else if (!names_address(field))
            continue;
        known = true;
    }
    if (known)
        columns->named = header->count;
    return known;
}

static bool is_indicator(struct field field)
{
    struct address_range range;
    return indicator_text_parse(field.text, field.size, &range) == NULL;
}

static void no_columns(struct columns *columns)
{
    memset(columns, 0, sizeof *columns);
    columns->address = columns->port = columns->confidence = columns->valid_until = NO_COLUMN;
}

/* "# DstIP,DstPort": a comment that names an address column is the header. */
static void header_in_comment(const struct record *comment, struct columns *columns)
{
    struct record header = {.line = comment->line};
    const char *at = comment->start, *end = comment->start + comment->size;
    while (at < end && strchr("#;/ \t", *at) != NULL)
        at++;
    struct cursor cursor = {at, end, 1};
    header.start = at;
    parse_fields(&cursor, &header);
    bool names_one = false;
    for (int i = 0; i < header.count; i++)
        names_one |= names_address(header.fields[i]);
    if (header.count < 2 || !names_one)
        return;
    no_columns(columns);
    read_header(&header, columns);
}

/* Looks at the first records: which column holds addresses, and where the header is. */
static void find_columns(const char *text, size_t size, struct columns *columns)
{
    struct cursor cursor = {text, text + size, 1};
    struct record record;
    bool comment, first = true;
    unsigned addresses[FIELDS_MAX] = {0};
    no_columns(columns);
    for (int sampled = 0; sampled < SAMPLE_RECORDS && next_record(&cursor, &record, &comment);) {
        if (comment) {
            if (first)
                header_in_comment(&record, columns);
            continue;
        }
        bool has_address = false;
        for (int i = 0; i < record.count; i++) {
            bool is = is_indicator(record.fields[i]);
            addresses[i] += is;
            has_address |= is;
        }
        if (first && !has_address)
            read_header(&record, columns);
        first = false;
        sampled++;
    }
    unsigned most = 0;
    for (int i = 0; i < FIELDS_MAX; i++)
        if (addresses[i] > most) {
            most = addresses[i];
            columns->address = i;
        }
}

/* ---- values ---- */

static bool parse_decimal(struct field field, int max, int *number)
{
    *number = 0;
    for (size_t i = 0; i < field.size; i++) {
        if (field.text[i] < '0' || field.text[i] > '9' || *number > max)
            return false;
        *number = *number * 10 + (field.text[i] - '0');
    }
    return field.size > 0 && *number <= max;
}

/* 0..100, with or without "%", or a word; negative: says nothing of use. */
static int parse_confidence(struct field field)
{
    int percent;
    if (NAMED(field, "high"))
        return 90;
    if (NAMED(field, "medium", "moderate"))
        return 60;
    if (NAMED(field, "low"))
        return 30;
    if (field.size > 1 && field.text[field.size - 1] == '%')
        field.size--;
    return parse_decimal(field, 100, &percent) ? percent : -1;
}

/* RFC 3339 or its date, "2024-04-07 00:00:00" (UTC), Unix seconds. */
static bool parse_time(struct field field, int64_t *unix_ms)
{
    char text[48];
    if (field.size < 8 || field.size >= sizeof text - 1)
        return false;
    memcpy(text, field.text, field.size);
    text[field.size] = '\0';
    if (field.size == 19 && (text[10] == ' ' || text[10] == 'T')) {
        text[10] = 'T';
        memcpy(text + 19, "Z", 2);
    }
    return picket_time_parse(text, unix_ms);
}

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
        if (!is_tag || i == columns->address || size == 0)
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

static void take_record(struct feed_reading *reading, const struct columns *columns,
                        const struct record *record)
{
    char tags[INDICATOR_TEXT_BYTES];
    int port = 0;
    const struct field *address = column(record, columns->address);
    const struct field *port_field = column(record, columns->port);
    const struct field *confidence = column(record, columns->confidence);
    const struct field *valid_until = column(record, columns->valid_until);
    struct feed_item item = {.line = record->line, .confidence = -1};
    const char *reason = NULL;
    if (record->unclosed)
        reason = "a quote is not closed";
    else if (address == NULL)
        reason = "no address";
    else if (port_field != NULL && !parse_decimal(*port_field, 65535, &port))
        reason = "the port is not a number from 1 to 65535";
    else if (valid_until != NULL && !parse_time(*valid_until, &item.valid_until_ms))
        reason = "the time until which it is valid cannot be read";
    if (reason != NULL) {
        feed_skip(reading, record->line, record->start, record->size, reason);
        return;
    }
    item.indicator = (struct feed_text){address->text, address->size};
    item.port = (uint16_t)port;
    if (confidence != NULL)
        item.confidence = parse_confidence(*confidence);
    item.texts.tags = (struct feed_text){tags, collect_tags(record, columns, tags, sizeof tags)};
    feed_take(reading, &item);
}

/* The header in front of the records is no indicator, and nothing that was not understood either.
 */
static bool is_header(const struct columns *columns, const struct record *record)
{
    struct columns scratch;
    memset(&scratch, 0, sizeof scratch);
    const struct field *address = column(record, columns->address);
    return record->count > 1 && (address == NULL || !is_indicator(*address)) &&
           read_header(record, &scratch);
}

void feed_read_csv(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct columns columns;
    struct record record;
    bool comment, first = true;
    find_columns(text, size_bytes, &columns);
    struct cursor cursor = {text, text + size_bytes, 1};
    while (reading->failure == 0 && next_record(&cursor, &record, &comment)) {
        if (comment)
            continue;
        if (!first || !is_header(&columns, &record))
            take_record(reading, &columns, &record);
        first = false;
    }
}

bool feed_looks_like_csv(const char *text, size_t size_bytes)
{
    struct cursor cursor = {text, text + size_bytes, 1};
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
