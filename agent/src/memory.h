/* Reads and writes of packet bytes at any alignment, and the only libc that the core uses.
 *
 * A freestanding compile does not take memcpy(…, 4) for a load; GCC's and Clang's builtins do. */
#ifndef PICKET_AGENT_SRC_MEMORY_H
#define PICKET_AGENT_SRC_MEMORY_H

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

static inline uint32_t picket_big_endian_32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* What a packet runs through. Where speed is asked for (-O2), all of it becomes one function, once for
 * IPv4 and once for IPv6; where size is (-Os), both share one copy of each. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define PICKET_HOT static inline __attribute__((always_inline))
#define picket_same(a, b, size_bytes) (__builtin_memcmp((a), (b), (size_bytes)) == 0)
#else
#define PICKET_HOT static inline
#define picket_same(a, b, size_bytes) (memcmp((a), (b), (size_bytes)) == 0)
#endif

static inline uint32_t picket_saturating_add(uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;
    return sum < a ? UINT32_MAX : sum;
}

#endif
