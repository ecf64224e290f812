/* How much of what SQLite takes is left by the store's batch?
 *
 *     picket_bench_store [MESSAGES [BATCH [FLOWS [DEVICES [ROUNDS [FOLDER]]]]]]
 *
 * Each round runs both, in turn, each on new files: SQLite alone with the same rows, tables,
 * transaction size and settings, and the store. Printed are messages a second (each is an event
 * with its flows and its device's activity), the ratio of each round, and the medians.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "rows.h"

enum { ROUNDS_MAX = 99 };

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
}

/* The same numbers for the devices as on the other side. */
static void add_devices(struct picket_store *store, int devices)
{
    struct picket_error error;
    bench_must(picket_store_begin(store, &error), &error);
    for (int i = 0; i < devices; i++) {
        char id[20];
        device_name(i, id);
        struct picket_device_state state = {.device = id};
        bench_must(picket_store_update_device(store, &state, &error), &error);
    }
    bench_must(picket_store_commit(store, &error), &error);
}

static void put_message_and_state(struct picket_store *store, const struct setting *setting,
                                  struct message *message)
{
    struct picket_error error;
    put_message(store, setting, message);
    struct picket_device_state state = {
        .device = message->device_id, .seen_ms = message->event.received_ms, .new_events = 1};
    bench_must(picket_store_update_device(store, &state, &error), &error);
}

static struct speed run_store(const struct setting *setting)
{
    static struct message message;
    struct picket_store *store;
    struct picket_error error;
    struct generator generator = {.state = 1};
    bench_must(picket_store_open(&store, setting->folder, &error), &error);
    add_devices(store, setting->devices);
    struct stopwatch start = start_watch();
    for (int done = 0; done < setting->messages; done += setting->batch) {
        bench_must(picket_store_begin(store, &error), &error);
        for (int i = 0; i < setting->batch; i++) {
            next_message(&generator, setting, &message);
            put_message_and_state(store, setting, &message);
        }
        bench_must(picket_store_commit(store, &error), &error);
    }
    struct speed speed = speed_since(start, setting->messages);
    picket_store_close(store);
    return speed;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* One round on new files each. */
struct round {
    struct speed raw, store, rows;
};

static struct round run_round(const struct setting *setting)
{
    struct round round;
    remove_files(setting->folder);
    round.raw = run_raw(setting, 0);
    remove_files(setting->folder);
    round.store = run_store(setting);
    remove_files(setting->folder);
    round.rows = run_raw(setting, 1);
    remove_files(setting->folder);
    return round;
}

static void print_line(const char *name, double raw, double store, double ratio, double cpu_ratio,
                       double rows)
{
    printf("%-6s %12.0f/s %12.0f/s %7.2f %10.2f %14.0f/s\n", name, raw, store, ratio, cpu_ratio,
           rows);
    fflush(stdout);
}

static void measure(const struct setting *setting)
{
    double raw[ROUNDS_MAX], store[ROUNDS_MAX], ratio[ROUNDS_MAX], cpu[ROUNDS_MAX], rows[ROUNDS_MAX];
    printf("%d messages a round, %d a transaction, %d flows each, %d devices\n", setting->messages,
           setting->batch, setting->flows, setting->devices);
    printf("round    SQLite alone          store   ratio  CPU ratio   flows as rows\n");
    for (int i = 0; i < setting->rounds; i++) {
        char name[12];
        struct round round = run_round(setting);
        raw[i] = round.raw.per_s;
        store[i] = round.store.per_s;
        rows[i] = round.rows.per_s;
        ratio[i] = store[i] / raw[i];
        cpu[i] = round.store.per_cpu_s / round.raw.per_cpu_s;
        snprintf(name, sizeof name, "%d", i + 1);
        print_line(name, raw[i], store[i], ratio[i], cpu[i], rows[i]);
    }
    int rounds = setting->rounds;
    double store_median = median(store, rounds);
    print_line("median", median(raw, rounds), store_median, median(ratio, rounds),
               median(cpu, rounds), median(rows, rounds));
    printf("flows of the store: %.0f/s\n", store_median * setting->flows);
}

static int number(int argc, char **argv, int at, int otherwise, int max)
{
    int value = argc > at ? atoi(argv[at]) : otherwise;
    if (value < 1 || value > max) {
        fprintf(stderr, "argument %d: a number from 1 to %d is expected\n", at, max);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    char temporary[] = "/tmp/picket-bench-store-XXXXXX";
    struct setting setting = {
        .messages = number(argc, argv, 1, 100000, 100000000),
        .batch = number(argc, argv, 2, 1000, 1000000),
        .flows = number(argc, argv, 3, 8, FLOWS_MAX),
        .devices = number(argc, argv, 4, 10000, 10000000),
        .rounds = number(argc, argv, 5, 5, ROUNDS_MAX),
        .folder = argc > 6 ? argv[6] : mkdtemp(temporary),
    };
    setting.messages -= setting.messages % setting.batch;
    if (setting.folder == NULL || setting.messages == 0) {
        fprintf(stderr,
                "nothing to measure: fewer messages than a transaction has, or no folder\n");
        return 2;
    }
    measure(&setting);
    rmdir(setting.folder);
    return 0;
}
