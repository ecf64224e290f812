#include "indicator_order.h"

#include <stdlib.h>
#include <string.h>

#include "picket/base/sort.h"

static uint64_t number_of(const uint8_t bytes[8])
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static bool is_ipv6(const struct picket_indicator *indicator)
{
    return indicator->prefix.address.family == 6;
}

/* Of an IPv4 address its 32 bits are the upper half. */
static uint64_t high_of(const struct picket_indicator *indicator)
{
    return number_of(indicator->prefix.address.bytes);
}

static uint64_t low_of(const struct picket_indicator *indicator)
{
    return number_of(indicator->prefix.address.bytes + 8);
}

/* What is compared behind the address: 32 bits. */
static uint64_t rest_of(const struct picket_indicator *indicator)
{
    return (uint64_t)indicator->prefix.length << 24 | (uint64_t)indicator->port << 8 |
           indicator->protocol;
}

static uint64_t ipv4_key(const struct picket_indicator *indicator)
{
    return high_of(indicator) | rest_of(indicator);
}

static int sign(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int indicator_compare(const struct picket_indicator *a, const struct picket_indicator *b)
{
    int order = sign(is_ipv6(a), is_ipv6(b));
    if (order == 0)
        order = sign(high_of(a), high_of(b));
    if (order == 0)
        order = sign(low_of(a), low_of(b));
    return order != 0 ? order : sign(rest_of(a), rest_of(b));
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

static bool sort_by(const struct picket_indicator *indicators, struct picket_sort_item *items,
                    size_t count, uint64_t (*key)(const struct picket_indicator *indicator))
{
    for (size_t i = 0; i < count; i++)
        items[i].key = key(&indicators[items[i].index]);
    return picket_sort(items, count);
}

/* IPv4 first. */
static bool sort(const struct picket_indicator *indicators, size_t count,
                 struct picket_sort_item *items)
{
    size_t ipv4 = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_ipv6(&indicators[i]))
            items[ipv4++].index = (uint32_t)i;
    for (size_t i = 0, at = ipv4; i < count; i++)
        if (is_ipv6(&indicators[i]))
            items[at++].index = (uint32_t)i;
    return sort_by(indicators, items, ipv4, ipv4_key) &&
           sort_by(indicators, items + ipv4, count - ipv4, rest_of) &&
           sort_by(indicators, items + ipv4, count - ipv4, low_of) &&
           sort_by(indicators, items + ipv4, count - ipv4, high_of);
}

static uint32_t *places(size_t count)
{
    uint32_t *order = malloc((count > 0 ? count : 1) * sizeof *order);
    for (size_t i = 0; order != NULL && i < count; i++)
        order[i] = (uint32_t)i;
    return order;
}

static bool is_sorted(const struct picket_indicator *indicators, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (indicator_compare(&indicators[i - 1], &indicators[i]) > 0)
            return false;
    return true;
}

uint32_t *indicators_sort(const struct picket_indicator *indicators, size_t count)
{
    if (count > UINT32_MAX)
        return NULL;
    uint32_t *order = places(count);
    if (order == NULL || is_sorted(indicators, count)) /* as many feeds are */
        return order;
    struct picket_sort_item *items = malloc(count * sizeof *items);
    bool sorted = items != NULL && sort(indicators, count, items);
    for (size_t i = 0; sorted && i < count; i++)
        order[i] = items[i].index;
    free(items);
    if (sorted)
        return order;
    free(order);
    return NULL;
}
