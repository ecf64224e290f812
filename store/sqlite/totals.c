/* Totals for `picket status`. */
#include <stdio.h>
#include <sys/stat.h>

#include "store.h"

static int picket_totals(struct sqlite_store *store, struct picket_store_totals *totals,
                         struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_TOTALS,
                "select (select count(*) from devices where registered = 1), events, flows, "
                "(select count(*) from alerts where status <= 2), (select count(*) from alerts), "
                "dead_letters, dead_letter_bytes, dead_letters_dropped, events_aged, "
                "alerts_aged, "
                "(select received_ms from events order by id limit 1), "
                "(select coalesce(sum(waiting - aside), 0) from targets) from totals",
                "reading the totals");
    if (query_row(&query)) {
        totals->devices = query_take_int(&query);
        totals->events = query_take_int(&query);
        totals->flows = query_take_int(&query);
        totals->alerts_open = query_take_int(&query);
        totals->alerts = query_take_int(&query);
        totals->dead_letters = query_take_int(&query);
        totals->dead_letter_bytes = query_take_int(&query);
        totals->dead_letters_dropped = query_take_int(&query);
        totals->events_aged = query_take_int(&query);
        totals->alerts_aged = query_take_int(&query);
        totals->oldest_event_ms = query_take_int(&query);
        totals->outbox = query_take_int(&query);
    }
    return query_end(&query, error);
}

static int feed_totals(struct sqlite_store *store, struct picket_store_totals *totals,
                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_TOTALS,
                "select count(*), coalesce(sum(indicators), 0) from feeds", "counting the feeds");
    if (query_row(&query)) {
        totals->feeds = query_take_int(&query);
        totals->indicators = query_take_int(&query);
    }
    return query_end(&query, error);
}

/* The file and its log. */
static int64_t size_on_disk(const struct database *database)
{
    static const char *const suffixes[] = {"", "-wal"};
    int64_t size = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[4096];
        struct stat file;
        snprintf(path, sizeof path, "%s%s", database->path, suffixes[i]);
        if (stat(path, &file) == 0)
            size += file.st_size;
    }
    return size;
}

int sqlite_totals(struct picket_store *base, struct picket_store_totals *totals,
                  struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    *totals = (struct picket_store_totals){0};
    int status = batch_flush(store, error);
    if (status == PICKET_OK)
        status = picket_totals(store, totals, error);
    if (status == PICKET_OK)
        status = feed_totals(store, totals, error);
    totals->size_bytes = size_on_disk(&store->picket) + size_on_disk(&store->intelligence);
    return status;
}
