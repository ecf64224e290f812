/* How long does a large feed take?
 *
 *     picket_bench_indicators [INDICATORS [FOLDER]]
 *
 * Replaces a feed's indicators when there are none, when nothing has changed, when one in a hundred
 * has, and reads them all.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "picket/store/store.h"

/* Different for different numbers below 2^32, in no order: an odd multiplier permutes them. */
static struct picket_indicator indicator_of(uint32_t number, uint32_t line)
{
    uint32_t address = number * 2654435761u;
    uint8_t bytes[4] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                        (uint8_t)address};
    return (struct picket_indicator){
        .prefix = {.address = picket_address_ipv4(bytes), .length = 32},
        .confidence = 70,
        .first_seen_ms = 1790000000000,
        .line = line,
        .tags = number % 10 == 0 ? "botnet" : "scanner",
    };
}

static void replace(struct picket_store *store, const char *what,
                    const struct picket_indicator *indicators, size_t count)
{
    struct picket_error error;
    struct picket_feed_delta delta;
    double start = bench_now_s();
    bench_must(picket_store_indicators_replace(store, "bench", indicators, count, NULL, NULL,
                                               &delta, &error),
               &error);
    printf("%-22s %6.2f s   added %lld, removed %lld, kept %lld\n", what, bench_now_s() - start,
           (long long)delta.added, (long long)delta.removed, (long long)delta.kept);
}

static void count_one(void *context, const char *feed, const struct picket_indicator *indicator)
{
    (void)feed;
    (void)indicator;
    ++*(size_t *)context;
}

static void measure(struct picket_store *store, struct picket_indicator *indicators, size_t count)
{
    struct picket_error error;
    struct picket_feed feed = {.name = "bench", .source = "bench", .format = "plain"};
    bench_must(picket_store_feed_put(store, &feed, &error), &error);
    for (size_t i = 0; i < count; i++)
        indicators[i] = indicator_of((uint32_t)i, (uint32_t)i + 1);
    replace(store, "new", indicators, count);
    replace(store, "unchanged", indicators, count);
    for (size_t i = 0; i < count; i += 100)
        indicators[i] = indicator_of((uint32_t)(i + count), (uint32_t)i + 1);
    replace(store, "one in 100 changed", indicators, count);
    size_t read = 0;
    double start = bench_now_s();
    bench_must(picket_store_indicators(store, NULL, count_one, &read, &error), &error);
    printf("%-22s %6.2f s   %zu\n", "read", bench_now_s() - start, read);
    struct picket_store_totals totals;
    bench_must(picket_store_totals(store, &totals, &error), &error);
    printf("on disk: %.1f MB\n", (double)totals.size_bytes / 1e6);
}

static void remove_files(const char *folder)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    char temporary[] = "/tmp/picket-bench-indicators-XXXXXX";
    long count = argc > 1 ? atol(argv[1]) : 1000000;
    const char *folder = argc > 2 ? argv[2] : mkdtemp(temporary);
    struct picket_indicator *indicators =
        count > 0 && folder != NULL ? calloc((size_t)count, sizeof *indicators) : NULL;
    if (indicators == NULL) {
        fprintf(stderr, "picket_bench_indicators [INDICATORS [FOLDER]]\n");
        return 2;
    }
    struct picket_store *store;
    struct picket_error error;
    bench_must(picket_store_open(&store, folder, &error), &error);
    printf("%ld indicators\n", count);
    measure(store, indicators, (size_t)count);
    picket_store_close(store);
    free(indicators);
    remove_files(folder);
    return 0;
}
