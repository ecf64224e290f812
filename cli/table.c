#include "table.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { GAP = 2, CUT_WIDTH_MIN = 8 };

void table_begin(struct table *table, int columns, ...)
{
    va_list titles;
    memset(table, 0, sizeof *table);
    table->columns = columns;
    va_start(titles, columns);
    for (int i = 0; i < columns; i++) {
        const char *title = va_arg(titles, const char *);
        table->right[i] = *title == '>';
        table->may_cut[i] = *title == '~';
        table->titles[i] = title + (*title == '>' || *title == '~');
        table->widths[i] = text_width(table->titles[i]);
    }
    va_end(titles);
}

static void grow(struct table *table)
{
    table->capacity = table->capacity ? 2 * table->capacity : 64;
    table->cells = realloc(table->cells, table->capacity * sizeof *table->cells);
    table->colors = realloc(table->colors, table->capacity * sizeof *table->colors);
    if (!table->cells || !table->colors)
        abort();
}

void table_cell(struct table *table, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    if (table->count == table->capacity)
        grow(table);
    char *cell = text_printable_copy(text);
    free(text);
    int column = (int)(table->count % (size_t)table->columns);
    size_t width = text_width(cell);
    if (width > table->widths[column])
        table->widths[column] = width;
    table->colors[table->count] = table->next_color;
    table->cells[table->count++] = cell;
    table->next_color = NULL;
}

const char *severity_color(const char *severity)
{
    if (!text_may_color())
        return "";
    if (strcmp(severity, "high") == 0)
        return "\033[1;31m";
    return strcmp(severity, "medium") == 0 ? "\033[33m" : "";
}

const char *severity_color_end(const char *severity)
{
    return *severity_color(severity) ? "\033[0m" : "";
}

void table_severity_color(struct table *table, const char *severity)
{
    const char *color = severity_color(severity);
    table->next_color = *color ? color : NULL;
}

/* Takes columns away from the widest that may be cut until all fits, or none can give more. */
static void fit(struct table *table)
{
    size_t terminal = text_terminal_columns(), total = (size_t)(table->columns - 1) * GAP;
    for (int i = 0; i < table->columns; i++)
        total += table->widths[i];
    while (terminal && total > terminal) {
        int widest = -1;
        for (int i = 0; i < table->columns; i++) {
            if (table->may_cut[i] && table->widths[i] > CUT_WIDTH_MIN &&
                (widest < 0 || table->widths[i] > table->widths[widest]))
                widest = i;
        }
        if (widest < 0)
            return;
        table->widths[widest]--;
        total--;
    }
}

static const char *ellipsis(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xe2\x80\xa6" : ">";
}

static void print_cell(const struct table *table, int column, const char *text, const char *color)
{
    size_t width = text_width(text), wanted = table->widths[column];
    bool last = column + 1 == table->columns;
    size_t padding = width < wanted ? wanted - width : 0;
    if (table->right[column])
        printf("%*s", (int)padding, "");
    fputs(color ? color : "", stdout);
    if (width > wanted)
        printf("%.*s%s", (int)text_fit(text, wanted - 1), text, ellipsis());
    else
        fputs(text, stdout);
    fputs(color ? "\033[0m" : "", stdout);
    if (!last)
        printf("%*s", (int)((table->right[column] ? 0 : padding) + GAP), "");
}

void table_end(struct table *table)
{
    fit(table);
    for (int i = 0; i < table->columns; i++)
        print_cell(table, i, table->titles[i], NULL);
    putchar('\n');
    for (size_t i = 0; i < table->count; i++) {
        int column = (int)(i % (size_t)table->columns);
        print_cell(table, column, table->cells[i], table->colors[i]);
        if (column + 1 == table->columns)
            putchar('\n');
    }
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->colors);
}
