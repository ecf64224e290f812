#include "feed_fetch.h"

#include <string.h>

#include "feed_events.h"
#include "feed_folder.h"
#include "feed_source.h"
#include "feed_taxii.h"
#include "intel/feed_coverage.h"
#include "intel/feed_settings.h"
#include "picket/base/time.h"

enum { WHOLE_EVERY_MS = 24 * 3600 * 1000 };

void feed_fetched_free(struct fetched *fetched)
{
    feed_reading_free(&fetched->reading);
    feed_parts_free(&fetched->parts);
}

/* ---- reading ---- */

int feed_options_of(const struct picket_feed *feed, struct feed_options *options,
                    struct picket_error *error)
{
    int format = feed_format_named(feed->format[0] != '\0' ? feed->format : "auto");
    memset(options, 0, sizeof *options);
    options->format = format >= 0 ? (enum feed_format)format : FEED_AUTO;
    options->confidence = feed->confidence;
    return feed_columns_parse(feed->columns, &options->columns, error);
}

static int read_bytes(struct fetched *fetched, const struct picket_feed *feed,
                      const struct feed_bytes *bytes, struct picket_error *error)
{
    struct feed_options options;
    int status = feed_options_of(feed, &options, error);
    if (status == PICKET_OK)
        status = feed_read(&fetched->reading, bytes->text, bytes->size_bytes, &options, error);
    if (status != PICKET_OK)
        picket_fail_in(error, "%s", feed->source);
    return status;
}

/* Half of all addresses are no list, whatever its role: of threats, each flow would be an alert;
 * allowed, hardly any. Who means that, puts it into a list of his own. */
static int check_coverage(const struct picket_feed *feed, const struct indicator_list *list,
                          struct picket_error *error)
{
    static const char *const then[] = {
        [PICKET_FEED_THREAT] = "it would match whatever a device talks to",
        [PICKET_FEED_ALLOW] = "it would silence alerts on whatever a device talks to",
        [PICKET_FEED_SHARED] = "it would weaken alerts on whatever a device talks to"};
    double share = feed_ipv4_share(list);
    if (share < 0.5)
        return PICKET_OK;
    return picket_fail(error, PICKET_INVALID, "%s: covers %.2f %% of all IPv4 addresses; %s",
                       feed->source, share * 100, then[feed->role]);
}

/* What is a list, and what is none. */
static int check_content(const struct picket_feed *feed, const struct feed_reading *reading,
                         struct picket_error *error)
{
    if (reading->indicators.count == 0 && reading->skipped > 0)
        return picket_fail(error, PICKET_INVALID, "%s: holds no indicator; line %u (\"%.60s\"): %s",
                           feed->source, reading->problems[0].line, reading->problems[0].text,
                           reading->problems[0].reason);
    return check_coverage(feed, &reading->indicators, error);
}

/* ---- fetching ---- */

static int fetch_one(struct fetched *fetched, const struct picket_feed *feed, bool conditional,
                     const atomic_int *cancel, struct picket_error *error)
{
    struct feed_source source;
    const struct feed_request request = {
        .location = feed->source,
        .etag = conditional ? feed->etag : "",
        .last_modified = conditional ? feed->last_modified : "",
        .access = &feed->access,
        .max_bytes = feed_max_bytes(feed),
        .cancel = cancel,
    };
    int status = feed_source_fetch(&source, &request, error);
    fetched->not_modified = source.not_modified;
    fetched->retry_after_s = source.retry_after_s;
    memcpy(fetched->etag, source.etag, sizeof fetched->etag);
    memcpy(fetched->last_modified, source.last_modified, sizeof fetched->last_modified);
    if (status == PICKET_OK && !source.not_modified)
        status = read_bytes(fetched, feed, &source.bytes, error);
    feed_source_free(&source);
    return status;
}

static int fetch_folder(struct fetched *fetched, const struct picket_feed *feed, bool conditional,
                        const atomic_int *cancel, struct picket_error *error)
{
    struct feed_options options;
    int status = feed_options_of(feed, &options, error);
    if (status != PICKET_OK)
        return status;
    return feed_folder_read(feed, &options, conditional ? feed->last_modified : "", cancel,
                            &fetched->reading, fetched->last_modified, &fetched->not_modified,
                            error);
}

/* ---- parts ---- */

struct loading {
    struct feed_parts *kept;
    struct picket_error *error;
    int status;
};

static void load_part(void *context, const struct picket_feed_part *part)
{
    struct loading *loading = context;
    if (loading->status == PICKET_OK)
        loading->status = feed_parts_add(loading->kept, part, loading->error);
}

int feed_load_kept(const struct picket_feed *feed, const struct feed_how *how,
                   struct feed_parts *kept, struct picket_error *error)
{
    struct loading loading = {.kept = kept, .error = error};
    memset(kept, 0, sizeof *kept);
    kept->bytes.max_bytes = FEED_BYTES_MAX;
    int status = how->keeper.each_part(how->keeper.context, feed->name, load_part, &loading, error);
    feed_parts_settle(kept);
    return status == PICKET_OK ? loading.status : status;
}

/* Each object on a line of its own. */
static int append_object(struct feed_bytes *text, const struct picket_feed_part *part,
                         struct picket_error *error)
{
    if (part->body == NULL)
        return PICKET_OK;
    int status = feed_bytes_append(text, part->body, part->body_bytes, error);
    return status == PICKET_OK ? feed_bytes_append(text, "\n", 1, error) : status;
}

static int append_objects(struct feed_bytes *text, const struct feed_parts *kept,
                          const struct feed_parts *fresh, struct picket_error *error)
{
    int status = PICKET_OK;
    for (size_t i = 0; i < kept->count && status == PICKET_OK; i++) {
        const struct picket_feed_part part = feed_parts_at(kept, i);
        if (feed_parts_find(fresh, part.key) == fresh->count)
            status = append_object(text, &part, error);
    }
    for (size_t i = 0; i < fresh->count && status == PICKET_OK; i++) {
        const struct picket_feed_part part = feed_parts_at(fresh, i);
        status = append_object(text, &part, error);
    }
    return status;
}

static int read_objects(struct fetched *fetched, const struct picket_feed *feed,
                        const struct feed_how *how, struct picket_error *error)
{
    struct feed_parts kept = {.count = 0};
    struct feed_bytes text = {.max_bytes = FEED_BYTES_MAX};
    int status = fetched->parts.whole ? PICKET_OK : feed_load_kept(feed, how, &kept, error);
    if (status == PICKET_OK)
        status = append_objects(&text, &kept, &fetched->parts, error);
    feed_parts_free(&kept);
    if (status == PICKET_OK && text.size_bytes > 0) {
        struct picket_feed stix = *feed;
        strcpy(stix.format, "stix");
        status = read_bytes(fetched, &stix, &text, error);
    } else if (status != PICKET_OK) {
        picket_fail_in(error, "%s", feed->source);
    }
    feed_bytes_free(&text);
    return status;
}

/* From its beginning now and then: what a server takes out of a collection it does not tell of. */
static bool is_read_whole(const struct picket_feed *feed, const struct feed_how *how)
{
    int64_t age_ms = picket_unix_ms() - feed->whole_ms;
    return !how->conditional || feed->cursor[0] == '\0' || age_ms < 0 || age_ms >= WHOLE_EVERY_MS;
}

static int fetch_taxii(struct fetched *fetched, const struct picket_feed *feed,
                       const struct feed_how *how, struct picket_error *error)
{
    struct feed_taxii_answer answer;
    const char *added_after = is_read_whole(feed, how) ? "" : feed->cursor;
    int status = feed_taxii_fetch(feed, added_after, how->cancel, &answer, error);
    fetched->parts = answer.parts;
    fetched->retry_after_s = answer.retry_after_s;
    fetched->has_parts = true;
    memcpy(fetched->cursor, answer.cursor, sizeof fetched->cursor);
    fetched->not_modified = status == PICKET_OK && !answer.parts.whole && answer.parts.count == 0;
    if (status != PICKET_OK || fetched->not_modified)
        return status;
    return read_objects(fetched, feed, how, error);
}

/* ---- any ---- */

static int fetch_any(struct fetched *fetched, const struct picket_feed *feed,
                     const struct feed_how *how, struct picket_error *error)
{
    enum feed_kind kind = feed_kind_of(feed->source);
    if (kind == FEED_TAXII)
        return fetch_taxii(fetched, feed, how, error);
    if (kind == FEED_MISP)
        return feed_events_fetch(fetched, feed, how, error);
    if (kind == FEED_ON_DISK && feed_is_folder(feed->source))
        return fetch_folder(fetched, feed, how->conditional, how->cancel, error);
    return fetch_one(fetched, feed, how->conditional, how->cancel, error);
}

int feed_fetch(struct fetched *fetched, const struct picket_feed *feed, const struct feed_how *how,
               struct picket_error *error)
{
    int64_t started_ms = picket_monotonic_ms();
    memset(fetched, 0, sizeof *fetched);
    int status = fetch_any(fetched, feed, how, error);
    fetched->duration_ms = picket_monotonic_ms() - started_ms;
    if (status != PICKET_OK || fetched->not_modified)
        return status;
    return check_content(feed, &fetched->reading, error);
}
