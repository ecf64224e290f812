/* /v1/intelligence/allow: what the owner allows, with the reason and until when. A kept list of the
 * role allow; how it wins is intel/outcome.h's. */
#include <stdio.h>
#include <string.h>

#include "api_internal.h"
#include "picket/base/time.h"
#include "picket/service/intel.h"

enum { REASON_BYTES_MAX = 255 };

static const int64_t soon_ms = 7 * 86400LL * 1000;

/* ---- bodies ---- */

static int parse_protocol(const json_t *body, uint8_t *protocol, struct picket_error *error)
{
    const char *name = NULL;
    int status = api_member_text(body, "protocol", false, &name, error);
    return status == PICKET_OK && name ? api_parse_protocol(name, protocol, error) : status;
}

static int parse_which(const json_t *body, struct picket_indicator *entry,
                       struct picket_error *error)
{
    const char *prefix = NULL;
    int64_t port = 0;
    memset(entry, 0, sizeof *entry);
    int status = api_member_text(body, "prefix", true, &prefix, error);
    if (status == PICKET_OK)
        status = api_parse_prefix(prefix, &entry->prefix, error);
    if (status == PICKET_OK)
        status = api_member_number(body, "port", 1, UINT16_MAX, &port, error);
    if (status == PICKET_OK)
        status = parse_protocol(body, &entry->protocol, error);
    if (status == PICKET_OK && port && entry->protocol == PICKET_ICMP + 1)
        status = picket_fail(error, PICKET_INVALID, "port: ICMP has none");
    entry->port = (uint16_t)port;
    return status;
}

static int parse_reason(const json_t *body, struct picket_indicator *entry,
                        struct picket_error *error)
{
    const char *reason = NULL;
    int status = api_member_text(body, "reason", true, &reason, error);
    if (status != PICKET_OK)
        return status;
    if (reason[strspn(reason, " ")] == 0 || strlen(reason) > REASON_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID,
                           "reason: expected is a text of 1 to %d bytes, for who reads the list",
                           REASON_BYTES_MAX);
    entry->tags = reason;
    return PICKET_OK;
}

static int parse_expiry(const json_t *body, struct picket_indicator *entry,
                        struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, "expires", false, &text, error);
    if (status != PICKET_OK || !text)
        return status;
    if (!picket_stamp_parse(text, &entry->valid_until_ms))
        return picket_fail(error, PICKET_INVALID,
                           "expires: \"%.60s\" is no time (2026-11-20T23:51:17Z, its date, or Unix "
                           "seconds)",
                           text);
    if (entry->valid_until_ms <= picket_unix_ms())
        return picket_fail(error, PICKET_INVALID, "expires: %.60s is over already", text);
    return PICKET_OK;
}

int api_parse_allow_entry(const json_t *body, struct picket_indicator *entry,
                          struct picket_error *error)
{
    int status = parse_which(body, entry, error);
    if (status == PICKET_OK && entry->prefix.length == 0)
        status = picket_fail(error, PICKET_INVALID, "prefix: that is every address there is");
    if (status == PICKET_OK)
        status = parse_reason(body, entry, error);
    if (status == PICKET_OK)
        status = parse_expiry(body, entry, error);
    entry->confidence = 100;
    return status;
}

/* ---- answers ---- */

static const char *state_of(const struct picket_indicator *entry, int64_t now_ms)
{
    if (entry->valid_until_ms == 0 || entry->valid_until_ms > now_ms + soon_ms)
        return "in force";
    return entry->valid_until_ms > now_ms ? "ends soon" : "expired";
}

json_t *api_json_allow_entry(const struct picket_indicator *entry)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    return json_pack("{s:s, s:o, s:s?, s:o, s:o, s:o, s:s}", "prefix",
                     picket_prefix_format(&entry->prefix, prefix), "port",
                     entry->port ? json_integer(entry->port) : json_null(), "protocol",
                     entry->protocol ? picket_protocol_name(entry->protocol - 1) : NULL, "reason",
                     api_json_known(entry->tags), "added", api_json_time(entry->first_seen_ms),
                     "expires", api_json_time(entry->valid_until_ms), "state",
                     state_of(entry, picket_unix_ms()));
}

/* ---- list ---- */

struct page {
    json_t *entries;
    struct picket_indicator last; /* its texts are gone */
};

static void append_entry(void *context, const char *list, const struct picket_indicator *entry)
{
    struct page *page = context;
    (void)list;
    json_array_append_new(page->entries, api_json_allow_entry(entry));
    page->last = *entry;
}

/* In pages; the list is there from its first entry on. */
static int read_entries(struct picket_store *store, struct page *page, struct picket_error *error)
{
    struct picket_indicator after;
    struct picket_kept_query query = {.list = PICKET_LIST_ALLOW, .limit = API_LIMIT_MAX};
    for (;;) {
        size_t before = json_array_size(page->entries);
        int status = picket_store_kept_indicators(store, &query, append_entry, page, error);
        if (status != PICKET_OK)
            return status == PICKET_NOT_FOUND ? PICKET_OK : status;
        if (json_array_size(page->entries) - before < API_LIMIT_MAX)
            return PICKET_OK;
        after = page->last;
        query.after = &after;
    }
}

void api_allow_list(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct page page = {.entries = json_array()};
    struct picket_store *store = api_store_borrow(request->api, &error);
    int status = store ? read_entries(store, &page, &error) : error.status;
    if (store)
        api_store_return(request->api, store);
    if (status == PICKET_OK) {
        uint64_t silenced =
            picket_intel_silenced(api_config(request->api)->intel, PICKET_LIST_ALLOW);
        api_answer_json(
            answer, 200,
            json_pack("{s:O, s:I}", "entries", page.entries, "silenced", (json_int_t)silenced));
    } else {
        api_answer_error(answer, &error);
    }
    json_decref(page.entries);
}

/* ---- add and remove ---- */

void api_allow_add(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_indicator entry;
    struct picket_feed_delta delta;
    if (api_parse_allow_entry(request->body, &entry, &error) == PICKET_OK &&
        picket_intel_put(api_config(request->api)->intel, PICKET_LIST_ALLOW, &entry, 1, &delta,
                         &error) == PICKET_OK) {
        json_t *added = api_json_allow_entry(&entry);
        json_object_del(added, "added");
        api_answer_json(answer, delta.added > 0 ? 201 : 200, added);
    } else {
        api_answer_error(answer, &error);
    }
}

static int no_such_entry(const struct picket_indicator *entry, struct picket_error *error)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES], port[24] = "";
    if (entry->port)
        snprintf(port, sizeof port, " port %u", entry->port);
    return picket_fail(error, PICKET_NOT_FOUND,
                       "%s%s%s%s is not allowed by an entry of just that prefix, port and protocol",
                       picket_prefix_format(&entry->prefix, prefix), port,
                       entry->protocol ? " " : "",
                       entry->protocol ? picket_protocol_name(entry->protocol - 1) : "");
}

void api_allow_remove(struct api_request *request, struct api_answer *answer)
{
    struct picket_error error = {0};
    struct picket_indicator entry;
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    int status = parse_which(request->body, &entry, &error);
    if (status == PICKET_OK) {
        status = picket_intel_take_out(api_config(request->api)->intel, PICKET_LIST_ALLOW, &entry,
                                       1, NULL, &error);
        if (status == PICKET_NOT_FOUND)
            no_such_entry(&entry, &error);
    }
    if (status == PICKET_OK)
        api_answer_json(answer, 200,
                        json_pack("{s:s}", "removed", picket_prefix_format(&entry.prefix, prefix)));
    else
        api_answer_error(answer, &error);
}
