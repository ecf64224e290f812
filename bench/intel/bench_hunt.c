/* Stored flows searched for indicators, beside the store's own full scan: the same file, read by
 * SQL alone. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../measure.h"
#include "../store/rows.h"
#include "indicators.h"
#include "intel/hunting/hunt.h"

enum { ROUNDS = 9, BATCH = 1000, WRITTEN = 20000, NICEST = 19 };

/* ---- what is searched ---- */

static void put_events(struct picket_store *store, struct generator *generator,
                       const struct setting *setting, int count)
{
    static struct message message;
    struct picket_error error;
    for (int done = 0; done < count; done += BATCH) {
        bench_must(picket_store_begin(store, &error), &error);
        for (int i = 0; i < BATCH; i++) {
            next_message(generator, setting, &message);
            put_message(store, setting, &message);
        }
        bench_must(picket_store_commit(store, &error), &error);
    }
}

static void fill(const struct setting *setting)
{
    struct picket_store *store;
    struct picket_error error;
    struct generator generator = {.state = 1};
    bench_must(picket_store_open(&store, setting->folder, &error), &error);
    put_events(store, &generator, setting, setting->messages);
    picket_store_close(store);
}

struct duration {
    double wall_s, cpu_s;
};

static struct duration since(struct stopwatch start)
{
    struct stopwatch now = start_watch();
    return (struct duration){now.wall_s - start.wall_s, now.cpu_s - start.cpu_s};
}

/* ---- the reference ---- */

static void must_sqlite(int code, sqlite3 *handle)
{
    if (code == SQLITE_OK)
        return;
    fprintf(stderr, "%s\n", sqlite3_errmsg(handle));
    exit(1);
}

static struct duration scan(const struct setting *setting, int64_t *bytes)
{
    char path[4096];
    sqlite3 *handle;
    sqlite3_stmt *statement;
    struct stopwatch start = start_watch();
    snprintf(path, sizeof path, "%s/picket.db", setting->folder);
    must_sqlite(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL),
                NULL);
    must_sqlite(sqlite3_prepare_v2(handle, "select id, block from flows", -1, &statement, NULL),
                handle);
    for (*bytes = 0; sqlite3_step(statement) == SQLITE_ROW;) {
        (void)sqlite3_column_int64(statement, 0);
        (void)sqlite3_column_blob(statement, 1);
        *bytes += sqlite3_column_bytes(statement, 1);
    }
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return since(start);
}

/* ---- the hunt ---- */

static struct matching matching_of(void *context, const struct table *own)
{
    (void)context;
    return (struct matching){.table = own};
}

static void matching_done(void *context)
{
    (void)context;
}

static struct hunt *new_hunt(size_t count, bool singles)
{
    struct picket_error error;
    struct picket_prefix *prefixes = bench_ipv4_prefixes(count);
    struct hunt *hunt = bench_memory(sizeof *hunt);
    *hunt = (struct hunt){.matching = matching_of,
                          .matching_done = matching_done,
                          .table = table_new(),
                          .range = {.end_event = INT64_MAX, .until_ms = INT64_MAX}};
    uint16_t feed = table_add_feed(hunt->table, &(struct table_feed){.name = "bench"});
    struct table_batch *batch = table_batch_new(hunt->table);
    picket_address_filter_init(&hunt->filter, count);
    for (size_t i = 0; i < count; i++) {
        struct picket_indicator indicator = {.prefix = prefixes[i], .confidence = 50};
        if (singles)
            indicator.prefix.length = 32;
        table_put(batch, feed, &indicator);
        picket_address_filter_add(&hunt->filter, &indicator.prefix);
    }
    bench_must(table_apply(batch, &error), &error);
    free(prefixes);
    return hunt;
}

/* Until all that was found is gathered and sorted. */
static struct duration run_hunt(const struct setting *setting, struct hunt *hunt, int64_t *bytes)
{
    struct picket_store *store;
    struct picket_error error;
    struct stopwatch start = start_watch();
    bench_must(picket_store_open(&store, setting->folder, &error), &error);
    gathering_free(&hunt->gathered);
    atomic_store(&hunt->progress.hits, 0);
    hunt_begin(hunt);
    while (!hunt_is_done(hunt))
        bench_must(hunt_step(hunt, store, &error), &error);
    gathering_sort(&hunt->gathered);
    picket_store_close(store);
    *bytes = hunt->search.bytes;
    return since(start);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static void measure(const struct setting *setting, size_t indicators, bool singles)
{
    struct hunt *hunt = new_hunt(indicators, singles);
    double scans[ROUNDS], hunts[ROUNDS], ratios[ROUNDS], cpu_ratios[ROUNDS];
    int64_t scanned, hunted;
    for (int i = 0; i < ROUNDS; i++) {
        struct duration raw = scan(setting, &scanned), own = run_hunt(setting, hunt, &hunted);
        scans[i] = raw.wall_s;
        hunts[i] = own.wall_s;
        ratios[i] = raw.wall_s / own.wall_s;
        cpu_ratios[i] = raw.cpu_s / own.cpu_s;
        if (scanned != hunted) {
            fprintf(stderr, "bench_hunt: %lld bytes scanned, %lld searched\n", (long long)scanned,
                    (long long)hunted);
            exit(1);
        }
    }
    double flows = (double)setting->messages * setting->flows / 1e6;
    printf("%10zu %s %10lld %11.1f %11.1f %7.2f %9.2f\n", indicators, singles ? "/32  " : "mixed",
           (long long)atomic_load(&hunt->progress.hits), flows / median(scans),
           flows / median(hunts), median(ratios), median(cpu_ratios));
    fflush(stdout);
    hunt_free(hunt);
    free(hunt);
}

static void measure_all(const struct setting *setting)
{
    printf("%d events of %d flows\n", setting->messages, setting->flows);
    printf("                                M flows/s   M flows/s   ratio, of time\n");
    printf("indicators             hits   SQL alone        hunt    wall processor\n");
    measure(setting, 1, true);
    measure(setting, 100000, true);
    measure(setting, 1000000, true);
    measure(setting, 100000, false);
    measure(setting, 1000000, false);
}

/* ---- who writes meanwhile ---- */

/* A hunt that begins again when it has ended, as nice as in the service. */
struct beside {
    const struct setting *setting;
    struct hunt *hunt;
    atomic_bool stop;
    atomic_int ended;
};

static void *hunt_on(void *context)
{
    struct beside *beside = context;
    int64_t bytes;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICEST);
    while (!atomic_load(&beside->stop)) {
        run_hunt(beside->setting, beside->hunt, &bytes);
        atomic_fetch_add(&beside->ended, 1);
    }
    return NULL;
}

static double write_some(struct picket_store *store, struct generator *generator,
                         const struct setting *setting)
{
    struct stopwatch start = start_watch();
    put_events(store, generator, setting, WRITTEN);
    return since(start).wall_s;
}

static void measure_writer(const struct setting *setting)
{
    struct generator generator = {.state = 2};
    struct picket_store *store;
    struct picket_error error;
    double alone[ROUNDS], together[ROUNDS], ratios[ROUNDS];
    struct beside beside = {.setting = setting, .hunt = new_hunt(100000, true)};
    bench_must(picket_store_open(&store, setting->folder, &error), &error);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t hunter;
        alone[i] = write_some(store, &generator, setting);
        atomic_store(&beside.stop, false);
        pthread_create(&hunter, NULL, hunt_on, &beside);
        together[i] = write_some(store, &generator, setting);
        atomic_store(&beside.stop, true);
        pthread_join(hunter, NULL);
        ratios[i] = alone[i] / together[i];
    }
    picket_store_close(store);
    printf("events written a second: %.0f alone, %.0f beside a hunt (%d hunts), ratio %.2f\n",
           WRITTEN / median(alone), WRITTEN / median(together), atomic_load(&beside.ended),
           median(ratios));
    hunt_free(beside.hunt);
    free(beside.hunt);
}

static void remove_store(const struct setting *setting)
{
    static const char *const names[] = {"picket.db",           "picket.db-wal",
                                        "picket.db-shm",       "intelligence.db",
                                        "intelligence.db-wal", "intelligence.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", setting->folder, names[i]);
        unlink(path);
    }
}

int main(int argc, char **argv)
{
    char temporary[] = "/tmp/picket-bench-hunt-XXXXXX";
    struct setting setting = {.messages = argc > 1 ? atoi(argv[1]) : 1000000,
                              .flows = 8,
                              .devices = 10000,
                              .folder = mkdtemp(temporary)};
    setting.messages -= setting.messages % BATCH;
    if (setting.folder == NULL || setting.messages <= 0) {
        fprintf(stderr, "nothing to measure: fewer than %d events, or no folder\n", BATCH);
        return 2;
    }
    fill(&setting);
    measure_all(&setting);
    measure_writer(&setting);
    remove_store(&setting);
    rmdir(setting.folder);
    return 0;
}
