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

/* What all feeds say of an address, narrowest prefix first. */
struct walk {
    const struct table *table;
    const struct picket_address *address;
    struct table_cover covers[TABLE_COVERS_MAX];
    size_t cover_count, cover, source;
};

static void walk_begin(struct walk *walk, const struct table *table,
                       const struct picket_address *address)
{
    walk->table = table;
    walk->address = address;
    walk->cover_count = table_covers(table, address, walk->covers);
    walk->cover = walk->source = 0;
}

static bool walk_next(struct walk *walk, struct table_match *match)
{
    while (walk->cover < walk->cover_count &&
           walk->source == table_source_count(walk->table, &walk->covers[walk->cover])) {
        walk->cover++;
        walk->source = 0;
    }
    if (walk->cover == walk->cover_count)
        return false;
    table_source(walk->table, walk->address, &walk->covers[walk->cover], walk->source++, match);
    return true;
}

struct flow_context {
    const struct matching *matching;
    const struct picket_event *event;
    const struct picket_flow *flow;
    bool is_special_purpose, is_own;
};

/* What the lists around a flow's remote address say of it together. */
struct judgement {
    bool is_hit;                         /* of a threat feed, whatever allow lists say */
    struct picket_prefix prefix;         /* the narrowest that makes it a hit */
    const struct table_feed *allowed_by; /* by the narrowest; NULL: by none */
    bool is_own; /* it would be a hit, were the address not the fleet's own */
};

static bool is_own_address(const struct matching *matching, const struct picket_address *address)
{
    for (size_t i = 0; i < matching->own_network_count; i++)
        if (picket_prefix_covers(&matching->own_networks[i], address))
            return true;
    return false;
}

static struct flow_context context_of(const struct matching *matching,
                                      const struct picket_event *event,
                                      const struct picket_flow *flow)
{
    return (struct flow_context){matching, event, flow,
                                 picket_address_special_purpose(&flow->remote) != NULL,
                                 is_own_address(matching, &flow->remote)};
}

static bool is_about(const struct flow_context *context, const struct table_match *match)
{
    return (match->port == 0 || match->port == context->flow->remote_port) &&
           (match->protocol == 0 || match->protocol == context->flow->protocol + 1) &&
           (match->valid_until_ms == 0 || match->valid_until_ms > context->event->seen_ms);
}

static bool is_threat(const struct flow_context *context, const struct table_match *match)
{
    return match->feed->role == PICKET_FEED_THREAT && is_about(context, match) &&
           (!context->is_special_purpose || match->feed->match_special_purpose) &&
           (!context->is_own || match->feed->match_own_networks);
}

static void weigh(const struct flow_context *context, const struct table_match *match,
                  struct judgement *judgement)
{
    if (!is_about(context, match))
        return;
    if (match->feed->role == PICKET_FEED_ALLOW && judgement->allowed_by == NULL)
        judgement->allowed_by = match->feed;
    if (match->feed->role != PICKET_FEED_THREAT)
        return;
    if (!is_threat(context, match)) {
        judgement->is_own = context->is_own && !context->is_special_purpose;
    } else if (!judgement->is_hit) {
        judgement->is_hit = true;
        judgement->prefix = match->prefix;
    }
}

static struct judgement judge(const struct matching *matching, const struct picket_event *event,
                              const struct picket_flow *flow)
{
    struct judgement judgement = {.is_hit = false};
    struct flow_context context = context_of(matching, event, flow);
    struct table_match match;
    struct walk walk;
    walk_begin(&walk, matching->table, &flow->remote);
    while (walk_next(&walk, &match))
        weigh(&context, &match, &judgement);
    return judgement;
}

/* One that does not alert is counted. False: no memory. */
static bool note_judgement(struct hits *hits, const struct matching *matching,
                           const struct picket_event *event, size_t flow,
                           const struct judgement *judgement)
{
    if (judgement->is_hit && judgement->allowed_by != NULL)
        silences_allowed(matching->silences, judgement->allowed_by->name);
    else if (!judgement->is_hit)
        silences_own(matching->silences);
    if (!judgement->is_hit || judgement->allowed_by != NULL)
        return true;
    if (hits->items == NULL)
        hits->items = malloc(event->flow_count * sizeof *hits->items);
    if (hits->items == NULL)
        return false;
    hits->items[hits->count++] = (struct hit){judgement->prefix, (uint32_t)flow};
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

/* Calls visit for each flow that is a hit, or would be, until it says false, and says so then. */
static bool each_judgement(const struct matching *matching, const struct picket_event *event,
                           bool (*visit)(struct hits *hits, const struct matching *matching,
                                         const struct picket_event *event, size_t flow,
                                         const struct judgement *judgement),
                           struct hits *hits)
{
    for (size_t first = 0; first < event->flow_count; first += TOGETHER) {
        struct table_cover covers[TOGETHER];
        size_t count = event->flow_count - first < TOGETHER ? event->flow_count - first : TOGETHER;
        find_family(matching->table, event->flows + first, count, 4, covers);
        find_family(matching->table, event->flows + first, count, 6, covers);
        for (size_t i = 0; i < count; i++) {
            if (covers[i].sources == 0)
                continue;
            struct judgement judgement = judge(matching, event, &event->flows[first + i]);
            if ((judgement.is_hit || judgement.is_own) &&
                !visit(hits, matching, event, first + i, &judgement))
                return false;
        }
    }
    return true;
}

static bool is_enough(struct hits *hits, const struct matching *matching,
                      const struct picket_event *event, size_t flow,
                      const struct judgement *judgement)
{
    (void)hits, (void)matching, (void)event, (void)flow, (void)judgement;
    return false;
}

bool matcher_finds(const struct matching *matching, const struct picket_event *event)
{
    return !each_judgement(matching, event, is_enough, NULL);
}

static bool is_threat_to_any(const struct matching *matching, const struct picket_event *event,
                             const struct hit *hits, size_t count, const struct table_match *match)
{
    for (size_t i = 0; i < count; i++) {
        struct flow_context context = context_of(matching, event, &event->flows[hits[i].flow]);
        if (is_threat(&context, match))
            return true;
    }
    return false;
}

/* Every indicator, from the hits' prefix outwards, that matches one of their flows. */
static void collect_matches(struct finding *finding, const struct matching *matching,
                            const struct hit *hits, size_t count)
{
    const struct picket_event *event = finding->event;
    struct table_match match;
    struct walk walk;
    walk_begin(&walk, matching->table, &event->flows[hits[0].flow].remote);
    while (walk_next(&walk, &match))
        if (match.prefix.length <= hits[0].prefix.length &&
            is_threat_to_any(matching, event, hits, count, &match))
            finding_add_match(finding, &match, matching->listings);
}

/* Whether lists know the flow's remote address as one that many use; they become evidence. */
static bool collect_shared(struct finding *finding, const struct matching *matching,
                           const struct picket_flow *flow)
{
    struct flow_context context = context_of(matching, finding->event, flow);
    struct table_match match;
    struct walk walk;
    bool is_shared = false;
    walk_begin(&walk, matching->table, &flow->remote);
    while (walk_next(&walk, &match)) {
        if (match.feed->role != PICKET_FEED_SHARED || !is_about(&context, &match))
            continue;
        finding_add_shared(finding, &match, matching->listings);
        is_shared = true;
    }
    return is_shared;
}

/* The hits are of one prefix. */
static int yield_hits(const struct matching *matching, const struct picket_event *event,
                      const struct hit *hits, size_t count, picket_yield yield, void *context)
{
    struct finding finding;
    finding_begin(&finding, event);
    collect_matches(&finding, matching, hits, count);
    for (size_t i = 0; i < count; i++) {
        const struct picket_flow *flow = &event->flows[hits[i].flow];
        finding_add_flow(&finding, flow, collect_shared(&finding, matching, flow));
    }
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

int matcher_inspect(const struct matching *matching, const struct picket_event *event,
                    picket_yield yield, void *context)
{
    struct hits hits = {NULL, 0};
    int status =
        each_judgement(matching, event, note_judgement, &hits) ? PICKET_OK : PICKET_NO_MEMORY;
    if (hits.count > 1)
        qsort(hits.items, hits.count, sizeof *hits.items, compare_hits);
    for (size_t first = 0, end; first < hits.count && status == PICKET_OK; first = end) {
        for (end = first + 1; end < hits.count; end++)
            if (compare_prefixes(&hits.items[first].prefix, &hits.items[end].prefix) != 0)
                break;
        status = yield_hits(matching, event, hits.items + first, end - first, yield, context);
    }
    free(hits.items);
    return status;
}
