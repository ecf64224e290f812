/* /v1/intelligence/indicators: the lists that are kept here, changed one by one or some at a time.
 */
#include "api_indicators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picket/base/time.h"

/* ---- list ---- */

struct page {
    json_t *items;
    struct picket_indicator last; /* its texts are gone */
};

static json_t *indicator_json(const struct picket_indicator *indicator)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    const char *protocol =
        indicator->protocol ? picket_protocol_name(indicator->protocol - 1) : NULL;
    const char *severity = indicator->severity ? picket_severity_name(indicator->severity) : NULL;
    return json_pack("{s:s, s:o, s:s?, s:i, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "indicator", picket_prefix_format(&indicator->prefix, prefix), "port",
                     indicator->port ? json_integer(indicator->port) : json_null(), "protocol",
                     protocol, "confidence", (int)indicator->confidence, "severity", severity,
                     "tlp", picket_tlp_name(indicator->tlp), "since",
                     api_json_time(indicator->first_seen_ms), "listed",
                     api_json_time(indicator->listed_ms), "valid_until",
                     api_json_time(indicator->valid_until_ms), "tags",
                     api_json_known(indicator->tags), "malware", api_json_known(indicator->malware),
                     "reference", api_json_known(indicator->reference), "special_purpose",
                     api_json_text(picket_address_special_purpose(&indicator->prefix.address)));
}

static void append_indicator(void *context, const char *list,
                             const struct picket_indicator *indicator)
{
    struct page *page = context;
    (void)list;
    json_array_append_new(page->items, indicator_json(indicator));
    page->last = *indicator;
}

/* What a query points to. */
struct asked {
    struct picket_kept_query query;
    struct picket_indicator after;
    struct picket_address address;
};

static int parse_query(const struct api_request *request, struct asked *asked,
                       struct picket_error *error)
{
    const char *list = api_query_text(request, "list"), *after = api_query_text(request, "after"),
               *address = api_query_text(request, "address");
    int64_t limit = API_LIMIT_DEFAULT;
    memset(asked, 0, sizeof *asked);
    asked->query.list = list ? list : PICKET_LIST_LOCAL;
    asked->query.at_ms = picket_unix_ms();
    if (after && !api_parse_indicator_place(after, &asked->after))
        return picket_fail(error, PICKET_INVALID,
                           "query parameter after: \"%.60s\" is no \"next\" of an answer", after);
    if (address && !picket_address_parse(&asked->address, address, strlen(address)))
        return picket_fail(error, PICKET_INVALID,
                           "query parameter address: \"%.60s\" is not an IPv4 or IPv6 address",
                           address);
    asked->query.after = after ? &asked->after : NULL;
    asked->query.covering = address ? &asked->address : NULL;
    int status = api_query_flag(request, "expired", &asked->query.expired, error);
    if (status == PICKET_OK)
        status = api_query_number(request, "limit", 1, API_LIMIT_MAX, &limit, error);
    asked->query.limit = (int)limit;
    return status;
}

/* Nothing has been put into it yet; it counts as there. */
static bool is_unused_default(const struct picket_kept_query *query, int status)
{
    return status == PICKET_NOT_FOUND && strcmp(query->list, PICKET_LIST_LOCAL) == 0;
}

static int read_page(struct picket_api *api, const struct asked *asked, struct page *page,
                     struct picket_error *error)
{
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    int status = picket_store_kept_indicators(store, &asked->query, append_indicator, page, error);
    api_store_return(api, store);
    return is_unused_default(&asked->query, status) ? PICKET_OK : status;
}

void api_indicators_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct asked asked;
    struct page page = {.items = json_array()};
    char next[API_INDICATOR_PLACE_BYTES];
    if (parse_query(request, &asked, &error) != PICKET_OK ||
        read_page(request->api, &asked, &page, &error) != PICKET_OK) {
        json_decref(page.items);
        api_answer_error(answer, &error);
        return;
    }
    bool is_full = json_array_size(page.items) == (size_t)asked.query.limit;
    api_answer_json(answer, 200,
                    json_pack("{s:o, s:o, s:s?}", "list", api_json_text(asked.query.list),
                              "indicators", page.items, "next",
                              is_full ? api_indicator_place(&page.last, next) : NULL));
}

/* ---- add ---- */

static void find_confidence(void *context, const struct picket_feed *feed)
{
    struct picket_feed *list = context;
    if (strcmp(feed->name, list->name) == 0)
        list->confidence = feed->confidence;
}

static int confidence_of(struct picket_api *api, const char *name, int *confidence,
                         struct picket_error *error)
{
    struct picket_feed list = {.confidence = PICKET_LIST_CONFIDENCE};
    struct picket_store *store = api_store_borrow(api, error);
    if (!store)
        return error->status;
    snprintf(list.name, sizeof list.name, "%s", name);
    int status = picket_store_feeds(store, find_confidence, &list, error);
    api_store_return(api, store);
    *confidence = list.confidence;
    return status;
}

/* Such as raise no alerts unless the list is made to. */
static json_t *special_purpose_json(const struct api_indicators *indicators)
{
    json_t *array = json_array();
    for (size_t i = 0; i < indicators->count; i++) {
        char text[PICKET_PREFIX_TEXT_BYTES];
        const struct picket_prefix *prefix = &indicators->items[i].to.prefix;
        const char *purpose = picket_address_special_purpose(&prefix->address);
        if (purpose)
            json_array_append_new(array,
                                  json_pack("{s:s, s:s}", "indicator",
                                            picket_prefix_format(prefix, text), "is", purpose));
    }
    return array;
}

static int put(struct picket_api *api, const struct api_indicators *indicators,
               struct picket_feed_delta *delta, struct picket_error *error)
{
    int confidence;
    struct picket_indicator *items = calloc(indicators->count, sizeof *items);
    if (!items)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory");
    int status = confidence_of(api, indicators->list, &confidence, error);
    for (size_t i = 0; i < indicators->count; i++) {
        items[i] = indicators->items[i].to;
        if (!(indicators->items[i].members & PICKET_INDICATOR_CONFIDENCE))
            items[i].confidence = (uint8_t)confidence;
    }
    if (status == PICKET_OK)
        status = picket_intel_put(api_config(api)->intel, indicators->list, items,
                                  indicators->count, delta, error);
    free(items);
    return status;
}

void api_indicators_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct api_indicators indicators;
    struct picket_feed_delta delta;
    if (api_parse_indicators(request->body, API_INDICATOR_MEMBERS, &indicators, &error) ==
            PICKET_OK &&
        put(request->api, &indicators, &delta, &error) == PICKET_OK)
        api_answer_json(answer, 201,
                        json_pack("{s:o, s:I, s:I, s:I, s:o}", "list",
                                  api_json_text(indicators.list), "added", (json_int_t)delta.added,
                                  "changed", (json_int_t)delta.changed, "unchanged",
                                  (json_int_t)(delta.kept - delta.changed), "special_purpose",
                                  special_purpose_json(&indicators)));
    else
        api_answer_error(answer, &error);
    api_indicators_free(&indicators);
}

/* ---- change ---- */

static int change(struct picket_api *api, const struct api_indicators *indicators,
                  struct picket_feed_delta *delta, struct picket_error *error)
{
    size_t at = indicators->count;
    int status = picket_intel_change(api_config(api)->intel, indicators->list, indicators->items,
                                     indicators->count, delta, &at, error);
    if (status != PICKET_OK)
        api_indicators_fail_at(indicators, at, error);
    return status;
}

void api_indicators_change(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct api_indicators indicators;
    struct picket_feed_delta delta;
    if (api_parse_indicators(request->body, API_INDICATOR_MEMBERS, &indicators, &error) ==
            PICKET_OK &&
        change(request->api, &indicators, &delta, &error) == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:o, s:I, s:I}", "list", api_json_text(indicators.list),
                                  "changed", (json_int_t)delta.changed, "unchanged",
                                  (json_int_t)(delta.kept - delta.changed)));
    else
        api_answer_error(answer, &error);
    api_indicators_free(&indicators);
}

/* ---- remove ---- */

static int take_out(struct picket_api *api, const struct api_indicators *indicators,
                    struct picket_error *error)
{
    size_t at = indicators->count;
    struct picket_indicator *which = calloc(indicators->count, sizeof *which);
    if (!which)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory");
    for (size_t i = 0; i < indicators->count; i++)
        which[i] = indicators->items[i].to;
    int status = picket_intel_take_out(api_config(api)->intel, indicators->list, which,
                                       indicators->count, &at, error);
    free(which);
    if (status != PICKET_OK)
        api_indicators_fail_at(indicators, at, error);
    return status;
}

void api_indicators_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct api_indicators indicators;
    if (api_parse_indicators(request->body, API_INDICATOR_KEY, &indicators, &error) == PICKET_OK &&
        take_out(request->api, &indicators, &error) == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:o, s:I}", "list", api_json_text(indicators.list), "removed",
                                  (json_int_t)indicators.count));
    else
        api_answer_error(answer, &error);
    api_indicators_free(&indicators);
}

/* ---- import ---- */

struct import {
    const char *list, *format, *source, *text;
    int64_t confidence; /* negative: the list's */
    size_t size_bytes;
};

/* The text may hold any characters: it is judged line by line. */
static int parse_import(const json_t *body, struct import *import, struct picket_error *error)
{
    const json_t *text = json_object_get(body, "text");
    *import = (struct import){
        .list = PICKET_LIST_LOCAL, .format = "auto", .source = "text", .confidence = -1};
    int status = api_member_text(body, "list", false, &import->list, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "format", false, &import->format, error);
    if (status == PICKET_OK)
        status = api_member_text(body, "source", false, &import->source, error);
    if (status == PICKET_OK)
        status = api_member_number(body, "confidence", 0, 100, &import->confidence, error);
    if (status == PICKET_OK && !json_is_string(text))
        status = picket_fail(error, PICKET_INVALID, "text: expected a string");
    import->text = json_string_value(text);
    import->size_bytes = json_string_length(text);
    return status;
}

void api_indicators_import(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct import import;
    struct picket_feed_report *report = calloc(1, sizeof *report);
    int status = report ? parse_import(request->body, &import, &error)
                        : picket_fail(&error, PICKET_NO_MEMORY, "no memory");
    if (status == PICKET_OK) {
        status = picket_intel_import(api_config(request->api)->intel, import.list, import.text,
                                     import.size_bytes, import.format, (int)import.confidence,
                                     report, &error);
        if (status != PICKET_OK)
            picket_fail_in(&error, "%.200s", import.source);
    }
    if (status == PICKET_OK) {
        snprintf(report->feed.source, sizeof report->feed.source, "%s", import.source);
        api_answer_json(answer, 201, api_json_feed_report(report));
    } else {
        api_answer_error(answer, &error);
    }
    free(report);
}
