#include "reference.h"

#include <stdlib.h>

#include "indicators.h"
#include "measure.h"

static int compare(const void *a, const void *b)
{
    const struct picket_prefix *x = a, *y = b;
    uint32_t x_start = picket_address_ipv4_number(&x->address),
             y_start = picket_address_ipv4_number(&y->address);
    return x_start != y_start ? (x_start < y_start ? -1 : 1) : x->length - y->length;
}

static void begin_span(struct reference *reference, uint64_t start, uint8_t length)
{
    if (start > UINT32_MAX)
        return;
    if (reference->count > 0 && reference->starts[reference->count - 1] == start)
        reference->count--;
    reference->starts[reference->count] = (uint32_t)start;
    reference->lengths[reference->count++] = length;
}

/* Prefixes either nest or are disjoint: those that are open form a stack. */
static void flatten(struct reference *reference, const struct picket_prefix *sorted, size_t count)
{
    struct open {
        uint64_t end;
        uint8_t length;
    } stack[34] = {{(uint64_t)UINT32_MAX + 1, 0}};
    int depth = 0;
    begin_span(reference, 0, 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t start = picket_address_ipv4_number(&sorted[i].address);
        if (i > 0 && compare(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        for (; stack[depth].end <= start; depth--)
            begin_span(reference, stack[depth].end, stack[depth - 1].length);
        uint64_t end = start + ((uint64_t)1 << (32 - sorted[i].length));
        begin_span(reference, start, sorted[i].length + 1);
        stack[++depth] = (struct open){end, (uint8_t)(sorted[i].length + 1)};
    }
    for (; depth > 0; depth--)
        begin_span(reference, stack[depth].end, stack[depth - 1].length);
}

static uint32_t find(const void *self, const void *address)
{
    const struct reference *reference = self;
    uint32_t looked_for = *(const uint32_t *)address;
    size_t low = 0, size = reference->count;
    while (size > 1) {
        size_t half = size / 2;
        low += reference->starts[low + half] <= looked_for ? half : 0;
        size -= half;
    }
    return reference->lengths[low];
}

static void find_sixteen(const struct reference *reference, const uint32_t *addresses,
                         uint32_t *found)
{
    size_t low[16] = {0}, size = reference->count;
    while (size > 1) {
        size_t half = size / 2;
        for (int i = 0; i < 16; i++)
            low[i] += reference->starts[low[i] + half] <= addresses[i] ? half : 0;
        size -= half;
        for (int i = 0; i < 16; i++)
            __builtin_prefetch(&reference->starts[low[i] + size / 2]);
    }
    for (int i = 0; i < 16; i++)
        found[i] = reference->lengths[low[i]];
}

static void find_many(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    for (size_t i = 0; i < count; i += 16)
        find_sixteen(self, (const uint32_t *)addresses + i, found + i);
}

struct structure reference_make(struct reference *reference, const struct picket_prefix *prefixes,
                                size_t count)
{
    double start = bench_now_s();
    struct picket_prefix *sorted = bench_memory(count * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = prefixes[i];
    qsort(sorted, count, sizeof *sorted, compare);
    reference->starts = bench_memory((2 * count + 2) * sizeof *reference->starts);
    reference->lengths = bench_memory(2 * count + 2);
    reference->count = 0;
    flatten(reference, sorted, count);
    free(sorted);
    return (struct structure){.name = "sorted boundaries",
                              .self = reference,
                              .one = find,
                              .many = find_many,
                              .seconds = bench_now_s() - start,
                              .bytes = (double)reference->count * 5};
}

void reference_free(struct reference *reference)
{
    free(reference->starts);
    free(reference->lengths);
}
