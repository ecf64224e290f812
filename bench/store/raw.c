/* SQLite alone: the store's own tables, settings and transaction size, one prepared statement a
 * row. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "rows.h"

enum { CHECKPOINT_PAGES = 4000 };

struct raw {
    sqlite3 *handle;
    sqlite3_stmt *begin, *commit, *event, *flows, *activity, *totals;
    int64_t *last_events; /* by device */
    int64_t *event_counts;
    int *touched; /* the devices of the batch, each once */
    int touched_count;
    int64_t *touched_in; /* by device: the batch it was last touched in */
    int64_t batch_number;
};

static void check(struct raw *raw, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE)
        return;
    fprintf(stderr, "raw: %s\n", sqlite3_errmsg(raw->handle));
    exit(1);
}

static sqlite3_stmt *prepare(struct raw *raw, const char *sql)
{
    sqlite3_stmt *statement;
    check(raw,
          sqlite3_prepare_v3(raw->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

static void step(struct raw *raw, sqlite3_stmt *statement)
{
    check(raw, sqlite3_step(statement));
    sqlite3_reset(statement);
}

static void add_devices(struct raw *raw, int devices)
{
    check(raw, sqlite3_exec(raw->handle, "begin", NULL, NULL, NULL));
    sqlite3_stmt *statement = prepare(raw, "insert into devices (number, id) values (?, ?)");
    for (int i = 0; i < devices; i++) {
        char id[20];
        device_name(i, id);
        sqlite3_bind_int64(statement, 1, i + 1);
        sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
        step(raw, statement);
    }
    sqlite3_finalize(statement);
    check(raw, sqlite3_exec(raw->handle, "commit", NULL, NULL, NULL));
}

static void open_raw(struct raw *raw, const struct setting *setting, int flows_as_rows)
{
    char path[4096];
    struct picket_store *store;
    struct picket_error error;
    if (picket_store_open(&store, setting->folder, &error) != PICKET_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    picket_store_close(store); /* it has made the tables */
    snprintf(path, sizeof path, "%s/picket.db", setting->folder);
    check(raw,
          sqlite3_open_v2(path, &raw->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    check(raw,
          sqlite3_exec(
              raw->handle,
              "pragma synchronous = full; pragma cache_size = -32768; pragma secure_delete = off",
              NULL, NULL, NULL));
    if (flows_as_rows)
        check(raw, sqlite3_exec(raw->handle,
                                "drop table flows; create table flows (event integer, n integer, "
                                "protocol integer, local blob, remote blob, local_port integer, "
                                "remote_port integer, bytes_in integer, bytes_out integer, "
                                "primary key (event, n)) without rowid",
                                NULL, NULL, NULL));
    sqlite3_wal_autocheckpoint(raw->handle, CHECKPOINT_PAGES);
    add_devices(raw, setting->devices);
}

static void prepare_all(struct raw *raw, const struct setting *setting, int flows_as_rows)
{
    raw->begin = prepare(raw, "begin immediate");
    raw->commit = prepare(raw, "commit");
    raw->event = prepare(
        raw, "insert into events (device, previous, module, time_s, key, received_ms, type, "
             "event_id, collection_interval_s, duration_s, lost_flows, lost_bytes_in, "
             "lost_bytes_out, content) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    raw->flows = prepare(raw, flows_as_rows ? "insert into flows values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                            : "insert into flows (id, block) values (?, ?)");
    raw->activity = prepare(raw, "insert or replace into activity (device, last_event, "
                                 "last_seen_ms, events, flows_lost, bytes_lost) "
                                 "values (?, ?, ?, ?, ?, ?)");
    raw->totals = prepare(raw, "update totals set events = events + ?, flows = flows + ?");
    size_t devices = (size_t)setting->devices;
    raw->last_events = calloc(devices, sizeof *raw->last_events);
    raw->event_counts = calloc(devices, sizeof *raw->event_counts);
    raw->touched_in = calloc(devices, sizeof *raw->touched_in);
    raw->touched = calloc((size_t)setting->batch, sizeof *raw->touched);
    if (raw->last_events == NULL || raw->event_counts == NULL || raw->touched_in == NULL ||
        raw->touched == NULL)
        exit(1);
}

static void put_event(struct raw *raw, const struct message *message)
{
    const struct picket_event_row *event = &message->event;
    sqlite3_stmt *statement = raw->event;
    sqlite3_bind_int64(statement, 1, message->device + 1);
    sqlite3_bind_int64(statement, 2, raw->last_events[message->device]);
    sqlite3_bind_text(statement, 3, event->module, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, event->time_s);
    sqlite3_bind_blob(statement, 5, event->key, 16, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 6, event->received_ms);
    sqlite3_bind_int64(statement, 7, event->type);
    sqlite3_bind_blob(statement, 8, event->id, 16, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 9, event->collection_interval_s);
    sqlite3_bind_int64(statement, 10, event->duration_s);
    sqlite3_bind_int64(statement, 11, event->lost_flows);
    sqlite3_bind_int64(statement, 12, (int64_t)event->lost_bytes_in);
    sqlite3_bind_int64(statement, 13, (int64_t)event->lost_bytes_out);
    sqlite3_bind_null(statement, 14);
    step(raw, statement);
}

static void put_flow_rows(struct raw *raw, int64_t event, const struct message *message, int count)
{
    sqlite3_stmt *statement = raw->flows;
    for (int i = 0; i < count; i++) {
        const struct picket_flow *flow = &message->flows[i];
        sqlite3_bind_int64(statement, 1, event);
        sqlite3_bind_int64(statement, 2, i);
        sqlite3_bind_int64(statement, 3, flow->protocol);
        sqlite3_bind_blob(statement, 4, flow->local.bytes, 4, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 5, flow->remote.bytes, 4, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 6, flow->local_port);
        sqlite3_bind_int64(statement, 7, flow->remote_port);
        sqlite3_bind_int64(statement, 8, flow->bytes_in);
        sqlite3_bind_int64(statement, 9, flow->bytes_out);
        step(raw, statement);
    }
}

static void put_flow_block(struct raw *raw, int64_t event, const struct message *message)
{
    sqlite3_bind_int64(raw->flows, 1, event * 65536);
    sqlite3_bind_blob(raw->flows, 2, message->block, (int)message->block_bytes, SQLITE_STATIC);
    step(raw, raw->flows);
}

static void touch(struct raw *raw, int device, int64_t event)
{
    raw->last_events[device] = event;
    raw->event_counts[device]++;
    if (raw->touched_in[device] == raw->batch_number)
        return;
    raw->touched_in[device] = raw->batch_number;
    raw->touched[raw->touched_count++] = device;
}

static void put_activity(struct raw *raw, int64_t seen_ms)
{
    for (int i = 0; i < raw->touched_count; i++) {
        int device = raw->touched[i];
        sqlite3_bind_int64(raw->activity, 1, device + 1);
        sqlite3_bind_int64(raw->activity, 2, raw->last_events[device]);
        sqlite3_bind_int64(raw->activity, 3, seen_ms);
        sqlite3_bind_int64(raw->activity, 4, raw->event_counts[device]);
        sqlite3_bind_int64(raw->activity, 5, 0);
        sqlite3_bind_int64(raw->activity, 6, 0);
        step(raw, raw->activity);
    }
    raw->touched_count = 0;
}

static void put_batch(struct raw *raw, const struct setting *setting, struct generator *generator,
                      int flows_as_rows)
{
    static struct message message;
    raw->batch_number++;
    step(raw, raw->begin);
    for (int i = 0; i < setting->batch; i++) {
        next_message(generator, setting, &message);
        put_event(raw, &message);
        int64_t event = sqlite3_last_insert_rowid(raw->handle);
        if (flows_as_rows)
            put_flow_rows(raw, event, &message, setting->flows);
        else
            put_flow_block(raw, event, &message);
        touch(raw, message.device, event);
    }
    put_activity(raw, message.event.received_ms);
    sqlite3_bind_int64(raw->totals, 1, setting->batch);
    sqlite3_bind_int64(raw->totals, 2, (int64_t)setting->batch * setting->flows);
    step(raw, raw->totals);
    step(raw, raw->commit);
}

static void close_raw(struct raw *raw)
{
    sqlite3_stmt *statements[] = {raw->begin, raw->commit,   raw->event,
                                  raw->flows, raw->activity, raw->totals};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(raw->handle);
    free(raw->last_events);
    free(raw->event_counts);
    free(raw->touched_in);
    free(raw->touched);
}

struct speed run_raw(const struct setting *setting, int flows_as_rows)
{
    struct raw raw = {.handle = NULL};
    struct generator generator = {.state = 1};
    open_raw(&raw, setting, flows_as_rows);
    prepare_all(&raw, setting, flows_as_rows);
    struct stopwatch start = start_watch();
    for (int done = 0; done < setting->messages; done += setting->batch)
        put_batch(&raw, setting, &generator, flows_as_rows);
    struct speed speed = speed_since(start, setting->messages);
    close_raw(&raw);
    return speed;
}
