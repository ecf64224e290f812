/* How far stored events have been searched for indicators that came after them: one row. */
#include "store.h"

int sqlite_hunted_get(struct picket_store *base, struct picket_hunted *hunted,
                      struct picket_error *error)
{
    struct query query;
    *hunted = (struct picket_hunted){0};
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_HUNTED_GET,
                "select mark_ms, to_ms, end_event from hunted", "reading how far was searched");
    if (query_row(&query)) {
        hunted->mark_ms = query_take_int(&query);
        hunted->to_ms = query_take_int(&query);
        hunted->end_event = query_take_int(&query);
    }
    return query_end(&query, error);
}

static int put(struct sqlite_store *store, const struct picket_hunted *hunted,
               struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_HUNTED_PUT,
                "update hunted set mark_ms = ?, to_ms = ?, end_event = ?",
                "noting how far was searched");
    query_int(&query, hunted->mark_ms);
    query_int(&query, hunted->to_ms);
    query_int(&query, hunted->end_event);
    return query_run(&query, error);
}

int sqlite_hunted_put(struct picket_store *base, const struct picket_hunted *hunted,
                      struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    return status == PICKET_OK ? own_transaction_end(store, put(store, hunted, error), error)
                               : status;
}
