#include "matcher.h"

#include <stdlib.h>

#include "finding.h"

enum { TOGETHER = 64 };

/* A flow that matches, and the narrowest entry by which it does. */
struct hit {
    uint32_t entry;
    uint32_t flow;
};

/* In order of family, entry, flow: those of one finding stand together. */
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

static bool matches(const struct flow_context *context, const struct table_match *match)
{
    return (match->port == 0 || match->port == context->flow->remote_port) &&
           (match->valid_until_ms == 0 || match->valid_until_ms > context->event->seen_ms) &&
           (!context->special_purpose || match->feed->match_special_purpose);
}

static bool entry_matches(const struct flow_context *context, uint32_t entry)
{
    uint8_t family = context->flow->remote.family;
    uint32_t record, end = table_records(context->table, family, entry, &record);
    for (; record < end; record++) {
        struct table_match match;
        table_record(context->table, family, entry, record, &match);
        if (matches(context, &match))
            return true;
    }
    return false;
}

static struct flow_context context_of(const struct table *table, const struct picket_event *event,
                                      const struct picket_flow *flow)
{
    return (struct flow_context){table, event, flow,
                                 picket_address_special_purpose(&flow->remote) != NULL};
}

/* entry covers the flow's remote address: the entry or the next around it that matches. */
static uint32_t narrowest_match(const struct table *table, const struct picket_event *event,
                                const struct picket_flow *flow, uint32_t entry)
{
    struct flow_context context = context_of(table, event, flow);
    while (entry != TABLE_NONE && !entry_matches(&context, entry))
        entry = table_parent(table, flow->remote.family, entry);
    return entry;
}

static bool note_hit(struct hits *hits, const struct picket_event *event, size_t flow,
                     uint32_t entry)
{
    if (hits->items == NULL)
        hits->items = malloc(event->flow_count * sizeof *hits->items);
    if (hits->items == NULL)
        return false;
    hits->items[hits->count++] = (struct hit){entry, (uint32_t)flow};
    return true;
}

/* The entries that cover the remote addresses of flows first .. first + count − 1. */
static void find_entries(const struct table *table, const struct picket_flow *flows, size_t count,
                         uint32_t *entries)
{
    uint32_t addresses[TOGETHER], found[TOGETHER];
    size_t ipv4 = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = flows[i].remote.bytes;
        if (flows[i].remote.family == 4)
            addresses[ipv4++] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                (uint32_t)bytes[2] << 8 | bytes[3];
        else
            entries[i] = table_find(table, &flows[i].remote);
    }
    table_find_ipv4(table, addresses, ipv4, found);
    ipv4 = 0;
    for (size_t i = 0; i < count; i++)
        if (flows[i].remote.family == 4)
            entries[i] = found[ipv4++];
}

/* Calls hit for each flow that matches until it says false, and says so then. */
static bool each_hit(const struct table *table, const struct picket_event *event,
                     bool (*hit)(struct hits *hits, const struct picket_event *event, size_t flow,
                                 uint32_t entry),
                     struct hits *hits)
{
    for (size_t first = 0; first < event->flow_count; first += TOGETHER) {
        uint32_t entries[TOGETHER];
        size_t count = event->flow_count - first < TOGETHER ? event->flow_count - first : TOGETHER;
        find_entries(table, event->flows + first, count, entries);
        for (size_t i = 0; i < count; i++) {
            if (entries[i] == TABLE_NONE)
                continue;
            uint32_t entry = narrowest_match(table, event, &event->flows[first + i], entries[i]);
            if (entry != TABLE_NONE && !hit(hits, event, first + i, entry))
                return false;
        }
    }
    return true;
}

static bool is_enough(struct hits *hits, const struct picket_event *event, size_t flow,
                      uint32_t entry)
{
    (void)hits, (void)event, (void)flow, (void)entry;
    return false;
}

bool matcher_finds(const struct table *table, const struct picket_event *event)
{
    return !each_hit(table, event, is_enough, NULL);
}

/* Every indicator, from the hits' entry outwards, that matches one of their flows. */
static void collect_matches(struct finding *finding, const struct table *table,
                            const struct picket_event *event, const struct hit *hits, size_t count)
{
    uint8_t family = event->flows[hits[0].flow].remote.family;
    for (uint32_t entry = hits[0].entry; entry != TABLE_NONE;
         entry = table_parent(table, family, entry)) {
        uint32_t record, end = table_records(table, family, entry, &record);
        for (; record < end; record++) {
            struct table_match match;
            bool found = false;
            table_record(table, family, entry, record, &match);
            for (size_t i = 0; i < count && !found; i++) {
                struct flow_context context = context_of(table, event, &event->flows[hits[i].flow]);
                found = matches(&context, &match);
            }
            if (found)
                finding_add_match(finding, &match);
        }
    }
}

/* The hits are of one entry. */
static int yield_hits(const struct table *table, const struct picket_event *event,
                      const struct hit *hits, size_t count, picket_yield yield, void *context)
{
    struct finding finding;
    finding_begin(&finding, event);
    collect_matches(&finding, table, event, hits, count);
    for (size_t i = 0; i < count; i++)
        finding_add_flow(&finding, &event->flows[hits[i].flow]);
    return finding_yield(&finding, yield, context);
}

static int compare_hits(const void *a, const void *b, void *event)
{
    const struct hit *x = a, *y = b;
    const struct picket_flow *flows = ((const struct picket_event *)event)->flows;
    uint8_t x_family = flows[x->flow].remote.family, y_family = flows[y->flow].remote.family;
    if (x_family != y_family)
        return x_family < y_family ? -1 : 1;
    if (x->entry != y->entry)
        return x->entry < y->entry ? -1 : 1;
    return x->flow < y->flow ? -1 : x->flow > y->flow;
}

static bool same_entry(const struct picket_event *event, const struct hit *a, const struct hit *b)
{
    return a->entry == b->entry &&
           event->flows[a->flow].remote.family == event->flows[b->flow].remote.family;
}

int matcher_inspect(const struct table *table, const struct picket_event *event, picket_yield yield,
                    void *context)
{
    struct hits hits = {NULL, 0};
    int status = each_hit(table, event, note_hit, &hits) ? PICKET_OK : PICKET_NO_MEMORY;
    if (hits.count > 1)
        qsort_r(hits.items, hits.count, sizeof *hits.items, compare_hits, (void *)(uintptr_t)event);
    for (size_t first = 0, end; first < hits.count && status == PICKET_OK; first = end) {
        for (end = first + 1; end < hits.count; end++)
            if (!same_entry(event, &hits.items[first], &hits.items[end]))
                break;
        status = yield_hits(table, event, hits.items + first, end - first, yield, context);
    }
    free(hits.items);
    return status;
}
