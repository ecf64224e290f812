/* Tables on standard output: as wide as they need when nobody reads along, as wide as the terminal
 * when somebody does; then the wide columns that may are cut.
 *
 *     struct table table;
 *     table_begin(&table, 3, "ID", ">EVENTS", "~TITLE");     > right-aligned, ~ may be cut
 *     table_cell(&table, "%s", id);                          three for each row
 *     table_end(&table);                                     prints, frees
 */
#ifndef PICKET_CLI_TABLE_H
#define PICKET_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
    int columns;
    const char *titles[TABLE_COLUMNS_MAX];
    bool right[TABLE_COLUMNS_MAX];
    bool may_cut[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
    char **cells;        /* row by row, printable */
    const char **colors; /* of each cell, NULL: none */
    size_t count;
    size_t capacity;
    const char *next_color;
};

void table_begin(struct table *table, int columns, ...);
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Of the next cell: "low", "medium", "high" have one, if colors are wanted. */
void table_severity_color(struct table *table, const char *severity);
void table_end(struct table *table);

/* The sequence that starts the severity's color, or "" ; and the one that ends it. */
const char *severity_color(const char *severity);
const char *severity_color_end(const char *severity);

#endif
