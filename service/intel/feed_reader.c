#include "feed_reader.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../text.h"
#include "indicator_text.h"

int feed_format_named(const char *name)
{
    static const char *const names[] = {"auto", "plain", "csv", "ndjson"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

void feed_reading_free(struct feed_reading *reading)
{
    indicator_list_free(&reading->indicators);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_no_break_space(const char *text)
{
    return memcmp(text, "\xc2\xa0", 2) == 0;
}

void feed_trim(const char **text, size_t *size)
{
    for (;;) {
        size_t blank = 0;
        if (*size >= 1 && is_blank((*text)[0]))
            blank = 1;
        else if (*size >= 2 && is_no_break_space(*text))
            blank = 2;
        if (blank == 0)
            break;
        *text += blank;
        *size -= blank;
    }
    for (;;) {
        if (*size >= 1 && is_blank((*text)[*size - 1]))
            *size -= 1;
        else if (*size >= 2 && is_no_break_space(*text + *size - 2))
            *size -= 2;
        else
            break;
    }
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

static bool add_range(struct feed_reading *reading, struct address_range range,
                      const struct feed_item *item)
{
    struct picket_indicator indicator = {
        .port = range.port != 0 ? range.port : item->port,
        .protocol = item->protocol,
        .confidence = (uint8_t)(item->confidence >= 0 ? item->confidence : reading->confidence),
        .severity = item->severity,
        .tlp = item->tlp,
        .line = item->line,
        .listed_ms = item->listed_ms,
        .valid_until_ms = item->valid_until_ms,
    };
    while (address_range_next_prefix(&range, &indicator.prefix))
        if (!indicator_list_add(&reading->indicators, &indicator, &item->texts))
            return false;
    return true;
}

void feed_take(struct feed_reading *reading, const struct feed_item *item)
{
    struct address_range range;
    const char *reason = indicator_text_parse(item->indicator.text, item->indicator.bytes, &range);
    if (reason == NULL && range.port != 0 && item->port != 0 && range.port != item->port)
        reason = "two different ports";
    if (reason != NULL)
        feed_skip(reading, item->line, item->indicator.text, item->indicator.bytes, reason);
    else if (!add_range(reading, range, item))
        reading->failure = PICKET_NO_MEMORY;
    else if (reading->indicators.count > FEED_INDICATORS_MAX)
        reading->failure = PICKET_FULL;
}

/* ---- plain lists ---- */

static bool starts(const char *text, size_t size, const char *with)
{
    size_t length = strlen(with);
    return size >= length && memcmp(text, with, length) == 0;
}

static bool is_comment(const char *text, size_t size)
{
    return text[0] == '#' || text[0] == ';' || starts(text, size, "//");
}

/* Where the indicator at the start of the line ends: at a blank, a comma, a quote or a comment. */
static size_t indicator_end(const char *text, size_t size)
{
    size_t end = 0;
    while (end < size && !is_blank(text[end]) && text[end] != ',' && text[end] != ';' &&
           text[end] != '#' && text[end] != '|' && text[end] != '"')
        end++;
    return end;
}

/* "A - B", as p2p lists write ranges: the end of B, or what it was. */
static size_t spaced_range_end(const char *text, size_t size, size_t end)
{
    size_t at = end;
    while (at < size && (text[at] == ' ' || text[at] == '\t'))
        at++;
    if (at == end || at + 1 >= size || text[at] != '-' ||
        (text[at + 1] != ' ' && text[at + 1] != '\t'))
        return end;
    at++;
    while (at < size && (text[at] == ' ' || text[at] == '\t'))
        at++;
    return at + indicator_end(text + at, size - at);
}

/* DShield's block list has start, end and prefix length in three columns. */
static bool take_columns(struct feed_reading *reading, uint32_t line, const char *text, size_t size)
{
    char prefix[64];
    struct address_range range, last;
    const char *tab = memchr(text, '\t', size);
    if (tab == NULL || tab - text > 45)
        return false;
    const char *second = tab + 1;
    size_t second_size = indicator_end(second, size - (size_t)(second - text));
    const char *third = second + second_size + 1;
    if (second_size < 7 || second_size > 45 || third >= text + size)
        return false;
    const char *rest = third;
    while (rest < text + size && *rest >= '0' && *rest <= '9')
        rest++;
    int prefix_size = snprintf(prefix, sizeof prefix, "%.*s/%.*s", (int)(tab - text), text,
                               rest - third > 3 ? 3 : (int)(rest - third), third);
    if (rest == third || indicator_text_parse(prefix, (size_t)prefix_size, &range) != NULL ||
        indicator_text_parse(second, second_size, &last) != NULL || range.last != last.last)
        return false;
    size_t rest_size = size - (size_t)(rest - text);
    feed_trim(&rest, &rest_size);
    struct feed_item item = {.line = line,
                             .indicator = {prefix, (size_t)prefix_size},
                             .confidence = -1,
                             .texts.tags = {rest, rest_size}};
    feed_take(reading, &item);
    return true;
}

static void read_line(struct feed_reading *reading, uint32_t line, const char *text, size_t size)
{
    feed_trim(&text, &size);
    if (size == 0 || is_comment(text, size) || take_columns(reading, line, text, size))
        return;
    if (text[0] == '"') {
        text++;
        size--;
    }
    size_t end = indicator_end(text, size);
    end = spaced_range_end(text, size, end);
    const char *rest = text + end;
    size_t rest_size = size - end;
    while (rest_size > 0 && strchr(" \t,;#|\"/", rest[0]) != NULL && rest[0] != '\0') {
        rest++;
        rest_size--;
    }
    struct feed_item item = {
        .line = line, .indicator = {text, end}, .confidence = -1, .texts.tags = {rest, rest_size}};
    feed_take(reading, &item);
}

static void read_plain(struct feed_reading *reading, const char *text, size_t size)
{
    const char *end = text + size;
    for (uint32_t line = 1; text < end && reading->failure == 0; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        read_line(reading, line, text, (size_t)(line_end - text));
        text = line_end + 1;
    }
}

/* ---- which format ---- */

static const char *first_content(const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end && (is_blank(*text) || *text == '\n'))
        text++;
    return text;
}

static bool is_json_document(const char *text, size_t size)
{
    const char *content = first_content(text, size);
    size_t left = size - (size_t)(content - text);
    if (left == 0 || (content[0] != '{' && content[0] != '['))
        return false;
    if (content[0] == '{')
        return true;
    const char *inner = first_content(content + 1, left - 1);
    return inner == text + size || *inner == '{' || *inner == '[' || *inner == '"' || *inner == ']';
}

/* Suricata's and Snort's: "alert ip $HOME_NET any -> [198.51.100.7] any (...)". They hold
 * addresses, and commas, but read as CSV they would be read by half. */
static bool is_rules(const char *text, size_t size)
{
    static const char *const actions[] = {"alert ", "drop ", "reject ", "pass ", "log "};
    const char *end = text + size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line = text;
        size_t left = (size_t)((newline != NULL ? newline : end) - text);
        text += left + 1;
        feed_trim(&line, &left);
        if (left == 0 || is_comment(line, left))
            continue;
        for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
            if (starts(line, left, actions[i]) && memmem(line, left, " -> ", 4) != NULL)
                return true;
        return false;
    }
    return false;
}

/* What a feed's address returns when it is not the feed, and what we do not read. */
static const char *foreign_content(const char *text, size_t size)
{
    if (starts(text, size, "\x1f\x8b"))
        return "is compressed (gzip)";
    if (starts(text, size, "PK\x03\x04"))
        return "is a ZIP archive";
    if (starts(text, size, "\xff\xfe") || starts(text, size, "\xfe\xff"))
        return "is UTF-16, not UTF-8";
    const char *content = first_content(text, size);
    size_t left = size - (size_t)(content - text);
    if (left >= 5 &&
        (strncasecmp(content, "<!doc", 5) == 0 || strncasecmp(content, "<html", 5) == 0 ||
         strncasecmp(content, "<?xml", 5) == 0))
        return "is a web page or XML, not a list";
    if (is_rules(text, size))
        return "holds Suricata or Snort rules; plain lists, CSV and NDJSON are read";
    return NULL;
}

static enum feed_format detect(const char *text, size_t size)
{
    if (feed_looks_like_ndjson(text, size))
        return FEED_NDJSON;
    return feed_looks_like_csv(text, size) ? FEED_CSV : FEED_PLAIN;
}

static int reading_result(const struct feed_reading *reading, struct picket_error *error)
{
    if (reading->failure == PICKET_NO_MEMORY)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the feed's indicators");
    if (reading->failure == PICKET_FULL)
        return picket_fail(error, PICKET_INVALID, "holds more than %d indicators",
                           FEED_INDICATORS_MAX);
    return PICKET_OK;
}

int feed_read(struct feed_reading *reading, const char *text, size_t size, enum feed_format format,
              int confidence, struct picket_error *error)
{
    memset(reading, 0, sizeof *reading);
    reading->confidence = confidence;
    const char *foreign = foreign_content(text, size);
    if (foreign != NULL)
        return picket_fail(error, PICKET_INVALID, "%s", foreign);
    if (starts(text, size, "\xef\xbb\xbf")) {
        text += 3;
        size -= 3;
    }
    reading->format = format != FEED_AUTO ? format : detect(text, size);
    if (reading->format != FEED_NDJSON && is_json_document(text, size))
        return picket_fail(error, PICKET_INVALID,
                           "is a JSON document; plain lists, CSV and NDJSON are read");
    if (reading->format == FEED_CSV)
        feed_read_csv(reading, text, size);
    else if (reading->format == FEED_NDJSON)
        feed_read_ndjson(reading, text, size);
    else
        read_plain(reading, text, size);
    return reading_result(reading, error);
}
