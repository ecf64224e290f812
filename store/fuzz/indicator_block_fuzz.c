/* Any bytes as a block of indicators: nothing is read past the end, and what is understood can be
 * packed and is understood as the same again. */
#include <stdlib.h>
#include <string.h>

#include "indicator_block.h"

enum { INDICATORS_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct picket_indicator *a, const struct picket_indicator *b)
{
    return memcmp(&a->prefix.address, &b->prefix.address, sizeof a->prefix.address) == 0 &&
           a->prefix.length == b->prefix.length && a->port == b->port &&
           a->protocol == b->protocol && a->confidence == b->confidence &&
           a->severity == b->severity && a->tlp == b->tlp && a->line == b->line &&
           a->first_seen_ms == b->first_seen_ms && a->listed_ms == b->listed_ms &&
           a->valid_until_ms == b->valid_until_ms && strcmp(a->tags, b->tags) == 0 &&
           strcmp(a->malware, b->malware) == 0 && strcmp(a->reference, b->reference) == 0;
}

static void pack_and_compare(const struct picket_indicator *indicators, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += indicator_bytes_max(&indicators[i]);
    uint8_t *block = malloc(size), *end = block;
    struct indicator_coder coder;
    indicator_coder_start(&coder);
    for (size_t i = 0; i < count; i++)
        end += indicator_pack(&coder, &indicators[i], end);
    const uint8_t *at = block;
    indicator_coder_start(&coder);
    for (size_t i = 0; i < count; i++) {
        struct picket_indicator indicator;
        if (!indicator_unpack(&coder, &indicator, &at, end) || !same(&indicator, &indicators[i]))
            abort();
    }
    if (at != end)
        abort();
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct picket_indicator indicators[INDICATORS_MAX];
    struct indicator_coder coder;
    const uint8_t *at = data;
    size_t count = 0;
    indicator_coder_start(&coder);
    while (count < INDICATORS_MAX && indicator_unpack(&coder, &indicators[count], &at, data + size))
        count++;
    pack_and_compare(indicators, count);
    return 0;
}
