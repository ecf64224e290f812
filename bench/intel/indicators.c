#include "indicators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORKS = 30000 };

uint64_t bench_random(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

void *bench_memory(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL) {
        fprintf(stderr, "bench_intel: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return memory;
}

static struct picket_address random_address(uint8_t family)
{
    uint64_t words[2] = {bench_random(), bench_random()};
    uint8_t bytes[16];
    memcpy(bytes, words, sizeof bytes);
    bytes[0] = family == 6 ? 0x20 | (bytes[0] & 0x1f) : bytes[0];
    return family == 4 ? picket_address_ipv4(bytes) : picket_address_ipv6(bytes);
}

struct picket_prefix *bench_ipv4_prefixes(size_t count)
{
    struct picket_prefix *prefixes = bench_memory(count * sizeof *prefixes);
    for (size_t i = 0; i < count; i++) {
        prefixes[i].address = random_address(4);
        prefixes[i].length = bench_random() % 100 < 85 ? 32 : (uint8_t)(22 + bench_random() % 10);
        picket_prefix_mask(&prefixes[i]);
    }
    return prefixes;
}

struct picket_prefix *bench_ipv6_prefixes(size_t count)
{
    static const uint8_t lengths[16] = {128, 128, 128, 128, 128, 128, 64, 64,
                                        64,  64,  48,  48,  48,  56,  40, 32};
    struct picket_address *networks = bench_memory(NETWORKS * sizeof *networks);
    struct picket_prefix *prefixes = bench_memory(count * sizeof *prefixes);
    for (size_t i = 0; i < NETWORKS; i++)
        networks[i] = random_address(6);
    for (size_t i = 0; i < count; i++) {
        prefixes[i].address = random_address(6);
        memcpy(prefixes[i].address.bytes, networks[bench_random() % NETWORKS].bytes, 4);
        prefixes[i].length = lengths[bench_random() % 16];
        picket_prefix_mask(&prefixes[i]);
    }
    free(networks);
    return prefixes;
}

struct picket_address *bench_addresses(const struct picket_prefix *prefixes, size_t prefix_count,
                                       size_t count, unsigned hit_percent)
{
    struct picket_address *addresses = bench_memory(count * sizeof *addresses);
    uint8_t family = prefixes[0].address.family;
    for (size_t i = 0; i < count; i++)
        addresses[i] = bench_random() % 100 < hit_percent
                           ? prefixes[bench_random() % prefix_count].address
                           : random_address(family);
    return addresses;
}
