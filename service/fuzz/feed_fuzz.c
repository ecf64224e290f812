/* A feed that anybody may have written. The first byte chooses the format and, by its highest bit,
 * whether a table is built, which takes longer than the rest; what follows is the feed. */
#include <stdint.h>
#include <stdlib.h>

#include "intel/feed_coverage.h"
#include "intel/formats/feed_reader.h"
#include "intel/table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is within bounds, and a table of it finds each indicator by its own address. */
static void check_table(const struct feed_reading *reading)
{
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "feed"});
    struct table_batch *batch = table_batch_new(table);
    size_t count = reading->indicators.count < 2000 ? reading->indicators.count : 2000;
    for (size_t i = 0; i < count; i++)
        table_put(batch, feed, &reading->indicators.items[i]);
    if (table_apply(batch, NULL) != PICKET_OK)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct picket_prefix *prefix = &reading->indicators.items[i].prefix;
        struct table_cover covers[TABLE_COVERS_MAX];
        size_t cover_count = table_covers(table, &prefix->address, covers);
        bool found = false;
        for (size_t k = 0; k < cover_count; k++)
            found |= covers[k].length == prefix->length;
        if (!found || prefix->length == 0)
            abort();
    }
    table_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed_reading reading;
    if (size == 0)
        return 0;
    struct feed_options options = {.format = (enum feed_format)((data[0] & 0x7f) % FEED_FORMATS),
                                   .confidence = 50};
    if (feed_read(&reading, (const char *)data + 1, size - 1, &options, NULL) == PICKET_OK) {
        if (reading.problem_count > reading.skipped || feed_ipv4_share(&reading.indicators) < 0)
            abort();
        if ((data[0] & 0x80) != 0)
            check_table(&reading);
    }
    feed_reading_free(&reading);
    return 0;
}
