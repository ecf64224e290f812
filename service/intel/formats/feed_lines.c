#include "feed_lines.h"

#include <string.h>

#include "feed_reader.h"

void feed_lines_begin(struct feed_lines *lines, const char *text, size_t size)
{
    *lines = (struct feed_lines){.at = text, .end = text + size};
}

bool feed_lines_next(struct feed_lines *lines)
{
    while (lines->at < lines->end) {
        const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
        const char *line_end = newline != NULL ? newline : lines->end;
        lines->number++;
        lines->text = lines->at;
        lines->size = (size_t)(line_end - lines->at);
        lines->at = newline != NULL ? newline + 1 : lines->end;
        feed_trim(&lines->text, &lines->size);
        if (lines->size > 0)
            return true;
    }
    return false;
}

bool feed_next_word(const char **text, size_t *size, const char **word, size_t *word_size)
{
    feed_trim(text, size);
    size_t end = 0;
    while (end < *size && !feed_is_blank((*text)[end]))
        end++;
    *word = *text;
    *word_size = end;
    *text += end;
    *size -= end;
    return end > 0;
}
