#include "page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { PARAGRAPH_INDENT = 2, STEP_INDENT = 3, PARAGRAPH_WIDTH = 100 };

/* Where the next word goes. */
struct place {
    size_t column;
    size_t indent; /* of further lines */
    size_t width;
    bool at_start; /* nothing since the line's label or indentation */
};

static void break_line(struct place *place)
{
    printf("\n%*s", (int)place->indent, "");
    place->column = place->indent;
    place->at_start = true;
}

static void print_word(struct place *place, const char *word)
{
    size_t width = text_width(word);
    if (!place->at_start && place->column + 1 + width > place->width)
        break_line(place);
    place->column += width + !place->at_start;
    printf("%s%s", place->at_start ? "" : " ", word);
    place->at_start = false;
}

void page_text(size_t column, size_t indent, const char *text)
{
    size_t terminal = text_terminal_columns();
    struct place place = {column, indent, terminal ? terminal : SIZE_MAX, true};
    char *safe = text_printable_copy(text), *rest = safe;
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
        print_word(&place, word);
    putchar('\n');
    free(safe);
}

void page_line(const char *label, size_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = text_formatted(format, arguments);
    va_end(arguments);
    int printed = printf("%-*s", (int)column, label);
    bool touches = column > 0 && strlen(label) >= column;
    fputs(touches ? " " : "", stdout);
    page_text((size_t)printed + touches, column, text);
    free(text);
}

/* "3." */
static bool is_step(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    return digits > 0 && strcmp(word + digits, ".") == 0;
}

void page_paragraph(const char *text)
{
    size_t terminal = text_terminal_columns();
    struct place place = {PARAGRAPH_INDENT, PARAGRAPH_INDENT, PARAGRAPH_WIDTH, true};
    if (terminal && terminal < PARAGRAPH_WIDTH)
        place.width = terminal;
    char *safe = text_printable_copy(text), *rest = safe;
    printf("%*s", PARAGRAPH_INDENT, "");
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        if (is_step(word)) {
            place.indent = PARAGRAPH_INDENT;
            if (!place.at_start)
                break_line(&place);
            place.indent += STEP_INDENT;
        }
        print_word(&place, word);
    }
    putchar('\n');
    free(safe);
}
