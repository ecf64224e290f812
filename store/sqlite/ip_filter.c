/* The IP filter: rules in their order, replaced as a whole. */
#include <string.h>

#include "store.h"

static int clear(struct sqlite_store *store, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_IP_RULES_REMOVE, "delete from ip_rules",
                "changing the IP filter");
    return query_run(&query, error);
}

static int put_rule(struct sqlite_store *store, size_t position, const struct picket_ip_rule *rule,
                    struct picket_error *error)
{
    struct query query;
    char text[PICKET_PREFIX_TEXT_BYTES];
    query_begin(&query, &store->picket, STATEMENT_IP_RULE_PUT,
                "insert into ip_rules (position, allow, prefix, note) values (?, ?, ?, ?)",
                "changing the IP filter");
    query_int(&query, (int64_t)position);
    query_int(&query, rule->allow);
    query_text(&query, picket_prefix_format(&rule->prefix, text));
    query_text(&query, rule->note);
    return query_run(&query, error);
}

static int put_default(struct sqlite_store *store, bool deny, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_IP_DEFAULT_PUT, "update ip_default set deny = ?",
                "changing the IP filter");
    query_int(&query, deny);
    return query_run(&query, error);
}

static int put(struct sqlite_store *store, const struct picket_ip_filter *filter,
               struct picket_error *error)
{
    int status = clear(store, error);
    for (size_t i = 0; status == PICKET_OK && i < filter->count; i++)
        status = put_rule(store, i + 1, &filter->rules[i], error);
    return status == PICKET_OK ? put_default(store, filter->deny_by_default, error) : status;
}

int sqlite_ip_filter_put(struct picket_store *base, const struct picket_ip_filter *filter,
                         struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int status = own_transaction_begin(store, error);
    if (status == PICKET_OK)
        status = own_transaction_end(store, put(store, filter, error), error);
    return status;
}

static int get_default(struct sqlite_store *store, bool *deny, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->picket, STATEMENT_IP_DEFAULT, "select deny from ip_default",
                "reading the IP filter");
    *deny = query_row(&query) && query_take_int(&query) != 0;
    return query_end(&query, error);
}

/* A rule that cannot be read must not let somebody in, nor keep everybody out: it is an error. */
static bool take_rule(struct query *query, struct picket_ip_rule *rule)
{
    rule->allow = query_take_int(query) != 0;
    const char *text = query_take_text(query);
    bool good = picket_prefix_parse(&rule->prefix, text, strlen(text));
    query_take_string(query, rule->note, sizeof rule->note);
    return good;
}

static int get_rules(struct sqlite_store *store, struct picket_ip_filter *filter,
                     struct picket_error *error)
{
    struct query query;
    bool good = true;
    query_begin(&query, &store->picket, STATEMENT_IP_RULES,
                "select allow, prefix, note from ip_rules order by position limit ?",
                "reading the IP filter");
    query_int(&query, PICKET_IP_RULES_MAX);
    while (query_row(&query))
        good = take_rule(&query, &filter->rules[filter->count++]) && good;
    int status = query_end(&query, error);
    if (status == PICKET_OK && !good)
        return picket_fail(error, PICKET_IO, "%s: an IP filter rule holds no prefix",
                           store->picket.path);
    return status;
}

int sqlite_ip_filter_get(struct picket_store *base, struct picket_ip_filter *filter,
                         struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    bool framed;
    filter->count = 0;
    int status = snapshot_begin(store, &framed, error);
    if (status != PICKET_OK)
        return status;
    status = get_default(store, &filter->deny_by_default, error);
    if (status == PICKET_OK)
        status = get_rules(store, filter, error);
    snapshot_end(store, framed);
    return status;
}
