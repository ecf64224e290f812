#include "indicator_order.h"

#include <stdlib.h>
#include <string.h>

static uint64_t number_of(const uint8_t bytes[8])
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static struct indicator_key key_of(const struct picket_indicator *indicator, uint32_t index)
{
    const struct picket_prefix *prefix = &indicator->prefix;
    return (struct indicator_key){
        .high = number_of(prefix->address.bytes),
        .low = number_of(prefix->address.bytes + 8),
        .index = index,
        .port = indicator->port,
        .length = prefix->length,
        .protocol = indicator->protocol & 0x3f,
        .is_ipv6 = prefix->address.family == 6,
    };
}

static int sign(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_keys(const void *left, const void *right)
{
    const struct indicator_key *a = left, *b = right;
    int order = sign(a->is_ipv6, b->is_ipv6);
    if (order == 0)
        order = sign(a->high, b->high);
    if (order == 0)
        order = sign(a->low, b->low);
    if (order == 0)
        order = sign(a->length, b->length);
    if (order == 0)
        order = sign(a->port, b->port);
    if (order == 0)
        order = sign(a->protocol, b->protocol);
    return order != 0 ? order : sign(a->index, b->index);
}

int indicator_compare(const struct picket_indicator *a, const struct picket_indicator *b)
{
    struct indicator_key left = key_of(a, 0), right = key_of(b, 0);
    return compare_keys(&left, &right);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool indicator_same_content(const struct picket_indicator *a, const struct picket_indicator *b)
{
    return a->confidence == b->confidence && a->severity == b->severity && a->tlp == b->tlp &&
           a->listed_ms == b->listed_ms && a->valid_until_ms == b->valid_until_ms &&
           same_text(a->tags, b->tags) && same_text(a->malware, b->malware) &&
           same_text(a->reference, b->reference);
}

struct indicator_key *indicators_sort(const struct picket_indicator *indicators, size_t count)
{
    if (count > UINT32_MAX)
        return NULL;
    struct indicator_key *keys = malloc((count > 0 ? count : 1) * sizeof *keys);
    if (keys == NULL)
        return NULL;
    bool sorted = true; /* as many feeds are */
    for (size_t i = 0; i < count; i++) {
        keys[i] = key_of(&indicators[i], (uint32_t)i);
        sorted &= i == 0 || compare_keys(&keys[i - 1], &keys[i]) < 0;
    }
    if (!sorted)
        qsort(keys, count, sizeof *keys, compare_keys);
    return keys;
}
