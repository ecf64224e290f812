#include "lookups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "indicators.h"
#include "measure.h"

enum { LOOKUPS = 1 << 20, ROUNDS = 9, TOGETHER_MAX = 64 };

static const unsigned hit_percents[LOOKUP_MIXES] = {5, 100};

/* ---- what is looked up ---- */

static void *numbers_of(const struct picket_address *addresses)
{
    uint32_t *numbers = bench_memory(LOOKUPS * sizeof *numbers);
    for (size_t i = 0; i < LOOKUPS; i++)
        numbers[i] = picket_address_ipv4_number(&addresses[i]);
    return numbers;
}

static void *octets_of(const struct picket_address *addresses)
{
    uint8_t(*octets)[16] = bench_memory(LOOKUPS * sizeof *octets);
    for (size_t i = 0; i < LOOKUPS; i++)
        memcpy(octets[i], addresses[i].bytes, sizeof *octets);
    return octets;
}

void lookups_make(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count)
{
    uint8_t family = prefixes[0].address.family;
    *lookups = (struct lookups){.family = family, .address_bytes = family == 4 ? 4 : 16};
    for (int mix = 0; mix < LOOKUP_MIXES; mix++) {
        struct picket_address *addresses =
            bench_addresses(prefixes, count, LOOKUPS, hit_percents[mix]);
        lookups->addresses[mix] = family == 4 ? numbers_of(addresses) : octets_of(addresses);
        free(addresses);
    }
}

void lookups_free(struct lookups *lookups)
{
    for (int mix = 0; mix < LOOKUP_MIXES; mix++)
        free(lookups->addresses[mix]);
}

/* ---- how fast ---- */

static double rate(double start_s)
{
    return LOOKUPS / (bench_cpu_s() - start_s) / 1e6;
}

/* Until all before is done: a processor that guesses a lookup's result would begin the next one
 * meanwhile. */
static void wait_for_result(void)
{
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

static double one_by_one(const struct structure *structure, const uint8_t *addresses, size_t bytes,
                         uint64_t *sum)
{
    double start = bench_cpu_s();
    for (size_t i = 0; i < LOOKUPS; i++) {
        *sum += structure->one(structure->self, addresses + i * bytes);
        wait_for_result();
    }
    return rate(start);
}

static double together(const struct structure *structure, const uint8_t *addresses, size_t bytes,
                       size_t count, uint64_t *sum)
{
    uint32_t found[TOGETHER_MAX];
    double start = bench_cpu_s();
    for (size_t i = 0; i < LOOKUPS; i += count) {
        structure->many(structure->self, addresses + i * bytes, count, found);
        for (size_t k = 0; k < count; k++)
            *sum += found[k];
    }
    return rate(start);
}

static int compare_rates(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct rates {
    double one[ROUNDS], sixteen[ROUNDS], sixty_four[ROUNDS];
};

/* What was found by each of the three ways. */
static uint64_t run(const struct lookups *lookups, const struct structure *structure, int mix,
                    struct rates *rates)
{
    uint64_t sums[3] = {0};
    const void *addresses = lookups->addresses[mix];
    size_t bytes = lookups->address_bytes;
    for (int i = 0; i < ROUNDS; i++) {
        memset(sums, 0, sizeof sums);
        rates->one[i] = one_by_one(structure, addresses, bytes, &sums[0]);
        rates->sixteen[i] = together(structure, addresses, bytes, 16, &sums[1]);
        rates->sixty_four[i] = together(structure, addresses, bytes, 64, &sums[2]);
    }
    if (sums[0] != sums[1] || sums[1] != sums[2]) {
        fprintf(stderr, "bench_intel: %s: lookups alone and together do not agree\n",
                structure->name);
        exit(1);
    }
    return sums[0];
}

static void print(double rates[ROUNDS])
{
    qsort(rates, ROUNDS, sizeof *rates, compare_rates);
    printf(" %6.1f (%5.1f)", rates[ROUNDS / 2], rates[ROUNDS - 1]);
}

void lookups_print_head(void)
{
    printf("%-22s %8s %8s | %s\n%-40s | %-46s| %s\n%-40s |", "", "built", "bytes",
           "millions of lookups a second: median (best)", "", " 5 % hits", " every address a hit",
           "");
    for (int mix = 0; mix < LOOKUP_MIXES; mix++)
        printf(" %14s %14s %14s  %s", "dependent", "by 16", "by 64", mix == 0 ? "|" : "\n");
}

void lookups_measure(struct lookups *lookups, const struct structure *structure, size_t indicators)
{
    double others[LOOKUP_MIXES];
    printf("%-22s %6.1f s %8.1f |", structure->name, structure->seconds,
           structure->bytes / (double)indicators);
    for (int mix = 0; mix < LOOKUP_MIXES; mix++) {
        struct rates rates;
        uint64_t sum = run(lookups, structure, mix, &rates);
        print(rates.one);
        print(rates.sixteen);
        print(rates.sixty_four);
        printf(mix == 0 ? "  |" : "\n");
        if (!lookups->has_sums)
            lookups->sums[mix] = sum;
        others[mix] = 100.0 * ((double)sum / (double)lookups->sums[mix] - 1);
    }
    for (int mix = 0; mix < LOOKUP_MIXES && !structure->partial; mix++)
        if (others[mix] != 0)
            printf("  which finds otherwise than the first, at %u %% hits: %+.2f %%\n",
                   hit_percents[mix], others[mix]);
    lookups->has_sums = true;
}
