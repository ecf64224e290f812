#include "matcher.h"

#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 64 };

/* A flow that matches, and the narrowest prefix by which it does. */
struct hit {
    struct picket_prefix prefix;
    uint32_t flow;
};

/* In order of prefix and flow: those of one finding stand together. */
struct hits {
    struct hit *items;
    size_t count;
};

struct flow_context {
    const struct table *table;
    const struct picket_event *event;
    const struct picket_flow *flow;
    bool special_purpose;
};

static struct flow_context context_of(const struct table *table, const struct picket_event *event,
                                      const struct picket_flow *flow)
{
    return (struct flow_context){table, event, flow,
                                 picket_address_special_purpose(&flow->remote) != NULL};
}

static bool matches(const struct flow_context *context, const struct table_match *match)
{
    return (match->port == 0 || match->port == context->flow->remote_port) &&
           (match->protocol == 0 || match->protocol == context->flow->protocol + 1) &&
           (match->valid_until_ms == 0 || match->valid_until_ms > context->event->seen_ms) &&
           (!context->special_purpose || match->feed->match_special_purpose);
}

static bool cover_matches(const struct flow_context *context, const struct table_cover *cover)
{
    size_t count = table_source_count(context->table, cover);
    for (size_t i = 0; i < count; i++) {
        struct table_match match;
        table_source(context->table, &context->flow->remote, cover, i, &match);
        if (matches(context, &match))
            return true;
    }
    return false;
}

/* The narrowest prefix around the flow's remote address that matches. */
static bool narrowest_match(const struct table *table, const struct picket_event *event,
                            const struct picket_flow *flow, struct picket_prefix *prefix)
{
    struct table_cover covers[TABLE_COVERS_MAX];
    struct flow_context context = context_of(table, event, flow);
    size_t count = table_covers(table, &flow->remote, covers);
    for (size_t i = 0; i < count; i++) {
        if (!cover_matches(&context, &covers[i]))
            continue;
        *prefix = (struct picket_prefix){flow->remote, covers[i].length};
        picket_prefix_mask(prefix);
        return true;
    }
    return false;
}

static bool note_hit(struct hits *hits, const struct picket_event *event, size_t flow,
                     const struct picket_prefix *prefix)
{
    if (hits->items == NULL)
        hits->items = malloc(event->flow_count * sizeof *hits->items);
    if (hits->items == NULL)
        return false;
    hits->items[hits->count++] = (struct hit){*prefix, (uint32_t)flow};
    return true;
}

static void find_family(const struct table *table, const struct picket_flow *flows, size_t count,
                        uint8_t family, struct table_cover *covers)
{
    const struct picket_address *addresses[TOGETHER];
    struct table_cover found[TOGETHER];
    size_t asked = 0, answered = 0;
    for (size_t i = 0; i < count; i++)
        if (flows[i].remote.family == family)
            addresses[asked++] = &flows[i].remote;
    if (asked == 0)
        return;
    table_find_many(table, addresses, asked, found);
    for (size_t i = 0; i < count; i++)
        if (flows[i].remote.family == family)
            covers[i] = found[answered++];
}

/* Calls hit for each flow that matches until it says false, and says so then. */
static bool each_hit(const struct table *table, const struct picket_event *event,
                     bool (*hit)(struct hits *hits, const struct picket_event *event, size_t flow,
                                 const struct picket_prefix *prefix),
                     struct hits *hits)
{
    for (size_t first = 0; first < event->flow_count; first += TOGETHER) {
        struct table_cover covers[TOGETHER];
        size_t count = event->flow_count - first < TOGETHER ? event->flow_count - first : TOGETHER;
        find_family(table, event->flows + first, count, 4, covers);
        find_family(table, event->flows + first, count, 6, covers);
        for (size_t i = 0; i < count; i++) {
            struct picket_prefix prefix;
            if (covers[i].sources != 0 &&
                narrowest_match(table, event, &event->flows[first + i], &prefix) &&
                !hit(hits, event, first + i, &prefix))
                return false;
        }
    }
    return true;
}

static bool is_enough(struct hits *hits, const struct picket_event *event, size_t flow,
                      const struct picket_prefix *prefix)
{
    (void)hits, (void)event, (void)flow, (void)prefix;
    return false;
}

bool matcher_finds(const struct table *table, const struct picket_event *event)
{
    return !each_hit(table, event, is_enough, NULL);
}

static bool any_matches(const struct table *table, const struct picket_event *event,
                        const struct hit *hits, size_t count, const struct table_match *match)
{
    for (size_t i = 0; i < count; i++) {
        struct flow_context context = context_of(table, event, &event->flows[hits[i].flow]);
        if (matches(&context, match))
            return true;
    }
    return false;
}

/* Every indicator, from the hits' prefix outwards, that matches one of their flows. */
static void collect_matches(struct finding *finding, const struct table *table,
                            const struct listings *listings, const struct hit *hits, size_t count)
{
    const struct picket_event *event = finding->event;
    const struct picket_address *remote = &event->flows[hits[0].flow].remote;
    struct table_cover covers[TABLE_COVERS_MAX];
    size_t cover_count = table_covers(table, remote, covers);
    for (size_t i = 0; i < cover_count; i++) {
        if (covers[i].length > hits[0].prefix.length)
            continue;
        size_t sources = table_source_count(table, &covers[i]);
        for (size_t k = 0; k < sources; k++) {
            struct table_match match;
            table_source(table, remote, &covers[i], k, &match);
            if (any_matches(table, event, hits, count, &match))
                finding_add_match(finding, &match, listings);
        }
    }
}

/* The hits are of one prefix. */
static int yield_hits(const struct table *table, const struct picket_event *event,
                      const struct listings *listings, const struct hit *hits, size_t count,
                      picket_yield yield, void *context)
{
    struct finding finding;
    finding_begin(&finding, event);
    collect_matches(&finding, table, listings, hits, count);
    for (size_t i = 0; i < count; i++)
        finding_add_flow(&finding, &event->flows[hits[i].flow]);
    return finding_yield(&finding, yield, context);
}

/* By family, then by address, wider before narrower. */
static int compare_prefixes(const struct picket_prefix *a, const struct picket_prefix *b)
{
    int order = memcmp(&a->address, &b->address, sizeof a->address);
    return order != 0 ? order : a->length - b->length;
}

static int compare_hits(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    int order = compare_prefixes(&x->prefix, &y->prefix);
    if (order != 0)
        return order;
    return x->flow < y->flow ? -1 : x->flow > y->flow;
}

int matcher_inspect(const struct table *table, const struct picket_event *event,
                    const struct listings *listings, picket_yield yield, void *context)
{
    struct hits hits = {NULL, 0};
    int status = each_hit(table, event, note_hit, &hits) ? PICKET_OK : PICKET_NO_MEMORY;
    if (hits.count > 1)
        qsort(hits.items, hits.count, sizeof *hits.items, compare_hits);
    for (size_t first = 0, end; first < hits.count && status == PICKET_OK; first = end) {
        for (end = first + 1; end < hits.count; end++)
            if (compare_prefixes(&hits.items[first].prefix, &hits.items[end].prefix) != 0)
                break;
        status =
            yield_hits(table, event, listings, hits.items + first, end - first, yield, context);
    }
    free(hits.items);
    return status;
}
