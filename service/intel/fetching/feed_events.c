#include "feed_events.h"

#include <stdio.h>
#include <string.h>

#include "feed_file.h"
#include "feed_http.h"
#include "feed_inflate.h"
#include "feed_pieces.h"
#include "feed_source.h"
#include "intel/feed_settings.h"
#include "misp_manifest.h"
#include "picket/base/time.h"

enum { MANIFEST_BYTES_MAX = 32 * 1024 * 1024, LOCATION_BYTES = 1200, FETCH_S_MAX = 30 * 60 };

struct events {
    const struct picket_feed *feed;
    const struct feed_how *how;
    struct fetched *fetched;
    struct feed_http *http; /* NULL: in a folder */
    char base[LOCATION_BYTES];
    size_t left_bytes; /* of what the feed may have */
    int64_t deadline_ms;
    struct feed_parts wanted; /* those of the manifest, without their text */
    struct feed_parts kept;
};

/* ---- one file ---- */

static int get_url(struct events *events, const char *url, bool conditional, struct feed_bytes *out,
                   struct picket_error *error)
{
    const struct picket_feed *feed = events->feed;
    struct fetched *fetched = events->fetched;
    struct feed_http_answer answer = {.body.max_bytes = out->max_bytes};
    const struct feed_http_request request = {.url = url,
                                              .accept = "application/json",
                                              .etag = conditional ? feed->etag : "",
                                              .last_modified =
                                                  conditional ? feed->last_modified : ""};
    int status = feed_http_get(events->http, &request, &answer, error);
    *out = answer.body;
    fetched->retry_after_s = answer.retry_after_s;
    fetched->not_modified = answer.not_modified;
    memcpy(fetched->etag, answer.etag, sizeof fetched->etag);
    memcpy(fetched->last_modified, answer.last_modified, sizeof fetched->last_modified);
    return status;
}

/* As a file of the feed's folder or server. The stamps of it are left in *fetched. */
static int get(struct events *events, const char *name, bool conditional, struct feed_bytes *out,
               struct picket_error *error)
{
    char location[LOCATION_BYTES + 64];
    snprintf(location, sizeof location, "%s%s", events->base, name);
    if (events->http != NULL)
        return get_url(events, location, conditional, out, error);
    return feed_file_read(location, conditional ? events->feed->last_modified : NULL, out,
                          events->fetched->last_modified, &events->fetched->not_modified, error);
}

/* ---- what has changed ---- */

static int fetch_manifest(struct events *events, struct picket_error *error)
{
    struct feed_bytes text = {.max_bytes = MANIFEST_BYTES_MAX};
    int status = get(events, "manifest.json", events->how->conditional, &text, error);
    if (status == PICKET_OK && !events->fetched->not_modified) {
        status = misp_manifest_parse(text.text, text.size_bytes, &events->wanted, error);
        if (status != PICKET_OK)
            picket_fail_in(error, "%smanifest.json", events->base);
    }
    feed_bytes_free(&text);
    return status;
}

static int check_going_on(const struct events *events, struct picket_error *error)
{
    if (atomic_load(events->how->cancel) != 0)
        return picket_fail(error, PICKET_CLOSED, "%s: given up, for Picket is stopping",
                           events->feed->source);
    if (picket_monotonic_ms() > events->deadline_ms)
        return picket_fail(error, PICKET_IO, "%s: not read within %d minutes", events->feed->source,
                           FETCH_S_MAX / 60);
    return PICKET_OK;
}

static int fetch_event(struct events *events, const struct picket_feed_part *wanted,
                       struct picket_error *error)
{
    char name[64];
    struct feed_bytes text = {.max_bytes = events->left_bytes};
    snprintf(name, sizeof name, "%s.json", wanted->key);
    int status = check_going_on(events, error);
    if (status == PICKET_OK)
        status = get(events, name, false, &text, error);
    if (status == PICKET_OK) {
        events->left_bytes -= text.size_bytes;
        status = feed_deflate(&text, error);
    }
    if (status == PICKET_OK) {
        const struct picket_feed_part part = {wanted->key, wanted->stamp, text.text,
                                              text.size_bytes};
        status = feed_parts_add(&events->fetched->parts, &part, error);
    }
    feed_bytes_free(&text);
    return status;
}

static bool is_kept(const struct events *events, const struct picket_feed_part *wanted)
{
    size_t at = feed_parts_find(&events->kept, wanted->key);
    return at < events->kept.count &&
           strcmp(feed_parts_at(&events->kept, at).stamp, wanted->stamp) == 0;
}

static int fetch_changed(struct events *events, struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < events->wanted.count && status == PICKET_OK; i++) {
        const struct picket_feed_part wanted = feed_parts_at(&events->wanted, i);
        if (!is_kept(events, &wanted))
            status = fetch_event(events, &wanted, error);
    }
    return status;
}

static int note_gone(struct events *events, struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < events->kept.count && status == PICKET_OK; i++) {
        const char *key = feed_parts_at(&events->kept, i).key;
        const struct picket_feed_part gone = {key, "", NULL, 0};
        if (feed_parts_find(&events->wanted, key) == events->wanted.count)
            status = feed_parts_add(&events->fetched->parts, &gone, error);
    }
    return status;
}

/* ---- reading ---- */

static int read_event(struct events *events, const struct picket_feed_part *part,
                      const struct feed_options *options, struct picket_error *error)
{
    char name[64];
    struct feed_bytes text = {.max_bytes = FEED_BYTES_MAX};
    snprintf(name, sizeof name, "%s.json", part->key);
    int status = feed_bytes_append(&text, part->body, part->body_bytes, error);
    if (status == PICKET_OK && feed_is_deflated(&text))
        status = feed_inflate(&text, error);
    if (status == PICKET_OK) {
        const struct feed_piece piece = {name, text.text, text.size_bytes, false};
        status = feed_read_piece(&events->fetched->reading, &piece, options, error);
    }
    feed_bytes_free(&text);
    if (status != PICKET_OK)
        picket_fail_in(error, "%s", events->feed->source);
    return status;
}

/* Those that came, and those that are kept and as they were. */
static int read_events(struct events *events, struct picket_error *error)
{
    struct feed_options options;
    struct picket_feed misp = *events->feed;
    strcpy(misp.format, "misp");
    int status = feed_options_of(&misp, &options, error);
    for (size_t i = 0; i < events->wanted.count && status == PICKET_OK; i++) {
        const char *key = feed_parts_at(&events->wanted, i).key;
        const struct feed_parts *fresh = &events->fetched->parts;
        size_t at = feed_parts_find(fresh, key);
        const struct picket_feed_part part =
            at < fresh->count ? feed_parts_at(fresh, at)
                              : feed_parts_at(&events->kept, feed_parts_find(&events->kept, key));
        status = read_event(events, &part, &options, error);
    }
    return status;
}

/* ---- the whole ---- */

static int fetch_all(struct events *events, struct picket_error *error)
{
    struct fetched *fetched = events->fetched;
    int status = fetch_manifest(events, error);
    if (status != PICKET_OK || fetched->not_modified)
        return status;
    char etag[sizeof fetched->etag], last_modified[sizeof fetched->last_modified];
    memcpy(etag, fetched->etag, sizeof etag);
    memcpy(last_modified, fetched->last_modified, sizeof last_modified);
    if (!fetched->parts.whole)
        status = feed_load_kept(events->feed, events->how, &events->kept, error);
    if (status == PICKET_OK)
        status = fetch_changed(events, error);
    if (status == PICKET_OK)
        status = note_gone(events, error);
    memcpy(fetched->etag, etag, sizeof etag); /* the manifest's */
    memcpy(fetched->last_modified, last_modified, sizeof last_modified);
    feed_parts_settle(&fetched->parts);
    /* Without stamps of the last time its settings have changed, and it is to be read again. */
    bool is_known = events->feed->etag[0] != '\0' || events->feed->last_modified[0] != '\0';
    fetched->not_modified = is_known && !fetched->parts.whole && fetched->parts.count == 0;
    return status == PICKET_OK && !fetched->not_modified ? read_events(events, error) : status;
}

static int open_source(struct events *events, struct picket_error *error)
{
    const char *location = feed_location(events->feed->source);
    size_t length = strlen(location);
    const char *slash = length > 0 && location[length - 1] == '/' ? "" : "/";
    snprintf(events->base, sizeof events->base, "%s%s", location, slash);
    if (!feed_http_is_url(location))
        return PICKET_OK;
    return feed_http_open(&events->http, events->base, &events->feed->access, events->how->cancel,
                          error);
}

int feed_events_fetch(struct fetched *fetched, const struct picket_feed *feed,
                      const struct feed_how *how, struct picket_error *error)
{
    struct events events = {.feed = feed, .how = how, .fetched = fetched};
    events.left_bytes = feed_max_bytes(feed);
    events.deadline_ms = picket_monotonic_ms() + 1000LL * FETCH_S_MAX;
    events.wanted.bytes.max_bytes = MANIFEST_BYTES_MAX;
    fetched->parts.bytes.max_bytes = FEED_BYTES_MAX;
    fetched->parts.whole = !how->conditional;
    fetched->has_parts = true;
    int status = open_source(&events, error);
    if (status == PICKET_OK)
        status = fetch_all(&events, error);
    feed_http_close(events.http);
    feed_parts_free(&events.wanted);
    feed_parts_free(&events.kept);
    return status;
}
