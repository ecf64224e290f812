/* A set of addresses that answers "surely not" or "maybe", in a few instructions: what millions of
 * addresses are held against before a table is asked about the rest.
 *
 *     IPv4   first  a bit, chosen by a hash, for each /24 in which there is an address
 *            then   a word, chosen by the /24, with three bits for each /30 in which there is an
 *                   address, or three for the whole /24
 *     IPv6   a bit, chosen by a hash, for the first 64, 48 or 32 bits, whichever a prefix has in
 * full
 *
 * The first has 16 bits or more for each prefix that was announced, and at most 2 MiB, so that it
 * stays in a processor's cache: of a million prefixes anywhere, 6 in 100 random addresses are
 * "maybe". The second has 32, and at most 32 MiB; then it is 2 in 1000, and those are asked of
 * memory further off.
 *
 * Thread: any number ask, while nobody adds.
 */
#ifndef PICKET_BASE_ADDRESS_FILTER_H
#define PICKET_BASE_ADDRESS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"

struct picket_address_filter {
    int width; /* 2 to the power of this are the bits of each */
    uint64_t *ipv4;
    int words_width; /* and of this the words */
    uint64_t *ipv4_words;
    uint64_t *ipv6; /* NULL: none was added */
    bool has_64, has_48, has_32;
    bool all_ipv6; /* one shorter than 32 bits was added */
};

/* Empty, for so many prefixes. False: no memory. */
bool picket_address_filter_init(struct picket_address_filter *filter, size_t prefixes);
void picket_address_filter_free(struct picket_address_filter *filter);

/* False: no memory. */
bool picket_address_filter_add(struct picket_address_filter *filter,
                               const struct picket_prefix *prefix);

static inline bool picket_address_filter_bit(const uint64_t *bits, uint32_t number)
{
    return bits[number >> 6] >> (number & 63) & 1;
}

/* The bit of an IPv4 address, given in network order. */
static inline uint32_t picket_address_filter_ipv4_bit(const struct picket_address_filter *filter,
                                                      const uint8_t bytes[4])
{
    uint32_t network = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    return network * 0x9e3779b1u >> (32 - filter->width);
}

/* The word that says more of it. */
static inline uint32_t picket_address_filter_ipv4_word(const struct picket_address_filter *filter,
                                                       const uint8_t bytes[4])
{
    uint32_t network = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    return (uint32_t)(network * 0xbf58476d1ce4e5b9u >> (64 - filter->words_width));
}

/* Those of a /30, by its number; with PICKET_ADDRESS_FILTER_WHOLE of a /24. */
static inline uint64_t picket_address_filter_three_bits(uint32_t number)
{
    uint64_t mixed = number * 0x9e3779b97f4a7c15u;
    return (uint64_t)1 << (mixed >> 58) | (uint64_t)1 << (mixed >> 52 & 63) |
           (uint64_t)1 << (mixed >> 46 & 63);
}

#define PICKET_ADDRESS_FILTER_WHOLE ((uint32_t)1 << 31)

static inline bool picket_address_filter_word_has(uint64_t word, const uint8_t bytes[4])
{
    uint32_t network = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    uint64_t narrow = picket_address_filter_three_bits(network << 6 | bytes[3] >> 2);
    uint64_t whole = picket_address_filter_three_bits(network | PICKET_ADDRESS_FILTER_WHOLE);
    return (word & narrow) == narrow || (word & whole) == whole;
}

/* Of the leading bits of an IPv6 address, all others zero, and how many they are. */
static inline uint32_t picket_address_filter_ipv6_bit(const struct picket_address_filter *filter,
                                                      uint64_t leading, uint64_t count)
{
    uint64_t mixed = (leading ^ count) * 0x9e3779b97f4a7c15u;
    return (uint32_t)((mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9u >> (64 - filter->width));
}

/* The address in network order. */
static inline bool picket_address_filter_ipv4(const struct picket_address_filter *filter,
                                              const uint8_t bytes[4])
{
    return picket_address_filter_bit(filter->ipv4, picket_address_filter_ipv4_bit(filter, bytes)) &&
           picket_address_filter_word_has(
               filter->ipv4_words[picket_address_filter_ipv4_word(filter, bytes)], bytes);
}

static inline bool picket_address_filter_ipv6(const struct picket_address_filter *filter,
                                              const uint8_t bytes[16])
{
    if (filter->ipv6 == NULL)
        return false;
    uint64_t leading = 0;
    for (int i = 0; i < 8; i++)
        leading = leading << 8 | bytes[i];
    uint32_t of_64 = picket_address_filter_ipv6_bit(filter, leading, 64);
    uint32_t of_48 = picket_address_filter_ipv6_bit(filter, leading >> 16 << 16, 48);
    uint32_t of_32 = picket_address_filter_ipv6_bit(filter, leading >> 32 << 32, 32);
    return filter->all_ipv6 || (filter->has_64 && picket_address_filter_bit(filter->ipv6, of_64)) ||
           (filter->has_48 && picket_address_filter_bit(filter->ipv6, of_48)) ||
           (filter->has_32 && picket_address_filter_bit(filter->ipv6, of_32));
}

#endif
