/* What is too old, or for what there is no room, goes, some at a time: events with their flows,
 * from the low end of their trees; closed alerts. */
#include "flow_block.h"
#include "store.h"

/* A batch removes up to twice as many as it puts, so that aging keeps up with any load, and some
 * more, so that it catches up. */
enum {
    EVENTS_A_CALL = 100,
    ALERTS_A_CALL = 100,
    EVENTS_FOR_ONE_PUT = 2,
    WRONG_CLOCK_MS = 3600 * 1000
};

struct aged {
    int64_t last_id; /* 0: none */
    int64_t events, flows;
};

/* Receipt in the future was by a clock that was wrong then: such an event is as old as the order of
 * ids tells, and must not hold up those after it. */
static bool is_old(int64_t received_ms, int64_t since_ms, int64_t now_ms)
{
    return received_ms < since_ms || received_ms > now_ms + WRONG_CLOCK_MS;
}

/* Received before since_ms; INT64_MAX: all. The newest event stays, so that its id is not used
 * again. */
static int find_old_events(struct sqlite_store *store, int64_t since_ms, int64_t now_ms,
                           int64_t limit, struct aged *aged, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_EVENTS_OLDEST,
                "select id, received_ms from events where id < (select max(id) from events) "
                "order by id limit ?",
                "looking for old events");
    query_int(&query, limit);
    while (query_row(&query)) {
        int64_t id = query_take_int(&query);
        if (!is_old(query_take_int(&query), since_ms, now_ms))
            break;
        aged->last_id = id;
        aged->events++;
    }
    return query_end(&query, error);
}

static int count_flows(struct sqlite_store *store, struct aged *aged, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_FLOWS_OLDEST,
                "select block from flows where id < ?", "counting old flows");
    query_int(&query, (aged->last_id + 1) * EVENT_FLOWS_MAX);
    while (query_row(&query)) {
        size_t size;
        struct picket_flow flow;
        const uint8_t *at = query_take_blob(&query, &size), *end = at + size;
        while (at < end && flow_unpack(&flow, &at, end))
            aged->flows++;
    }
    return query_end(&query, error);
}

static int remove_up_to(struct sqlite_store *store, int statement, const char *sql, int64_t id,
                        struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, statement, sql, "removing old events");
    query_int(&query, id);
    return query_run(&query, error);
}

static int count_aged(struct sqlite_store *store, const struct aged *aged,
                      struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TOTALS_AGED,
                "update totals set events = events - ?1, flows = flows - ?2, "
                "events_aged = events_aged + ?1",
                "counting old events");
    query_int(&query, aged->events);
    query_int(&query, aged->flows);
    return query_run(&query, error);
}

static int remove_aged(struct sqlite_store *store, struct aged *aged, struct picket_error *error)
{
    int status = count_flows(store, aged, error);
    if (status == PICKET_OK)
        status = remove_up_to(store, STATEMENT_FLOWS_AGED, "delete from flows where id < ?",
                              (aged->last_id + 1) * EVENT_FLOWS_MAX, error);
    if (status == PICKET_OK)
        status = remove_up_to(store, STATEMENT_EVENTS_AGED, "delete from events where id <= ?",
                              aged->last_id, error);
    /* A step at the first event that stays separates it from nothing any more. */
    if (status == PICKET_OK)
        status = remove_up_to(store, STATEMENT_CLOCK_STEPS_AGED,
                              "delete from clock_steps where event <= ?", aged->last_id + 1, error);
    if (status == PICKET_OK)
        status = count_aged(store, aged, error);
    return status;
}

/* *removed: how many. */
static int remove_before(struct sqlite_store *store, int64_t since_ms, int64_t now_ms,
                         int64_t events_put, int64_t *removed, struct picket_store_tidied *tidied,
                         struct picket_error *error)
{
    struct aged aged = {0};
    int64_t limit = EVENTS_A_CALL + EVENTS_FOR_ONE_PUT * events_put;
    int status = find_old_events(store, since_ms, now_ms, limit, &aged, error);
    if (status != PICKET_OK || aged.events == 0)
        return status;
    *removed += aged.events;
    tidied->more |= aged.events == limit;
    return remove_aged(store, &aged, error);
}

int age_events(struct sqlite_store *store, int64_t age_s, int64_t now_ms, int64_t events_put,
               struct picket_store_tidied *tidied, struct picket_error *error)
{
    return remove_before(store, now_ms - age_s * 1000, now_ms, events_put, &tidied->events, tidied,
                         error);
}

/* Without the pages that were given back: these are used again before the file grows. */
static int bytes_in_use(struct sqlite_store *store, int64_t *bytes, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_BYTES_IN_USE,
                "select (page_count - freelist_count) * page_size "
                "from pragma_page_count, pragma_freelist_count, pragma_page_size",
                "measuring the store");
    *bytes = query_row(&query) ? query_take_int(&query) : 0;
    return query_end(&query, error);
}

int make_room(struct sqlite_store *store, int64_t bytes_max, int64_t events_put,
              struct picket_store_tidied *tidied, struct picket_error *error)
{
    int64_t bytes;
    int status = bytes_in_use(store, &bytes, error);
    if (status != PICKET_OK || bytes <= bytes_max)
        return status;
    return remove_before(store, INT64_MAX, 0, events_put, &tidied->events_for_room, tidied, error);
}

int age_alerts(struct sqlite_store *store, int64_t age_s, int64_t now_ms,
               struct picket_store_tidied *tidied, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_ALERTS_AGED,
                "delete from alerts where id in (select id from alerts where status > 2 "
                "and decided_ms < ? order by decided_ms limit ?)",
                "removing closed alerts");
    query_int(&query, now_ms - age_s * 1000);
    query_int(&query, ALERTS_A_CALL);
    int64_t count;
    int status = query_run_counting(&query, &count, error);
    if (status != PICKET_OK || count == 0)
        return status;
    tidied->alerts += count;
    tidied->more |= count == ALERTS_A_CALL;
    query_begin(&query, &store->picket, STATEMENT_TOTALS_ALERTS_AGED,
                "update totals set alerts_aged = alerts_aged + ?", "counting closed alerts");
    query_int(&query, count);
    return query_run(&query, error);
}
