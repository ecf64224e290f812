#include "feed_source.h"

#include <string.h>

#include "feed_file.h"
#include "feed_http.h"
#include "feed_inflate.h"

size_t feed_max_bytes(const struct picket_feed *feed)
{
    return feed->max_bytes > 0 && feed->max_bytes < FEED_BYTES_MAX ? (size_t)feed->max_bytes
                                                                   : FEED_BYTES_MAX;
}

void feed_source_free(struct feed_source *source)
{
    feed_bytes_free(&source->bytes);
}

static void take_answer(struct feed_source *source, const struct feed_http_answer *answer)
{
    source->bytes = answer->body;
    source->not_modified = answer->not_modified;
    source->retry_after_s = answer->retry_after_s;
    memcpy(source->etag, answer->etag, sizeof source->etag);
    memcpy(source->last_modified, answer->last_modified, sizeof source->last_modified);
}

static int fetch_url(struct feed_source *source, const struct feed_request *request,
                     struct picket_error *error)
{
    struct feed_http *http;
    int status = feed_http_open(&http, request->location, request->access, request->cancel, error);
    if (status != PICKET_OK)
        return status;
    struct feed_http_answer answer = {.body.max_bytes = request->max_bytes};
    status = feed_http_get(http,
                           &(struct feed_http_request){.url = request->location,
                                                       .etag = request->etag,
                                                       .last_modified = request->last_modified},
                           &answer, error);
    feed_http_close(http);
    take_answer(source, &answer);
    if (status == PICKET_OK && feed_is_gzip(&source->bytes)) {
        status = feed_inflate(&source->bytes, error);
        if (status != PICKET_OK)
            picket_fail_in(error, "%s", request->location);
    }
    return status;
}

int feed_source_fetch(struct feed_source *source, const struct feed_request *request,
                      struct picket_error *error)
{
    memset(source, 0, sizeof *source);
    if (feed_http_is_url(request->location))
        return fetch_url(source, request, error);
    if (strstr(request->location, "://") != NULL)
        return picket_fail(error, PICKET_INVALID, "%s: expected a file's path, http:// or https://",
                           request->location);
    source->bytes.max_bytes = request->max_bytes;
    return feed_file_read(request->location, request->last_modified, &source->bytes,
                          source->last_modified, &source->not_modified, error);
}
