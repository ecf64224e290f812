/* How fast does SQLite alone write the very rows that a Picket has written?
 *
 *     picket_bench_copy FOLDER BATCH
 *
 * Reads events, flows and devices of the store in FOLDER into memory; then writes them to a new
 * store beside it, same tables and settings, BATCH events a transaction, each with its activity and
 * the totals, by prepared statements and nothing else. Prints events a second.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rows.h"

enum { CHECKPOINT_PAGES = 4000, EVENT_COLUMNS = 15 };

/* A row as it lies in the source, its values kept by SQLite. */
struct row {
    sqlite3_value *values[EVENT_COLUMNS];
};

struct table {
    struct row *rows;
    size_t count;
    int columns;
};

static void check(sqlite3 *database, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return;
    fprintf(stderr, "picket_bench_copy: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static sqlite3 *open_database(const char *path)
{
    sqlite3 *database = NULL;
    int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    check(database, code);
    return database;
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;
    check(database,
          sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

static struct table read_table(sqlite3 *database, const char *sql)
{
    struct table table = {.rows = NULL};
    sqlite3_stmt *statement = prepare(database, sql);
    table.columns = sqlite3_column_count(statement);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if ((table.count & (table.count + 1)) == 0) { /* at 0, 1, 3, 7 ... */
            table.rows = realloc(table.rows, (2 * table.count + 1) * sizeof *table.rows);
            if (table.rows == NULL)
                exit(1);
        }
        struct row *row = &table.rows[table.count++];
        for (int i = 0; i < table.columns; i++)
            row->values[i] = sqlite3_value_dup(sqlite3_column_value(statement, i));
    }
    check(database, sqlite3_finalize(statement));
    return table;
}

static void write_row(sqlite3 *database, sqlite3_stmt *insert, const struct table *table,
                      size_t index)
{
    for (int i = 0; i < table->columns; i++)
        sqlite3_bind_value(insert, i + 1, table->rows[index].values[i]);
    check(database, sqlite3_step(insert));
    sqlite3_reset(insert);
}

static void write_all(sqlite3 *database, const char *sql, const struct table *table)
{
    sqlite3_stmt *insert = prepare(database, sql);
    for (size_t i = 0; i < table->count; i++)
        write_row(database, insert, table, i);
    sqlite3_finalize(insert);
}

static const char insert_event[] = "insert into events values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char insert_flows[] = "insert into flows values (?,?)";
static const char insert_activity[] = "insert or replace into activity values (?,?,?,?,0,0)";
static const char add_totals[] = "update totals set events = events + ?, flows = flows + ?";

struct copy {
    sqlite3 *to;
    struct table events, flows;
    sqlite3_stmt *event, *flow, *activity, *totals;
    size_t flows_done;
    int64_t *last_event, *event_count; /* by device number */
    char *touched;
    size_t devices;
};

/* The activity of the devices that the batch touched, and the totals. */
static void write_summary(struct copy *copy, size_t events)
{
    for (size_t device = 0; device < copy->devices; device++) {
        if (!copy->touched[device])
            continue;
        sqlite3_bind_int64(copy->activity, 1, (sqlite3_int64)device);
        sqlite3_bind_int64(copy->activity, 2, copy->last_event[device]);
        sqlite3_bind_int64(copy->activity, 3, 1700000000000);
        sqlite3_bind_int64(copy->activity, 4, copy->event_count[device]);
        check(copy->to, sqlite3_step(copy->activity));
        sqlite3_reset(copy->activity);
    }
    memset(copy->touched, 0, copy->devices);
    sqlite3_bind_int64(copy->totals, 1, (sqlite3_int64)events);
    sqlite3_bind_int64(copy->totals, 2, (sqlite3_int64)events);
    check(copy->to, sqlite3_step(copy->totals));
    sqlite3_reset(copy->totals);
}

/* An event and the flows that lie before the next event's. */
static void write_event(struct copy *copy, size_t index)
{
    int64_t id = sqlite3_value_int64(copy->events.rows[index].values[0]);
    size_t device = (size_t)sqlite3_value_int64(copy->events.rows[index].values[1]);
    write_row(copy->to, copy->event, &copy->events, index);
    while (copy->flows_done < copy->flows.count &&
           sqlite3_value_int64(copy->flows.rows[copy->flows_done].values[0]) < (id + 1) * 65536)
        write_row(copy->to, copy->flow, &copy->flows, copy->flows_done++);
    copy->last_event[device] = id;
    copy->event_count[device]++;
    copy->touched[device] = 1;
}

static struct speed write_batches(struct copy *copy, size_t batch)
{
    sqlite3_stmt *begin = prepare(copy->to, "begin immediate"),
                 *commit = prepare(copy->to, "commit");
    struct stopwatch start = start_watch();
    for (size_t done = 0; done < copy->events.count;) {
        size_t end = done + batch < copy->events.count ? done + batch : copy->events.count;
        sqlite3_step(begin);
        sqlite3_reset(begin);
        for (size_t i = done; i < end; i++)
            write_event(copy, i);
        write_summary(copy, end - done);
        check(copy->to, sqlite3_step(commit));
        sqlite3_reset(commit);
        done = end;
    }
    struct speed speed = speed_since(start, (int)copy->events.count);
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    return speed;
}

static sqlite3 *make_target(const char *folder, const struct table *devices)
{
    char path[4200];
    struct picket_store *store;
    struct picket_error error;
    if (picket_store_open(&store, folder, &error) != PICKET_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    picket_store_close(store); /* it has made the tables */
    snprintf(path, sizeof path, "%s/picket.db", folder);
    sqlite3 *database = open_database(path);
    check(database, sqlite3_exec(database,
                                 "pragma synchronous = full; pragma cache_size = -32768;"
                                 "pragma secure_delete = off; begin",
                                 NULL, NULL, NULL));
    write_all(database, "insert into devices (number, id) values (?,?)", devices);
    check(database, sqlite3_exec(database, "commit", NULL, NULL, NULL));
    sqlite3_wal_autocheckpoint(database, CHECKPOINT_PAGES);
    return database;
}

int main(int argc, char **argv)
{
    if (argc != 3 || atoi(argv[2]) < 1) {
        fprintf(stderr, "usage: picket_bench_copy FOLDER BATCH\n");
        return 2;
    }
    char path[4200], target[4096];
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* as the store's */
    snprintf(path, sizeof path, "%s/picket.db", argv[1]);
    snprintf(target, sizeof target, "%s/copy", argv[1]);
    sqlite3 *from = open_database(path);
    struct table devices = read_table(from, "select number, id from devices order by number");
    struct copy copy = {
        .events = read_table(from, "select * from events order by id"),
        .flows = read_table(from, "select * from flows order by id"),
        .devices = devices.count + 1,
    };
    copy.to = make_target(target, &devices);
    copy.event = prepare(copy.to, insert_event);
    copy.flow = prepare(copy.to, insert_flows);
    copy.activity = prepare(copy.to, insert_activity);
    copy.totals = prepare(copy.to, add_totals);
    copy.last_event = calloc(copy.devices, sizeof *copy.last_event);
    copy.event_count = calloc(copy.devices, sizeof *copy.event_count);
    copy.touched = calloc(copy.devices, 1);
    if (copy.last_event == NULL || copy.event_count == NULL || copy.touched == NULL)
        return 1;
    struct speed speed = write_batches(&copy, (size_t)atoi(argv[2]));
    printf("%.0f events/s\n", speed.per_s);
    return 0;
}
