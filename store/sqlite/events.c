/* Events and their flows. */
#include <stdlib.h>
#include <string.h>

#include "flow_block.h"
#include "store.h"

/* ---- writing ---- */

static void bind_event(struct query *query, const struct picket_event_row *event, int64_t device,
                       int64_t previous)
{
    query_int(query, device);
    query_int(query, previous);
    query_text(query, event->module);
    query_int(query, event->time_s);
    query_blob(query, event->key, sizeof event->key);
    query_int(query, event->received_ms);
    query_int(query, event->type);
    query_blob(query, event->id, sizeof event->id);
    query_int(query, event->collection_interval_s);
    query_int(query, event->duration_s);
    query_int(query, event->lost_flows);
    query_unsigned(query, event->lost_bytes_in);
    query_unsigned(query, event->lost_bytes_out);
    query_text(query, event->content);
}

static int know_newest(struct sqlite_store *store, struct picket_error *error)
{
    if (store->newest_is_known)
        return PICKET_OK;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_EVENT_NEWEST,
                "select received_ms from events order by id desc limit 1", "reading an event");
    store->newest_received_ms = query_row(&query) ? query_take_int(&query) : INT64_MIN;
    store->newest_is_known = true;
    return query_end(&query, error);
}

/* Where receipt goes back in time, so that readers by time know that they cannot end there. */
static int note_receipt(struct sqlite_store *store, int64_t event_id, int64_t received_ms,
                        struct picket_error *error)
{
    int64_t before_ms = store->newest_received_ms;
    store->newest_received_ms = received_ms;
    if (received_ms >= before_ms)
        return PICKET_OK;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_CLOCK_STEP_PUT,
                "insert into clock_steps (event, before_ms) values (?, ?)",
                "noting a clock's step");
    query_int(&query, event_id);
    query_int(&query, before_ms);
    return query_run(&query, error);
}

static int put_event(struct sqlite_store *store, const struct picket_event_row *event,
                     int64_t *event_id, struct picket_error *error)
{
    int64_t device;
    struct activity *activity;
    int status = device_number_of(store, event->device, &device, error);
    if (status == PICKET_OK)
        status = activity_of(store, device, &activity, error);
    if (status == PICKET_OK)
        status = know_newest(store, error);
    if (status != PICKET_OK)
        return status;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_EVENT_PUT,
                "insert into events (device, previous, module, time_s, key, received_ms, type, "
                "event_id, collection_interval_s, duration_s, lost_flows, lost_bytes_in, "
                "lost_bytes_out, content) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "on conflict (time_s, device, module, key) do nothing",
                "writing an event");
    bind_event(&query, event, device, activity->last_event);
    status = query_run(&query, error);
    if (status != PICKET_OK)
        return status;
    if (sqlite3_changes(store->picket.handle) == 0)
        return PICKET_OK; /* it was there already */
    *event_id = sqlite3_last_insert_rowid(store->picket.handle);
    activity->last_event = *event_id;
    activity_change(&store->activity, activity);
    store->batch_totals.events++;
    return note_receipt(store, *event_id, event->received_ms, error);
}

int sqlite_put_event(struct picket_store *base, const struct picket_event_row *event,
                     int64_t *event_id, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    *event_id = 0;
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = put_event(store, event, event_id, error);
    return batch_note(store, status);
}

/* ---- reading ---- */

static int add_flow(struct sqlite_store *store, size_t count, const struct picket_flow *flow,
                    struct picket_error *error)
{
    if (count == store->flows_capacity) {
        size_t capacity = count > 0 ? count * 2 : 64;
        struct picket_flow *flows = realloc(store->flows, capacity * sizeof *flows);
        if (flows == NULL)
            return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for %zu flows",
                               store->folder, capacity);
        store->flows = flows;
        store->flows_capacity = capacity;
    }
    store->flows[count] = *flow;
    return PICKET_OK;
}

static int unpack_block(struct sqlite_store *store, int64_t event_id, struct query *query,
                        size_t *count, struct picket_error *error)
{
    size_t size;
    const uint8_t *block = query_take_blob(query, &size);
    const uint8_t *at = block, *end = block + size;
    struct picket_flow flow;
    while (at < end) {
        if (!flow_unpack(&flow, &at, end))
            return picket_fail(error, PICKET_IO, "%s: flows of event %lld: damaged at byte %zu",
                               store->picket.path, (long long)event_id, (size_t)(at - block));
        int status = add_flow(store, *count, &flow, error);
        if (status != PICKET_OK)
            return status;
        ++*count;
    }
    return PICKET_OK;
}

static int read_flows(struct sqlite_store *store, int64_t event_id, size_t *count,
                      struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_FLOWS_GET,
                "select block from flows where id between ? and ? order by id", "reading flows");
    query_int(&query, event_id * EVENT_FLOWS_MAX);
    query_int(&query, event_id * EVENT_FLOWS_MAX + EVENT_FLOWS_MAX - 1);
    *count = 0;
    int status = PICKET_OK;
    while (status == PICKET_OK && query_row(&query))
        status = unpack_block(store, event_id, &query, count, error);
    return status != PICKET_OK ? (query_end(&query, NULL), status) : query_end(&query, error);
}

#define EVENT_COLUMNS                                                                              \
    "select e.id, e.previous, d.id, e.module, e.received_ms, e.time_s, e.event_id, e.key, "        \
    "e.collection_interval_s, e.duration_s, e.type, e.lost_flows, e.lost_bytes_in, "               \
    "e.lost_bytes_out, e.content from events e cross join devices d on d.number = e.device "

struct event_found {
    int64_t id;
    int64_t previous;
    struct picket_event_row row;
};

static void take_event(struct query *query, struct event_found *event)
{
    struct picket_event_row *row = &event->row;
    event->id = query_take_int(query);
    event->previous = query_take_int(query);
    row->device = query_take_text(query);
    row->module = query_take_text(query);
    row->received_ms = query_take_int(query);
    row->time_s = query_take_int(query);
    query_take_bytes(query, row->id, sizeof row->id);
    query_take_bytes(query, row->key, sizeof row->key);
    row->collection_interval_s = (uint32_t)query_take_int(query);
    row->duration_s = (uint32_t)query_take_int(query);
    row->type = (uint8_t)query_take_int(query);
    row->lost_flows = (uint32_t)query_take_int(query);
    row->lost_bytes_in = (uint64_t)query_take_int(query);
    row->lost_bytes_out = (uint64_t)query_take_int(query);
    row->content = query_take_text_or_null(query);
}

/* Who asked, and how many more may be shown. */
struct events_reader {
    struct sqlite_store *store;
    const struct picket_event_query *query;
    picket_event_visit visit;
    void *context;
    int left;
};

static bool is_too_early(const struct events_reader *reader, const struct event_found *event)
{
    return event->row.received_ms < reader->query->since_ms;
}

/* An event is too early, and so are those before it, back to where the clock was set back: before
 * which event are there others again that are not? 0: there are none. */
static int find_earlier_part(struct events_reader *reader, int64_t id, int64_t *before_id,
                             struct picket_error *error)
{
    struct query query;
    query_begin(&query, &reader->store->picket, STATEMENT_CLOCK_STEP_BEFORE,
                "select event from clock_steps where event <= ? and before_ms >= ? "
                "order by event desc limit 1",
                "looking for a clock's step");
    query_int(&query, id);
    query_int(&query, reader->query->since_ms);
    *before_id = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

static int show_event(struct events_reader *reader, const struct event_found *event,
                      struct picket_error *error)
{
    size_t count;
    if ((event->row.type == PICKET_EVENT_OF_HUB) != reader->query->of_hub)
        return PICKET_OK;
    int status = read_flows(reader->store, event->id, &count, error);
    if (status == PICKET_OK)
        reader->visit(reader->context, event->id, &event->row, reader->store->flows, count);
    reader->left--;
    return status;
}

/* Shows events from the one before *before_id back to the first that is too early, and tells where
 * to go on: 0 at the end. */
static int part_of_all(struct events_reader *reader, int64_t *before_id, struct picket_error *error)
{
    struct query query;
    struct event_found event;
    query_begin(&query, &reader->store->picket, STATEMENT_EVENTS_BEFORE,
                EVENT_COLUMNS "where e.id < ? order by e.id desc", "reading events");
    query_int(&query, *before_id);
    *before_id = 0;
    int status = PICKET_OK;
    while (status == PICKET_OK && reader->left > 0 && query_row(&query)) {
        take_event(&query, &event);
        if (is_too_early(reader, &event)) {
            status = find_earlier_part(reader, event.id, before_id, error);
            break;
        }
        status = show_event(reader, &event, error);
    }
    return status != PICKET_OK ? (query_end(&query, NULL), status) : query_end(&query, error);
}

static int events_of_all(struct events_reader *reader, struct picket_error *error)
{
    int64_t before_id = reader->query->before_id > 0 ? reader->query->before_id : INT64_MAX;
    int status = PICKET_OK;
    while (status == PICKET_OK && before_id > 0 && reader->left > 0)
        status = part_of_all(reader, &before_id, error);
    return status;
}

/* False if there is no row; *number is then 0. */
static bool take_number(struct query *query, int64_t *number)
{
    bool found = query_row(query);
    *number = found ? query_take_int(query) : 0;
    return found;
}

/* Where the way back through a device's events begins: before the given one if that is the
 * device's (0: it was the first), at its last one otherwise. */
static int first_event_of(struct events_reader *reader, int64_t *id, struct picket_error *error)
{
    struct database *picket = &reader->store->picket;
    struct query query;
    query_begin(&query, picket, STATEMENT_EVENT_PREVIOUS,
                "select previous from events where id = ? and device = "
                "(select number from devices where id = ?)",
                "reading an event");
    query_int(&query, reader->query->before_id);
    query_text(&query, reader->query->device);
    bool found = take_number(&query, id);
    int status = query_end(&query, error);
    if (status != PICKET_OK || found)
        return status;
    query_begin(&query, picket, STATEMENT_EVENT_LAST,
                "select last_event from activity where device = "
                "(select number from devices where id = ?)",
                "reading a device's activity");
    query_text(&query, reader->query->device);
    take_number(&query, id);
    return query_end(&query, error);
}

/* Shows the event if it is wanted. *id: the device's one before it, 0 at the end; of what is not
 * before *before_id nothing is shown, which moves to where there may be more. */
static int one_of_device(struct events_reader *reader, int64_t *id, int64_t *before_id,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &reader->store->picket, STATEMENT_EVENT_GET, EVENT_COLUMNS "where e.id = ?",
                "reading an event");
    query_int(&query, *id);
    struct event_found event = {.previous = 0};
    int status = PICKET_OK;
    if (query_row(&query)) {
        take_event(&query, &event);
        if (event.id < *before_id && is_too_early(reader, &event))
            status = find_earlier_part(reader, event.id, before_id, error);
        else if (event.id < *before_id)
            status = show_event(reader, &event, error);
    }
    *id = event.previous;
    return status != PICKET_OK ? (query_end(&query, NULL), status) : query_end(&query, error);
}

/* From the last event of the device back, event by event. */
static int events_of_device(struct events_reader *reader, struct picket_error *error)
{
    int64_t id, before_id = reader->query->before_id > 0 ? reader->query->before_id : INT64_MAX;
    int status = first_event_of(reader, &id, error);
    while (status == PICKET_OK && id > 0 && before_id > 0 && reader->left > 0)
        status = one_of_device(reader, &id, &before_id, error);
    return status;
}

int sqlite_events(struct picket_store *base, const struct picket_event_query *query,
                  picket_event_visit visit, void *context, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct events_reader reader = {store, query, visit, context, query->limit};
    bool framed;
    int status = snapshot_begin(store, &framed, error);
    if (status != PICKET_OK)
        return status;
    status =
        query->device != NULL ? events_of_device(&reader, error) : events_of_all(&reader, error);
    snapshot_end(store, framed);
    return status;
}
