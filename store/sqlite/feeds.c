/* Feeds: where indicators come from. */
#include <string.h>

#include "store.h"

/* indicators is left alone: indicators.c keeps it. */
static int put(struct sqlite_store *store, const struct picket_feed *feed,
               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_PUT,
                "insert into feeds (name, source, format, confidence, match_special_purpose, "
                "refresh_s, added_ms, tried_ms, loaded_ms, etag, last_modified, skipped, problem) "
                "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "on conflict (name) do update set source = excluded.source, "
                "format = excluded.format, confidence = excluded.confidence, "
                "match_special_purpose = excluded.match_special_purpose, "
                "refresh_s = excluded.refresh_s, added_ms = excluded.added_ms, "
                "tried_ms = excluded.tried_ms, loaded_ms = excluded.loaded_ms, "
                "etag = excluded.etag, last_modified = excluded.last_modified, "
                "skipped = excluded.skipped, problem = excluded.problem",
                "writing a feed");
    query_text(&query, feed->name);
    query_text(&query, feed->source);
    query_text(&query, feed->format);
    query_int(&query, feed->confidence);
    query_int(&query, feed->match_special_purpose);
    query_int(&query, feed->refresh_s);
    query_int(&query, feed->added_ms);
    query_int(&query, feed->tried_ms);
    query_int(&query, feed->loaded_ms);
    query_text(&query, feed->etag);
    query_text(&query, feed->last_modified);
    query_int(&query, feed->skipped);
    query_text(&query, feed->problem);
    return query_run(&query, error);
}

int sqlite_feed_put(struct picket_store *base, const struct picket_feed *feed,
                    struct picket_error *error)
{
    return put(sqlite_of(base), feed, error);
}

static int remove_rows(struct sqlite_store *store, const char *name, struct picket_error *error)
{
    int64_t number, generation;
    int status = feed_number(store, name, &number, &generation, error);
    if (status == PICKET_OK)
        status = blocks_remove(store, number, 0, error);
    if (status == PICKET_OK)
        status = blocks_remove(store, number, 1, error);
    if (status != PICKET_OK)
        return status;
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_REMOVE,
                "delete from feeds where number = ?", "removing a feed");
    query_int(&query, number);
    return query_run(&query, error);
}

int sqlite_feed_remove(struct picket_store *base, const char *name, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = intelligence_begin(store, error);
    if (status == PICKET_OK)
        status = intelligence_end(store, remove_rows(store, name, error), error);
    return status;
}

static void visit_feed(struct query *query, picket_feed_visit visit, void *context)
{
    struct picket_feed feed;
    memset(&feed, 0, sizeof feed);
    query_take_string(query, feed.name, sizeof feed.name);
    query_take_string(query, feed.source, sizeof feed.source);
    query_take_string(query, feed.format, sizeof feed.format);
    feed.confidence = (int)query_take_int(query);
    feed.match_special_purpose = query_take_int(query) != 0;
    feed.refresh_s = (uint32_t)query_take_int(query);
    feed.added_ms = query_take_int(query);
    feed.tried_ms = query_take_int(query);
    feed.loaded_ms = query_take_int(query);
    query_take_string(query, feed.etag, sizeof feed.etag);
    query_take_string(query, feed.last_modified, sizeof feed.last_modified);
    feed.skipped = query_take_int(query);
    query_take_string(query, feed.problem, sizeof feed.problem);
    feed.indicators = query_take_int(query);
    visit(context, &feed);
}

int sqlite_feeds(struct picket_store *base, picket_feed_visit visit, void *context,
                 struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->intelligence, STATEMENT_FEEDS,
                "select name, source, format, confidence, match_special_purpose, refresh_s, "
                "added_ms, tried_ms, loaded_ms, etag, last_modified, skipped, problem, indicators "
                "from feeds order by name",
                "reading the feeds");
    while (query_row(&query))
        visit_feed(&query, visit, context);
    return query_end(&query, error);
}
