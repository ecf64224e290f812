#include "table.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/time.h"
#include "text.h"

struct cell {
    char *text;        /* printable */
    char *brief;       /* instead, where room is scarce; NULL: none */
    const char *color; /* NULL: none */
};

enum { GAP = 2, CUT_WIDTH_MIN = 8, ELLIPSIS_COLUMNS = 2 };

void table_begin(struct table *table, const char *rows, const struct table_column *columns,
                 int column_count)
{
    memset(table, 0, sizeof *table);
    table->rows = rows;
    table->columns = columns;
    table->column_count = column_count;
    for (int i = 0; i < column_count; i++)
        table->widths[i] = text_width(columns[i].title);
}

static void grow(struct table *table)
{
    table->capacity = table->capacity ? 2 * table->capacity : 64;
    table->cells = realloc(table->cells, table->capacity * sizeof *table->cells);
    if (!table->cells)
        abort();
}

static void widen(struct table *table, size_t cell)
{
    size_t column = cell % (size_t)table->column_count;
    size_t width = text_width(table->cells[cell].text);
    if (width > table->widths[column])
        table->widths[column] = width;
}

static void add(struct table *table, const char *text, const char *brief)
{
    if (table->count == table->capacity)
        grow(table);
    table->cells[table->count] = (struct cell){
        text_printable_copy(text), brief ? text_printable_copy(brief) : NULL, table->next_color};
    table->next_color = NULL;
    widen(table, table->count++);
}

void table_cell(struct table *table, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = text_formatted(format, arguments);
    va_end(arguments);
    add(table, text, NULL);
    free(text);
}

void table_time(struct table *table, const char *rfc3339)
{
    char text[32], brief[32];
    add(table, text_time(rfc3339, text), text_ago(rfc3339, picket_unix_ms(), brief));
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

/* ---- what fits ---- */

/* The least that a column may get: what it needs, or what it may be cut to. */
static size_t least_width(const struct table *table, int column, bool anyhow)
{
    size_t cut_to = (size_t)table->columns[column].cut_to;
    if (cut_to > 0 && anyhow)
        cut_to = CUT_WIDTH_MIN;
    return cut_to > 0 && cut_to < table->widths[column] ? cut_to : table->widths[column];
}

/* The columns of the terminal that the table takes; at least, when what may be cut is cut. */
static size_t total_width(const struct table *table, bool cut, bool anyhow)
{
    size_t total = 0, shown = 0;
    for (int i = 0; i < table->column_count; i++) {
        if (table->hidden[i])
            continue;
        total += cut ? least_width(table, i, anyhow) : table->widths[i];
        shown++;
    }
    return total + (shown - 1) * GAP + (shown < (size_t)table->column_count ? ELLIPSIS_COLUMNS : 0);
}

static void hide(struct table *table, int turn, bool hidden)
{
    for (int i = 0; i < table->column_count; i++) {
        if (table->columns[i].leave_out == turn)
            table->hidden[i] = hidden;
    }
}

/* Leaves columns out, in their order, until the others fit; a wide one that went last may have made
 * room for others again. False: even so they do not fit. */
static bool leave_out(struct table *table, size_t terminal)
{
    int turn = 0;
    while (turn < TABLE_COLUMNS_MAX && total_width(table, true, false) > terminal)
        hide(table, ++turn, true);
    bool fits = total_width(table, true, false) <= terminal;
    for (; turn > 0; turn--) {
        hide(table, turn, false);
        if (total_width(table, true, false) > terminal)
            hide(table, turn, true);
    }
    return fits;
}

/* Takes from the widest that may be cut until all fits, or none can give more. */
static void cut(struct table *table, size_t terminal, bool anyhow)
{
    size_t least[TABLE_COLUMNS_MAX];
    for (int i = 0; i < table->column_count; i++)
        least[i] = least_width(table, i, anyhow);
    for (size_t total = total_width(table, false, anyhow); total > terminal; total--) {
        int widest = -1;
        for (int i = 0; i < table->column_count; i++) {
            if (!table->hidden[i] && table->widths[i] > least[i] &&
                (widest < 0 || table->widths[i] > table->widths[widest]))
                widest = i;
        }
        if (widest < 0)
            return;
        table->widths[widest]--;
    }
}

static void use_briefs(struct table *table)
{
    for (int i = 0; i < table->column_count; i++)
        table->widths[i] = text_width(table->columns[i].title);
    for (size_t i = 0; i < table->count; i++) {
        struct cell *cell = &table->cells[i];
        if (cell->brief) {
            free(cell->text);
            cell->text = cell->brief;
            cell->brief = NULL;
        }
        widen(table, i);
    }
}

static void fit(struct table *table)
{
    size_t terminal = text_terminal_columns();
    if (terminal == 0)
        return;
    if (total_width(table, true, false) > terminal)
        use_briefs(table);
    bool fits = leave_out(table, terminal);
    cut(table, terminal, false);
    if (!fits)
        cut(table, terminal, true);
}

/* ---- printing ---- */

static const char *ellipsis(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xe2\x80\xa6" : ">";
}

static bool is_last(const struct table *table, int column)
{
    for (int i = column + 1; i < table->column_count; i++) {
        if (!table->hidden[i])
            return false;
    }
    return true;
}

/* The columns it took: one fewer than wanted when a wide character was in the way of the cut. */
static size_t print_cut(const char *text, size_t wanted)
{
    char *start = strndup(text, text_fit(text, wanted - 1));
    if (!start)
        abort();
    size_t width = text_width(start) + 1;
    printf("%s%s", start, ellipsis());
    free(start);
    return width;
}

static void print_cell(const struct table *table, int column, const char *text, const char *color)
{
    bool right = table->columns[column].right;
    size_t width = text_width(text), wanted = table->widths[column];
    if (right && width < wanted)
        printf("%*s", (int)(wanted - width), "");
    fputs(color ? color : "", stdout);
    if (width > wanted)
        width = print_cut(text, wanted);
    else
        fputs(text, stdout);
    fputs(color ? "\033[0m" : "", stdout);
    size_t padding = !right && width < wanted ? wanted - width : 0;
    if (!is_last(table, column))
        printf("%*s", (int)(padding + GAP), "");
}

static void print_heading(const struct table *table)
{
    bool whole = true;
    for (int i = 0; i < table->column_count; i++) {
        whole &= !table->hidden[i];
        if (!table->hidden[i])
            print_cell(table, i, table->columns[i].title, NULL);
    }
    if (whole)
        putchar('\n');
    else
        printf(" %s\n", ellipsis());
}

static void print_rows(struct table *table)
{
    fit(table);
    print_heading(table);
    for (size_t i = 0; i < table->count; i++) {
        int column = (int)(i % (size_t)table->column_count);
        if (!table->hidden[column])
            print_cell(table, column, table->cells[i].text, table->cells[i].color);
        if (column + 1 == table->column_count)
            putchar('\n');
    }
}

void table_end(struct table *table)
{
    if (table->count > 0)
        print_rows(table);
    else
        fprintf(stderr, "No %s found.\n", table->rows);
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i].text);
        free(table->cells[i].brief);
    }
    free(table->cells);
}
