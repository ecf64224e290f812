/* Reads and writes of packet bytes at any alignment, and the only libc that the core uses.
 *
 * A freestanding compile does not take memcpy(…, 4) for a load; GCC's and Clang's builtins do. */
#ifndef PICKET_AGENT_SRC_MEMORY_H
#define PICKET_AGENT_SRC_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define picket_copy(to, from, size_bytes) __builtin_memcpy((to), (from), (size_bytes))
#else
#define picket_copy(to, from, size_bytes) memcpy((to), (from), (size_bytes))
#endif

/* Four bytes as they lie in memory. */
static inline uint32_t picket_word(const uint8_t *bytes)
{
    uint32_t word;
    picket_copy(&word, bytes, sizeof word);
    return word;
}

static inline uint32_t picket_big_endian_16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* Whether a number of two bytes has any of the bits of a constant. */
static inline bool picket_big_endian_16_has(const uint8_t *bytes, uint32_t bits)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint16_t half;
    picket_copy(&half, bytes, sizeof half);
    return (half & (bits >> 8 | (bits & 0xFF) << 8)) != 0;
#else
    return (picket_big_endian_16(bytes) & bits) != 0;
#endif
}

static inline uint32_t picket_big_endian_32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* What a packet runs through. Where speed is asked for (-O2), all of it becomes one function, once
 * for IPv4 and once for IPv6; where size is (-Os), both share one copy of each. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define PICKET_FOR_SPEED         1
#define PICKET_HOT               static inline __attribute__((always_inline))
#define PICKET_SHARED            static inline __attribute__((always_inline))
#define PICKET_APART             static __attribute__((noinline))
#define PICKET_COLD              static __attribute__((noinline, cold))
#define PICKET_UNROLL_9          _Pragma("GCC unroll 9")
#define picket_likely(condition) __builtin_expect((condition), 1)
#else
#define PICKET_FOR_SPEED 0
#define PICKET_HOT       static inline
#if defined(__GNUC__)
#define PICKET_SHARED                                                                              \
    static __attribute__((noinline, unused)) /* and less stack where it is called */
#else
#define PICKET_SHARED static
#endif
#define PICKET_APART static
#define PICKET_COLD  static
#define PICKET_UNROLL_9
#define picket_likely(condition) (condition)
#endif

/* Whether bytes, at any alignment, are those of count words; for speed, two words at a time. */
PICKET_HOT bool picket_same_words(const uint32_t *words, const uint8_t *bytes, uint32_t count)
{
    uint32_t i = 0;
    PICKET_UNROLL_9
    for (; i + 2 <= count; i += 2) {
        uint64_t two[2];
        picket_copy(&two[0], words + i, sizeof two[0]);
        picket_copy(&two[1], bytes + 4 * i, sizeof two[1]);
        if (two[0] != two[1])
            return false;
    }
    return i == count || words[i] == picket_word(bytes + 4 * i);
}

PICKET_HOT void picket_load_words(uint32_t *words, const uint8_t *bytes, uint32_t count)
{
#if PICKET_FOR_SPEED
    picket_copy(words, bytes, 4 * count);
#else
    for (uint32_t i = 0; i < count; i++)
        words[i] = picket_word(bytes + 4 * i);
#endif
}

PICKET_COLD void picket_saturate(uint32_t *number)
{
    *number = UINT32_MAX;
}

/* Saturates. */
PICKET_HOT void picket_add(uint32_t *number, uint32_t more)
{
    uint32_t sum = *number + more;
    *number = sum;
    if (!picket_likely(sum >= more))
        picket_saturate(number);
}

#endif
