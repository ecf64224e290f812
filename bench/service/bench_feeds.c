/* A feed of many lines on its way into a store and the table, and back from the store at the next
 * start.
 *
 *     bench_feeds [INDICATORS]      1,000,000 unless told
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "messages.h"
#include "picket/service/intel.h"

enum { SWAPS = 10 };

static void write_feed(const char *path, size_t indicators, uint32_t seed)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (size_t i = 0; i < indicators; i++) {
        uint32_t address = bench_random(&seed);
        fprintf(file, "%u.%u.%u.%u\n", address >> 24, address >> 16 & 255, address >> 8 & 255,
                address & 255);
    }
    fclose(file);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void measure(const char *folder, size_t indicators)
{
    struct picket_intel *intel;
    struct picket_feed_report report;
    struct picket_error error = {0};
    struct picket_feed feed = {.name = "bench", .confidence = 50};
    char store[200];
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(feed.source, sizeof feed.source, "%s/feed", folder);
    write_feed(feed.source, indicators, 2463534242u);
    bench_must(picket_intel_start(&intel, store, &error), &error);
    double start = bench_now_s();
    bench_must(picket_intel_feed_add(intel, &feed, &report, &error), &error);
    printf("add a feed of %zu lines, read, stored, matched against: %.2f s, resident %.0f MB\n",
           indicators, bench_now_s() - start, bench_resident_mb());
    write_feed(feed.source, indicators, 88172645u);
    start = bench_now_s();
    bench_must(picket_intel_feed_refresh(intel, feed.name, &report, &error), &error);
    printf("refresh it with %lld others (%lld went): %.2f s, resident %.0f MB\n",
           (long long)report.delta.added, (long long)report.delta.removed, bench_now_s() - start,
           bench_resident_mb());
    start = bench_now_s();
    bench_must(picket_intel_feed_refresh(intel, feed.name, &report, &error), &error);
    printf("refresh it unchanged: %.2f s, resident %.0f MB\n", bench_now_s() - start,
           bench_resident_mb());
    for (int i = 0; i < SWAPS; i++)
        bench_must(picket_intel_feed_refresh(intel, feed.name, &report, &error), &error);
    printf("after %d more swaps: resident %.0f MB\n", SWAPS, bench_resident_mb());
    picket_intel_stop(intel);
    start = bench_now_s();
    bench_must(picket_intel_start(&intel, store, &error), &error);
    printf("start with it: %.2f s, %zu indicators\n", bench_now_s() - start,
           picket_intel_indicator_count(intel));
    picket_intel_stop(intel);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/picket-bench-XXXXXX";
    size_t indicators = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    measure(folder, indicators);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
