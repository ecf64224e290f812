#include "misp_manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

/* A string or a number, as versions of MISP write it. */
static bool take_timestamp(const json_t *event, char *out, size_t out_bytes)
{
    const json_t *value = json_object_get(event, "timestamp");
    const char *text = json_string_value(value);
    if (json_is_integer(value))
        snprintf(out, out_bytes, "%lld", (long long)json_integer_value(value));
    else if (text != NULL && strlen(text) < out_bytes)
        strcpy(out, text);
    else
        return false;
    return out[0] != '\0' && out[strspn(out, "0123456789")] == '\0';
}

static int take_events(json_t *manifest, struct feed_parts *events, struct picket_error *error)
{
    const char *uuid;
    json_t *event;
    int status = PICKET_OK;
    if (json_object_size(manifest) > MISP_EVENTS_MAX)
        return picket_fail(error, PICKET_INVALID, "lists more than %d events", MISP_EVENTS_MAX);
    json_object_foreach(manifest, uuid, event)
    {
        char stamp[24];
        if (!is_uuid(uuid))
            return picket_fail(error, PICKET_INVALID, "lists \"%.60s\", which is no UUID", uuid);
        if (!take_timestamp(event, stamp, sizeof stamp))
            return picket_fail(error, PICKET_INVALID, "event %s has no timestamp in Unix seconds",
                               uuid);
        const struct picket_feed_part part = {uuid, stamp, "", 0};
        status = feed_parts_add(events, &part, error);
        if (status != PICKET_OK)
            return status;
    }
    return status;
}

int misp_manifest_parse(const char *text, size_t size, struct feed_parts *events,
                        struct picket_error *error)
{
    json_error_t problem;
    json_t *manifest = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (manifest == NULL)
        return picket_fail(error, PICKET_INVALID, "is no JSON: %d:%d: %s", problem.line,
                           problem.column, problem.text);
    int status = json_is_object(manifest)
                     ? take_events(manifest, events, error)
                     : picket_fail(error, PICKET_INVALID, "is no manifest of a MISP feed");
    json_decref(manifest);
    feed_parts_settle(events);
    return status;
}
