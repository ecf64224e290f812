/* Tables on standard output: as wide as they need when nobody reads along, as wide as the terminal
 * when somebody does. What does not fit then is cut where it may be; after that, times are told as
 * how long ago they were, and after that the columns that matter least are left out; a heading that
 * ends with an ellipsis says so.
 *
 *     static const struct table_column columns[] = {
 *         {"ID"}, {"EVENTS", .right = true, .leave_out = 1}, {"TITLE", .cut_to = 34}};
 *     struct table table;
 *     table_begin(&table, "events", columns, 3);
 *     table_cell(&table, "%s", id);                          three for each row
 *     table_end(&table);                                     prints, frees
 */
#ifndef PICKET_CLI_TABLE_H
#define PICKET_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 12 };

struct table_column {
    const char *title;
    bool right;    /* aligned */
    int cut_to;    /* columns of the terminal that its cells are cut to at first; 0: never cut */
    int leave_out; /* 1 goes first, then 2 ...; those of a number go together; 0: stays */
};

struct table {
    const char *rows;
    const struct table_column *columns;
    int column_count;
    bool hidden[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
    struct cell *cells; /* row by row */
    size_t count;
    size_t capacity;
    const char *next_color;
};

/* rows: what they are, "alerts"; where there is none, that is said on standard error, and nothing
 * printed. It and the columns must outlive the table. */
void table_begin(struct table *table, const char *rows, const struct table_column *columns,
                 int column_count);
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A time of the API. */
void table_time(struct table *table, const char *rfc3339);
/* Of the next cell: "low", "medium", "high" have one, if colors are wanted. */
void table_severity_color(struct table *table, const char *severity);
void table_end(struct table *table);

/* The sequence that starts the severity's color, or "" ; and the one that ends it. */
const char *severity_color(const char *severity);
const char *severity_color_end(const char *severity);

#endif
