/* What an owner says of a feed, from and to JSON: its settings have the names of the API's members.
 */
#include <stddef.h>
#include <string.h>

#include "api_internal.h"

enum { FEED_CONFIDENCE = 50, FEED_REFRESH_S = 3600, REFRESH_S_MIN = 10 };

/* Texts of struct picket_feed that are taken and given as they are. */
struct text_setting {
    const char *name;
    size_t offset, bytes;
};
#define TEXT(member, name)                                                                         \
    {                                                                                              \
        name, offsetof(struct picket_feed, member), sizeof((struct picket_feed *)NULL)->member     \
    }
static const struct text_setting text_settings[] = {
    TEXT(source, "source"),
    TEXT(format, "format"),
    TEXT(columns, "columns"),
    TEXT(pattern, "pattern"),
    TEXT(access.user, "user"),
    TEXT(access.password_file, "password_file"),
    TEXT(access.token_file, "token_file"),
    TEXT(access.header, "header"),
    TEXT(access.header_file, "header_file"),
    TEXT(access.proxy, "proxy"),
    TEXT(access.ca_file, "ca_file"),
    TEXT(access.certificate_file, "certificate_file"),
    TEXT(access.key_file, "key_file"),
};
enum { TEXT_SETTINGS = sizeof text_settings / sizeof text_settings[0] };

/* ---- from JSON ---- */

static int copy_member(const json_t *body, const char *name, bool required, char *out,
                       size_t capacity, struct picket_error *error)
{
    const char *text = NULL;
    int status = api_member_text(body, name, required, &text, error);
    if (status != PICKET_OK || !text)
        return status;
    if (strlen(text) >= capacity)
        return picket_fail(error, PICKET_INVALID, "%s: longer than %zu characters", name,
                           capacity - 1);
    strcpy(out, text);
    return PICKET_OK;
}

static int parse_texts(const json_t *body, struct picket_feed *feed, struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < TEXT_SETTINGS && status == PICKET_OK; i++)
        status = copy_member(body, text_settings[i].name, false,
                             (char *)feed + text_settings[i].offset, text_settings[i].bytes, error);
    if (status == PICKET_OK && !feed->format[0])
        strcpy(feed->format, "auto");
    if (status == PICKET_OK &&
        !api_listed("auto plain csv ndjson stix misp zeek rules p2p text", feed->format))
        status = picket_fail(error, PICKET_INVALID,
                             "format: \"%s\" is none of auto, plain, csv, ndjson, stix, misp, "
                             "zeek, rules, p2p, text",
                             feed->format);
    return status;
}

static int parse_feed_numbers(const json_t *body, struct picket_feed *feed,
                              struct picket_error *error)
{
    int64_t confidence = feed->confidence, refresh_s = feed->refresh_s;
    int status = api_member_number(body, "confidence", 0, 100, &confidence, error);
    if (status == PICKET_OK)
        status = api_member_number(body, "refresh_s", 0, UINT32_MAX, &refresh_s, error);
    if (status == PICKET_OK && refresh_s > 0 && refresh_s < REFRESH_S_MIN)
        status = picket_fail(error, PICKET_INVALID,
                             "refresh_s: %lld is too often; at least %d, or 0 for never",
                             (long long)refresh_s, REFRESH_S_MIN);
    if (status == PICKET_OK)
        status = api_member_number(body, "max_bytes", 0, INT32_MAX, &feed->max_bytes, error);
    feed->confidence = (int)confidence;
    feed->refresh_s = (uint32_t)refresh_s;
    return status;
}

static int parse_feed_role(const json_t *body, struct picket_feed *feed, struct picket_error *error)
{
    const char *role = NULL;
    int status = api_member_text(body, "role", false, &role, error);
    if (status != PICKET_OK || !role)
        return status;
    feed->role = picket_feed_role_named(role);
    return feed->role >= 0 ? PICKET_OK
                           : picket_fail(error, PICKET_INVALID,
                                         "role: \"%.60s\" is none of threat, allow, shared", role);
}

int api_parse_feed_settings(const json_t *body, struct picket_feed *feed,
                            struct picket_error *error)
{
    int status = parse_texts(body, feed, error);
    if (status == PICKET_OK)
        status =
            api_member_flag(body, "match_special_purpose", &feed->match_special_purpose, error);
    if (status == PICKET_OK)
        status = api_member_flag(body, "match_own_networks", &feed->match_own_networks, error);
    if (status == PICKET_OK)
        status = parse_feed_role(body, feed, error);
    if (status == PICKET_OK)
        status = parse_feed_numbers(body, feed, error);
    return status;
}

int api_parse_feed(const json_t *body, struct picket_feed *feed, struct picket_error *error)
{
    memset(feed, 0, sizeof *feed);
    feed->confidence = FEED_CONFIDENCE;
    feed->refresh_s = FEED_REFRESH_S;
    int status = copy_member(body, "name", true, feed->name, sizeof feed->name, error);
    return status == PICKET_OK ? api_parse_feed_settings(body, feed, error) : status;
}

/* ---- to JSON ---- */

static json_t *delta_json(const struct picket_feed *feed)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "added", (json_int_t)feed->last.added, "removed",
                     (json_int_t)feed->last.removed, "kept", (json_int_t)feed->last.kept, "changed",
                     (json_int_t)feed->last.changed, "duration_ms",
                     (json_int_t)feed->last_duration_ms);
}

json_t *api_json_feed_settings(const struct picket_feed *feed)
{
    json_t *object = json_pack(
        "{s:s, s:i, s:b, s:b, s:I, s:o}", "role", picket_feed_role_name(feed->role), "confidence",
        feed->confidence, "match_special_purpose", feed->match_special_purpose,
        "match_own_networks", feed->match_own_networks, "refresh_s", (json_int_t)feed->refresh_s,
        "max_bytes", feed->max_bytes ? json_integer(feed->max_bytes) : json_null());
    for (size_t i = 0; i < TEXT_SETTINGS; i++)
        json_object_set_new(object, text_settings[i].name,
                            api_json_known((const char *)feed + text_settings[i].offset));
    return object;
}

json_t *api_json_feed(const struct picket_feed *feed)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:b, s:o, s:o}", "name",
        api_json_text(feed->name), "added", api_json_time(feed->added_ms), "settings_changed",
        api_json_time(feed->changed_ms), "tried", api_json_time(feed->tried_ms), "loaded",
        api_json_time(feed->loaded_ms), "succeeded", api_json_time(feed->succeeded_ms),
        "indicators", (json_int_t)feed->indicators, "skipped", (json_int_t)feed->skipped, "problem",
        api_json_known(feed->problem), "waits", feed->waits, "would_hold",
        feed->waits ? json_integer(feed->would_hold) : json_null(), "last", delta_json(feed));
    json_t *settings = api_json_feed_settings(feed);
    json_object_update(object, settings);
    json_decref(settings);
    return object;
}
