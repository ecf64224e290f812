/* Indicators in memory: how fast they are looked up, loaded and changed, and what they take.
 * README.md says how to read it.
 *
 *     bench_intel [IPV4 [IPV6]]      10,000,000 and 1,000,000 unless told
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "indicators.h"
#include "intel/feed_reader.h"
#include "intel/readers.h"
#include "intel/table.h"
#include "measure.h"
#include "reference.h"

enum { LOOKUPS = 1 << 22, ROUNDS = 5, SWAPS = 100, SWAPPED = 1000000, TEXT_LINES = 1000000 };

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_intel: %s\n", what);
    exit(1);
}

static void change(struct table *table, uint16_t feed, const struct picket_prefix *prefixes,
                   size_t count, bool in)
{
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < count; i++) {
        struct picket_indicator indicator = {.prefix = prefixes[i], .confidence = 80, .tags = ""};
        check(in ? table_put(batch, feed, &indicator) : table_take_out(batch, feed, &indicator),
              "no memory");
    }
    check(table_apply(batch, NULL) == PICKET_OK, "no memory");
}

/* ---- lookups ---- */

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

static double one_by_one(const struct table *table, const struct reference *reference,
                         const struct picket_address *addresses, uint64_t *sum)
{
    uint32_t carried = 0;
    double start = bench_now_s();
    for (size_t i = 0; i < LOOKUPS; i++) {
        const struct picket_address *address = &addresses[i];
        if (reference != NULL) {
            carried = reference_find(reference, picket_address_ipv4_number(address));
        } else {
            struct table_cover cover = table_find(table, address);
            carried = cover.sources != 0 ? cover.length + 1u : 0;
        }
        *sum += carried;
        wait_for_result();
    }
    return LOOKUPS / (bench_now_s() - start) / 1e6;
}

static void find_sixteen(const struct table *table, const struct picket_address *addresses,
                         struct table_cover covers[16])
{
    uint32_t ipv4[16];
    uint8_t ipv6[16][16];
    bool is_ipv4 = addresses[0].family == 4;
    for (size_t k = 0; k < 16 && is_ipv4; k++)
        ipv4[k] = picket_address_ipv4_number(&addresses[k]);
    for (size_t k = 0; k < 16 && !is_ipv4; k++)
        memcpy(ipv6[k], addresses[k].bytes, sizeof ipv6[k]);
    if (is_ipv4)
        table_find_ipv4(table, ipv4, 16, covers);
    else
        table_find_ipv6(table, ipv6, 16, covers);
}

static double by_sixteen(const struct table *table, const struct picket_address *addresses,
                         uint64_t *sum)
{
    struct table_cover covers[16];
    double start = bench_now_s();
    for (size_t i = 0; i < LOOKUPS; i += 16) {
        find_sixteen(table, &addresses[i], covers);
        for (size_t k = 0; k < 16; k++)
            *sum += covers[k].sources != 0 ? covers[k].length + 1u : 0;
    }
    return LOOKUPS / (bench_now_s() - start) / 1e6;
}

static double reference_by_sixteen(const struct reference *reference,
                                   const struct picket_address *addresses, uint64_t *sum)
{
    uint32_t asked[16];
    uint8_t found[16];
    double start = bench_now_s();
    for (size_t i = 0; i < LOOKUPS; i += 16) {
        for (size_t k = 0; k < 16; k++)
            asked[k] = picket_address_ipv4_number(&addresses[i + k]);
        reference_find_all(reference, asked, found);
        for (size_t k = 0; k < 16; k++)
            *sum += found[k];
    }
    return LOOKUPS / (bench_now_s() - start) / 1e6;
}

static int compare_rates(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double rates[ROUNDS])
{
    qsort(rates, ROUNDS, sizeof *rates, compare_rates);
    return rates[ROUNDS / 2];
}

static void look_up(const struct table *table, const struct reference *reference,
                    const struct picket_prefix *prefixes, size_t count, unsigned hit_percent)
{
    double one[ROUNDS], many[ROUNDS], plain_one[ROUNDS], plain_many[ROUNDS];
    struct picket_address *addresses = bench_addresses(prefixes, count, LOOKUPS, hit_percent);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t sums[4] = {0};
        one[i] = one_by_one(table, NULL, addresses, &sums[0]);
        many[i] = by_sixteen(table, addresses, &sums[1]);
        check(sums[0] == sums[1], "the lookups do not agree");
        if (reference == NULL)
            continue;
        plain_one[i] = one_by_one(table, reference, addresses, &sums[2]);
        plain_many[i] = reference_by_sixteen(reference, addresses, &sums[3]);
        check(sums[0] == sums[2] && sums[2] == sums[3], "lookups and reference do not agree");
    }
    printf("%3u %% hits: dependent %5.1f M/s, by sixteen %5.1f M/s", hit_percent, median(one),
           median(many));
    if (reference != NULL)
        printf("; binary search %.1f and %.1f (× %.1f, × %.1f)", median(plain_one),
               median(plain_many), median(one) / median(plain_one),
               median(many) / median(plain_many));
    printf("\n");
    free(addresses);
}

/* ---- changes while lookups go on ---- */

struct reading {
    const struct table *table;
    const struct picket_address *addresses;
    atomic_bool stop;
    atomic_size_t count;
    float *latencies_us; /* LOOKUPS of them */
};

static void *keep_reading(void *context)
{
    struct reading *reading = context;
    for (size_t i = 0; i < LOOKUPS && !atomic_load(&reading->stop); i++) {
        double start = bench_now_s();
        readers_enter();
        table_find(reading->table, &reading->addresses[i]);
        readers_leave();
        reading->latencies_us[i] = (float)((bench_now_s() - start) * 1e6);
        atomic_store(&reading->count, i + 1);
    }
    return NULL;
}

static int compare_latencies(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double quantile(float *sorted, size_t count, double share)
{
    return (double)sorted[(size_t)((double)(count - 1) * share)];
}

static void change_while_reading(struct table *table, uint16_t feed,
                                 const struct picket_prefix *prefixes, size_t count)
{
    enum { CHANGES = 20000, LOOKUPS_MEANWHILE = 1000000 };
    static float taken_us[CHANGES];
    size_t made = 0;
    pthread_t thread;
    struct picket_address *addresses = bench_addresses(prefixes, count, LOOKUPS, 5);
    struct reading reading = {.table = table, .addresses = addresses};
    reading.latencies_us = bench_memory(LOOKUPS * sizeof *reading.latencies_us);
    struct picket_prefix *others = bench_ipv4_prefixes(CHANGES);
    check(pthread_create(&thread, NULL, keep_reading, &reading) == 0, "no thread");
    for (; made < CHANGES || atomic_load(&reading.count) < LOOKUPS_MEANWHILE; made++) {
        double start = bench_now_s();
        change(table, feed, &others[made % CHANGES / 2], 1, made % 2 == 0);
        taken_us[made % CHANGES] = (float)((bench_now_s() - start) * 1e6);
    }
    atomic_store(&reading.stop, true);
    pthread_join(thread, NULL);
    qsort(taken_us, CHANGES, sizeof *taken_us, compare_latencies);
    qsort(reading.latencies_us, reading.count, sizeof *reading.latencies_us, compare_latencies);
    printf("one added or taken out, with readers: median %.1f µs, p99 %.0f µs, longest %.0f µs; "
           "%zu lookups meanwhile: p99.9 %.1f µs\n",
           quantile(taken_us, CHANGES, 0.5), quantile(taken_us, CHANGES, 0.99),
           (double)taken_us[CHANGES - 1], reading.count,
           quantile(reading.latencies_us, reading.count, 0.999));
    free(reading.latencies_us);
    free(addresses);
    free(others);
}

/* ---- swaps ---- */

static void swap(void)
{
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "bench"});
    struct picket_prefix *old = bench_ipv4_prefixes(SWAPPED);
    double first = 0;
    change(table, feed, old, SWAPPED, true);
    for (int i = 1; i <= SWAPS; i++) {
        struct picket_prefix *fresh = bench_ipv4_prefixes(SWAPPED);
        change(table, feed, fresh, SWAPPED, true);
        change(table, feed, old, SWAPPED, false);
        free(old);
        old = fresh;
        if (i == 1)
            first = bench_resident_mb();
    }
    double last = bench_resident_mb();
    printf("a feed of %d swapped %d times: %.0f MB resident after the first, %.0f MB after the "
           "last (%+.1f %%)\n",
           SWAPPED, SWAPS, first, last, (last - first) / first * 100);
    free(old);
    table_free(table);
}

/* ---- from text ---- */

static char *feed_text(size_t *size)
{
    struct picket_prefix *prefixes = bench_ipv4_prefixes(TEXT_LINES);
    char *text = bench_memory((size_t)TEXT_LINES * PICKET_PREFIX_TEXT_BYTES);
    *size = 0;
    for (int i = 0; i < TEXT_LINES; i++) {
        char line[PICKET_PREFIX_TEXT_BYTES];
        *size += (size_t)sprintf(text + *size, "%s\n", picket_prefix_format(&prefixes[i], line));
    }
    free(prefixes);
    return text;
}

static void load_text(void)
{
    size_t size;
    char *text = feed_text(&size);
    struct feed_reading reading;
    double start = bench_now_s();
    check(feed_read(&reading, text, size, &(struct feed_options){.confidence = 80}, NULL) ==
              PICKET_OK,
          "unreadable");
    double read = bench_now_s();
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "bench"});
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < reading.indicators.count; i++)
        check(table_put(batch, feed, &reading.indicators.items[i]), "no memory");
    check(table_apply(batch, NULL) == PICKET_OK, "no memory");
    double built = bench_now_s();
    printf("%d lines of text (%.1f MB): read in %.2f s, in the table %.2f s later (× %.1f)\n",
           TEXT_LINES, (double)size / 1e6, read - start, built - read,
           (built - start) / (read - start));
    table_free(table);
    feed_reading_free(&reading);
    free(text);
}

/* ---- a family ---- */

static void measure(struct picket_prefix *prefixes, size_t count, const struct reference *reference)
{
    double resident = bench_resident_mb();
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "bench"});
    double start = bench_now_s();
    change(table, feed, prefixes, count, true);
    double taken = bench_now_s() - start;
    size_t indicators = table_indicators(table);
    malloc_trim(0); /* as Picket does: what building took is given back */
    printf("IPv%u: %zu indicators in %.2f s, resident %.1f bytes each\n",
           prefixes[0].address.family, indicators, taken,
           (bench_resident_mb() - resident) * 1e6 / (double)indicators);
    look_up(table, reference, prefixes, count, 5);
    look_up(table, reference, prefixes, count, 100);
    change_while_reading(table, feed, prefixes, count);
    table_free(table);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    size_t ipv4 = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    size_t ipv6 = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    check(ipv4 > 0 && ipv6 > 0, "numbers of indicators: at least one of each");
    load_text();
    struct picket_prefix *prefixes = bench_ipv4_prefixes(ipv4);
    struct reference reference;
    reference_make(&reference, prefixes, ipv4);
    measure(prefixes, ipv4, &reference);
    reference_free(&reference);
    free(prefixes);
    prefixes = bench_ipv6_prefixes(ipv6);
    measure(prefixes, ipv6, NULL);
    free(prefixes);
    swap();
    return 0;
}
