#include "hunt.h"

#include <string.h>

#include "decode.h"

void hunt_begin(struct hunt *hunt)
{
    hunt->search = (struct picket_flow_search){.next_event = hunt->range.first_event,
                                               .end_event = hunt->range.end_event,
                                               .filter = &hunt->filter};
    atomic_store(&hunt->progress.first_event, hunt->range.first_event);
    atomic_store(&hunt->progress.next_event, hunt->range.first_event);
    atomic_store(&hunt->progress.end_event, hunt->range.end_event);
}

bool hunt_is_done(const struct hunt *hunt)
{
    return hunt->search.next_event >= hunt->search.end_event;
}

/* ---- what the filter lets through ---- */

/* Of one event, as far as the filter lets through. */
struct part {
    struct hunt *hunt;
    struct picket_event event;
};

static bool note_hit(void *context, size_t flow, const struct picket_prefix *prefix)
{
    struct part *part = context;
    struct hunt *hunt = part->hunt;
    struct gathered_example example = {part->event.event_id, part->event.seen_ms,
                                       part->event.flows[flow]};
    const struct hunt_hit hit = {part->event.device, prefix, example.event_id, example.seen_ms,
                                 &example.flow};
    if (hunt->known.is_known != NULL && hunt->known.is_known(hunt->known.context, &hit))
        return true;
    atomic_fetch_add(&hunt->progress.hits, 1);
    if (gathering_add(&hunt->gathered, part->event.device, prefix, &example,
                      part->event.received_ms))
        return true;
    hunt->status = picket_fail(hunt->error, PICKET_NO_MEMORY, "no memory for what a hunt finds");
    return false;
}

/* An event's flows may come in several calls. */
static bool know_head(struct hunt *hunt, int64_t event_id)
{
    if (event_id == hunt->head_event)
        return true;
    hunt->status = picket_store_event_head(hunt->store, event_id, &hunt->head, hunt->error);
    hunt->head_event = hunt->status == PICKET_OK ? event_id : 0;
    return hunt->status == PICKET_OK;
}

static bool is_wanted(const struct hunt *hunt)
{
    const struct hunt_range *range = &hunt->range;
    return hunt->head.received_ms >= range->since_ms && hunt->head.received_ms < range->until_ms &&
           (range->device[0] == '\0' || strcmp(range->device, hunt->head.device) == 0);
}

static void judge_part(struct part *part, const struct matching *matching)
{
    struct hunt *hunt = part->hunt;
    struct picket_event *event = &part->event;
    int replaced;
    if (!know_head(hunt, event->event_id) || !is_wanted(hunt))
        return;
    event->device = hunt->head.device;
    event->received_ms = hunt->head.received_ms;
    event->seen_ms = decode_seen_ms(hunt->head.time_s, event->received_ms, &replaced);
    matcher_hits(matching, event, note_hit, part);
}

/* Most of what the filter lets through is in no prefix: asked for together, for that is quicker. */
static void find_covers(const struct table *table, const struct picket_stored_flow *flows,
                        size_t count, uint8_t family, bool *is_covered)
{
    const struct picket_address *addresses[PICKET_STORED_FLOWS_TOGETHER];
    struct table_cover covers[PICKET_STORED_FLOWS_TOGETHER];
    size_t places[PICKET_STORED_FLOWS_TOGETHER], asked = 0;
    for (size_t i = 0; i < count; i++)
        if (flows[i].flow.remote.family == family) {
            places[asked] = i;
            addresses[asked++] = &flows[i].flow.remote;
        }
    if (asked == 0)
        return;
    table_find_many(table, addresses, asked, covers);
    for (size_t i = 0; i < asked; i++)
        is_covered[places[i]] = covers[i].sources != 0;
}

static void judge_flows(struct hunt *hunt, const struct matching *matching,
                        const struct picket_stored_flow *flows, size_t count)
{
    bool is_covered[PICKET_STORED_FLOWS_TOGETHER] = {false};
    find_covers(matching->table, flows, count, 4, is_covered);
    find_covers(matching->table, flows, count, 6, is_covered);
    for (size_t i = 0, end; i < count && hunt->status == PICKET_OK; i = end) {
        struct part part = {hunt, {.group = "", .event_id = flows[i].event_id}};
        for (end = i; end < count && flows[end].event_id == part.event.event_id; end++)
            if (is_covered[end])
                hunt->part[part.event.flow_count++] = flows[end].flow;
        part.event.flows = hunt->part;
        if (part.event.flow_count > 0)
            judge_part(&part, matching);
    }
}

static void take_flows(void *context, const struct picket_stored_flow *flows, size_t count)
{
    struct hunt *hunt = context;
    struct matching matching = hunt->matching(hunt->context, hunt->table);
    if (hunt->status == PICKET_OK)
        judge_flows(hunt, &matching, flows, count);
    hunt->matching_done(hunt->context);
}

static void note_progress(struct hunt *hunt)
{
    struct hunt_progress *progress = &hunt->progress;
    atomic_store(&progress->next_event, hunt->search.next_event);
    atomic_store(&progress->flows, hunt->search.flows);
    atomic_store(&progress->events, hunt->search.events);
    atomic_store(&progress->bytes, hunt->search.bytes);
    atomic_store(&progress->found, (int64_t)hunt->gathered.count);
    atomic_store(&progress->left_out, hunt->gathered.left_out);
    atomic_store(&progress->damaged, hunt->search.damaged);
    atomic_store(&progress->damaged_event, hunt->search.damaged_event);
}

int hunt_step(struct hunt *hunt, struct picket_store *store, struct picket_error *error)
{
    hunt->store = store;
    hunt->error = error;
    hunt->status = PICKET_OK;
    int status = picket_store_flows_search(store, &hunt->search, take_flows, hunt, error);
    note_progress(hunt);
    return status != PICKET_OK ? status : hunt->status;
}

/* ---- what it comes to ---- */

int hunt_tell(struct hunt *hunt, size_t number, picket_yield yield, void *context)
{
    const struct gathered *item = &hunt->gathered.items[number];
    struct picket_flow flows[FINDING_FLOWS_SHOWN];
    int64_t event_ids[FINDING_FLOWS_SHOWN], seen_ms[FINDING_FLOWS_SHOWN];
    for (size_t i = 0; i < item->example_count; i++) {
        flows[i] = item->examples[i].flow;
        event_ids[i] = item->examples[i].event_id;
        seen_ms[i] = item->examples[i].seen_ms;
    }
    struct finding_past past = {.first_ms = item->first_ms,
                                .last_ms = item->last_ms,
                                .events = item->events,
                                .flows = item->flows,
                                .bytes_in = item->bytes_in,
                                .bytes_out = item->bytes_out,
                                .contact = item->contact,
                                .several_remotes = item->several_remotes,
                                .searched_from_ms = hunt->searched_from_ms,
                                .searched_to_ms = hunt->searched_to_ms,
                                .is_asked = hunt->is_asked,
                                .event_ids = event_ids,
                                .seen_ms = seen_ms};
    /* Indicators count that had not expired at the first of the flows. */
    struct picket_event event = {.device = item->device,
                                 .group = "",
                                 .event_id = item->last_event,
                                 .received_ms = item->received_ms,
                                 .seen_ms = item->first_ms,
                                 .flows = flows,
                                 .flow_count = item->example_count};
    struct matching matching = hunt->matching(hunt->context, hunt->table);
    int status = matcher_tell_past(&matching, &event, &item->prefix, &past, yield, context);
    hunt->matching_done(hunt->context);
    return status;
}

void hunt_free(struct hunt *hunt)
{
    table_free(hunt->table);
    hunt->table = NULL;
    picket_address_filter_free(&hunt->filter);
    gathering_free(&hunt->gathered);
}
