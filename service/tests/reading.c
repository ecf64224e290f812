#include "reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct feed_reading reading;
struct picket_error reading_error;

int read_as(enum feed_format format, const char *text)
{
    const struct feed_options options = {.format = format, .confidence = 50};
    feed_reading_free(&reading);
    return feed_read(&reading, text, strlen(text), &options, &reading_error);
}

int read_text(const char *text)
{
    return read_as(FEED_AUTO, text);
}

void assert_prefix(size_t index, const char *prefix)
{
    char text[PICKET_PREFIX_TEXT_BYTES];
    assert_true(index < reading.indicators.count);
    picket_prefix_format(&reading.indicators.items[index].prefix, text);
    assert_string_equal(text, prefix);
}

void assert_indicators(const char *const *expected)
{
    size_t count = 0;
    for (; expected[count] != NULL; count++)
        assert_prefix(count, expected[count]);
    assert_int_equal(reading.indicators.count, count);
}

int free_reading(void **state)
{
    (void)state;
    feed_reading_free(&reading);
    return 0;
}
