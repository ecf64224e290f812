/* Text for a terminal: devices, feeds and attackers choose much of what is shown, so nothing but
 * printable characters of the user's locale goes out.
 */
#ifndef PICKET_CLI_TEXT_H
#define PICKET_CLI_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Control characters (escape sequences, C1, direction overrides) and what is not of the locale's
 * encoding become \xNN. Cut when out is full; 4 bytes a byte are enough for all. Returns out. */
char *text_printable(const char *text, char *out, size_t size_bytes);

/* The same, allocated; the caller frees. Ends the program when memory is short. */
char *text_printable_copy(const char *text);

/* What printf would print, allocated; the caller frees. Ends the program when memory is short. */
char *text_formatted(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Columns that a printable text takes. */
size_t text_width(const char *text);

/* The length in bytes of the longest start of the text that takes at most so many columns. */
size_t text_fit(const char *text, size_t columns);

/* "1.5 MB" of 1,500,000; into out, of 32 bytes; returns out. */
char *text_bytes(long long bytes, char *out);

/* "1 device", "2 devices"; into out, of 64 bytes; returns out. */
char *text_count(long long count, const char *noun, char *out);

/* "2 h 5 min" of 7500; into out, of 32 bytes; returns out. */
char *text_span(long long seconds, char *out);

/* A user of this machine by name, "uid 1004" for one that is not known; into out, of 64 bytes;
 * returns out. Thread: one at a time. */
char *text_user(long long uid, char *out);

/* A time of the API without its milliseconds, into out, of 32 bytes; "-" for NULL. Returns out. */
char *text_time(const char *rfc3339, char *out);

/* How long before or after now_ms a time of the API is, "5m ago", "in 2d", as spans are written to
 * the command line; into out, of 32 bytes; "-" for NULL. Returns out. */
char *text_ago(const char *rfc3339, int64_t now_ms, char *out);

/* Standard output is a terminal, and NO_COLOR is not set. */
bool text_may_color(void);
/* Columns of the terminal on standard output; 0: it is none, anything fits. */
size_t text_terminal_columns(void);

#endif
