#include "feed_fetch.h"

#include <string.h>

#include "feed_coverage.h"
#include "feed_folder.h"
#include "feed_settings.h"
#include "feed_source.h"
#include "picket/base/time.h"

void feed_fetched_free(struct fetched *fetched)
{
    feed_reading_free(&fetched->reading);
}

/* ---- reading ---- */

static int options_of(const struct picket_feed *feed, struct feed_options *options,
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
    int status = options_of(feed, &options, error);
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
    int status = options_of(feed, &options, error);
    if (status != PICKET_OK)
        return status;
    return feed_folder_read(feed, &options, conditional ? feed->last_modified : "", cancel,
                            &fetched->reading, fetched->last_modified, &fetched->not_modified,
                            error);
}

static int fetch_any(struct fetched *fetched, const struct picket_feed *feed, bool conditional,
                     const atomic_int *cancel, struct picket_error *error)
{
    if (feed_kind_of(feed->source) == FEED_ON_DISK && feed_is_folder(feed->source))
        return fetch_folder(fetched, feed, conditional, cancel, error);
    return fetch_one(fetched, feed, conditional, cancel, error);
}

int feed_fetch(struct fetched *fetched, const struct picket_feed *feed, bool conditional,
               const atomic_int *cancel, struct picket_error *error)
{
    int64_t started_ms = picket_monotonic_ms();
    memset(fetched, 0, sizeof *fetched);
    int status = fetch_any(fetched, feed, conditional, cancel, error);
    fetched->duration_ms = picket_monotonic_ms() - started_ms;
    if (status != PICKET_OK || fetched->not_modified)
        return status;
    return check_content(feed, &fetched->reading, error);
}
