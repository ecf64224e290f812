/* Text for people, in which addresses stand: reports, READMEs, posts. Of each word that is an
 * address, with or without port, defanged or in a URL, the address is taken; the line is its tag.
 */
#include <string.h>

#include "feed_lines.h"
#include "feed_reader.h"
#include "indicator_text.h"

enum {
    SAMPLE_LINES = 1000,
    PROSE_WORDS = 4, /* in a line that is a sentence rather than a list's */
    PROSE_LINES_MIN = 3,
    IPV6_DIGITS_MIN = 4 /* "::" and "a::b" stand in programs, too */
};

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Quotes, parentheses, the marks of Markdown and AsciiDoc, and those that end a sentence. */
static void strip_marks(const char **word, size_t *size)
{
    while (*size > 0 && is_in((*word)[0], "\"'`(<*_|+=-")) {
        (*word)++;
        (*size)--;
    }
    while (*size > 0 && is_in((*word)[*size - 1], "\"'`)>*_|+,;:.!?"))
        (*size)--;
}

static bool is_address(const char *word, size_t size)
{
    struct address_range range;
    size_t digits = 0;
    if (indicator_text_parse(word, size, &range) != NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        digits += !is_in(word[i], ":/[]");
    return range.family == 4 || digits >= IPV6_DIGITS_MIN;
}

static bool take_line(struct feed_reading *reading, const struct feed_lines *line)
{
    const char *rest = line->text, *word;
    size_t left = line->size, size;
    bool any = false;
    while (feed_next_word(&rest, &left, &word, &size)) {
        strip_marks(&word, &size);
        if (size == 0 || !is_address(word, size))
            continue;
        const struct feed_item item = {.line = line->number,
                                       .indicator = {word, size},
                                       .confidence = -1,
                                       .texts.tags = {line->text, line->size}};
        feed_take(reading, &item);
        any = true;
    }
    return any;
}

void feed_read_prose(struct feed_reading *reading, const char *text, size_t size_bytes)
{
    struct feed_lines line;
    bool any = false;
    feed_lines_begin(&line, text, size_bytes);
    while (reading->failure == 0 && feed_lines_next(&line))
        any |= take_line(reading, &line);
    if (!any)
        feed_skip(reading, 1, text, size_bytes < 200 ? size_bytes : 200,
                  "no address in all the text");
}

static bool begins_with_address(const struct feed_lines *line)
{
    const char *rest = line->text, *word;
    size_t left = line->size, size;
    feed_next_word(&rest, &left, &word, &size);
    for (size_t i = 0; i < size; i++)
        if (is_in(word[i], ",;#|"))
            size = i;
    return is_address(word, size);
}

static bool is_sentence(const struct feed_lines *line)
{
    const char *rest = line->text, *word;
    size_t left = line->size, size;
    int words = 0;
    while (words < PROSE_WORDS && feed_next_word(&rest, &left, &word, &size))
        words++;
    return words == PROSE_WORDS;
}

/* Most lines do not begin with an address, and a tenth or more are sentences. */
bool feed_looks_like_prose(const char *text, size_t size_bytes)
{
    struct feed_lines line;
    int lines = 0, listed = 0, sentences = 0;
    feed_lines_begin(&line, text, size_bytes);
    while (lines < SAMPLE_LINES && feed_lines_next(&line)) {
        if (feed_is_comment(line.text, line.size))
            continue;
        lines++;
        if (begins_with_address(&line))
            listed++;
        else if (is_sentence(&line))
            sentences++;
    }
    return sentences >= PROSE_LINES_MIN && sentences * 10 >= lines && listed * 2 < lines;
}
