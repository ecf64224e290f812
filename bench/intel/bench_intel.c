/* Indicators in memory: how fast they are looked up, loaded and changed, and what they take.
 * README.md says how to read it.
 *
 *     bench_intel [IPV4 [IPV6]]      10,000,000 and 1,000,000 unless told
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "changes.h"
#include "dpdk.h"
#include "indicators.h"
#include "intel/formats/feed_reader.h"
#include "listed.h"
#include "lookups.h"
#include "measure.h"
#include "reference.h"

enum { SWAPS = 100, SWAPPED = 1000000, TEXT_LINES = 1000000, TEXT_ROUNDS = 5 };

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_intel: %s\n", what);
    exit(1);
}

/* ---- swaps ---- */

/* What building took is given back first, as Picket does. */
static double resident_mb(void)
{
    malloc_trim(0);
    return bench_resident_mb();
}

static void swap(void)
{
    struct listed listed;
    struct picket_prefix *old = bench_ipv4_prefixes(SWAPPED);
    double first = 0;
    listed_open(&listed);
    listed_change(&listed, old, SWAPPED, true);
    for (int i = 1; i <= SWAPS; i++) {
        struct picket_prefix *fresh = bench_ipv4_prefixes(SWAPPED);
        listed_change(&listed, fresh, SWAPPED, true);
        listed_change(&listed, old, SWAPPED, false);
        free(old);
        old = fresh;
        if (i == 1)
            first = resident_mb();
    }
    double last = resident_mb();
    printf("a feed of %d swapped %d times: %.0f MB resident after the first, %.0f MB after the "
           "last (%+.1f %%)\n",
           SWAPPED, SWAPS, first, last, (last - first) / first * 100);
    free(old);
    listed_close(&listed);
}

/* ---- memory of smaller fleets ---- */

static double bytes_of(struct picket_prefix *prefixes, size_t count)
{
    struct listed listed;
    struct structure structure = listed_make(&listed, prefixes, count);
    listed_close(&listed);
    free(prefixes);
    return structure.bytes;
}

static void measure_sizes(void)
{
    static const size_t counts[] = {1000, 10000, 100000, 200000, 1000000, 2000000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double ipv4 = bytes_of(bench_ipv4_prefixes(counts[i]), counts[i]);
        double ipv6 = bytes_of(bench_ipv6_prefixes(counts[i]), counts[i]);
        printf("%zu indicators take %.1f MB of IPv4, %.1f MB of IPv6\n", counts[i], ipv4 / 1e6,
               ipv6 / 1e6);
    }
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

/* Seconds to read, and to build. */
static void load(const char *text, size_t size, double *read, double *build)
{
    struct feed_reading reading;
    struct listed listed;
    double start = bench_cpu_s();
    struct feed_options options = {.confidence = 80};
    check(feed_read(&reading, text, size, &options, NULL) == PICKET_OK, "unreadable");
    double has_read = bench_cpu_s();
    listed_open(&listed);
    struct table_batch *batch = table_batch_new(listed.table);
    for (size_t i = 0; i < reading.indicators.count; i++)
        check(table_put(batch, listed.feed, &reading.indicators.items[i]), "no memory");
    check(table_apply(batch, NULL) == PICKET_OK, "no memory");
    *read = has_read - start;
    *build = bench_cpu_s() - has_read;
    listed_close(&listed);
    feed_reading_free(&reading);
}

static void load_text(void)
{
    size_t size;
    char *text = feed_text(&size);
    for (int i = 0; i < TEXT_ROUNDS; i++) {
        double read, build;
        load(text, size, &read, &build);
        printf("%d lines of text (%.1f MB), in no order: read in %.2f s, in the table %.2f s later "
               "(all: × %.1f)\n",
               TEXT_LINES, (double)size / 1e6, read, build, (read + build) / read);
    }
    free(text);
}

/* ---- a family ---- */

static void measure_ipv4(size_t count)
{
    struct picket_prefix *prefixes = bench_ipv4_prefixes(count);
    struct lookups lookups;
    struct listed listed;
    struct reference reference;
    lookups_make(&lookups, prefixes, count);
    struct structure ours = listed_make(&listed, prefixes, count);
    printf("\n%zu IPv4 indicators, 85 %% single addresses\n", count);
    lookups_print_head();
    lookups_measure(&lookups, &ours, table_indicators(listed.table));
    struct structure sorted = reference_make(&reference, prefixes, count);
    lookups_measure(&lookups, &sorted, count);
    reference_free(&reference);
    dpdk_measure_ipv4(&lookups, prefixes, count);
    lookups_measure(&lookups, &ours, table_indicators(listed.table));
    changes_measure(&listed, prefixes, count);
    lookups_free(&lookups);
    listed_close(&listed);
    free(prefixes);
}

static void measure_ipv6(size_t count)
{
    struct picket_prefix *prefixes = bench_ipv6_prefixes(count);
    struct lookups lookups;
    struct listed listed;
    lookups_make(&lookups, prefixes, count);
    struct structure ours = listed_make(&listed, prefixes, count);
    printf("\n%zu IPv6 indicators\n", count);
    lookups_print_head();
    lookups_measure(&lookups, &ours, table_indicators(listed.table));
    dpdk_measure_ipv6(&lookups, prefixes, count);
    changes_measure(&listed, prefixes, count);
    lookups_free(&lookups);
    listed_close(&listed);
    free(prefixes);
}

int main(int argc, char **argv)
{
    size_t ipv4 = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    size_t ipv6 = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    check(ipv4 > 0 && ipv6 > 0, "numbers of indicators: at least one of each");
    setvbuf(stdout, NULL, _IOLBF, 0);
    load_text();
    measure_sizes();
    swap(); /* before DPDK takes gigabytes, beside which nothing would grow */
    measure_ipv4(ipv4);
    measure_ipv6(ipv6);
    return 0;
}
