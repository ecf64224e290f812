/* /v1/feeds: the threat feeds, and how reading them went. */
#include <string.h>

#include "api_internal.h"

static json_t *problems_json(const struct picket_feed_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->problem_count; i++)
        json_array_append_new(array, json_pack("{s:I, s:o, s:o}",
                                               "line", (json_int_t)report->problems[i].line,
                                               "text", api_json_text(report->problems[i].text),
                                               "reason",
                                               api_json_text(report->problems[i].reason)));
    return array;
}

json_t *api_json_feed_report(const struct picket_feed_report *report)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
                     "feed", api_json_feed(&report->feed),
                     "added", (json_int_t)report->delta.added,
                     "removed", (json_int_t)report->delta.removed,
                     "kept", (json_int_t)report->delta.kept,
                     "changed", (json_int_t)report->delta.changed,
                     "passed_over", (json_int_t)report->passed_over,
                     "duration_ms", (json_int_t)report->duration_ms,
                     "problems", problems_json(report));
}

static void append_feed(void *context, const struct picket_feed *feed)
{
    json_array_append_new(context, api_json_feed(feed));
}

void api_feeds_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    if (!store) {
        api_answer_error(answer, &error);
        return;
    }
    json_t *array = json_array();
    int status = picket_store_feeds(store, append_feed, array, &error);
    api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:O}", "feeds", array));
    else
        api_answer_error(answer, &error);
    json_decref(array);
}

/* A source that is not there is the request's fault, and one that fails is the other server's. */
static void answer_source_error(struct api_answer *answer, struct picket_error *error)
{
    if (error->status == PICKET_NOT_FOUND)
        error->status = PICKET_INVALID;
    if (error->status == PICKET_IO)
        api_answer_refuse(answer, 502, "%s", error->text);
    else
        api_answer_error(answer, error);
}

void api_feeds_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_feed feed;
    struct picket_feed_report report;
    memset(&report, 0, sizeof report);
    if (api_parse_feed(request->body, &feed, &error) == PICKET_OK &&
        picket_intel_feed_add(api_config(request->api)->intel, &feed, &report, &error) == PICKET_OK)
        api_answer_json(answer, 201, api_json_feed_report(&report));
    else
        answer_source_error(answer, &error);
}

void api_feeds_refresh(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_feed_report report;
    struct picket_intel *intel = api_config(request->api)->intel;
    bool accepts = false;
    memset(&report, 0, sizeof report);
    int status = api_query_flag(request, "accept_shrink", &accepts, &error);
    if (status == PICKET_OK)
        status = accepts ? picket_intel_feed_accept(intel, request->argument, &report, &error)
                         : picket_intel_feed_refresh(intel, request->argument, &report, &error);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, api_json_feed_report(&report));
    else
        api_answer_error(answer, &error);
}

void api_feeds_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    if (picket_intel_feed_remove(api_config(request->api)->intel, request->argument, &error) ==
        PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:o}", "removed", api_json_text(request->argument)));
    else
        api_answer_error(answer, &error);
}
