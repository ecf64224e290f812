/* Little-endian numbers at any address. Written byte by byte: compilers merge these into one load
 * or store where the machine can do that, and they are right where it cannot. */
#ifndef PICKET_WIRE_BYTES_H
#define PICKET_WIRE_BYTES_H

#include <stdint.h>

/* Copies in each caller where speed is asked for (-O2), one for all where size is (-Os). */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define WIRE_INLINE static inline __attribute__((always_inline))
#define WIRE_UNROLL _Pragma("GCC unroll 5")
#else
#define WIRE_INLINE static inline
#define WIRE_UNROLL
#endif
/* What GCC would copy for -Os, though it is smaller as one. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define WIRE_SHARED static __attribute__((noinline))
#else
#define WIRE_SHARED static
#endif

static inline uint16_t load_16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t load_32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t load_64(const uint8_t *at)
{
    return load_32(at) | (uint64_t)load_32(at + 4) << 32;
}

static inline void store_16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

/* At an aligned address. */
static inline void store_word(uint32_t *word, uint32_t value)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    *word = value;
#else
    uint8_t *at = (uint8_t *)word;
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
#endif
}

#endif
