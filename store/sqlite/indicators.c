/* Indicators: replaced by a merge of the new ones, sorted, with the old, which are.
 *
 *     new (sorted) ──┐
 *                    ├─ merge ─▶ blocks of the other generation ─▶ the old one removed ─▶ commit
 *     old blocks ────┘
 */
#include <stdlib.h>
#include <string.h>

#include "indicator_block.h"
#include "indicator_order.h"
#include "store.h"

/* A block fits into a page of intelligence.db. */
enum { BLOCK_BYTES = 16000, BLOCKS_BITS = 32 };

/* ---- what feeds.c and indicator_search.c need too ---- */

int64_t first_block(int64_t feed, int64_t generation)
{
    return (feed << 1 | (generation & 1)) << BLOCKS_BITS;
}

int intelligence_begin(struct sqlite_store *store, struct picket_error *error)
{
    int status = database_expect_writes(&store->intelligence, error);
    if (status != PICKET_OK)
        return status;
    return database_run(&store->intelligence, "begin immediate", error, "beginning to write");
}

int intelligence_end(struct sqlite_store *store, int status, struct picket_error *error)
{
    if (status == PICKET_OK)
        status = database_run(&store->intelligence, "commit", error, "committing");
    if (status != PICKET_OK && !sqlite3_get_autocommit(store->intelligence.handle))
        sqlite3_exec(store->intelligence.handle, "rollback", NULL, NULL, NULL);
    return status;
}

int feed_number(struct sqlite_store *store, const char *name, int64_t *number, int64_t *generation,
                struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_NUMBER,
                "select number, generation from feeds where name = ?", "looking up a feed");
    query_text(&query, name);
    *number = 0;
    if (query_row(&query)) {
        *number = query_take_int(&query);
        *generation = query_take_int(&query);
    }
    int status = query_end(&query, error);
    if (status == PICKET_OK && *number == 0)
        return picket_fail(error, PICKET_NOT_FOUND, "feed %s: there is none of that name", name);
    return status;
}

int blocks_remove(struct sqlite_store *store, int64_t feed, int64_t generation,
                  struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_BLOCKS_REMOVE,
                "delete from indicator_blocks where id between ? and ?", "removing indicators");
    query_int(&query, first_block(feed, generation));
    query_int(&query, first_block(feed, generation) | UINT32_MAX);
    return query_run(&query, error);
}

/* ---- reading ---- */

/* One indicator after another out of the blocks of a feed. */
struct reader {
    struct query query;
    struct indicator_coder coder;
    const uint8_t *block, *at, *end;
    bool has; /* indicator is one */
    bool damaged;
    struct picket_indicator indicator;
};

static void reader_next(struct reader *reader)
{
    reader->has = false;
    while (reader->at == reader->end) {
        if (!query_row(&reader->query))
            return;
        size_t size;
        reader->block = query_take_blob(&reader->query, &size);
        reader->at = reader->block;
        reader->end = reader->block + size;
        indicator_coder_start(&reader->coder);
    }
    reader->has = indicator_unpack(&reader->coder, &reader->indicator, &reader->at, reader->end);
    reader->damaged = !reader->has;
}

static void reader_start(struct reader *reader, struct sqlite_store *store, int64_t feed,
                         int64_t generation)
{
    memset(reader, 0, sizeof *reader);
    query_begin(&reader->query, &store->intelligence, STATEMENT_BLOCKS_OF,
                "select block from indicator_blocks where id between ? and ? order by id",
                "reading indicators");
    query_int(&reader->query, first_block(feed, generation));
    query_int(&reader->query, first_block(feed, generation) | UINT32_MAX);
    reader_next(reader);
}

static int reader_end(struct reader *reader, const char *feed, struct picket_error *error)
{
    int status = query_end(&reader->query, error);
    if (status == PICKET_OK && reader->damaged)
        return picket_fail(error, PICKET_IO, "%s: indicators of feed %s: damaged at byte %zu",
                           reader->query.database->path, feed,
                           (size_t)(reader->at - reader->block));
    return status;
}

static int visit_feed(struct sqlite_store *store, const char *name, int64_t number,
                      int64_t generation, picket_indicator_visit visit, void *context,
                      struct picket_error *error)
{
    struct reader reader;
    for (reader_start(&reader, store, number, generation); reader.has; reader_next(&reader))
        visit(context, name, &reader.indicator);
    int status = reader_end(&reader, name, error);
    return status == PICKET_OK ? kept_visit(store, name, number, visit, context, error) : status;
}

int sqlite_indicators(struct picket_store *base, const char *feed, picket_indicator_visit visit,
                      void *context, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_NUMBERS,
                "select name, number, generation from feeds where ?1 is null or name = ?1 "
                "order by name",
                "reading the feeds");
    query_text(&query, feed);
    int status = PICKET_OK;
    int64_t found = 0;
    for (; status == PICKET_OK && query_row(&query); found++) {
        const char *name = query_take_text(&query);
        int64_t number = query_take_int(&query), generation = query_take_int(&query);
        status = visit_feed(store, name, number, generation, visit, context, error);
    }
    int end_status = query_end(&query, status == PICKET_OK ? error : NULL);
    status = status != PICKET_OK ? status : end_status;
    if (status == PICKET_OK && found == 0 && feed != NULL)
        return picket_fail(error, PICKET_NOT_FOUND, "feed %s: there is none of that name", feed);
    return status;
}

/* ---- writing ---- */

struct writer {
    struct sqlite_store *store;
    struct indicator_coder coder;
    int64_t next_id;
    size_t used;
    uint8_t *block;
    size_t capacity;
};

static int write_block(struct writer *writer, struct picket_error *error)
{
    if (writer->used == 0)
        return PICKET_OK;
    struct query query;
    query_begin(&query, &writer->store->intelligence, STATEMENT_BLOCK_PUT,
                "insert into indicator_blocks (id, block) values (?, ?)", "writing indicators");
    query_int(&query, writer->next_id++);
    query_blob(&query, writer->block, writer->used);
    writer->used = 0;
    indicator_coder_start(&writer->coder);
    return query_run(&query, error);
}

static int reserve(struct writer *writer, size_t size_bytes, struct picket_error *error)
{
    size_t needed = writer->used + size_bytes;
    if (needed <= writer->capacity)
        return PICKET_OK;
    uint8_t *block = realloc(writer->block, needed * 2);
    if (block == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for indicators",
                           writer->store->folder);
    writer->block = block;
    writer->capacity = needed * 2;
    return PICKET_OK;
}

static int write_indicator(struct writer *writer, const struct picket_indicator *indicator,
                           struct picket_error *error)
{
    size_t size_max = indicator_bytes_max(indicator);
    int status = PICKET_OK;
    if (writer->used + size_max > BLOCK_BYTES)
        status = write_block(writer, error);
    if (status == PICKET_OK)
        status = reserve(writer, size_max, error);
    if (status == PICKET_OK)
        writer->used += indicator_pack(&writer->coder, indicator, writer->block + writer->used);
    return status;
}

/* ---- replacing ---- */

struct merge {
    struct reader old;
    struct writer new;
    struct picket_feed_delta delta;
    picket_indicator_change_visit visit; /* NULL: nobody wants to know */
    void *context;
    bool writes; /* otherwise it only looks for the first change */
    bool changed;
};

static void note_change(struct merge *merge, const struct picket_indicator *before,
                        const struct picket_indicator *now)
{
    merge->changed = true;
    if (merge->writes && merge->visit != NULL)
        merge->visit(merge->context, before, now);
}

static void drop_old(struct merge *merge)
{
    merge->delta.removed++;
    note_change(merge, &merge->old.indicator, NULL);
    reader_next(&merge->old);
}

static int merge_one(struct merge *merge, const struct picket_indicator *given,
                     struct picket_error *error)
{
    struct picket_indicator indicator = *given;
    struct reader *old = &merge->old;
    while (old->has && indicator_compare(&old->indicator, &indicator) < 0)
        drop_old(merge);
    if (old->has && indicator_compare(&old->indicator, &indicator) == 0) {
        indicator.first_seen_ms = old->indicator.first_seen_ms;
        merge->delta.kept++;
        bool same = indicator_same_content(&old->indicator, &indicator);
        merge->delta.changed += !same;
        if (!same || old->indicator.line != indicator.line)
            note_change(merge, &old->indicator, &indicator);
        reader_next(old);
    } else {
        merge->delta.added++;
        note_change(merge, NULL, &indicator);
    }
    return merge->writes ? write_indicator(&merge->new, &indicator, error) : PICKET_OK;
}

static bool has_seen_enough(const struct merge *merge)
{
    return merge->changed && !merge->writes;
}

/* Of the duplicates of one prefix, port and protocol the most confident counts, the first among
 * equals. */
static const struct picket_indicator *take_next(const struct picket_indicator *indicators,
                                                const uint32_t *order, size_t count, size_t *at)
{
    const struct picket_indicator *best = &indicators[order[*at]];
    for (++*at; *at < count; ++*at) {
        const struct picket_indicator *next = &indicators[order[*at]];
        if (indicator_compare(next, best) != 0)
            break;
        if (next->confidence > best->confidence)
            best = next;
    }
    return best;
}

static int merge_all(struct merge *merge, const char *feed,
                     const struct picket_indicator *indicators, const uint32_t *order, size_t count,
                     struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t at = 0; at < count && status == PICKET_OK && !has_seen_enough(merge);)
        status = merge_one(merge, take_next(indicators, order, count, &at), error);
    while (status == PICKET_OK && merge->old.has && !has_seen_enough(merge))
        drop_old(merge);
    int end_status = reader_end(&merge->old, feed, status == PICKET_OK ? error : NULL);
    if (status == PICKET_OK)
        status = end_status;
    return status == PICKET_OK ? write_block(&merge->new, error) : status;
}

static int note_stored(struct sqlite_store *store, int64_t feed, int64_t count, int64_t generation,
                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_STORED,
                "update feeds set indicators = ?, generation = ? where number = ?",
                "writing a feed");
    query_int(&query, count);
    query_int(&query, generation);
    query_int(&query, feed);
    return query_run(&query, error);
}

/* What is to be merged with what. */
struct replacement {
    struct sqlite_store *store;
    const char *name;
    int64_t feed, generation;
    const struct picket_indicator *indicators;
    const uint32_t *order;
    size_t count;
    int64_t least;
    picket_indicator_change_visit visit;
    void *context;
};

static int run_merge(const struct replacement *replacement, bool writes,
                     struct picket_feed_delta *delta, bool *changed, struct picket_error *error)
{
    struct sqlite_store *store = replacement->store;
    int64_t feed = replacement->feed, generation = replacement->generation;
    struct merge merge = {
        .new = {.store = store, .next_id = first_block(feed, generation + 1)},
        .visit = replacement->visit,
        .context = replacement->context,
        .writes = writes,
    };
    indicator_coder_start(&merge.new.coder);
    reader_start(&merge.old, store, feed, generation);
    int status = merge_all(&merge, replacement->name, replacement->indicators, replacement->order,
                           replacement->count, error);
    free(merge.new.block);
    *delta = merge.delta;
    *changed = merge.changed;
    return status;
}

/* Within the transaction. Many a feed is fetched again and has not changed: then nothing is
 * written. */
static int replace(struct replacement *replacement, struct picket_feed_delta *delta,
                   struct picket_error *error)
{
    struct sqlite_store *store = replacement->store;
    bool changed = false;
    int status =
        feed_number(store, replacement->name, &replacement->feed, &replacement->generation, error);
    if (status == PICKET_OK)
        status = run_merge(replacement, false, delta, &changed, error);
    if (status != PICKET_OK || !changed)
        return status;
    status = run_merge(replacement, true, delta, &changed, error);
    if (status == PICKET_OK && delta->added + delta->kept < replacement->least)
        return picket_fail(error, PICKET_DENIED, "feed %s: would hold %lld indicators",
                           replacement->name, (long long)(delta->added + delta->kept));
    if (status == PICKET_OK)
        status = blocks_remove(store, replacement->feed, replacement->generation, error);
    if (status == PICKET_OK)
        status = note_stored(store, replacement->feed, delta->added + delta->kept,
                             replacement->generation + 1, error);
    return status;
}

int sqlite_indicators_replace(struct picket_store *base, const char *feed,
                              const struct picket_indicator *indicators, size_t count,
                              int64_t least, picket_indicator_change_visit visit, void *context,
                              struct picket_feed_delta *delta, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    uint32_t *order = indicators_sort(indicators, count);
    if (order == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory for %zu indicators",
                           store->folder, count);
    struct replacement replacement = {.store = store,
                                      .name = feed,
                                      .indicators = indicators,
                                      .order = order,
                                      .count = count,
                                      .least = least,
                                      .visit = visit,
                                      .context = context};
    int status = intelligence_begin(store, error);
    if (status == PICKET_OK)
        status = intelligence_end(store, replace(&replacement, delta, error), error);
    free(order);
    return status;
}
