/* Lists of peer-to-peer programs: ranges with who owns them.
 *
 *     203.000.113.001 - 203.000.113.099 , 100 , Some company      ipfilter.dat
 *     Some company:203.0.113.1-203.0.113.99                       guarding.p2p
 *
 * In the first, a level of 128 or more says that the range is not to be blocked (eMule). */
#include <string.h>

#include "feed_lines.h"
#include "feed_reader.h"
#include "indicator_text.h"

enum { SAMPLE_LINES = 100, LEVEL_ALLOWED = 128 };

struct entry {
    struct feed_text range, name;
    int level; /* negative: it has none */
};

static bool is_range(struct feed_text text)
{
    struct address_range range;
    return memchr(text.text, '-', text.bytes) != NULL &&
           indicator_text_parse(text.text, text.bytes, &range) == NULL;
}

static bool take_level(struct feed_text text, int *level)
{
    *level = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.text[i] < '0' || text.text[i] > '9' || *level > 999)
            return false;
        *level = *level * 10 + (text.text[i] - '0');
    }
    return text.bytes > 0;
}

/* The text in front of c, and what is behind it. */
static bool cut(struct feed_text whole, char c, bool last, struct feed_text *front,
                struct feed_text *behind)
{
    const char *at =
        last ? memrchr(whole.text, c, whole.bytes) : memchr(whole.text, c, whole.bytes);
    if (at == NULL)
        return false;
    *front = (struct feed_text){whole.text, (size_t)(at - whole.text)};
    *behind = (struct feed_text){at + 1, whole.bytes - front->bytes - 1};
    feed_trim(&front->text, &front->bytes);
    feed_trim(&behind->text, &behind->bytes);
    return true;
}

/* "RANGE , LEVEL , NAME" */
static bool parse_dat(struct feed_text line, struct entry *entry)
{
    struct feed_text rest, level;
    if (!cut(line, ',', false, &entry->range, &rest))
        return false;
    if (!cut(rest, ',', false, &level, &entry->name)) {
        level = rest;
        entry->name = (struct feed_text){"", 0};
    }
    return take_level(level, &entry->level) &&
           memchr(entry->range.text, '-', entry->range.bytes) != NULL;
}

/* "NAME:RANGE"; a name may hold colons. */
static bool parse_p2p(struct feed_text line, struct entry *entry)
{
    entry->level = -1;
    return cut(line, ':', true, &entry->name, &entry->range) && is_range(entry->range);
}

static void take_line(struct feed_reading *reading, const struct feed_lines *line)
{
    struct feed_text whole = {line->text, line->size};
    struct entry entry;
    if (!parse_dat(whole, &entry) && !parse_p2p(whole, &entry))
        entry = (struct entry){.range = whole, .level = -1};
    if (entry.level >= LEVEL_ALLOWED) {
        feed_pass_over(reading);
        return;
    }
    const struct feed_item item = {
        .line = line->number, .indicator = entry.range, .confidence = -1, .texts.tags = entry.name};
    feed_take(reading, &item);
}

void feed_read_p2p(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct feed_lines line;
    feed_lines_begin(&line, text, size_bytes);
    while (reading->failure == 0 && feed_lines_next(&line))
        if (!feed_is_comment(line.text, line.size))
            take_line(reading, &line);
}

bool feed_looks_like_p2p(const char *text, size_t size_bytes)
{
    struct feed_lines line;
    int sampled = 0, entries = 0;
    feed_lines_begin(&line, text, size_bytes);
    while (sampled < SAMPLE_LINES && feed_lines_next(&line)) {
        struct feed_text whole = {line.text, line.size};
        struct entry entry;
        if (feed_is_comment(line.text, line.size))
            continue;
        sampled++;
        entries += (parse_dat(whole, &entry) && is_range(entry.range)) || parse_p2p(whole, &entry);
    }
    return entries * 2 > sampled;
}
