/* The columns that an owner names, and a feed read by them: the first line is the one, what follows
 * the other, CSV or, if it begins with a bracket, JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intel/formats/feed_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char columns[512];
    struct feed_reading reading;
    struct feed_options options = {.format = FEED_CSV, .confidence = 50};
    const uint8_t *newline = memchr(data, '\n', size);
    size_t first = newline != NULL ? (size_t)(newline - data) : size;
    if (first >= sizeof columns)
        return 0;
    memcpy(columns, data, first);
    columns[first] = '\0';
    if (feed_columns_parse(columns, &options.columns, NULL) != PICKET_OK) {
        if (options.columns.of[FEED_ADDRESS][0] != '\0')
            abort();
        return 0;
    }
    size_t start = newline != NULL ? first + 1 : first;
    if (start < size && (data[start] == '{' || data[start] == '['))
        options.format = FEED_NDJSON;
    if (feed_read(&reading, (const char *)data + start, size - start, &options, NULL) ==
            PICKET_OK &&
        reading.problem_count > reading.skipped)
        abort();
    feed_reading_free(&reading);
    return 0;
}
