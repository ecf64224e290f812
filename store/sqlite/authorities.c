/* Certificate authorities whose devices may come. */
#include "store.h"

#include <stdio.h>

/* Who is in the way of a new one: *count of them in all, and whether name or certificate is there.
 */
static int find(struct sqlite_store *store, const struct picket_authority *authority,
                int64_t *count, struct picket_error *error)
{
    struct query query;
    bool name_is_taken = false, is_there = false;
    char other[PICKET_AUTHORITY_NAME_BYTES] = "";
    *count = 0;
    query_begin(&query, &store->picket, STATEMENT_AUTHORITY_FIND,
                "select name, name = ?, certificate = ? from authorities", "looking for a CA");
    query_text(&query, authority->name);
    query_blob(&query, authority->certificate, authority->certificate_bytes);
    for (; query_row(&query); ++*count) {
        const char *name = query_take_text(&query);
        name_is_taken = query_take_int(&query) != 0 || name_is_taken;
        if (query_take_int(&query) != 0) {
            snprintf(other, sizeof other, "%s", name);
            is_there = true;
        }
    }
    int status = query_end(&query, error);
    if (status == PICKET_OK && is_there)
        return picket_fail(error, PICKET_EXISTS,
                           "CA %s: its certificate is registered already, as %s", authority->name,
                           other);
    if (status == PICKET_OK && name_is_taken)
        return picket_fail(error, PICKET_EXISTS, "CA %s: is registered already", authority->name);
    return status;
}

static int add(struct sqlite_store *store, const struct picket_authority *authority,
               struct picket_error *error)
{
    struct query query;
    int64_t count;
    int status = find(store, authority, &count, error);
    if (status == PICKET_OK && count >= PICKET_AUTHORITIES_MAX)
        return picket_fail(error, PICKET_FULL, "CA %s: there are %d already", authority->name,
                           PICKET_AUTHORITIES_MAX);
    if (status != PICKET_OK)
        return status;
    query_begin(&query, &store->picket, STATEMENT_AUTHORITY_ADD,
                "insert into authorities (name, certificate, added_ms) values (?, ?, ?)",
                "adding a CA");
    query_text(&query, authority->name);
    query_blob(&query, authority->certificate, authority->certificate_bytes);
    query_int(&query, authority->added_ms);
    return query_run(&query, error);
}

int sqlite_authority_add(struct picket_store *base, const struct picket_authority *authority,
                         struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, add(store, authority, error), error);
    return status;
}

static int remove_authority(struct sqlite_store *store, const char *name,
                            struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_AUTHORITY_REMOVE,
                "delete from authorities where name = ?", "removing a CA");
    query_text(&query, name);
    int status = query_run(&query, error);
    if (status == PICKET_OK && sqlite3_changes(store->picket.handle) == 0)
        return picket_fail(error, PICKET_NOT_FOUND, "CA %s: is not registered", name);
    return status;
}

int sqlite_authority_remove(struct picket_store *base, const char *name, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, remove_authority(store, name, error), error);
    return status;
}

int sqlite_authorities(struct picket_store *base, picket_authority_visit visit, void *context,
                       struct picket_error *error)
{
    struct query query;
    query_begin(&query, &sqlite_of(base)->picket, STATEMENT_AUTHORITIES,
                "select name, certificate, added_ms from authorities order by name",
                "reading the CAs");
    while (query_row(&query)) {
        struct picket_authority authority;
        authority.name = query_take_text(&query);
        authority.certificate = query_take_blob(&query, &authority.certificate_bytes);
        authority.added_ms = query_take_int(&query);
        visit(context, &authority);
    }
    return query_end(&query, error);
}
