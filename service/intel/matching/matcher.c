#include "matcher.h"

#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 64 };

/* A flow that matches, and the narrowest prefix by which it does. */
struct hit {
    struct picket_prefix prefix;
    uint32_t flow;
};

/* In order of prefix and flow: those of one finding stand together. Or somebody to be told of each.
 */
struct hits {
    struct hit *items;
    size_t count;
    matcher_hit tell;
    void *context;
};

/* What the lists around a flow's remote address say of it together. */
struct judgement {
    bool is_hit;                         /* of a threat feed, whatever allow lists say */
    struct picket_prefix prefix;         /* the narrowest that makes it a hit */
    const struct table_feed *allowed_by; /* by the narrowest; NULL: by none */
    bool is_own; /* it would be a hit, were the address not the fleet's own */
};

static struct traffic traffic_of(const struct matching *matching, const struct picket_event *event,
                                 const struct picket_flow *flow)
{
    return traffic_of_flow(flow, event->seen_ms, &matching->own_networks);
}

static void weigh(const struct traffic *traffic, const struct table_match *match,
                  struct judgement *judgement)
{
    switch (outcome_of(traffic, match)) {
    case PICKET_OUTCOME_ALERT:
        if (!judgement->is_hit)
            judgement->prefix = match->prefix;
        judgement->is_hit = true;
        break;
    case PICKET_OUTCOME_ALLOWS:
        if (judgement->allowed_by == NULL)
            judgement->allowed_by = match->feed;
        break;
    case PICKET_OUTCOME_OWN_NETWORK:
        judgement->is_own = true;
        break;
    default:
        break;
    }
}

static struct judgement judge(const struct matching *matching, const struct picket_event *event,
                              const struct picket_flow *flow)
{
    struct judgement judgement = {.is_hit = false};
    struct traffic traffic = traffic_of(matching, event, flow);
    struct table_match match;
    struct table_walk walk;
    table_walk(&walk, matching->table, &flow->remote);
    while (table_walk_next(&walk, &match))
        weigh(&traffic, &match, &judgement);
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

static void find(const struct table *table, const struct picket_flow *flows, size_t count,
                 struct table_cover *covers)
{
    const struct picket_address *addresses[TOGETHER];
    for (size_t i = 0; i < count; i++)
        addresses[i] = &flows[i].remote;
    table_find_many(table, addresses, count, covers);
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
        find(matching->table, event->flows + first, count, covers);
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
        struct traffic traffic = traffic_of(matching, event, &event->flows[hits[i].flow]);
        if (outcome_of(&traffic, match) == PICKET_OUTCOME_ALERT)
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
    struct table_walk walk;
    table_walk(&walk, matching->table, &event->flows[hits[0].flow].remote);
    while (table_walk_next(&walk, &match))
        if (match.prefix.length <= hits[0].prefix.length &&
            is_threat_to_any(matching, event, hits, count, &match))
            finding_add_match(finding, &match, matching->listings);
}

/* Whether lists know the flow's remote address as one that many use; they become evidence. */
static bool collect_shared(struct finding *finding, const struct matching *matching,
                           const struct picket_flow *flow)
{
    struct traffic traffic = traffic_of(matching, finding->event, flow);
    struct table_match match;
    struct table_walk walk;
    bool is_shared = false;
    table_walk(&walk, matching->table, &flow->remote);
    while (table_walk_next(&walk, &match)) {
        if (outcome_of(&traffic, &match) != PICKET_OUTCOME_SHARED)
            continue;
        finding_add_shared(finding, &match, matching->listings);
        is_shared = true;
    }
    return is_shared;
}

/* The hits are of one prefix. */
static void collect_evidence(struct finding *finding, const struct matching *matching,
                             const struct hit *hits, size_t count)
{
    collect_matches(finding, matching, hits, count);
    for (size_t i = 0; i < count; i++) {
        const struct picket_flow *flow = &finding->event->flows[hits[i].flow];
        finding_add_flow(finding, flow, collect_shared(finding, matching, flow));
    }
}

static int yield_hits(const struct matching *matching, const struct picket_event *event,
                      const struct hit *hits, size_t count, picket_yield yield, void *context)
{
    struct finding finding;
    finding_begin(&finding, event);
    collect_evidence(&finding, matching, hits, count);
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
    struct hits hits = {.items = NULL};
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

/* ---- the past ---- */

static bool tell_hit(struct hits *hits, const struct matching *matching,
                     const struct picket_event *event, size_t flow,
                     const struct judgement *judgement)
{
    (void)matching, (void)event;
    return !judgement->is_hit || judgement->allowed_by != NULL ||
           hits->tell(hits->context, flow, &judgement->prefix);
}

void matcher_hits(const struct matching *matching, const struct picket_event *event,
                  matcher_hit hit, void *context)
{
    struct hits hits = {.tell = hit, .context = context};
    each_judgement(matching, event, tell_hit, &hits);
}

int matcher_tell_past(const struct matching *matching, const struct picket_event *event,
                      const struct picket_prefix *prefix, const struct finding_past *past,
                      picket_yield yield, void *context)
{
    struct finding finding;
    struct hit hits[FINDING_FLOWS_SHOWN];
    size_t count =
        event->flow_count < FINDING_FLOWS_SHOWN ? event->flow_count : FINDING_FLOWS_SHOWN;
    for (size_t i = 0; i < count; i++)
        hits[i] = (struct hit){*prefix, (uint32_t)i};
    finding_begin(&finding, event);
    collect_evidence(&finding, matching, hits, count);
    finding_set_past(&finding, past);
    return finding_yield(&finding, yield, context);
}
