#include "feed_coverage.h"

#include <stdint.h>
#include <stdlib.h>

struct span {
    uint32_t first, last;
};

static const uint64_t ipv4_addresses = (uint64_t)1 << 32;

static bool span_of(const struct picket_indicator *indicator, struct span *span)
{
    if (indicator->prefix.address.family != 4 || indicator->port != 0)
        return false;
    uint8_t length = indicator->prefix.length;
    span->first = picket_address_ipv4_number(&indicator->prefix.address);
    span->last = span->first | (length == 32 ? 0 : UINT32_MAX >> length);
    return true;
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static uint64_t union_size(struct span *spans, size_t count)
{
    uint64_t covered = 0, next = 0; /* next: the first address not counted yet */
    qsort(spans, count, sizeof *spans, compare_spans);
    for (size_t i = 0; i < count; i++) {
        if (spans[i].last < next)
            continue;
        uint64_t first = spans[i].first > next ? spans[i].first : next;
        covered += spans[i].last - first + 1;
        next = (uint64_t)spans[i].last + 1;
    }
    return covered;
}

double feed_ipv4_share(const struct indicator_list *list)
{
    uint64_t sum = 0;
    struct span span;
    for (size_t i = 0; i < list->count; i++)
        if (span_of(&list->items[i], &span))
            sum += (uint64_t)span.last - span.first + 1;
    if (sum < ipv4_addresses / 2)
        return (double)sum / (double)ipv4_addresses;
    struct span *spans = malloc(list->count * sizeof *spans);
    if (spans == NULL)
        return 1;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += span_of(&list->items[i], &spans[count]);
    uint64_t covered = union_size(spans, count);
    free(spans);
    return (double)covered / (double)ipv4_addresses;
}
