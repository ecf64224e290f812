/* Feeds: where indicators come from. */
#include <string.h>

#include "store.h"

/* As they are bound and taken. */
#define FEED_COLUMNS                                                                               \
    "name, source, format, confidence, match_special_purpose, refresh_s, added_ms, tried_ms, "     \
    "loaded_ms, etag, last_modified, skipped, problem, user, password_file, token_file, "          \
    "header, header_file, proxy, ca_file, certificate_file, key_file, pattern, columns, "          \
    "max_bytes, changed_ms, not_before_ms, whole_ms, cursor, last_added, last_removed, "           \
    "last_kept, last_changed, last_duration_ms, waits, would_hold, role, "                         \
    "match_own_networks, succeeded_ms"

static void bind_access(struct query *query, const struct picket_feed_access *access)
{
    query_text(query, access->user);
    query_text(query, access->password_file);
    query_text(query, access->token_file);
    query_text(query, access->header);
    query_text(query, access->header_file);
    query_text(query, access->proxy);
    query_text(query, access->ca_file);
    query_text(query, access->certificate_file);
    query_text(query, access->key_file);
}

static void bind_feed(struct query *query, const struct picket_feed *feed)
{
    query_text(query, feed->name);
    query_text(query, feed->source);
    query_text(query, feed->format);
    query_int(query, feed->confidence);
    query_int(query, feed->match_special_purpose);
    query_int(query, feed->refresh_s);
    query_int(query, feed->added_ms);
    query_int(query, feed->tried_ms);
    query_int(query, feed->loaded_ms);
    query_text(query, feed->etag);
    query_text(query, feed->last_modified);
    query_int(query, feed->skipped);
    query_text(query, feed->problem);
    bind_access(query, &feed->access);
    query_text(query, feed->pattern);
    query_text(query, feed->columns);
    query_int(query, feed->max_bytes);
    query_int(query, feed->changed_ms);
    query_int(query, feed->not_before_ms);
    query_int(query, feed->whole_ms);
    query_text(query, feed->cursor);
    query_int(query, feed->last.added);
    query_int(query, feed->last.removed);
    query_int(query, feed->last.kept);
    query_int(query, feed->last.changed);
    query_int(query, feed->last_duration_ms);
    query_int(query, feed->waits);
    query_int(query, feed->would_hold);
    query_int(query, feed->role);
    query_int(query, feed->match_own_networks);
    query_int(query, feed->succeeded_ms);
}

/* indicators is left alone: indicators.c keeps it. */
static int put(struct sqlite_store *store, const struct picket_feed *feed,
               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_PUT,
                "insert into feeds (" FEED_COLUMNS ") values ("
                "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
                ") on conflict (name) do update set "
                "source = excluded.source, format = excluded.format, "
                "confidence = excluded.confidence, "
                "match_special_purpose = excluded.match_special_purpose, "
                "refresh_s = excluded.refresh_s, added_ms = excluded.added_ms, "
                "tried_ms = excluded.tried_ms, loaded_ms = excluded.loaded_ms, "
                "etag = excluded.etag, last_modified = excluded.last_modified, "
                "skipped = excluded.skipped, problem = excluded.problem, "
                "user = excluded.user, password_file = excluded.password_file, "
                "token_file = excluded.token_file, header = excluded.header, "
                "header_file = excluded.header_file, proxy = excluded.proxy, "
                "ca_file = excluded.ca_file, "
                "certificate_file = excluded.certificate_file, "
                "key_file = excluded.key_file, pattern = excluded.pattern, "
                "columns = excluded.columns, max_bytes = excluded.max_bytes, "
                "changed_ms = excluded.changed_ms, "
                "not_before_ms = excluded.not_before_ms, whole_ms = excluded.whole_ms, "
                "cursor = excluded.cursor, last_added = excluded.last_added, "
                "last_removed = excluded.last_removed, last_kept = excluded.last_kept, "
                "last_changed = excluded.last_changed, "
                "last_duration_ms = excluded.last_duration_ms, waits = excluded.waits, "
                "would_hold = excluded.would_hold, role = excluded.role, "
                "match_own_networks = excluded.match_own_networks, "
                "succeeded_ms = excluded.succeeded_ms",
                "writing a feed");
    bind_feed(&query, feed);
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
    if (status == PICKET_OK)
        status = feed_belongings_remove(store, number, error);
    if (status == PICKET_OK)
        status = kept_remove_all(store, number, error);
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

static void take_access(struct query *query, struct picket_feed_access *access)
{
    query_take_string(query, access->user, sizeof access->user);
    query_take_string(query, access->password_file, sizeof access->password_file);
    query_take_string(query, access->token_file, sizeof access->token_file);
    query_take_string(query, access->header, sizeof access->header);
    query_take_string(query, access->header_file, sizeof access->header_file);
    query_take_string(query, access->proxy, sizeof access->proxy);
    query_take_string(query, access->ca_file, sizeof access->ca_file);
    query_take_string(query, access->certificate_file, sizeof access->certificate_file);
    query_take_string(query, access->key_file, sizeof access->key_file);
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
    take_access(query, &feed.access);
    query_take_string(query, feed.pattern, sizeof feed.pattern);
    query_take_string(query, feed.columns, sizeof feed.columns);
    feed.max_bytes = query_take_int(query);
    feed.changed_ms = query_take_int(query);
    feed.not_before_ms = query_take_int(query);
    feed.whole_ms = query_take_int(query);
    query_take_string(query, feed.cursor, sizeof feed.cursor);
    feed.last.added = query_take_int(query);
    feed.last.removed = query_take_int(query);
    feed.last.kept = query_take_int(query);
    feed.last.changed = query_take_int(query);
    feed.last_duration_ms = query_take_int(query);
    feed.waits = query_take_int(query) != 0;
    feed.would_hold = query_take_int(query);
    feed.role = (int)query_take_int(query);
    feed.match_own_networks = query_take_int(query) != 0;
    feed.succeeded_ms = query_take_int(query);
    feed.indicators = query_take_int(query);
    visit(context, &feed);
}

int sqlite_feeds(struct picket_store *base, picket_feed_visit visit, void *context,
                 struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->intelligence, STATEMENT_FEEDS,
                "select " FEED_COLUMNS ", indicators from feeds order by name",
                "reading the feeds");
    while (query_row(&query))
        visit_feed(&query, visit, context);
    return query_end(&query, error);
}
