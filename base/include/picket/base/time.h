/* Clocks and how times are written. Thread: any. */
#ifndef PICKET_BASE_TIME_H
#define PICKET_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum { PICKET_TIME_TEXT_BYTES = 32 };

int64_t picket_unix_ms(void);      /* wall clock, milliseconds since 1970: for stamps */
int64_t picket_monotonic_ms(void); /* for intervals */

/* RFC 3339 in UTC with milliseconds, "2026-11-20T23:51:17.123Z", into out; returns out. */
char *picket_time_format(int64_t unix_ms, char *out);

/* RFC 3339 (or its date alone), or Unix seconds. */
bool picket_stamp_parse(const char *text, int64_t *unix_ms);

/* The same, or a span from now on: "90s", "15m", "24h", "7d". */
bool picket_until_parse(const char *text, int64_t *unix_ms);

/* RFC 3339 (or its date alone), Unix seconds, or a span back from now: "90s", "15m", "24h", "7d".
 */
bool picket_time_parse(const char *text, int64_t *unix_ms);

/* A number and its unit: "90s", "15m", "24h", "7d". */
bool picket_span_parse(const char *text, int64_t *span_s);

#endif
