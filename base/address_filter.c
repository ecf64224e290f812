#include "picket/base/address_filter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    WIDTH_MIN = 16,
    WIDTH_MAX = 24,
    BITS_FOR_ONE = 16,
    WORDS_WIDTH_MIN = 10,
    WORDS_WIDTH_MAX = 22,
    PREFIXES_FOR_WORD = 2,
    WORD_BITS_WIDTH = 6
};

/* A page each, if the system has such large ones: they are asked at random. */
static uint64_t *new_bits(int width)
{
    size_t bytes = (size_t)1 << (width - 3);
    uint64_t *bits = aligned_alloc(bytes, bytes);
    if (bits == NULL)
        return NULL;
    madvise(bits, bytes, MADV_HUGEPAGE);
    return memset(bits, 0, bytes);
}

/* The least from `min` on with 2 to its power no less than needed, or `max`. */
static int width_for(size_t needed, int min, int max)
{
    int width = min;
    while (width < max && (size_t)1 << width < needed)
        width++;
    return width;
}

bool picket_address_filter_init(struct picket_address_filter *filter, size_t prefixes)
{
    int width = width_for(prefixes * BITS_FOR_ONE, WIDTH_MIN, WIDTH_MAX);
    int words = width_for(prefixes / PREFIXES_FOR_WORD, WORDS_WIDTH_MIN, WORDS_WIDTH_MAX);
    *filter = (struct picket_address_filter){.width = width,
                                             .ipv4 = new_bits(width),
                                             .words_width = words,
                                             .ipv4_words = new_bits(words + WORD_BITS_WIDTH)};
    if (filter->ipv4 != NULL && filter->ipv4_words != NULL)
        return true;
    picket_address_filter_free(filter);
    return false;
}

void picket_address_filter_free(struct picket_address_filter *filter)
{
    free(filter->ipv4);
    free(filter->ipv4_words);
    free(filter->ipv6);
    *filter = (struct picket_address_filter){.ipv4 = NULL};
}

static void set_bit(uint64_t *bits, uint32_t number)
{
    bits[number >> 6] |= (uint64_t)1 << (number & 63);
}

/* Of a few /30 each, of a larger part the whole. */
static uint64_t bits_within(const struct picket_prefix *prefix, uint32_t network)
{
    uint32_t address = picket_address_ipv4_number(&prefix->address), count = 1;
    uint64_t bits = 0;
    if (prefix->length < 28)
        return picket_address_filter_three_bits(network | PICKET_ADDRESS_FILTER_WHOLE);
    if (prefix->length < 30)
        count = (uint32_t)1 << (30 - prefix->length);
    for (uint32_t i = 0; i < count; i++)
        bits |= picket_address_filter_three_bits((address >> 2) + i);
    return bits;
}

static void add_ipv4(struct picket_address_filter *filter, const struct picket_prefix *prefix)
{
    uint32_t first = picket_address_ipv4_number(&prefix->address) >> 8;
    uint32_t count = prefix->length < 24 ? (uint32_t)1 << (24 - prefix->length) : 1;
    for (uint32_t i = first; i < first + count; i++) {
        const uint8_t network[4] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        set_bit(filter->ipv4, picket_address_filter_ipv4_bit(filter, network));
        filter->ipv4_words[picket_address_filter_ipv4_word(filter, network)] |=
            bits_within(prefix, i);
    }
}

static uint64_t leading_bits(const struct picket_address *address, int width)
{
    uint64_t leading = 0;
    for (int i = 0; i < 8; i++)
        leading = leading << 8 | address->bytes[i];
    return leading >> (64 - width) << (64 - width);
}

static void add_leading(struct picket_address_filter *filter, const struct picket_prefix *prefix,
                        int width, bool *has)
{
    *has = true;
    set_bit(filter->ipv6, picket_address_filter_ipv6_bit(
                              filter, leading_bits(&prefix->address, width), (uint64_t)width));
}

static bool add_ipv6(struct picket_address_filter *filter, const struct picket_prefix *prefix)
{
    if (filter->ipv6 == NULL)
        filter->ipv6 = new_bits(filter->width);
    if (filter->ipv6 == NULL)
        return false;
    if (prefix->length >= 64)
        add_leading(filter, prefix, 64, &filter->has_64);
    else if (prefix->length >= 48)
        add_leading(filter, prefix, 48, &filter->has_48);
    else if (prefix->length >= 32)
        add_leading(filter, prefix, 32, &filter->has_32);
    else
        filter->all_ipv6 = true;
    return true;
}

bool picket_address_filter_add(struct picket_address_filter *filter,
                               const struct picket_prefix *prefix)
{
    if (prefix->address.family == 6)
        return add_ipv6(filter, prefix);
    add_ipv4(filter, prefix);
    return true;
}
