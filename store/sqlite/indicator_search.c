/* One indicator of a feed, by the blocks it is kept in: they are sorted, and so is what is in them.
 * Of a kept list, which has no blocks, by its row. */
#include <string.h>

#include "indicator_block.h"
#include "indicator_order.h"
#include "store.h"

struct search {
    struct sqlite_store *store;
    const char *feed;
    const struct picket_indicator *looked_for;
    picket_indicator_visit visit;
    void *context;
};

/* Of the last block; first - 1 if there is none. */
static int find_last(struct search *search, int64_t first, int64_t *last,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &search->store->intelligence, STATEMENT_LAST_BLOCK,
                "select id from indicator_blocks where id between ? and ? order by id desc limit 1",
                "looking up an indicator");
    query_int(&query, first);
    query_int(&query, first | UINT32_MAX);
    *last = query_row(&query) ? query_take_int(&query) : first - 1;
    return query_end(&query, error);
}

/* What is looked for stands in the block (0; visited), can only stand before it (< 0) or after it
 * (> 0). */
static int compare_with_block(const struct search *search, const uint8_t *block, size_t size)
{
    struct indicator_coder coder;
    struct picket_indicator indicator;
    const uint8_t *at = block, *end = block + size;
    indicator_coder_start(&coder);
    int order = 1;
    while (at < end && indicator_unpack(&coder, &indicator, &at, end)) {
        order = indicator_compare(search->looked_for, &indicator);
        if (order <= 0)
            break;
    }
    if (order == 0)
        search->visit(search->context, search->feed, &indicator);
    return order;
}

static int look_at_block(const struct search *search, int64_t id, int *order,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &search->store->intelligence, STATEMENT_BLOCK,
                "select block from indicator_blocks where id = ?", "looking up an indicator");
    query_int(&query, id);
    if (query_row(&query)) {
        size_t size;
        const uint8_t *block = query_take_blob(&query, &size);
        *order = compare_with_block(search, block, size);
    }
    return query_end(&query, error);
}

/* Which blocks it can not stand in is learnt from each that is looked at. */
static int search_blocks(struct search *search, int64_t first, bool *found,
                         struct picket_error *error)
{
    int64_t low = first, high;
    int order = 1, status = find_last(search, first, &high, error);
    while (status == PICKET_OK && low <= high && order != 0) {
        int64_t middle = low + (high - low) / 2;
        status = look_at_block(search, middle, &order, error);
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    *found = order == 0;
    return status;
}

static int find(struct search *search, bool *found, struct picket_error *error)
{
    int64_t number, generation;
    int status = feed_number(search->store, search->feed, &number, &generation, error);
    if (status != PICKET_OK)
        return status;
    status = search_blocks(search, first_block(number, generation), found, error);
    if (status != PICKET_OK || *found)
        return status;
    return kept_find(search->store, search->feed, number, search->looked_for, search->visit,
                     search->context, found, error);
}

int sqlite_indicator(struct picket_store *base, const char *feed,
                     const struct picket_indicator *which, picket_indicator_visit visit,
                     void *context, struct picket_error *error)
{
    struct search search = {.store = sqlite_of(base),
                            .feed = feed,
                            .looked_for = which,
                            .visit = visit,
                            .context = context};
    struct database *intelligence = &search.store->intelligence;
    bool found = false;
    /* One view of feeds and blocks, however they change meanwhile. */
    int status = database_run(intelligence, "begin", error, "looking up an indicator");
    if (status != PICKET_OK)
        return status;
    status = find(&search, &found, error);
    database_run(intelligence, "commit", NULL, "looking up an indicator");
    if (status == PICKET_OK && !found) {
        char text[PICKET_PREFIX_TEXT_BYTES];
        return picket_fail(error, PICKET_NOT_FOUND, "feed %s does not list %s", feed,
                           picket_prefix_format(&which->prefix, text));
    }
    return status;
}
