/* For tests of the formats of feeds: one reading, and what it holds. */
#ifndef TESTS_READING_H
#define TESTS_READING_H

#include "intel/formats/feed_reader.h"

/* Of the last read_text() or read_as(). */
extern struct feed_reading reading;
extern struct picket_error reading_error;

/* In the format found out; 50 is the confidence of what brings none. */
int read_text(const char *text);
int read_as(enum feed_format format, const char *text);

void assert_prefix(size_t index, const char *prefix);
void assert_indicators(const char *const *expected); /* up to NULL */
#define ASSERT_INDICATORS(...) assert_indicators((const char *const[]){__VA_ARGS__, NULL})

/* The teardown of a group. */
int free_reading(void **state);

#endif
