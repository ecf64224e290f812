#include "feed_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "feed_json.h"
#include "indicator_text.h"
#include "text.h"

static const char *const format_names[FEED_FORMATS] = {
    [FEED_AUTO] = "auto", [FEED_PLAIN] = "plain",    [FEED_CSV] = "csv",   [FEED_NDJSON] = "ndjson",
    [FEED_STIX] = "stix", [FEED_MISP_JSON] = "misp", [FEED_ZEEK] = "zeek", [FEED_RULES] = "rules",
    [FEED_P2P] = "p2p",   [FEED_PROSE] = "text",
};

int feed_format_named(const char *name)
{
    for (int i = 0; i < FEED_FORMATS; i++)
        if (strcmp(name, format_names[i]) == 0)
            return i;
    return -1;
}

void feed_reading_free(struct feed_reading *reading)
{
    indicator_list_free(&reading->indicators);
}

bool feed_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_no_break_space(const char *text)
{
    return memcmp(text, "\xc2\xa0", 2) == 0;
}

bool feed_starts(const char *text, size_t size, const char *with)
{
    size_t length = strlen(with);
    return size >= length && memcmp(text, with, length) == 0;
}

void feed_trim(const char **text, size_t *size)
{
    for (;;) {
        size_t blank = 0;
        if (*size >= 1 && feed_is_blank((*text)[0]))
            blank = 1;
        else if (*size >= 2 && is_no_break_space(*text))
            blank = 2;
        if (blank == 0)
            break;
        *text += blank;
        *size -= blank;
    }
    for (;;) {
        if (*size >= 1 && feed_is_blank((*text)[*size - 1]))
            *size -= 1;
        else if (*size >= 2 && is_no_break_space(*text + *size - 2))
            *size -= 2;
        else
            break;
    }
}

bool feed_is_comment(const char *text, size_t size)
{
    return size > 0 && (text[0] == '#' || text[0] == ';' || feed_starts(text, size, "//"));
}

void feed_skip(struct feed_reading *reading, uint32_t line, const char *text, size_t text_bytes,
               const char *reason)
{
    reading->skipped++;
    if (reading->problem_count == FEED_PROBLEMS_SHOWN)
        return;
    struct picket_feed_line_problem *problem = &reading->problems[reading->problem_count++];
    problem->line = line;
    text_clean(text, text_bytes, problem->text, sizeof problem->text);
    snprintf(problem->reason, sizeof problem->reason, "%s", reason);
}

void feed_pass_over(struct feed_reading *reading)
{
    reading->passed_over++;
}

void feed_refuse(struct feed_reading *reading, const char *format, ...)
{
    va_list arguments;
    if (reading->failure != 0)
        return;
    reading->failure = PICKET_INVALID;
    va_start(arguments, format);
    vsnprintf(reading->refusal, sizeof reading->refusal, format, arguments);
    va_end(arguments);
}

void feed_add_one(struct feed_reading *reading, const struct picket_indicator *indicator,
                  const struct feed_texts *texts)
{
    if (!indicator_list_add(&reading->indicators, indicator, texts))
        reading->failure = PICKET_NO_MEMORY;
    else if (reading->indicators.count > FEED_INDICATORS_MAX)
        reading->failure = PICKET_FULL;
}

void feed_add(struct feed_reading *reading, struct address_range range,
              const struct picket_indicator *like, const struct feed_texts *texts)
{
    struct picket_indicator indicator = *like;
    while (reading->failure == 0 && address_range_next_prefix(&range, &indicator.prefix))
        feed_add_one(reading, &indicator, texts);
}

void feed_take(struct feed_reading *reading, const struct feed_item *item)
{
    struct address_range range;
    const char *reason = indicator_text_parse(item->indicator.text, item->indicator.bytes, &range);
    if (reason != NULL &&
        indicator_text_is_something_else(item->indicator.text, item->indicator.bytes)) {
        feed_pass_over(reading);
        return;
    }
    if (reason == NULL && range.port != 0 && item->port != 0 && range.port != item->port)
        reason = "two different ports";
    if (reason != NULL) {
        feed_skip(reading, item->line, item->indicator.text, item->indicator.bytes, reason);
        return;
    }
    const struct picket_indicator indicator = {
        .port = range.port != 0 ? range.port : item->port,
        .protocol = item->protocol,
        .confidence = (uint8_t)(item->confidence >= 0 ? item->confidence : reading->confidence),
        .severity = item->severity,
        .tlp = item->tlp,
        .line = item->line,
        .listed_ms = item->listed_ms,
        .valid_until_ms = item->valid_until_ms,
    };
    feed_add(reading, range, &indicator, &item->texts);
}

/* ---- which format ---- */

static const char *first_content(const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end && (feed_is_blank(*text) || *text == '\n'))
        text++;
    return text;
}

/* What a feed's address returns when it is not the feed, and what we do not read. */
static const char *foreign_content(const char *text, size_t size)
{
    if (feed_starts(text, size, "\x1f\x8b"))
        return "is compressed (gzip)";
    if (feed_starts(text, size, "PK\x03\x04"))
        return "is a ZIP archive";
    if (feed_starts(text, size, "\xff\xfe") || feed_starts(text, size, "\xfe\xff"))
        return "is UTF-16, not UTF-8";
    const char *content = first_content(text, size);
    size_t left = size - (size_t)(content - text);
    if (left >= 5 &&
        (strncasecmp(content, "<!doc", 5) == 0 || strncasecmp(content, "<html", 5) == 0 ||
         strncasecmp(content, "<?xml", 5) == 0))
        return "is a web page or XML, not a list";
    return NULL;
}

static enum feed_format detect(const char *text, size_t size)
{
    if (feed_is_json(text, size))
        return feed_json_format(text, size);
    if (feed_looks_like_zeek(text, size))
        return FEED_ZEEK;
    if (feed_looks_like_rules(text, size))
        return FEED_RULES;
    if (feed_looks_like_p2p(text, size))
        return FEED_P2P;
    if (feed_looks_like_range_columns(text, size))
        return FEED_PLAIN;
    if (feed_looks_like_csv(text, size))
        return FEED_CSV;
    return feed_looks_like_prose(text, size) ? FEED_PROSE : FEED_PLAIN;
}

static const struct {
    void (*read)(struct feed_reading *, const char *, size_t);
    bool is_json;
} readers[] = {
    [FEED_PLAIN] = {feed_read_plain, false},   [FEED_CSV] = {feed_read_csv, false},
    [FEED_NDJSON] = {feed_read_ndjson, true},  [FEED_STIX] = {feed_read_stix, true},
    [FEED_MISP_JSON] = {feed_read_misp, true}, [FEED_ZEEK] = {feed_read_zeek, false},
    [FEED_RULES] = {feed_read_rules, false},   [FEED_P2P] = {feed_read_p2p, false},
    [FEED_PROSE] = {feed_read_prose, false},
};

static int reading_result(const struct feed_reading *reading, struct picket_error *error)
{
    if (reading->failure == PICKET_NO_MEMORY)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the feed's indicators");
    if (reading->failure == PICKET_FULL)
        return picket_fail(error, PICKET_INVALID, "holds more than %d indicators",
                           FEED_INDICATORS_MAX);
    if (reading->failure == PICKET_INVALID)
        return picket_fail(error, PICKET_INVALID, "%s", reading->refusal);
    return PICKET_OK;
}

static bool has_columns(const struct feed_column_names *columns)
{
    return columns->of[FEED_ADDRESS][0] != '\0';
}

int feed_read(struct feed_reading *reading, const char *text, size_t size,
              const struct feed_options *options, struct picket_error *error)
{
    memset(reading, 0, sizeof *reading);
    reading->confidence = options->confidence;
    reading->columns = has_columns(&options->columns) ? &options->columns : NULL;
    const char *foreign = foreign_content(text, size);
    if (foreign != NULL)
        return picket_fail(error, PICKET_INVALID, "%s", foreign);
    if (feed_starts(text, size, "\xef\xbb\xbf")) {
        text += 3;
        size -= 3;
    }
    reading->format = options->format != FEED_AUTO ? options->format : detect(text, size);
    if (readers[reading->format].is_json != feed_is_json(text, size) && size > 0)
        return picket_fail(error, PICKET_INVALID, "is %s JSON, and its format is given as %s",
                           readers[reading->format].is_json ? "no" : "a document in",
                           format_names[reading->format]);
    readers[reading->format].read(reading, text, size);
    reading->columns = NULL;
    return reading_result(reading, error);
}
