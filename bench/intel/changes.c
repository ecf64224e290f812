#include "changes.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "indicators.h"
#include "intel/table/readers.h"
#include "measure.h"

enum { CHANGES = 10000, LOOKUPS = 1 << 20 };

/* ---- spans of time ---- */

struct spans {
    float *us;
    size_t count;
};

static void note(struct spans *spans, double start_s)
{
    spans->us[spans->count++] = (float)((bench_now_s() - start_s) * 1e6);
}

static int compare_spans(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void print(const char *what, struct spans *spans)
{
    qsort(spans->us, spans->count, sizeof *spans->us, compare_spans);
    static const double shares[] = {0.5, 0.99, 0.999, 1};
    printf("%-52s", what);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        printf(" %9.1f", (double)spans->us[(size_t)((double)(spans->count - 1) * shares[i])]);
    printf("   of %zu\n", spans->count);
}

/* ---- until a reader sees it ---- */

struct watching {
    const struct table *table;
    _Atomic(const struct picket_address *) address; /* NULL: nothing more */
    atomic_bool awaited;                            /* whether it is to be listed */
    atomic_size_t asked, seen;                      /* how many were begun, and seen */
    double seen_at;
};

static bool is_listed(const struct table *table, const struct picket_address *address)
{
    readers_enter();
    bool is = table_find(table, address).sources != 0;
    readers_leave();
    return is;
}

static void *watch(void *context)
{
    struct watching *watching = context;
    const struct picket_address *address;
    for (size_t number = 1;; number++) {
        while (atomic_load(&watching->asked) < number)
            sched_yield();
        if ((address = atomic_load(&watching->address)) == NULL)
            return NULL;
        while (is_listed(watching->table, address) != atomic_load(&watching->awaited))
            continue;
        watching->seen_at = bench_now_s();
        atomic_store(&watching->seen, number);
    }
}

/* Addresses that nothing covers, so that a change is seen. */
static struct picket_prefix *find_unlisted(const struct table *table, size_t count)
{
    struct picket_prefix *prefixes = bench_memory(count * sizeof *prefixes);
    for (size_t i = 0; i < count;) {
        struct picket_prefix *some = bench_ipv4_prefixes(1);
        some->length = 32;
        if (!is_listed(table, &some->address))
            prefixes[i++] = *some;
        free(some);
    }
    return prefixes;
}

/* Once the call has returned every reader sees the change; if the one that watches had no processor
 * just then, that is not the table's doing. */
static double sooner(double seen_us, double returned_us)
{
    double sooner = seen_us < returned_us ? seen_us : returned_us;
    return sooner > 0 ? sooner : 0;
}

static void measure_until_seen(const struct listed *listed)
{
    struct watching watching = {.table = listed->table};
    struct spans seen = {bench_memory(CHANGES * sizeof(float)), 0};
    struct spans returned = {bench_memory(CHANGES * sizeof(float)), 0};
    struct picket_prefix *others = find_unlisted(listed->table, CHANGES / 2);
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, &watching) != 0)
        exit(1);
    for (size_t i = 0; i < CHANGES; i++) {
        atomic_store(&watching.address, &others[i / 2].address);
        atomic_store(&watching.awaited, i % 2 == 0);
        atomic_store(&watching.asked, i + 1);
        double start = bench_now_s();
        listed_change(listed, &others[i / 2], 1, i % 2 == 0);
        note(&returned, start);
        while (atomic_load(&watching.seen) < i + 1)
            sched_yield();
        seen.us[seen.count++] = (float)sooner((watching.seen_at - start) * 1e6,
                                              (double)returned.us[returned.count - 1]);
    }
    atomic_store(&watching.address, NULL);
    atomic_store(&watching.asked, CHANGES + 1);
    pthread_join(thread, NULL);
    print("one added or taken out: until a reader can see it", &seen);
    print("until the call returns, readers waited for", &returned);
    free(others);
    free(seen.us);
    free(returned.us);
}

/* ---- what lookups notice ---- */

struct reading {
    const struct table *table;
    const struct picket_address *addresses;
    struct spans spans;
    atomic_bool done;
};

static void *keep_reading(void *context)
{
    struct reading *reading = context;
    for (size_t i = 0; i < LOOKUPS; i++) {
        double start = bench_now_s();
        is_listed(reading->table, &reading->addresses[i]);
        note(&reading->spans, start);
    }
    atomic_store(&reading->done, true);
    return NULL;
}

static size_t change_until_done(const struct listed *listed, atomic_bool *done)
{
    enum { OTHERS = 10000 };
    struct picket_prefix *others = bench_ipv4_prefixes(OTHERS);
    size_t made = 0;
    for (; !atomic_load(done); made++)
        listed_change(listed, &others[made / 2 % OTHERS], 1, made % 2 == 0);
    free(others);
    return made;
}

static void measure_lookups(const struct listed *listed, const struct picket_address *addresses,
                            bool with_changes)
{
    struct reading reading = {.table = listed->table, .addresses = addresses};
    reading.spans.us = bench_memory(LOOKUPS * sizeof(float));
    pthread_t thread;
    if (pthread_create(&thread, NULL, keep_reading, &reading) != 0)
        exit(1);
    double start = bench_now_s();
    size_t made = with_changes ? change_until_done(listed, &reading.done) : 0;
    double changing = bench_now_s() - start;
    pthread_join(thread, NULL);
    char what[80] = "a lookup, the clock's two calls included";
    if (with_changes)
        snprintf(what, sizeof what, "the same during %.0f changes a second",
                 (double)made / changing);
    print(what, &reading.spans);
    free(reading.spans.us);
}

void changes_measure(const struct listed *listed, const struct picket_prefix *prefixes,
                     size_t count)
{
    struct picket_address *addresses = bench_addresses(prefixes, count, LOOKUPS, 5);
    printf("%-52s %9s %9s %9s %9s\n", "microseconds", "p50", "p99", "p99.9", "longest");
    if (prefixes[0].address.family == 4)
        measure_until_seen(listed);
    measure_lookups(listed, addresses, false);
    measure_lookups(listed, addresses, true);
    free(addresses);
}
