/* Indicators that come and go one by one, with many loaded and lookups going on: how long until one
 * is matched, how much of that is the disk, and what lookups notice of it, and of a whole feed's
 * swap.
 *
 *     bench_live [INDICATORS [CHANGES]]      10,000,000 and 2,000 unless told
 */
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../intel/indicators.h"
#include "intel/intel_internal.h"
#include "measure.h"

enum { ADDRESSES = 1 << 20, QUIET_S = 3, SWAPPED = 1000000, BUCKETS = 64 * 16 };

/* ---- times, in buckets a sixteenth of a power of two wide ---- */

struct times {
    uint64_t buckets[BUCKETS];
    uint64_t count;
    double longest_s;
};

static unsigned bucket_of(uint64_t ns)
{
    if (ns < 16)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns);
    return power * 16 + (unsigned)(ns >> (power - 4) & 15);
}

static double bucket_us(unsigned bucket)
{
    if (bucket < 64)
        return bucket / 1e3;
    return (double)((uint64_t)(16 + bucket % 16) << (bucket / 16 - 4)) / 1e3;
}

static void note(struct times *times, double s)
{
    times->buckets[bucket_of((uint64_t)(s * 1e9))]++;
    times->count++;
    if (s > times->longest_s)
        times->longest_s = s;
}

static double percentile_us(const struct times *times, double share)
{
    uint64_t wanted = (uint64_t)((double)times->count * share), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += times->buckets[i];
        if (seen > wanted)
            return bucket_us(i);
    }
    return times->longest_s * 1e6;
}

static void print(const char *what, const struct times *times)
{
    printf("%-44s %10llu  p50 %8.2f  p99 %8.2f  p99.9 %8.2f  longest %9.1f us\n", what,
           (unsigned long long)times->count, percentile_us(times, 0.5), percentile_us(times, 0.99),
           percentile_us(times, 0.999), times->longest_s * 1e6);
    fflush(stdout);
}

/* ---- lookups in memory, beside what is done: all prefixes around an address ---- */

struct looking {
    struct picket_intel *intel;
    const struct picket_address *addresses;
    pthread_t thread;
    atomic_bool stop;
    struct times times;
};

static void *look_up(void *context)
{
    struct looking *looking = context;
    struct table_cover covers[TABLE_COVERS_MAX];
    for (size_t i = 0; !atomic_load_explicit(&looking->stop, memory_order_relaxed); i++) {
        const struct picket_address *address = &looking->addresses[i % ADDRESSES];
        double start = bench_now_s();
        table_covers(published_read(&looking->intel->published), address, covers);
        published_done();
        note(&looking->times, bench_now_s() - start);
    }
    return NULL;
}

static void start_looking(struct looking *looking)
{
    memset(&looking->times, 0, sizeof looking->times);
    atomic_store(&looking->stop, false);
    pthread_create(&looking->thread, NULL, look_up, looking);
}

static void stop_looking(struct looking *looking, const char *what)
{
    atomic_store(&looking->stop, true);
    pthread_join(looking->thread, NULL);
    print(what, &looking->times);
}

/* ---- changes ---- */

struct changing {
    struct times whole, store, table;
};

/* As picket_intel_put() and picket_intel_take_out() do it, with a clock between. */
static void change(struct picket_intel *intel, const struct picket_indicator *indicator, bool come,
                   struct changing *changing)
{
    struct picket_error error = {0};
    struct taking taking;
    double start = bench_now_s();
    pthread_mutex_lock(&intel->changing);
    uint16_t number = table_feed_number(intel->published.table, PICKET_LIST_LOCAL);
    if (!intel_begin_taking(intel, number, &taking))
        exit(1);
    if (come)
        bench_must(picket_store_indicators_put(intel->store, PICKET_LIST_LOCAL, indicator, 1,
                                               intel_take_change, &taking, NULL, &error),
                   &error);
    else
        bench_must(picket_store_indicators_take_out(intel->store, PICKET_LIST_LOCAL, indicator, 1,
                                                    intel_take_change, &taking, NULL, &error),
                   &error);
    double stored = bench_now_s();
    bench_must(intel_publish(intel, &taking, &error), &error);
    pthread_mutex_unlock(&intel->changing);
    double end = bench_now_s();
    note(&changing->store, stored - start);
    note(&changing->table, end - stored);
    note(&changing->whole, end - start);
}

static void ignore(void *context, const struct picket_match *match)
{
    (void)match;
    ++*(size_t *)context;
}

static void must_match(struct picket_intel *intel, const struct picket_address *address,
                       size_t times)
{
    size_t found = 0;
    picket_intel_lookup(intel, address, ignore, &found);
    if (found == times)
        return;
    fprintf(stderr, "bench_live: %zu indicators match, and not %zu\n", found, times);
    exit(1);
}

/* Each is found as soon as it has come, beside what covers it anyway, and not when it has gone. */
static void change_many(struct picket_intel *intel, size_t changes, struct changing *changing)
{
    for (size_t i = 0; i < changes / 2; i++) {
        struct picket_indicator indicator = {.confidence = 90, .first_seen_ms = 1};
        uint8_t bytes[4] = {250, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        indicator.prefix = (struct picket_prefix){picket_address_ipv4(bytes), 32};
        const struct picket_address *address = &indicator.prefix.address;
        size_t anyway = 0;
        picket_intel_lookup(intel, address, ignore, &anyway);
        change(intel, &indicator, true, changing);
        must_match(intel, address, anyway + 1);
        change(intel, &indicator, false, changing);
        must_match(intel, address, anyway);
    }
}

/* ---- what is loaded ---- */

static void fill_store(const char *folder, const struct picket_prefix *prefixes, size_t count)
{
    struct picket_store *store;
    struct picket_error error = {0};
    struct picket_feed feed = {.name = "loaded", .source = "/none", .format = "plain"};
    struct picket_feed list = {.name = PICKET_LIST_LOCAL, .confidence = 90};
    struct picket_indicator *indicators = bench_memory(count * sizeof *indicators);
    memset(indicators, 0, count * sizeof *indicators);
    for (size_t i = 0; i < count; i++)
        indicators[i] = (struct picket_indicator){
            .prefix = prefixes[i], .confidence = 50, .line = (uint32_t)i + 1};
    bench_must(picket_store_open(&store, folder, &error), &error);
    bench_must(picket_store_feed_put(store, &feed, &error), &error);
    bench_must(picket_store_feed_put(store, &list, &error), &error);
    bench_must(picket_store_indicators_replace(store, feed.name, indicators, count, NULL, NULL,
                                               NULL, &error),
               &error);
    picket_store_close(store);
    free(indicators);
}

static void write_feed(const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < SWAPPED; i++) {
        uint32_t address = (uint32_t)bench_random();
        fprintf(file, "%u.%u.%u.%u\n", address >> 24, address >> 16 & 255, address >> 8 & 255,
                address & 255);
    }
    fclose(file);
}

static void swap(struct picket_intel *intel, const char *folder, struct looking *looking)
{
    struct picket_error error = {0};
    struct picket_feed feed = {.name = "swapped", .confidence = 50};
    snprintf(feed.source, sizeof feed.source, "%s/feed", folder);
    write_feed(feed.source);
    bench_must(picket_intel_feed_add(intel, &feed, NULL, &error), &error);
    write_feed(feed.source);
    start_looking(looking);
    double start = bench_now_s();
    bench_must(picket_intel_feed_refresh(intel, feed.name, NULL, &error), &error);
    double took = bench_now_s() - start;
    stop_looking(looking, "lookups while a feed of 1 M is swapped");
    printf("%-44s %.2f s\n", "the swap", took);
}

static void measure(const char *folder, size_t indicators, size_t changes)
{
    struct picket_intel *intel;
    struct picket_error error = {0};
    static struct looking looking;
    static struct changing changing;
    char store[200];
    struct picket_prefix *prefixes = bench_ipv4_prefixes(indicators);
    struct picket_address *addresses = bench_addresses(prefixes, indicators, ADDRESSES, 0);
    snprintf(store, sizeof store, "%s/store", folder);
    fill_store(store, prefixes, indicators);
    free(prefixes);
    bench_must(picket_intel_start(&intel, store, &error), &error);
    printf("%zu indicators in memory, resident %.0f MB\n", picket_intel_indicator_count(intel),
           bench_resident_mb());
    looking.intel = intel;
    looking.addresses = addresses;
    start_looking(&looking);
    sleep(QUIET_S);
    stop_looking(&looking, "lookups, nothing changes");
    start_looking(&looking);
    change_many(intel, changes, &changing);
    stop_looking(&looking, "lookups while indicators come and go");
    print("one comes or goes, until it is matched", &changing.whole);
    print("  of that: the store, on the disk", &changing.store);
    print("  of that: the table", &changing.table);
    swap(intel, folder, &looking);
    picket_intel_stop(intel);
    free(addresses);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/picket-bench-XXXXXX";
    size_t indicators = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    size_t changes = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000;
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    measure(folder, indicators, changes);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
