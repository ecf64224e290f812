#include "emulation.h"

void check(bool condition, const char *what)
{
    if (condition)
        return;
    board_print("failed: ");
    board_print(what);
    board_print("\n");
    board_end(false);
}

void print_number(const char *label, uint32_t number)
{
    char text[11];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    board_print(" ");
    board_print(label);
    board_print(" ");
    board_print(at);
}

void print_digest(const char *label, uint64_t digest)
{
    char text[17];
    for (int i = 15; i >= 0; i--, digest >>= 4)
        text[i] = "0123456789abcdef"[digest & 15];
    text[16] = '\0';
    board_print(" ");
    board_print(label);
    board_print(" ");
    board_print(text);
}

uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size_bytes)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size_bytes; i++)
        digest = (digest ^ at[i]) * UINT64_C(0x100000001B3);
    return digest;
}

uint64_t digest_number(uint64_t digest, uint32_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 8), (uint8_t)number};
    return digest_bytes(digest, bytes, sizeof bytes);
}

uint32_t random_number(void)
{
    static uint64_t state = 1;
    uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

uint32_t random_below(uint32_t bound)
{
    return random_number() % bound;
}
