#include "hunt_record.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/time.h"

enum { TOLD_TOGETHER = 64 };

/* ---- what flows are judged by ---- */

static bool look_up_listing(void *context, struct listing *listing)
{
    struct hunt_record *record = context;
    const struct table_match *match = &listing->match;
    struct picket_error error;
    struct picket_indicator which = {
        .prefix = match->prefix, .port = match->port, .protocol = match->protocol};
    if (strcmp(match->feed->name, HUNT_ASKED) == 0)
        return true;
    return picket_store_indicator(record->store, match->feed->name, &which, intel_take_listing,
                                  listing, &error) != PICKET_NOT_FOUND;
}

static struct matching begin_matching(void *context, const struct table *own)
{
    struct hunt_record *record = context;
    return (struct matching){.table = own != NULL ? own : published_read(&record->intel->published),
                             .listings = &record->listings,
                             .own_networks = record->intel->own_networks};
}

static void end_matching(void *context)
{
    struct hunt_record *record = context;
    if (record->hunt.table == NULL)
        published_done();
}

struct hunt_record *hunt_record_new(struct picket_intel *intel, struct picket_store *store)
{
    struct hunt_record *record = calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    record->intel = intel;
    record->store = store;
    record->listings = (struct listings){look_up_listing, record};
    record->hunt.matching = begin_matching;
    record->hunt.matching_done = end_matching;
    record->hunt.context = record;
    record->hunt.range.since_ms = INT64_MIN;
    record->hunt.range.until_ms = INT64_MAX;
    record->status.asked_ms = picket_unix_ms();
    return record;
}

void hunt_record_settle(struct hunt_record *record)
{
    table_free(record->hunt.table);
    record->hunt.table = NULL;
    picket_address_filter_free(&record->hunt.filter);
    hunt_target_free(&record->target);
    malloc_trim(
        0); /* what a large target took is given back to the system, not kept for next time */
}

void hunt_record_free(struct hunt_record *record)
{
    hunt_target_free(&record->target);
    hunt_free(&record->hunt);
    free(record);
}

/* ---- searching ---- */

int hunt_record_load(struct hunt_record *record, struct picket_error *error)
{
    record->hunt.is_asked = record->target.kind == HUNT_INDICATORS;
    int64_t indicators = 0;
    int status =
        hunt_target_load(&record->target, record->store, &record->hunt, &indicators, error);
    atomic_store(&record->hunt.progress.indicators, indicators);
    return status;
}

/* The range of ids, unless its end is given. */
static int find_range(struct hunt_record *record, struct picket_error *error)
{
    struct hunt_range *range = &record->hunt.range;
    int64_t first, end;
    int status = picket_store_events_between(record->store, range->since_ms, range->until_ms,
                                             &first, &end, error);
    range->first_event = first;
    if (range->end_event == 0 || range->end_event > end)
        range->end_event = end;
    return status;
}

/* In words for people: not before the first event there is, and not beyond now. */
static void note_period(struct hunt_record *record)
{
    struct hunt *hunt = &record->hunt;
    struct picket_event_head head;
    int64_t now_ms = picket_unix_ms();
    hunt->searched_from_ms = hunt->range.since_ms;
    hunt->searched_to_ms = hunt->range.until_ms < now_ms ? hunt->range.until_ms : now_ms;
    if (picket_store_event_head(record->store, hunt->range.first_event, &head, NULL) == PICKET_OK &&
        head.received_ms > hunt->searched_from_ms)
        hunt->searched_from_ms = head.received_ms;
    if (hunt->searched_from_ms == INT64_MIN)
        hunt->searched_from_ms = 0;
}

int hunt_record_search(struct hunt_record *record, const atomic_bool *stop,
                       struct picket_error *error)
{
    if (atomic_load(&record->hunt.progress.indicators) == 0)
        return PICKET_OK;
    int status = find_range(record, error);
    note_period(record);
    hunt_begin(&record->hunt);
    while (status == PICKET_OK && !hunt_is_done(&record->hunt) &&
           !atomic_load(&record->is_cancelled) && !atomic_load(stop))
        status = hunt_step(&record->hunt, record->store, error);
    gathering_sort(&record->hunt.gathered);
    return status;
}

/* ---- telling ---- */

/* What is said of some of what was gathered, on its way to who raises alerts. */
struct telling {
    struct hunt_record *record;
    size_t first, end;
    struct gathered *item; /* at hand */
    picket_yield yield;    /* NULL: nobody */
    void *context;
};

static void set_text(char *out, size_t out_bytes, const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    snprintf(out, out_bytes, "%s", text != NULL ? text : "");
}

/* The narrowest prefix's first. */
static void note_finding(struct gathered *item, const struct picket_finding *finding)
{
    json_t *evidence = json_loads(finding->evidence, 0, NULL);
    const json_t *match = json_array_get(json_object_get(evidence, "matches"), 0);
    item->is_listed = true;
    item->severity = finding->severity;
    item->confidence = (int)json_integer_value(json_object_get(evidence, "confidence"));
    set_text(item->list, sizeof item->list, match, "feed");
    set_text(item->tags, sizeof item->tags, match, "tags");
    if (strcmp(item->list, HUNT_ASKED) == 0)
        item->list[0] = '\0';
    json_decref(evidence);
}

static int yield_finding(void *context, const struct picket_finding *finding)
{
    struct telling *telling = context;
    note_finding(telling->item, finding);
    return telling->yield != NULL ? telling->yield(telling->context, finding) : PICKET_OK;
}

static int tell_some(void *context, picket_yield yield, void *yield_context)
{
    struct telling *telling = context;
    struct hunt *hunt = &telling->record->hunt;
    int status = PICKET_OK;
    telling->yield = yield;
    telling->context = yield_context;
    for (size_t i = telling->first; i < telling->end && status == PICKET_OK; i++) {
        telling->item = &hunt->gathered.items[i];
        status = hunt_tell(hunt, i, yield_finding, telling);
    }
    return status;
}

int hunt_record_tell(struct hunt_record *record, struct picket_service *service,
                     struct picket_error *error)
{
    size_t count = record->hunt.gathered.count;
    int status = PICKET_OK;
    for (size_t first = 0; first < count && status == PICKET_OK; first += TOLD_TOGETHER) {
        size_t end = first + TOLD_TOGETHER < count ? first + TOLD_TOGETHER : count;
        struct telling telling = {.record = record, .first = first, .end = end};
        int64_t told = 0;
        status = service != NULL ? picket_service_raise(service, tell_some, &telling, &told, error)
                                 : tell_some(&telling, NULL, NULL);
        atomic_fetch_add(&record->hunt.progress.alerts, told);
    }
    return status;
}

/* ---- showing ---- */

struct picket_hunt_status hunt_record_status(const struct hunt_record *record)
{
    struct picket_hunt_status status = record->status;
    const struct hunt_progress *progress = &record->hunt.progress;
    status.indicators = atomic_load(&progress->indicators);
    status.first_event = atomic_load(&progress->first_event);
    status.end_event = atomic_load(&progress->end_event);
    status.alerts = atomic_load(&progress->alerts);
    status.next_event = atomic_load(&progress->next_event);
    status.events = atomic_load(&progress->events);
    status.flows = atomic_load(&progress->flows);
    status.hits = atomic_load(&progress->hits);
    status.found = atomic_load(&progress->found);
    status.left_out = atomic_load(&progress->left_out);
    status.damaged = atomic_load(&progress->damaged);
    status.damaged_event = atomic_load(&progress->damaged_event);
    return status;
}

void hunt_record_show(const struct hunt_record *record, size_t number,
                      picket_hunt_found_visit visit, void *context)
{
    const struct gathered *item = &record->hunt.gathered.items[number];
    struct picket_flow flows[FINDING_FLOWS_SHOWN];
    int64_t events[FINDING_FLOWS_SHOWN], times[FINDING_FLOWS_SHOWN];
    for (size_t i = 0; i < item->example_count; i++) {
        flows[i] = item->examples[i].flow;
        events[i] = item->examples[i].event_id;
        times[i] = item->examples[i].seen_ms;
    }
    struct picket_hunt_found found = {.device = item->device,
                                      .prefix = item->prefix,
                                      .feed = item->list,
                                      .tags = item->tags,
                                      .confidence = item->confidence,
                                      .severity = item->severity,
                                      .first_ms = item->first_ms,
                                      .last_ms = item->last_ms,
                                      .events = item->events,
                                      .flows = item->flows,
                                      .bytes_in = item->bytes_in,
                                      .bytes_out = item->bytes_out,
                                      .examples = flows,
                                      .example_events = events,
                                      .example_ms = times,
                                      .example_count = item->example_count};
    visit(context, &found);
}
