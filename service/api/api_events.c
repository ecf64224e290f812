/* /v1/events: what devices reported, newest first. */
#include <string.h>

#include "api_internal.h"

/* As JSON a flow takes a kilobyte of memory, and a hostile device can send thousands a message: a
 * page ends when it holds so many, whatever its limit. */
enum { PAGE_FLOWS_MAX = 20000 };

struct event_page {
    json_t *events;
    size_t flows;
    bool full;
};

static json_t *flows_json(const struct picket_flow *flows, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, api_json_flow(&flows[i]));
    return array;
}

static json_t *content_json(const char *content)
{
    json_t *parsed = content ? json_loads(content, JSON_DECODE_ANY, NULL) : NULL;
    return parsed ? parsed : api_json_text(content);
}

/* A device whose clock failed says so with the largest number there is. */
static json_t *device_time_json(int64_t time_s)
{
    return time_s == UINT32_MAX ? json_null() : api_json_time(time_s * 1000);
}

static json_t *event_json(int64_t id, const struct picket_event_row *event,
                          const struct picket_flow *flows, size_t flow_count)
{
    json_t *lost =
        json_pack("{s:I, s:I, s:I}", "flows", (json_int_t)event->lost_flows, "bytes_in",
                  (json_int_t)event->lost_bytes_in, "bytes_out", (json_int_t)event->lost_bytes_out);
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:I, s:I, s:o, s:o, s:o}", "id",
                     (json_int_t)id, "device", api_json_text(event->device), "module",
                     api_json_known(event->module), "received", api_json_time(event->received_ms),
                     "time", device_time_json(event->time_s), "event_id",
                     api_json_hex(event->id, sizeof event->id), "type",
                     api_event_type_name(event->type), "type_number", (int)event->type,
                     "collection_interval_s", (json_int_t)event->collection_interval_s,
                     "duration_s", (json_int_t)event->duration_s, "lost", lost, "content",
                     content_json(event->content), "flows", flows_json(flows, flow_count));
}

static void append_event(void *context, int64_t id, const struct picket_event_row *event,
                         const struct picket_flow *flows, size_t flow_count)
{
    struct event_page *page = context;
    bool fits = page->flows == 0 || page->flows + flow_count <= PAGE_FLOWS_MAX;
    page->full |= !fits;
    if (page->full)
        return;
    page->flows += flow_count;
    json_array_append_new(page->events, event_json(id, event, flows, flow_count));
}

static int parse_query(const struct api_request *request, struct picket_event_query *query,
                       struct picket_error *error)
{
    int64_t limit = API_LIMIT_DEFAULT;
    query->device = api_query_text(request, "device");
    const char *of = api_query_text(request, "of");
    query->of_hub = of && strcmp(of, "hub") == 0;
    int status = api_query_time(request, "since", &query->since_ms, error);
    if (status == PICKET_OK && of && !api_listed("hub devices", of))
        status = picket_fail(error, PICKET_INVALID,
                             "query parameter of: \"%.60s\" is neither hub nor devices", of);
    if (status == PICKET_OK)
        status = api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "before", 1, INT64_MAX, &query->before_id, error);
    query->limit = (int)limit;
    return status;
}

/* The smallest id of a full page: ask for what is before it. */
static json_t *next_json(const struct event_page *page, int limit)
{
    size_t count = json_array_size(page->events);
    if (count < (size_t)limit && !page->full)
        return json_null();
    return json_incref(json_object_get(json_array_get(page->events, count - 1), "id"));
}

void api_events_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_event_query query = {0};
    struct picket_store *store = NULL;
    if (parse_query(request, &query, &error) != PICKET_OK ||
        !(store = api_store_borrow(request->api, &error))) {
        api_answer_error(answer, &error);
        return;
    }
    struct event_page page = {.events = json_array()};
    int status = picket_store_events(store, &query, append_event, &page, &error);
    api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:O, s:o}", "events", page.events, "next_before",
                                  next_json(&page, query.limit)));
    else
        api_answer_error(answer, &error);
    json_decref(page.events);
}
