#include "picket/base/sort.h"

#include <stdlib.h>
#include <string.h>

/* A pass for each octet of the key, the last first; most sets of keys agree in some octets, and
 * those passes are saved. */
enum { DIGITS = 8, VALUES = 256 };

struct digits {
    size_t counts[DIGITS][VALUES];
};

static unsigned digit_of(uint64_t key, int digit)
{
    return (unsigned)(key >> 8 * digit) & 0xff;
}

/* False: there is nothing to be done, for the items are in order. */
static bool count_digits(struct digits *digits, const struct picket_sort_item *items, size_t count)
{
    bool is_sorted = true;
    memset(digits, 0, sizeof *digits);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = items[i].key;
        is_sorted = is_sorted && (i == 0 || items[i - 1].key <= key);
        for (int digit = 0; digit < DIGITS; digit++)
            digits->counts[digit][digit_of(key, digit)]++;
    }
    return !is_sorted;
}

static bool all_agree(const size_t counts[VALUES], unsigned value, size_t count)
{
    return counts[value] == count;
}

static void distribute(const struct picket_sort_item *from, struct picket_sort_item *to,
                       size_t count, int digit, const size_t counts[VALUES])
{
    size_t next[VALUES], first = 0;
    for (unsigned value = 0; value < VALUES; value++) {
        next[value] = first;
        first += counts[value];
    }
    for (size_t i = 0; i < count; i++)
        to[next[digit_of(from[i].key, digit)]++] = from[i];
}

bool picket_sort(struct picket_sort_item *items, size_t count)
{
    struct digits digits;
    if (!count_digits(&digits, items, count))
        return true;
    struct picket_sort_item *from = items, *to = malloc(count * sizeof *to), *other = to;
    if (to == NULL)
        return false;
    for (int digit = 0; digit < DIGITS; digit++) {
        if (all_agree(digits.counts[digit], digit_of(items[0].key, digit), count))
            continue;
        distribute(from, to, count, digit, digits.counts[digit]);
        struct picket_sort_item *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
    free(other);
    return true;
}
