/* Pages on standard output: labels with values, paragraphs. On a terminal, lines break between
 * words, and what goes on stands under what it belongs to.
 */
#ifndef PICKET_CLI_PAGE_H
#define PICKET_CLI_PAGE_H

#include <stddef.h>

/* Goes on from the column that the line has reached, breaks so that it fits the terminal, each
 * further line indented, and ends the line. Where nobody reads along it stays one line. */
void page_text(size_t column, size_t indent, const char *text);

/* A label, and from the column on what it labels. */
void page_line(const char *label, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lines of at most 100 columns, indented by 2; numbered steps start a line each. */
void page_paragraph(const char *text);

#endif
