/* Which events were received when, by their ids: receipt follows them, but for the clock's steps
 * back. And what one event says. */
#include <stdio.h>

#include "store.h"

enum { NAMES_TOGETHER = 32 };

/* Who has it, and those beside him, for they are on the same page and will be asked for. */
static int learn_ids(struct sqlite_store *store, int64_t number, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_DEVICE_IDS,
                "select number, id from devices where number >= ? order by number limit ?",
                "reading devices");
    query_int(&query, number - number % NAMES_TOGETHER);
    query_int(&query, NAMES_TOGETHER);
    while (query_row(&query)) {
        int64_t known = query_take_int(&query);
        device_numbers_put_id(&store->device_numbers, known, query_take_text(&query));
    }
    return query_end(&query, error);
}

static int name_device(struct sqlite_store *store, int64_t number, struct picket_event_head *head,
                       struct picket_error *error)
{
    const char *id = device_numbers_id(&store->device_numbers, number);
    int status = id == NULL ? learn_ids(store, number, error) : PICKET_OK;
    if (status != PICKET_OK)
        return status;
    id = device_numbers_id(&store->device_numbers, number);
    if (id == NULL)
        return picket_fail(error, PICKET_NOT_FOUND, "there is no device of number %lld",
                           (long long)number);
    snprintf(head->device, sizeof head->device, "%s", id);
    return PICKET_OK;
}

int sqlite_event_head(struct picket_store *base, int64_t event_id, struct picket_event_head *head,
                      struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_EVENT_HEAD,
                "select device, received_ms, time_s from events where id = ?", "reading an event");
    query_int(&query, event_id);
    bool found = query_row(&query);
    int64_t device = found ? query_take_int(&query) : 0;
    head->received_ms = found ? query_take_int(&query) : 0;
    head->time_s = found ? query_take_int(&query) : 0;
    int status = query_end(&query, error);
    if (status != PICKET_OK)
        return status;
    if (!found)
        return picket_fail(error, PICKET_NOT_FOUND, "there is no event %lld", (long long)event_id);
    return name_device(store, device, head, error);
}

struct event_receipt {
    int64_t id; /* 0: there is none */
    int64_t received_ms;
};

/* The event of that id, or the next there is. */
static int event_from(struct sqlite_store *store, int64_t id, struct event_receipt *event,
                      struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_EVENT_FROM,
                "select id, received_ms from events where id >= ? order by id limit 1",
                "looking for an event");
    query_int(&query, id);
    bool found = query_row(&query);
    event->id = found ? query_take_int(&query) : 0;
    event->received_ms = found ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

/* Of first <= id < end, where receipt only grows: *at is the first event received at or after
 * that time, or end. */
static int find_receipt(struct sqlite_store *store, int64_t first, int64_t end, int64_t time_ms,
                        int64_t *at, struct picket_error *error)
{
    int status = PICKET_OK;
    while (first < end && status == PICKET_OK) {
        struct event_receipt event;
        int64_t middle = first + (end - first) / 2;
        status = event_from(store, middle, &event, error);
        if (event.id == 0 || event.id >= end || event.received_ms >= time_ms)
            end = middle;
        else
            first = event.id + 1;
    }
    *at = end;
    return status;
}

/* Ids between two steps of the clock, and what is wanted of all. */
struct range {
    int64_t since_ms, until_ms;
    int64_t first, end; /* found so far; end 0: nothing */
};

static int add_part(struct sqlite_store *store, struct range *range, int64_t part_first,
                    int64_t part_end, struct picket_error *error)
{
    int64_t first, end = 0;
    int status = find_receipt(store, part_first, part_end, range->since_ms, &first, error);
    if (status == PICKET_OK)
        status = find_receipt(store, first, part_end, range->until_ms, &end, error);
    if (status != PICKET_OK || first >= end)
        return status;
    if (range->end == 0)
        range->first = first;
    range->end = end;
    return PICKET_OK;
}

static int all_ids(struct sqlite_store *store, int64_t *first, int64_t *end,
                   struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_EVENTS_RANGE,
                "select (select min(id) from events), (select max(id) + 1 from events)",
                "looking for events");
    bool found = query_row(&query);
    *first = found ? query_take_int(&query) : 0;
    *end = found ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

/* Part by part, from one step of the clock to the next. */
static int add_parts(struct sqlite_store *store, struct range *range, int64_t first, int64_t end,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_CLOCK_STEPS,
                "select event from clock_steps order by event", "reading the clock's steps");
    int status = PICKET_OK;
    while (status == PICKET_OK && query_row(&query)) {
        int64_t step = query_take_int(&query);
        if (step <= first)
            continue;
        status = add_part(store, range, first, step, error);
        first = step;
    }
    int end_status = query_end(&query, status == PICKET_OK ? error : NULL);
    status = status != PICKET_OK ? status : end_status;
    return status == PICKET_OK ? add_part(store, range, first, end, error) : status;
}

int sqlite_events_between(struct picket_store *base, int64_t since_ms, int64_t until_ms,
                          int64_t *first, int64_t *end, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct range range = {.since_ms = since_ms, .until_ms = until_ms};
    bool framed;
    int64_t all_first = 0, all_end = 0;
    int status = snapshot_begin(store, &framed, error);
    if (status != PICKET_OK)
        return status;
    status = all_ids(store, &all_first, &all_end, error);
    if (status == PICKET_OK && all_end > 0)
        status = add_parts(store, &range, all_first, all_end, error);
    snapshot_end(store, framed);
    *first = range.first;
    *end = range.end;
    return status;
}
