/* Plain lists: one indicator a line, comments, trailing text. */
#include <stdio.h>
#include <string.h>

#include "feed_lines.h"
#include "feed_reader.h"
#include "indicator_text.h"

enum { SAMPLE_LINES = 100 };

/* Where the indicator at the start of the line ends: at a blank, a comma, a quote or a comment. */
static size_t indicator_end(const char *text, size_t size)
{
    size_t end = 0;
    while (end < size && !feed_is_blank(text[end]) && text[end] != ',' && text[end] != ';' &&
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
struct range_columns {
    char prefix[64];
    struct feed_text rest;
};

static bool parse_columns(const char *text, size_t size, struct range_columns *columns)
{
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
    int prefix_size =
        snprintf(columns->prefix, sizeof columns->prefix, "%.*s/%.*s", (int)(tab - text), text,
                 rest - third > 3 ? 3 : (int)(rest - third), third);
    columns->rest = (struct feed_text){rest, size - (size_t)(rest - text)};
    feed_trim(&columns->rest.text, &columns->rest.bytes);
    return rest != third &&
           indicator_text_parse(columns->prefix, (size_t)prefix_size, &range) == NULL &&
           indicator_text_parse(second, second_size, &last) == NULL && range.last == last.last;
}

static bool take_columns(struct feed_reading *reading, uint32_t line, const char *text, size_t size)
{
    struct range_columns columns;
    if (!parse_columns(text, size, &columns))
        return false;
    struct feed_item item = {.line = line,
                             .indicator = {columns.prefix, strlen(columns.prefix)},
                             .confidence = -1,
                             .texts.tags = columns.rest};
    feed_take(reading, &item);
    return true;
}

bool feed_looks_like_range_columns(const char *text, size_t size)
{
    struct feed_lines line;
    struct range_columns columns;
    int sampled = 0, ranges = 0;
    feed_lines_begin(&line, text, size);
    while (sampled < SAMPLE_LINES && feed_lines_next(&line)) {
        if (feed_is_comment(line.text, line.size))
            continue;
        sampled++;
        ranges += parse_columns(line.text, line.size, &columns);
    }
    return ranges * 2 > sampled;
}

static void read_line(struct feed_reading *reading, uint32_t line, const char *text, size_t size)
{
    feed_trim(&text, &size);
    if (size == 0 || feed_is_comment(text, size) || take_columns(reading, line, text, size))
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

void feed_read_plain(struct feed_reading *reading, const char *text, size_t size)
{
    const char *end = text + size;
    for (uint32_t line = 1; text < end && reading->failure == 0; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        read_line(reading, line, text, (size_t)(line_end - text));
        text = line_end + 1;
    }
}
