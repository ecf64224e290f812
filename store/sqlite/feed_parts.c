/* Of a feed: lines that were not understood, and parts of those that come in parts. */
#include "picket/store/feed_parts.h"

#include "store.h"

/* ---- lines that were not understood ---- */

static int put_problem(struct sqlite_store *store, int64_t feed, int64_t position,
                       const struct picket_feed_problem *problem, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_PROBLEM_PUT,
                "insert into feed_problems (feed, position, file, line, text, reason) "
                "values (?, ?, ?, ?, ?, ?)",
                "writing a feed's problems");
    query_int(&query, feed);
    query_int(&query, position);
    query_text(&query, problem->file);
    query_int(&query, problem->line);
    query_text(&query, problem->text);
    query_text(&query, problem->reason);
    return query_run(&query, error);
}

static int remove_of(struct sqlite_store *store, int number, const char *sql, int64_t feed,
                     struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, number, sql, "removing what is kept of a feed");
    query_int(&query, feed);
    return query_run(&query, error);
}

static int problems_remove(struct sqlite_store *store, int64_t feed, struct picket_error *error)
{
    return remove_of(store, STATEMENT_FEED_PROBLEMS_REMOVE,
                     "delete from feed_problems where feed = ?", feed, error);
}

static int put_problems(struct sqlite_store *store, const char *name,
                        const struct picket_feed_problem *problems, size_t count,
                        struct picket_error *error)
{
    int64_t feed, generation;
    int status = feed_number(store, name, &feed, &generation, error);
    if (status == PICKET_OK)
        status = problems_remove(store, feed, error);
    for (size_t i = 0; i < count && status == PICKET_OK; i++)
        status = put_problem(store, feed, (int64_t)i, &problems[i], error);
    return status;
}

int sqlite_feed_problems_put(struct picket_store *base, const char *feed,
                             const struct picket_feed_problem *problems, size_t count,
                             struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = intelligence_begin(store, error);
    if (status == PICKET_OK)
        status = intelligence_end(store, put_problems(store, feed, problems, count, error), error);
    return status;
}

int sqlite_feed_problems(struct picket_store *base, const char *feed,
                         picket_feed_problem_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->intelligence, STATEMENT_FEED_PROBLEMS,
                "select p.file, p.line, p.text, p.reason from feeds f "
                "join feed_problems p on p.feed = f.number where f.name = ? order by p.position",
                "reading a feed's problems");
    query_text(&query, feed);
    while (query_row(&query)) {
        struct picket_feed_problem problem = {.file = query_take_text(&query)};
        problem.line = (uint32_t)query_take_int(&query);
        problem.text = query_take_text(&query);
        problem.reason = query_take_text(&query);
        visit(context, &problem);
    }
    return query_end(&query, error);
}

/* ---- parts ---- */

static int put_part(struct sqlite_store *store, int64_t feed, const struct picket_feed_part *part,
                    struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_PART_PUT,
                "insert into feed_parts (feed, key, stamp, body) values (?, ?, ?, ?) "
                "on conflict (feed, key) do update set stamp = excluded.stamp, "
                "body = excluded.body",
                "writing a part of a feed");
    query_int(&query, feed);
    query_text(&query, part->key);
    query_text(&query, part->stamp);
    query_blob(&query, part->body, part->body_bytes);
    return query_run(&query, error);
}

static int remove_part(struct sqlite_store *store, int64_t feed, const char *key,
                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_FEED_PART_REMOVE,
                "delete from feed_parts where feed = ? and key = ?", "removing a part of a feed");
    query_int(&query, feed);
    query_text(&query, key);
    return query_run(&query, error);
}

static int parts_remove(struct sqlite_store *store, int64_t feed, struct picket_error *error)
{
    return remove_of(store, STATEMENT_FEED_PARTS_REMOVE, "delete from feed_parts where feed = ?",
                     feed, error);
}

static int change_parts(struct sqlite_store *store, const char *name, bool whole,
                        const struct picket_feed_part *parts, size_t count,
                        struct picket_error *error)
{
    int64_t feed, generation;
    int status = feed_number(store, name, &feed, &generation, error);
    if (status == PICKET_OK && whole)
        status = parts_remove(store, feed, error);
    for (size_t i = 0; i < count && status == PICKET_OK; i++)
        status = parts[i].body != NULL ? put_part(store, feed, &parts[i], error)
                                       : remove_part(store, feed, parts[i].key, error);
    return status;
}

int sqlite_feed_parts_change(struct picket_store *base, const char *feed, bool whole,
                             const struct picket_feed_part *parts, size_t count,
                             struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = intelligence_begin(store, error);
    if (status == PICKET_OK)
        status =
            intelligence_end(store, change_parts(store, feed, whole, parts, count, error), error);
    return status;
}

int sqlite_feed_parts(struct picket_store *base, const char *feed, picket_feed_part_visit visit,
                      void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->intelligence, STATEMENT_FEED_PARTS,
                "select p.key, p.stamp, p.body from feeds f "
                "join feed_parts p on p.feed = f.number where f.name = ? order by p.key",
                "reading a feed's parts");
    query_text(&query, feed);
    while (query_row(&query)) {
        struct picket_feed_part part = {.key = query_take_text(&query)};
        part.stamp = query_take_text(&query);
        part.body = query_take_blob(&query, &part.body_bytes);
        visit(context, &part);
    }
    return query_end(&query, error);
}

int feed_belongings_remove(struct sqlite_store *store, int64_t feed, struct picket_error *error)
{
    int status = problems_remove(store, feed, error);
    return status == PICKET_OK ? parts_remove(store, feed, error) : status;
}
