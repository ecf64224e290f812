/* /v1/feeds: the threat feeds, and how reading them went. */
#include <string.h>

#include "api_internal.h"
#include "picket/store/feed_parts.h"

static json_t *problems_json(const struct picket_feed_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->problem_count; i++)
        json_array_append_new(array, json_pack("{s:o, s:I, s:o, s:o}", "file",
                                               api_json_known(report->problems[i].file), "line",
                                               (json_int_t)report->problems[i].line, "text",
                                               api_json_text(report->problems[i].text), "reason",
                                               api_json_text(report->problems[i].reason)));
    return array;
}

json_t *api_json_feed_report(const struct picket_feed_report *report)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "feed",
                     api_json_feed(&report->feed), "added", (json_int_t)report->delta.added,
                     "removed", (json_int_t)report->delta.removed, "kept",
                     (json_int_t)report->delta.kept, "changed", (json_int_t)report->delta.changed,
                     "passed_over", (json_int_t)report->passed_over, "duration_ms",
                     (json_int_t)report->duration_ms, "problems", problems_json(report));
}

static json_t *feed_json(const struct picket_api *api, const struct picket_feed *feed)
{
    json_t *object = api_json_feed(feed);
    json_object_set_new(object, "next_refresh",
                        api_json_time(picket_intel_feed_next_ms(api_config(api)->intel, feed)));
    json_object_set_new(object, "kept", json_boolean(picket_feed_is_kept(feed)));
    json_object_set_new(
        object, "expired",
        json_integer(picket_intel_feed_expired(api_config(api)->intel, feed->name)));
    if (feed->role == PICKET_FEED_ALLOW)
        json_object_set_new(
            object, "silenced",
            json_integer((json_int_t)picket_intel_silenced(api_config(api)->intel, feed->name)));
    return object;
}

/* ---- list and show ---- */

struct listing {
    struct picket_api *api;
    const char *name; /* of the one that is wanted; NULL: all */
    json_t *feeds;
};

static void append_feed(void *context, const struct picket_feed *feed)
{
    struct listing *listing = context;
    if (!listing->name || strcmp(listing->name, feed->name) == 0)
        json_array_append_new(listing->feeds, feed_json(listing->api, feed));
}

void api_feeds_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_store *store = api_store_borrow(request->api, &error);
    if (!store) {
        api_answer_error(answer, &error);
        return;
    }
    struct listing listing = {.api = request->api, .feeds = json_array()};
    int status = picket_store_feeds(store, append_feed, &listing, &error);
    api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:O}", "feeds", listing.feeds));
    else
        api_answer_error(answer, &error);
    json_decref(listing.feeds);
}

static void append_problem(void *context, const struct picket_feed_problem *problem)
{
    json_array_append_new(
        context, json_pack("{s:o, s:I, s:o, s:o}", "file", api_json_known(problem->file), "line",
                           (json_int_t)problem->line, "text", api_json_text(problem->text),
                           "reason", api_json_text(problem->reason)));
}

static int show(struct api_request *request, struct picket_store *store, json_t **shown,
                struct picket_error *error)
{
    struct listing listing = {request->api, request->argument, json_array()};
    json_t *problems = json_array();
    int status = picket_store_feeds(store, append_feed, &listing, error);
    if (status == PICKET_OK)
        status =
            picket_store_feed_problems(store, request->argument, append_problem, problems, error);
    if (status == PICKET_OK && json_array_size(listing.feeds) == 0)
        status = picket_fail(error, PICKET_NOT_FOUND, "there is no feed %s", request->argument);
    if (status == PICKET_OK) {
        *shown = json_incref(json_array_get(listing.feeds, 0));
        json_object_set(*shown, "problems", problems);
    }
    json_decref(problems);
    json_decref(listing.feeds);
    return status;
}

void api_feeds_show(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    json_t *shown = NULL;
    struct picket_store *store = api_store_borrow(request->api, &error);
    int status = store ? show(request, store, &shown, &error) : error.status;
    if (store)
        api_store_return(request->api, store);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, shown);
    else
        api_answer_error(answer, &error);
}

/* ---- changing ---- */

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

struct finding_one {
    const char *name;
    struct picket_feed *feed;
    bool found;
};

static void take_one(void *context, const struct picket_feed *feed)
{
    struct finding_one *finding = context;
    if (strcmp(feed->name, finding->name) != 0)
        return;
    *finding->feed = *feed;
    finding->found = true;
}

static int find_feed(struct picket_api *api, const char *name, struct picket_feed *feed,
                     struct picket_error *error)
{
    struct finding_one finding = {.name = name, .feed = feed};
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_feeds(store, take_one, &finding, error);
    api_store_return(api, store);
    return status != PICKET_OK || finding.found
               ? status
               : picket_fail(error, PICKET_NOT_FOUND, "there is no feed %s", name);
}

/* Flows that it lists and that raised no alerts. */
static bool matches_more(const struct picket_feed *before, const struct picket_feed *now)
{
    return now->role == PICKET_FEED_THREAT &&
           (before->role != PICKET_FEED_THREAT ||
            (now->match_special_purpose && !before->match_special_purpose) ||
            (now->match_own_networks && !before->match_own_networks));
}

/* The hunt for them in what is stored; null, if too many wait. */
static json_t *hunt_for_more(struct picket_api *api, const struct picket_feed *feed)
{
    const struct picket_hunt_request request = {
        .feed = feed->name, .device = "", .alert = true, .leaves_out_told = true};
    struct picket_hunter *hunter = api_config(api)->hunter;
    int64_t id;
    return hunter && picket_hunter_ask(hunter, &request, &id, NULL) == PICKET_OK
               ? json_integer((json_int_t)id)
               : json_null();
}

void api_feeds_change(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_feed before, feed, changed;
    int status = find_feed(request->api, request->argument, &before, &error);
    if (status == PICKET_OK)
        feed = before;
    if (status == PICKET_OK)
        status = api_parse_feed_settings(request->body, &feed, &error);
    if (status == PICKET_OK)
        status = picket_intel_feed_change(api_config(request->api)->intel, &feed, &changed, &error);
    if (status != PICKET_OK) {
        api_answer_error(answer, &error);
        return;
    }
    json_t *object = feed_json(request->api, &changed);
    if (matches_more(&before, &changed))
        json_object_set_new(object, "hunt", hunt_for_more(request->api, &changed));
    api_answer_json(answer, 200, object);
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

/* ---- what a server has ---- */

static void append_collection(void *context, const struct picket_collection *collection)
{
    json_array_append_new(context, json_pack("{s:o, s:o, s:o, s:b}", "source",
                                             api_json_text(collection->source), "title",
                                             api_json_known(collection->title), "description",
                                             api_json_known(collection->description), "can_read",
                                             collection->can_read));
}

void api_feeds_collections(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_feed feed;
    const char *source = NULL;
    json_t *collections = json_array();
    memset(&feed, 0, sizeof feed);
    int status = api_member_text(request->body, "source", true, &source, &error);
    if (status == PICKET_OK)
        status = api_parse_feed_settings(request->body, &feed, &error);
    if (status == PICKET_OK)
        status = picket_intel_collections(api_config(request->api)->intel, source, &feed.access,
                                          append_collection, collections, &error);
    if (status == PICKET_OK)
        api_answer_json(answer, 200, json_pack("{s:O}", "collections", collections));
    else
        answer_source_error(answer, &error);
    json_decref(collections);
}
