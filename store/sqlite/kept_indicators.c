/* Indicators of kept lists: a row each, in the order of indicator_order.h, changed one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "indicator_block.h"
#include "indicator_order.h"
#include "kept_indicators.h"
#include "picket/base/flow.h"

enum { KEPT_LIMIT_DEFAULT = 100 };

static size_t address_bytes(const struct picket_indicator *indicator)
{
    return indicator->prefix.address.family == 4 ? 4 : 16;
}

void kept_bind_key(struct query *query, const struct picket_indicator *which)
{
    query_int(query, which->prefix.address.family);
    query_blob(query, which->prefix.address.bytes, address_bytes(which));
    query_int(query, which->prefix.length);
    query_int(query, which->port);
    query_int(query, which->protocol);
}

struct picket_indicator kept_take_row(struct query *query)
{
    struct picket_indicator indicator;
    memset(&indicator, 0, sizeof indicator);
    indicator.prefix.address.family = (uint8_t)query_take_int(query);
    query_take_bytes(query, indicator.prefix.address.bytes, sizeof indicator.prefix.address.bytes);
    indicator.prefix.length = (uint8_t)query_take_int(query);
    indicator.port = (uint16_t)query_take_int(query);
    indicator.protocol = (uint8_t)query_take_int(query);
    indicator.confidence = (uint8_t)query_take_int(query);
    indicator.severity = (uint8_t)query_take_int(query);
    indicator.tlp = (uint8_t)query_take_int(query);
    indicator.line = (uint32_t)query_take_int(query);
    indicator.first_seen_ms = query_take_int(query);
    indicator.listed_ms = query_take_int(query);
    indicator.valid_until_ms = query_take_int(query);
    indicator.tags = query_take_text(query);
    indicator.malware = query_take_text(query);
    indicator.reference = query_take_text(query);
    return indicator;
}

/* ---- reading ---- */

int kept_visit(struct sqlite_store *store, const char *name, int64_t feed,
               picket_indicator_visit visit, void *context, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_ALL,
                "select " KEPT_COLUMNS "from kept_indicators where feed = ? "
                "order by family, address, length, port, protocol",
                "reading indicators");
    query_int(&query, feed);
    while (query_row(&query)) {
        struct picket_indicator indicator = kept_take_row(&query);
        visit(context, name, &indicator);
    }
    return query_end(&query, error);
}

int kept_find(struct sqlite_store *store, const char *name, int64_t feed,
              const struct picket_indicator *which, picket_indicator_visit visit, void *context,
              bool *found, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_ONE,
                "select " KEPT_COLUMNS "from kept_indicators where " KEPT_IS_KEY,
                "looking up an indicator");
    query_int(&query, feed);
    kept_bind_key(&query, which);
    *found = query_row(&query);
    if (*found) {
        struct picket_indicator indicator = kept_take_row(&query);
        visit(context, name, &indicator);
    }
    return query_end(&query, error);
}

/* ---- a list, and what changes in it ---- */

int kept_find_list(struct kept_change *change, struct picket_error *error)
{
    struct query query;
    bool is_kept = false;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_LIST,
                "select number, source = '' from feeds where name = ?", "looking up a list");
    query_text(&query, change->name);
    if (query_row(&query)) {
        change->feed = query_take_int(&query);
        is_kept = query_take_int(&query) != 0;
    }
    int status = query_end(&query, error);
    if (status == PICKET_OK && change->feed == 0)
        return picket_fail(error, PICKET_NOT_FOUND, "list %s: there is none of that name",
                           change->name);
    if (status == PICKET_OK && !is_kept)
        return picket_fail(error, PICKET_INVALID,
                           "feed %s is read from its source, and not changed one by one",
                           change->name);
    return status;
}

/* ---- a page of a list ---- */

static struct query page_query(struct sqlite_store *store, int64_t feed,
                               const struct picket_kept_query *asked)
{
    static const struct picket_indicator none;
    const struct picket_indicator *after = asked->after != NULL ? asked->after : &none;
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_PAGE,
                "select " KEPT_COLUMNS "from kept_indicators where feed = ?1 and "
                "(family, address, length, port, protocol) > (?2, ?3, ?4, ?5, ?6) and "
                "(?7 = 0 or (valid_until_ms > 0 and valid_until_ms <= ?7) = ?8) "
                "order by family, address, length, port, protocol limit ?9",
                "reading indicators");
    query_int(&query, feed);
    kept_bind_key(&query, after);
    query_int(&query, asked->at_ms);
    query_int(&query, asked->expired);
    query_int(&query, asked->limit > 0 ? asked->limit : KEPT_LIMIT_DEFAULT);
    return query;
}

/* Those with the prefix of *which, which has neither port nor protocol. */
static struct query prefix_query(struct sqlite_store *store, int64_t feed,
                                 const struct picket_indicator *which,
                                 const struct picket_kept_query *asked)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_OF_PREFIX,
                "select " KEPT_COLUMNS "from kept_indicators where feed = ?1 and family = ?2 and "
                "address = ?3 and length = ?4 and port >= ?5 and protocol >= ?6 and "
                "(?7 = 0 or (valid_until_ms > 0 and valid_until_ms <= ?7) = ?8) "
                "order by port, protocol",
                "reading indicators");
    query_int(&query, feed);
    kept_bind_key(&query, which);
    query_int(&query, asked->at_ms);
    query_int(&query, asked->expired);
    return query;
}

static int visit_rows(struct query *query, const struct picket_kept_query *asked,
                      picket_indicator_visit visit, void *context, int *left,
                      struct picket_error *error)
{
    while (*left > 0 && query_row(query)) {
        struct picket_indicator indicator = kept_take_row(query);
        if (asked->after != NULL && indicator_compare(&indicator, asked->after) <= 0)
            continue;
        visit(context, asked->list, &indicator);
        --*left;
    }
    return query_end(query, error);
}

/* From the widest on, which is the order of the list. */
static int visit_covering(struct sqlite_store *store, int64_t feed,
                          const struct picket_kept_query *asked, picket_indicator_visit visit,
                          void *context, int limit, struct picket_error *error)
{
    int bits = asked->covering->family == 4 ? 32 : 128, status = PICKET_OK;
    for (int length = 0; length <= bits && status == PICKET_OK; length++) {
        struct picket_indicator which = {.prefix = {*asked->covering, (uint8_t)length}};
        picket_prefix_mask(&which.prefix);
        struct query query = prefix_query(store, feed, &which, asked);
        status = visit_rows(&query, asked, visit, context, &limit, error);
    }
    return status;
}

int sqlite_kept_indicators(struct picket_store *base, const struct picket_kept_query *asked,
                           picket_indicator_visit visit, void *context, struct picket_error *error)
{
    struct kept_change list = {.store = sqlite_of(base), .name = asked->list};
    int limit = asked->limit > 0 ? asked->limit : KEPT_LIMIT_DEFAULT;
    int status = kept_find_list(&list, error);
    if (status != PICKET_OK)
        return status;
    if (asked->covering != NULL)
        return visit_covering(list.store, list.feed, asked, visit, context, limit, error);
    struct query query = page_query(list.store, list.feed, asked);
    return visit_rows(&query, asked, visit, context, &limit, error);
}

/* ---- a change of several ---- */

static int put_row(const struct kept_change *change, const struct picket_indicator *indicator,
                   struct picket_error *error)
{
    struct query query;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_PUT,
                "insert or replace into kept_indicators (feed, " KEPT_COLUMNS
                ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "writing an indicator");
    query_int(&query, change->feed);
    kept_bind_key(&query, indicator);
    query_int(&query, indicator->confidence);
    query_int(&query, indicator->severity);
    query_int(&query, indicator->tlp);
    query_int(&query, indicator->line);
    query_int(&query, indicator->first_seen_ms);
    query_int(&query, indicator->listed_ms);
    query_int(&query, indicator->valid_until_ms);
    query_text(&query, indicator_text(indicator->tags));
    query_text(&query, indicator_text(indicator->malware));
    query_text(&query, indicator_text(indicator->reference));
    return query_run(&query, error);
}

int kept_remove_row(const struct kept_change *change, const struct picket_indicator *which,
                    struct picket_error *error)
{
    struct query query;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_REMOVE,
                "delete from kept_indicators where " KEPT_IS_KEY, "removing an indicator");
    query_int(&query, change->feed);
    kept_bind_key(&query, which);
    return query_run(&query, error);
}

static int fail_missing(const struct kept_change *change, const struct picket_indicator *which,
                        struct picket_error *error)
{
    char text[PICKET_PREFIX_TEXT_BYTES], port[24] = "any port";
    if (which->port != 0)
        snprintf(port, sizeof port, "port %u", which->port);
    return picket_fail(error, PICKET_NOT_FOUND, "list %s does not have %s for %s, %s", change->name,
                       picket_prefix_format(&which->prefix, text), port,
                       which->protocol != 0 ? picket_protocol_name(which->protocol - 1)
                                            : "any protocol");
}

/* One that is given, and what becomes of it beside what was there. */
struct put_one {
    struct kept_change *change;
    unsigned members;            /* that are given; the others stay */
    struct picket_indicator now; /* as given, at first */
    char *texts[3];              /* of now, that stayed: copies */
    bool changes, failed;
};

static void keep_text(struct put_one *put, int which, const char **text, const char *before)
{
    put->texts[which] = strdup(before);
    put->failed |= put->texts[which] == NULL;
    *text = indicator_text(put->texts[which]);
}

static void keep_numbers(struct picket_indicator *now, unsigned members,
                         const struct picket_indicator *before)
{
    if (!(members & PICKET_INDICATOR_CONFIDENCE))
        now->confidence = before->confidence;
    if (!(members & PICKET_INDICATOR_SEVERITY))
        now->severity = before->severity;
    if (!(members & PICKET_INDICATOR_TLP))
        now->tlp = before->tlp;
    if (!(members & PICKET_INDICATOR_LISTED))
        now->listed_ms = before->listed_ms;
    if (!(members & PICKET_INDICATOR_VALID_UNTIL))
        now->valid_until_ms = before->valid_until_ms;
}

/* What had expired comes anew when it counts again. */
static bool is_renewed(const struct picket_indicator *before, const struct picket_indicator *now)
{
    int64_t now_ms = now->first_seen_ms;
    return before->valid_until_ms > 0 && before->valid_until_ms <= now_ms &&
           (now->valid_until_ms == 0 || now->valid_until_ms > now_ms);
}

static void put_onto_old(void *context, const char *name, const struct picket_indicator *before)
{
    struct put_one *put = context;
    struct kept_change *change = put->change;
    struct picket_indicator *now = &put->now;
    (void)name;
    keep_numbers(now, put->members, before);
    if (!is_renewed(before, now))
        now->first_seen_ms = before->first_seen_ms;
    if (!(put->members & PICKET_INDICATOR_TAGS))
        keep_text(put, 0, &now->tags, before->tags);
    if (!(put->members & PICKET_INDICATOR_MALWARE))
        keep_text(put, 1, &now->malware, before->malware);
    if (!(put->members & PICKET_INDICATOR_REFERENCE))
        keep_text(put, 2, &now->reference, before->reference);
    if (!(put->members & PICKET_INDICATOR_LINE))
        now->line = before->line;
    change->delta.kept++;
    bool same = indicator_same_content(before, now);
    put->changes = !same || before->line != now->line;
    change->delta.changed += !same;
    if (put->changes && change->visit != NULL)
        change->visit(change->context, before, now);
}

static int write_put(struct put_one *put, bool found, struct picket_error *error)
{
    struct kept_change *change = put->change;
    if (put->failed)
        return picket_fail(error, PICKET_NO_MEMORY, "list %s: no memory", change->name);
    if (found && !put->changes)
        return PICKET_OK;
    if (!found) {
        change->delta.added++;
        if (change->visit != NULL)
            change->visit(change->context, NULL, &put->now);
    }
    return put_row(change, &put->now, error);
}

static int put_members(struct kept_change *change, const struct picket_indicator *given,
                       unsigned members, bool may_add, struct picket_error *error)
{
    struct put_one put = {.change = change, .members = members, .now = *given};
    bool found;
    int status = kept_find(change->store, change->name, change->feed, given, put_onto_old, &put,
                           &found, error);
    if (status == PICKET_OK && !found && !may_add)
        status = fail_missing(change, given, error);
    if (status == PICKET_OK)
        status = write_put(&put, found, error);
    for (int i = 0; i < 3; i++)
        free(put.texts[i]);
    return status;
}

static int put(struct kept_change *change, const void *indicator, struct picket_error *error)
{
    return put_members(change, indicator, PICKET_INDICATOR_ALL, true, error);
}

static int change_members(struct kept_change *change, const void *item, struct picket_error *error)
{
    const struct picket_indicator_change *given = item;
    return put_members(change, &given->to, given->members, false, error);
}

static void tell_removed(void *context, const char *name, const struct picket_indicator *before)
{
    struct kept_change *change = context;
    (void)name;
    change->delta.removed++;
    if (change->visit != NULL)
        change->visit(change->context, before, NULL);
}

static int take_out(struct kept_change *change, const void *which, struct picket_error *error)
{
    bool found;
    int status = kept_find(change->store, change->name, change->feed, which, tell_removed, change,
                           &found, error);
    if (status == PICKET_OK && !found)
        return fail_missing(change, which, error);
    return status == PICKET_OK ? kept_remove_row(change, which, error) : status;
}

int kept_note_count(const struct kept_change *change, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_COUNT,
                "update feeds set indicators = indicators + ? where number = ?", "writing a list");
    query_int(&query, change->delta.added - change->delta.removed);
    query_int(&query, change->feed);
    return query_run(&query, error);
}

/* What is to be done, to each item of an array. */
struct work {
    int (*one)(struct kept_change *change, const void *item, struct picket_error *error);
    const void *items;
    size_t count, item_bytes;
};

/* Within the transaction. */
static int change_each(struct kept_change *change, const struct work *work, size_t *at,
                       struct picket_error *error)
{
    int status = kept_find_list(change, error);
    for (size_t i = 0; i < work->count && status == PICKET_OK; i++) {
        status = work->one(change, (const char *)work->items + i * work->item_bytes, error);
        if (status != PICKET_OK)
            *at = i;
    }
    if (status == PICKET_OK && change->delta.added != change->delta.removed)
        status = kept_note_count(change, error);
    return status;
}

static int run(struct kept_change *change, const struct work *work, size_t *at,
               struct picket_error *error)
{
    *at = work->count;
    int status = intelligence_begin(change->store, error);
    if (status == PICKET_OK)
        status = intelligence_end(change->store, change_each(change, work, at, error), error);
    return status;
}

int sqlite_indicators_put(struct picket_store *base, const char *feed,
                          const struct picket_indicator *indicators, size_t count,
                          picket_indicator_change_visit visit, void *context,
                          struct picket_feed_delta *delta, struct picket_error *error)
{
    struct kept_change change = {
        .store = sqlite_of(base), .name = feed, .visit = visit, .context = context};
    const struct work work = {put, indicators, count, sizeof *indicators};
    size_t at;
    int status = run(&change, &work, &at, error);
    *delta = change.delta;
    return status;
}

int sqlite_indicators_change(struct picket_store *base, const char *feed,
                             const struct picket_indicator_change *changes, size_t count,
                             picket_indicator_change_visit visit, void *context,
                             struct picket_feed_delta *delta, size_t *at,
                             struct picket_error *error)
{
    struct kept_change change = {
        .store = sqlite_of(base), .name = feed, .visit = visit, .context = context};
    const struct work work = {change_members, changes, count, sizeof *changes};
    int status = run(&change, &work, at, error);
    *delta = change.delta;
    return status;
}

int sqlite_indicators_take_out(struct picket_store *base, const char *feed,
                               const struct picket_indicator *which, size_t count,
                               picket_indicator_change_visit visit, void *context, size_t *at,
                               struct picket_error *error)
{
    struct kept_change change = {
        .store = sqlite_of(base), .name = feed, .visit = visit, .context = context};
    const struct work work = {take_out, which, count, sizeof *which};
    return run(&change, &work, at, error);
}

int kept_remove_all(struct sqlite_store *store, int64_t feed, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_REMOVE_ALL,
                "delete from kept_indicators where feed = ?", "removing indicators");
    query_int(&query, feed);
    return query_run(&query, error);
}
