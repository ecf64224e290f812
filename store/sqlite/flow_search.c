/* Looking through stored flows, slice by slice: as fast as the rows come. */
#include <string.h>

#include "flow_block.h"
#include "store.h"

/* What a flow asks of the filter is some way off in memory: it is fetched while the next rows are
 * read, and looked at when some flows have gathered; what the few ask that it lets through likewise
 * while it is asked of the others. */
enum { WAITING_FLOWS = 256, WAITING_BYTES = WAITING_FLOWS * FLOW_BYTES_MAX };

struct waiting_flow {
    uint32_t bit; /* of the filter's for IPv4, then which of its words */
    uint16_t at;  /* where its bytes are */
};
enum { IS_WANTED = UINT16_MAX << 16 }; /* in the place of a bit */

/* Flows that follow one another are of one event. */
struct waiting_event {
    int64_t id;
    size_t end; /* of its flows in the queue */
};

struct slice {
    struct picket_flow_search *search;
    picket_stored_flows_visit visit;
    void *context;
    int64_t event, events_begun; /* of the block at hand; how many there were, with it */
    size_t waiting, used, event_count;
    struct waiting_event events[WAITING_FLOWS];
    struct waiting_flow queue[WAITING_FLOWS];
    uint8_t bytes[WAITING_BYTES];
    size_t found;
    struct picket_stored_flow flows[PICKET_STORED_FLOWS_TOGETHER];
};

/* Its arrays need nothing. */
static void slice_begin(struct slice *slice, struct picket_flow_search *search,
                        picket_stored_flows_visit visit, void *context)
{
    slice->search = search;
    slice->visit = visit;
    slice->context = context;
    slice->event = slice->events_begun = 0;
    slice->waiting = slice->used = slice->event_count = slice->found = 0;
}

static void give_found(struct slice *slice)
{
    if (slice->found > 0)
        slice->visit(slice->context, slice->flows, slice->found);
    slice->found = 0;
}

static void take_found(struct slice *slice, int64_t event, const uint8_t *at)
{
    struct picket_stored_flow *stored = &slice->flows[slice->found++];
    stored->event_id = event;
    flow_unpack(&stored->flow, &at, at + FLOW_BYTES_MAX);
    if (slice->found == PICKET_STORED_FLOWS_TOGETHER)
        give_found(slice);
}

static const uint8_t *remote_ipv4_of(const uint8_t *flow)
{
    return flow + FLOW_HEADER_BYTES + (flow[1] & FLOW_LOCAL_IS_IPV6 ? 16 : 4);
}

/* The numbers of those that the filter's bits let through, and how many they are. */
static size_t look_at_bits(struct slice *slice, uint16_t *passed)
{
    const struct picket_address_filter *filter = slice->search->filter;
    size_t count = 0;
    for (size_t i = 0; i < slice->waiting; i++) {
        uint32_t bit = slice->queue[i].bit;
        passed[count] = (uint16_t)i;
        count += bit == (uint32_t)IS_WANTED || picket_address_filter_bit(filter->ipv4, bit);
    }
    for (size_t i = 0; i < count; i++) {
        struct waiting_flow *flow = &slice->queue[passed[i]];
        if (flow->bit == (uint32_t)IS_WANTED)
            continue;
        flow->bit =
            picket_address_filter_ipv4_word(filter, remote_ipv4_of(slice->bytes + flow->at));
        __builtin_prefetch(&filter->ipv4_words[flow->bit]);
    }
    return count;
}

static bool is_found(const struct slice *slice, const struct waiting_flow *flow)
{
    return flow->bit == (uint32_t)IS_WANTED ||
           picket_address_filter_word_has(slice->search->filter->ipv4_words[flow->bit],
                                          remote_ipv4_of(slice->bytes + flow->at));
}

static void look_at_waiting(struct slice *slice)
{
    uint16_t passed[WAITING_FLOWS];
    size_t count = look_at_bits(slice, passed), event = 0;
    for (size_t i = 0; i < count; i++) {
        const struct waiting_flow *flow = &slice->queue[passed[i]];
        while (slice->events[event].end <= passed[i])
            event++;
        if (is_found(slice, flow))
            take_found(slice, slice->events[event].id, slice->bytes + flow->at);
    }
    slice->waiting = slice->used = slice->event_count = 0;
}

/* Its bytes are at `at` of the slice's. */
static inline void queue_flow(struct slice *slice, const uint8_t *remote, bool is_ipv6, size_t at)
{
    const struct picket_address_filter *filter = slice->search->filter;
    uint32_t bit = (uint32_t)IS_WANTED;
    if (filter != NULL && is_ipv6 && !picket_address_filter_ipv6(filter, remote))
        return;
    if (filter != NULL && !is_ipv6) {
        bit = picket_address_filter_ipv4_bit(filter, remote);
        __builtin_prefetch(&filter->ipv4[bit >> 6]);
    }
    slice->queue[slice->waiting++] = (struct waiting_flow){bit, (uint16_t)at};
}

/* The flows of a block that fit, which are not more than WAITING_FLOWS. Returns how many bytes they
 * are; what is left begins with no whole flow. */
static size_t look_at_some(struct slice *slice, const uint8_t *block, size_t size)
{
    if (slice->used + size > WAITING_BYTES || slice->event_count == WAITING_FLOWS ||
        slice->waiting + size / FLOW_BYTES_MIN > WAITING_FLOWS)
        look_at_waiting(slice);
    uint8_t *start = slice->bytes + slice->used;
    const uint8_t *at = start, *end = start + size, *remote;
    int64_t flows = 0;
    size_t bytes;
    memcpy(start, block, size);
    for (bool is_ipv6; (bytes = flow_peek(at, end, &remote, &is_ipv6)) > 0; at += bytes, flows++)
        queue_flow(slice, remote, is_ipv6, (size_t)(at - slice->bytes));
    slice->events[slice->event_count++] = (struct waiting_event){slice->event, slice->waiting};
    slice->used += size;
    slice->search->flows += flows;
    return size - (size_t)(end - at);
}

/* False: there are bytes that are no flow. */
static bool look_at_block(struct slice *slice, const uint8_t *block, size_t size)
{
    const size_t most = WAITING_FLOWS * FLOW_BYTES_MIN;
    while (size > 0) {
        bool is_all = size <= most;
        size_t bytes = look_at_some(slice, block, is_all ? size : most);
        if (bytes == 0 || (is_all && bytes < size))
            return false;
        block += bytes;
        size -= bytes;
    }
    return true;
}

static void note_damage(struct slice *slice)
{
    struct picket_flow_search *search = slice->search;
    search->damaged += search->damaged_event != slice->event;
    search->damaged_event = slice->event;
}

/* False: the slice ends before this block. Events have one each, but for those of very many flows.
 */
static bool take_block(struct slice *slice, int64_t id, const uint8_t *block, size_t size)
{
    struct picket_flow_search *search = slice->search;
    int64_t event = id / EVENT_FLOWS_MAX;
    if (event >= search->end_event)
        return false;
    if (event != slice->event && slice->events_begun == search->events_max) {
        search->next_event = event;
        return false;
    }
    slice->events_begun += event != slice->event;
    slice->event = event;
    search->bytes += (int64_t)size;
    if (!look_at_block(slice, block, size))
        note_damage(slice);
    return true;
}

/* The condition of the query below, called for each row: rows that come to nothing cost a third
 * less than if they were returned. It holds for the one at which to stop. */
static void stop_at(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct slice *slice = sqlite3_value_pointer(values[0], "slice");
    int64_t id = sqlite3_value_int64(values[1]);
    const uint8_t *block = sqlite3_value_blob(values[2]);
    size_t size = (size_t)sqlite3_value_bytes(values[2]);
    (void)count;
    sqlite3_result_int(context, !take_block(slice, id, block, size));
}

/* Pages are read once and in order: with few of them, what is asked at random stays in the
 * processor's cache. */
static const char few_pages[] = "pragma cache_size = -128";

static int prepare_handle(struct sqlite_store *store, struct picket_error *error)
{
    if (store->knows_search)
        return PICKET_OK;
    if (sqlite3_create_function_v2(store->picket.handle, "stop_at", 3,
                                   SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, stop_at, NULL, NULL,
                                   NULL) != SQLITE_OK)
        return database_fail(&store->picket, error, "searching flows");
    store->knows_search = true;
    return database_run(&store->picket, few_pages, error, "searching flows");
}

static int64_t first_block_of(int64_t event)
{
    int64_t last = INT64_MAX / EVENT_FLOWS_MAX;
    return (event < 0 ? 0 : event > last ? last : event) * EVENT_FLOWS_MAX;
}

/* ---- past damage ---- */

static int find_readable(struct sqlite_store *store, int64_t event, bool *is_readable,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_FLOWS_FROM,
                "select id from flows where id >= ? order by id limit 1", "searching flows");
    query_int(&query, first_block_of(event));
    query_row(&query);
    *is_readable = query.status == SQLITE_OK;
    bool is_damaged = (query.status & 0xff) == SQLITE_CORRUPT;
    int status = query_end(&query, is_damaged ? NULL : error);
    return is_damaged ? PICKET_OK : status;
}

/* Somewhere from `first` on a page is damaged: the next event after it, at most `end`, from which
 * on there are whole ones. Steps that double, and then back by halves: a page holds few events, and
 * one far up in the tree all. */
static int find_end_of_damage(struct sqlite_store *store, int64_t first, int64_t end, int64_t *next,
                              struct picket_error *error)
{
    int64_t damaged = first, whole = end;
    bool is_readable = false;
    for (int64_t step = 1; !is_readable && step < end - first; step *= 2) {
        int status = find_readable(store, first + step, &is_readable, error);
        if (status != PICKET_OK)
            return status;
        *(is_readable ? &whole : &damaged) = first + step;
    }
    while (whole - damaged > 1) {
        int64_t middle = damaged + (whole - damaged) / 2;
        int status = find_readable(store, middle, &is_readable, error);
        if (status != PICKET_OK)
            return status;
        *(is_readable ? &whole : &damaged) = middle;
    }
    *next = whole;
    return PICKET_OK;
}

/* What a damaged page held is lost, and no reason to search nothing of the rest. */
static int pass_damage(struct sqlite_store *store, struct slice *slice, int64_t first,
                       struct picket_error *error)
{
    struct picket_flow_search *search = slice->search;
    int status = find_end_of_damage(store, first, search->end_event, &search->next_event, error);
    if (status != PICKET_OK)
        return status;
    search->damaged += search->next_event - first;
    search->damaged_event = search->next_event - 1;
    return PICKET_OK;
}

/* ---- a slice ---- */

static int look_at_slice(struct sqlite_store *store, struct slice *slice,
                         struct picket_error *error)
{
    struct picket_flow_search *search = slice->search;
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_FLOWS_SEARCH,
                "select 1 from flows where id >= ? and stop_at(?, id, block) order by id",
                "searching flows");
    int64_t first = search->next_event;
    query_int(&query, first_block_of(first));
    query_pointer(&query, slice, "slice");
    search->next_event = search->end_event;
    query_row(&query);
    bool is_damaged = (query.status & 0xff) == SQLITE_CORRUPT;
    search->events += slice->events_begun;
    look_at_waiting(slice);
    give_found(slice); /* while what it belongs to is still there */
    int status = query_end(&query, is_damaged ? NULL : error);
    if (slice->event >= first)
        first = slice->event + 1;
    return is_damaged ? pass_damage(store, slice, first, error) : status;
}

int sqlite_flows_search(struct picket_store *base, struct picket_flow_search *search,
                        picket_stored_flows_visit visit, void *context, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct slice slice;
    bool framed;
    if (search->next_event >= search->end_event)
        return PICKET_OK;
    int status = prepare_handle(store, error);
    if (status == PICKET_OK)
        status = snapshot_begin(store, &framed, error);
    if (status != PICKET_OK)
        return status;
    slice_begin(&slice, search, visit, context);
    status = look_at_slice(store, &slice, error);
    snapshot_end(store, framed);
    return status;
}
