/* Stored flows searched for indicators, beside the store's own full scan: the same file, read by
 * SQL alone. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../measure.h"
#include "../store/rows.h"
#include "indicators.h"
#include "intel/table.h"

enum { ROUNDS = 9, BATCH = 1000 };

static void must(int status, const struct picket_error *error)
{
    if (status == PICKET_OK)
        return;
    fprintf(stderr, "%s\n", error->text);
    exit(1);
}

/* ---- what is searched ---- */

static void put_message(struct picket_store *store, const struct setting *setting,
                        struct message *message)
{
    struct picket_error error;
    char id[20];
    int64_t event;
    device_name(message->device, id);
    message->event.device = id;
    must(picket_store_put_event(store, &message->event, &event, &error), &error);
    must(picket_store_put_flows(store, event, message->flows, (size_t)setting->flows, &error),
         &error);
}

static void fill(const struct setting *setting)
{
    static struct message message;
    struct picket_store *store;
    struct picket_error error;
    struct generator generator = {.state = 1};
    must(picket_store_open(&store, setting->folder, &error), &error);
    for (int done = 0; done < setting->messages; done += BATCH) {
        must(picket_store_begin(store, &error), &error);
        for (int i = 0; i < BATCH; i++) {
            next_message(&generator, setting, &message);
            put_message(store, setting, &message);
        }
        must(picket_store_commit(store, &error), &error);
    }
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

struct target {
    struct table *table;
    struct picket_address_filter filter;
    size_t hits;
};

static void make_target(struct target *target, size_t count)
{
    struct picket_error error;
    struct picket_prefix *prefixes = bench_ipv4_prefixes(count);
    memset(target, 0, sizeof *target);
    target->table = table_new();
    uint16_t feed = table_add_feed(target->table, &(struct table_feed){.name = "bench"});
    struct table_batch *batch = table_batch_new(target->table);
    picket_address_filter_init(&target->filter, count);
    for (size_t i = 0; i < count; i++) {
        struct picket_indicator indicator = {.prefix = prefixes[i], .confidence = 50};
        table_put(batch, feed, &indicator);
        picket_address_filter_add(&target->filter, &prefixes[i]);
    }
    must(table_apply(batch, &error), &error);
    free(prefixes);
}

static void note(void *context, const struct picket_stored_flow *flows, size_t count)
{
    struct target *target = context;
    const struct picket_address *addresses[PICKET_STORED_FLOWS_TOGETHER] = {NULL};
    struct table_cover covers[PICKET_STORED_FLOWS_TOGETHER];
    for (size_t i = 0; i < count; i++)
        addresses[i] = &flows[i].flow.remote;
    table_find_many(target->table, addresses, count, covers);
    for (size_t i = 0; i < count; i++)
        target->hits += covers[i].sources != 0;
}

static struct duration hunt(const struct setting *setting, struct target *target, int64_t *bytes)
{
    struct picket_store *store;
    struct picket_error error;
    struct stopwatch start = start_watch();
    must(picket_store_open(&store, setting->folder, &error), &error);
    struct picket_flow_search search = {.end_event = INT64_MAX, .filter = &target->filter};
    target->hits = 0;
    while (search.next_event < search.end_event)
        must(picket_store_flows_search(store, &search, note, target, &error), &error);
    picket_store_close(store);
    *bytes = search.bytes;
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

static void measure(const struct setting *setting, size_t indicators)
{
    struct target target;
    double scans[ROUNDS], hunts[ROUNDS], ratios[ROUNDS], cpu_ratios[ROUNDS];
    int64_t scanned, hunted;
    make_target(&target, indicators);
    for (int i = 0; i < ROUNDS; i++) {
        struct duration raw = scan(setting, &scanned), own = hunt(setting, &target, &hunted);
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
    printf("%10zu %10zu %11.1f %11.1f %7.2f %9.2f\n", indicators, target.hits,
           flows / median(scans), flows / median(hunts), median(ratios), median(cpu_ratios));
    fflush(stdout);
    table_free(target.table);
    picket_address_filter_free(&target.filter);
}

int main(int argc, char **argv)
{
    char temporary[] = "/tmp/picket-bench-hunt-XXXXXX";
    struct setting setting = {.messages = argc > 1 ? atoi(argv[1]) : 1000000,
                              .flows = 8,
                              .devices = 10000,
                              .folder = argc > 2 ? argv[2] : mkdtemp(temporary)};
    setting.messages -= setting.messages % BATCH;
    if (argc <= 3)
        fill(&setting);
    printf("%d events of %d flows\n", setting.messages, setting.flows);
    printf("                          M flows/s   M flows/s   ratio, of time\n");
    printf("indicators       hits   SQL alone        hunt    wall processor\n");
    static const size_t counts[] = {1, 100000, 1000000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (argc <= 4 || (size_t)atol(argv[4]) == counts[i])
            measure(&setting, counts[i]);
    return 0;
}
