/* Events' flows on their way into the file: packed at once, written some blocks at a time. */
#include <stdlib.h>

#include "flow_block.h"
#include "store.h"

#define FOUR_BLOCKS "(?, ?), (?, ?), (?, ?), (?, ?)"
static const char insert_one[] = "insert into flows (id, block) values (?, ?)";
static const char insert_together[] = "insert into flows (id, block) values " FOUR_BLOCKS
                                      ", " FOUR_BLOCKS ", " FOUR_BLOCKS ", " FOUR_BLOCKS;
_Static_assert(FLOW_BLOCKS_TOGETHER == 16, "insert_together has so many");

enum { WAITING_BYTES_MAX = 1 << 20 };

/* Room for so many flows, packed, behind those that wait. */
static int reserve(struct sqlite_store *store, size_t count, struct picket_error *error)
{
    struct flow_blocks *blocks = &store->flow_blocks;
    size_t needed = blocks->used + count * FLOW_BYTES_MAX;
    if (needed <= blocks->capacity)
        return PICKET_OK;
    uint8_t *bytes = realloc(blocks->bytes, needed);
    if (bytes == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for %zu flows", store->folder,
                           count);
    blocks->bytes = bytes;
    blocks->capacity = needed;
    return PICKET_OK;
}

static void pack(struct flow_blocks *blocks, int64_t id, const struct picket_flow *flows,
                 size_t count)
{
    size_t start = blocks->used;
    for (size_t i = 0; i < count; i++)
        blocks->used += flow_pack(&flows[i], blocks->bytes + blocks->used);
    blocks->waiting[blocks->count++] =
        (struct flow_block){.id = id, .start = start, .size = blocks->used - start};
}

/* The statement takes so many blocks. */
static int write_blocks(struct sqlite_store *store, int statement, const char *sql, int first,
                        int count, struct picket_error *error)
{
    const struct flow_blocks *blocks = &store->flow_blocks;
    struct query query;
    query_begin(&query, &store->picket, statement, sql, "writing flows");
    for (int i = first; i < first + count; i++) {
        query_int(&query, blocks->waiting[i].id);
        query_blob(&query, blocks->bytes + blocks->waiting[i].start, blocks->waiting[i].size);
    }
    return query_run(&query, error);
}

int flows_flush(struct sqlite_store *store, struct picket_error *error)
{
    struct flow_blocks *blocks = &store->flow_blocks;
    int status = PICKET_OK, count = blocks->count;
    if (count == FLOW_BLOCKS_TOGETHER)
        status =
            write_blocks(store, STATEMENT_FLOWS_PUT_TOGETHER, insert_together, 0, count, error);
    else
        for (int i = 0; i < count && status == PICKET_OK; i++)
            status = write_blocks(store, STATEMENT_FLOWS_PUT, insert_one, i, 1, error);
    blocks->count = 0;
    blocks->used = 0;
    if (status == PICKET_INVALID) /* of no message's doing: ids of new events have no flows */
        status = picket_fail(error, PICKET_IO, "%s: damaged: flows of new events are there already",
                             store->picket.path);
    return status;
}

void flows_forget(struct sqlite_store *store)
{
    store->flow_blocks.count = 0;
    store->flow_blocks.used = 0;
    store->flow_blocks.event = 0;
}

static int put_flows(struct sqlite_store *store, int64_t event_id, const struct picket_flow *flows,
                     size_t count, struct picket_error *error)
{
    struct flow_blocks *blocks = &store->flow_blocks;
    size_t before = event_id == blocks->event ? blocks->flows : 0;
    if (event_id < blocks->event)
        return picket_fail(error, PICKET_INVALID,
                           "%s: flows of event %lld come after those of event %lld", store->folder,
                           (long long)event_id, (long long)blocks->event);
    if (event_id <= 0 || event_id > INT64_MAX / EVENT_FLOWS_MAX || count > EVENT_FLOWS_MAX - before)
        return picket_fail(error, PICKET_INVALID,
                           "%s: event %lld with %zu flows: an event has up to %d", store->folder,
                           (long long)event_id, before + count, EVENT_FLOWS_MAX);
    if (count == 0)
        return PICKET_OK;
    int status = reserve(store, count, error);
    if (status != PICKET_OK)
        return status;
    pack(blocks, event_id * EVENT_FLOWS_MAX + (int64_t)before, flows, count);
    blocks->event = event_id;
    blocks->flows = before + count;
    store->batch_totals.flows += (int64_t)count;
    bool is_time = blocks->count == FLOW_BLOCKS_TOGETHER || blocks->used > WAITING_BYTES_MAX;
    return is_time ? flows_flush(store, error) : PICKET_OK;
}

int sqlite_put_flows(struct picket_store *base, int64_t event_id, const struct picket_flow *flows,
                     size_t count, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = batch_check(store, error);
    if (status == PICKET_OK)
        status = put_flows(store, event_id, flows, count, error);
    return batch_note(store, status);
}
