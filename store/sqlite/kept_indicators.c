/* Indicators of kept lists: a row each, in the order of indicator_order.h, changed one by one. */
#include <string.h>

#include "indicator_block.h"
#include "indicator_order.h"
#include "store.h"

#define COLUMNS                                                                                    \
    "family, address, length, port, protocol, confidence, severity, tlp, line, first_seen_ms, "    \
    "listed_ms, valid_until_ms, tags, malware, reference "
#define IS_KEY                                                                                     \
    "feed = ? and family = ? and address = ? and length = ? and port = ? and protocol = ?"

static size_t address_bytes(const struct picket_indicator *indicator)
{
    return indicator->prefix.address.family == 4 ? 4 : 16;
}

static void bind_key(struct query *query, const struct picket_indicator *which)
{
    query_int(query, which->prefix.address.family);
    query_blob(query, which->prefix.address.bytes, address_bytes(which));
    query_int(query, which->prefix.length);
    query_int(query, which->port);
    query_int(query, which->protocol);
}

/* Its texts are the row's: valid until the next. */
static struct picket_indicator take_row(struct query *query)
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
                "select " COLUMNS "from kept_indicators where feed = ? "
                "order by family, address, length, port, protocol",
                "reading indicators");
    query_int(&query, feed);
    while (query_row(&query)) {
        struct picket_indicator indicator = take_row(&query);
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
                "select " COLUMNS "from kept_indicators where " IS_KEY, "looking up an indicator");
    query_int(&query, feed);
    bind_key(&query, which);
    *found = query_row(&query);
    if (*found) {
        struct picket_indicator indicator = take_row(&query);
        visit(context, name, &indicator);
    }
    return query_end(&query, error);
}

/* ---- a change of several ---- */

struct change {
    struct sqlite_store *store;
    const char *name;
    int64_t feed;
    picket_indicator_change_visit visit; /* NULL: nobody wants to know */
    void *context;
    struct picket_feed_delta delta;
};

static int find_list(struct change *change, struct picket_error *error)
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

static int put_row(const struct change *change, const struct picket_indicator *indicator,
                   struct picket_error *error)
{
    struct query query;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_PUT,
                "insert or replace into kept_indicators (feed, " COLUMNS
                ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "writing an indicator");
    query_int(&query, change->feed);
    bind_key(&query, indicator);
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

static int remove_row(const struct change *change, const struct picket_indicator *which,
                      struct picket_error *error)
{
    struct query query;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_REMOVE,
                "delete from kept_indicators where " IS_KEY, "removing an indicator");
    query_int(&query, change->feed);
    bind_key(&query, which);
    return query_run(&query, error);
}

/* What was there of one, told while its texts are valid. */
struct put_one {
    struct change *change;
    struct picket_indicator now;
    bool changes;
};

static void compare_with_old(void *context, const char *name, const struct picket_indicator *before)
{
    struct put_one *put = context;
    struct change *change = put->change;
    (void)name;
    put->now.first_seen_ms = before->first_seen_ms;
    change->delta.kept++;
    bool same = indicator_same_content(before, &put->now);
    put->changes = !same || before->line != put->now.line;
    change->delta.changed += !same;
    if (put->changes && change->visit != NULL)
        change->visit(change->context, before, &put->now);
}

static int put(struct change *change, const struct picket_indicator *indicator,
               struct picket_error *error)
{
    struct put_one one = {.change = change, .now = *indicator, .changes = true};
    bool found;
    int status = kept_find(change->store, change->name, change->feed, indicator, compare_with_old,
                           &one, &found, error);
    if (status != PICKET_OK || !one.changes)
        return status;
    if (!found) {
        change->delta.added++;
        if (change->visit != NULL)
            change->visit(change->context, NULL, &one.now);
    }
    return put_row(change, &one.now, error);
}

static void tell_removed(void *context, const char *name, const struct picket_indicator *before)
{
    struct change *change = context;
    (void)name;
    change->delta.removed++;
    if (change->visit != NULL)
        change->visit(change->context, before, NULL);
}

static int take_out(struct change *change, const struct picket_indicator *which,
                    struct picket_error *error)
{
    bool found;
    int status = kept_find(change->store, change->name, change->feed, which, tell_removed, change,
                           &found, error);
    if (status == PICKET_OK && !found) {
        char text[PICKET_PREFIX_TEXT_BYTES];
        return picket_fail(error, PICKET_NOT_FOUND, "list %s does not have %s", change->name,
                           picket_prefix_format(&which->prefix, text));
    }
    return status == PICKET_OK ? remove_row(change, which, error) : status;
}

static int note_count(const struct change *change, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &change->store->intelligence, STATEMENT_KEPT_COUNT,
                "update feeds set indicators = indicators + ? where number = ?", "writing a list");
    query_int(&query, change->delta.added - change->delta.removed);
    query_int(&query, change->feed);
    return query_run(&query, error);
}

typedef int (*change_one)(struct change *change, const struct picket_indicator *indicator,
                          struct picket_error *error);

/* Within the transaction. */
static int change_each(struct change *change, change_one one,
                       const struct picket_indicator *indicators, size_t count, size_t *at,
                       struct picket_error *error)
{
    *at = count;
    int status = find_list(change, error);
    for (size_t i = 0; i < count && status == PICKET_OK; i++) {
        status = one(change, &indicators[i], error);
        if (status != PICKET_OK)
            *at = i;
    }
    if (status == PICKET_OK && change->delta.added != change->delta.removed)
        status = note_count(change, error);
    return status;
}

int sqlite_indicators_put(struct picket_store *base, const char *feed,
                          const struct picket_indicator *indicators, size_t count,
                          picket_indicator_change_visit visit, void *context,
                          struct picket_feed_delta *delta, struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct change change = {.store = store, .name = feed, .visit = visit, .context = context};
    size_t at;
    int status = intelligence_begin(store, error);
    if (status == PICKET_OK)
        status = intelligence_end(store, change_each(&change, put, indicators, count, &at, error),
                                  error);
    *delta = change.delta;
    return status;
}

int sqlite_indicators_take_out(struct picket_store *base, const char *feed,
                               const struct picket_indicator *which, size_t count,
                               picket_indicator_change_visit visit, void *context, size_t *at,
                               struct picket_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct change change = {.store = store, .name = feed, .visit = visit, .context = context};
    *at = count;
    int status = intelligence_begin(store, error);
    if (status == PICKET_OK)
        status =
            intelligence_end(store, change_each(&change, take_out, which, count, at, error), error);
    return status;
}

int kept_remove_all(struct sqlite_store *store, int64_t feed, struct picket_error *error)
{
    struct query query;
    query_begin(&query, &store->intelligence, STATEMENT_KEPT_REMOVE_ALL,
                "delete from kept_indicators where feed = ?", "removing indicators");
    query_int(&query, feed);
    return query_run(&query, error);
}
