#include "feed_taxii.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "feed_http.h"
#include "feed_source.h"
#include "intel/feed_settings.h"
#include "picket/base/time.h"
#include "taxii_answer.h"

enum {
    PAGE_OBJECTS = 1000, /* asked for; the server may give fewer */
    PAGE_BYTES_MAX = 64 * 1024 * 1024,
    PAGES_MAX = 10000,
    FETCH_S_MAX = 30 * 60,
    QUERY_BYTES = 4096
};

static const char media_type[] = "application/taxii+json;version=2.1";

/* Of what indicators tell and refer to; the rest (reports, sightings, observed data) is not asked
 * for. */
static const char types[] = "indicator,relationship,marking-definition,malware,threat-actor,"
                            "intrusion-set,campaign,tool";

/* ---- one request ---- */

/* Says what a status means in TAXII (2.1, 3.5.1 and 5). */
static int explain(int status, const char *url, const struct feed_http_answer *answer,
                   struct picket_error *error)
{
    if (answer->status == 406 || answer->status == 415)
        return picket_fail(
            error, PICKET_INVALID,
            "%s: the server answered %ld: it speaks another version of TAXII than 2.1", url,
            answer->status);
    if (answer->status == 404)
        return picket_fail(
            error, PICKET_NOT_FOUND,
            "%s: the server answered 404: there is nothing to read there (picket feed "
            "collections shows what there is)",
            url);
    if (answer->status == 416)
        return picket_fail(error, PICKET_IO, "%s: the server answered 416: it has no such page",
                           url);
    return status;
}

static int get(struct feed_http *http, const char *url, struct feed_http_answer *answer,
               struct picket_error *error)
{
    const struct feed_http_request request = {
        .url = url, .accept = media_type, .etag = "", .last_modified = ""};
    int status = feed_http_get(http, &request, answer, error);
    return status == PICKET_OK ? status : explain(status, url, answer, error);
}

/* ---- pages ---- */

struct pages {
    struct feed_http *http;
    char collection[TAXII_URL_BYTES];
    char added_after[64];
    char next[TAXII_NEXT_BYTES];
    XXH64_hash_t last_page; /* a hash of its bytes */
    struct feed_taxii_answer *answer;
    int64_t deadline_ms;
};

static bool append_parameter(char *url, const char *name, const char *value)
{
    char *escaped = curl_easy_escape(NULL, value, 0);
    if (escaped == NULL)
        return false;
    size_t used = strlen(url);
    int size = snprintf(url + used, QUERY_BYTES - used, "&%s=%s", name, escaped);
    curl_free(escaped);
    return size >= 0 && (size_t)size < QUERY_BYTES - used;
}

static int make_url(const struct pages *pages, char *url, struct picket_error *error)
{
    snprintf(url, QUERY_BYTES, "%sobjects/?limit=%d", pages->collection, PAGE_OBJECTS);
    if (!append_parameter(url, "match%5Btype%5D", types) ||
        (pages->added_after[0] != '\0' &&
         !append_parameter(url, "added_after", pages->added_after)) ||
        (pages->next[0] != '\0' && !append_parameter(url, "next", pages->next)))
        return picket_fail(error, PICKET_INVALID,
                           "%s: the address of a page is longer than %d bytes", pages->collection,
                           QUERY_BYTES - 1);
    return PICKET_OK;
}

/* Servers that remember how far a reader came (medallion) call all further pages by one name; of
 * others that would be a page that leads to itself. */
static bool leads_to_itself(struct pages *pages, const struct taxii_page *page,
                            const struct feed_bytes *body)
{
    XXH64_hash_t hash = XXH3_64bits(body->text, body->size_bytes);
    bool is_same_page = hash == pages->last_page || page->objects == 0;
    pages->last_page = hash;
    return is_same_page && strcmp(page->next, pages->next) == 0;
}

/* The server says that there is more: where. */
static int turn_page(struct pages *pages, const struct taxii_page *page,
                     const struct feed_http_answer *answer, struct picket_error *error)
{
    if (page->next[0] != '\0') {
        if (leads_to_itself(pages, page, &answer->body))
            return picket_fail(error, PICKET_INVALID,
                               "%s: the server leads from a page to the same page",
                               pages->collection);
        strcpy(pages->next, page->next);
        return PICKET_OK;
    }
    if (answer->date_added_last[0] == '\0' ||
        strcmp(answer->date_added_last, pages->added_after) == 0)
        return picket_fail(error, PICKET_INVALID,
                           "%s: the server says that there is more, and not where",
                           pages->collection);
    pages->next[0] = '\0';
    memcpy(pages->added_after, answer->date_added_last, sizeof pages->added_after);
    return PICKET_OK;
}

/* *more: there are further pages. */
static int fetch_page(struct pages *pages, bool *more, struct picket_error *error)
{
    char url[QUERY_BYTES];
    struct taxii_page page;
    struct feed_http_answer answer = {.body.max_bytes = PAGE_BYTES_MAX};
    int status = make_url(pages, url, error);
    if (status == PICKET_OK)
        status = get(pages->http, url, &answer, error);
    pages->answer->retry_after_s = answer.retry_after_s;
    if (status == PICKET_OK) {
        status = taxii_page_parse(answer.body.text, answer.body.size_bytes, &pages->answer->parts,
                                  &page, error);
        if (status != PICKET_OK)
            picket_fail_in(error, "%s", pages->collection);
    }
    if (status == PICKET_OK && answer.date_added_last[0] != '\0')
        memcpy(pages->answer->cursor, answer.date_added_last, sizeof pages->answer->cursor);
    *more = status == PICKET_OK && page.more;
    if (*more)
        status = turn_page(pages, &page, &answer, error);
    feed_bytes_free(&answer.body);
    return status;
}

static int fetch_pages(struct pages *pages, struct picket_error *error)
{
    bool more = true;
    int status = PICKET_OK;
    for (int count = 0; more && status == PICKET_OK; count++) {
        if (count == PAGES_MAX)
            return picket_fail(error, PICKET_INVALID, "%s: more than %d pages", pages->collection,
                               PAGES_MAX);
        if (picket_monotonic_ms() > pages->deadline_ms)
            return picket_fail(error, PICKET_IO, "%s: not read within %d minutes",
                               pages->collection, FETCH_S_MAX / 60);
        status = fetch_page(pages, &more, error);
    }
    return status;
}

/* Ends with a slash: TAXII's paths do. */
static bool copy_url(char *out, size_t out_bytes, const char *url)
{
    size_t length = strlen(url);
    const char *slash = length > 0 && url[length - 1] == '/' ? "" : "/";
    return (size_t)snprintf(out, out_bytes, "%s%s", url, slash) < out_bytes;
}

int feed_taxii_fetch(const struct picket_feed *feed, const char *added_after,
                     const atomic_int *cancel, struct feed_taxii_answer *answer,
                     struct picket_error *error)
{
    struct pages pages = {.answer = answer};
    pages.deadline_ms = picket_monotonic_ms() + 1000LL * FETCH_S_MAX;
    memset(answer, 0, sizeof *answer);
    answer->parts.bytes.max_bytes = feed_max_bytes(feed);
    answer->parts.whole = added_after[0] == '\0';
    snprintf(pages.added_after, sizeof pages.added_after, "%s", added_after);
    memcpy(answer->cursor, pages.added_after, sizeof answer->cursor);
    if (!copy_url(pages.collection, sizeof pages.collection, feed_location(feed->source)))
        return picket_fail(error, PICKET_INVALID, "%s: is too long", feed->source);
    int status = feed_http_open(&pages.http, pages.collection, &feed->access, cancel, error);
    if (status != PICKET_OK)
        return status;
    status = fetch_pages(&pages, error);
    feed_http_close(pages.http);
    feed_parts_settle(&answer->parts);
    return status;
}

/* ---- collections ---- */

struct browsing {
    struct feed_http *http;
    char root[TAXII_URL_BYTES];        /* the API root whose collections are looked at */
    char collections[TAXII_URL_BYTES]; /* and their address */
    char first[TAXII_URL_BYTES];       /* where it began */
    int depth;
    picket_collection_visit visit;
    void *context;
    struct picket_error *error;
};

static int browse(struct browsing *browsing, const char *url);

static int tell_collection(void *context, const struct taxii_collection *collection)
{
    struct browsing *browsing = context;
    char source[TAXII_URL_BYTES + 200];
    snprintf(source, sizeof source, "taxii+%s%.120s/", browsing->collections, collection->id);
    const struct picket_collection told = {.source = source,
                                           .title = collection->title,
                                           .description = collection->description,
                                           .can_read = collection->can_read};
    browsing->visit(browsing->context, &told);
    return PICKET_OK;
}

/* An API root is told of as an address or as a path of this server. */
static int browse_root(void *context, const char *api_root)
{
    struct browsing *browsing = context;
    char url[TAXII_URL_BYTES];
    size_t host = strcspn(browsing->first, ":") + 3;
    host += strcspn(browsing->first + host, "/");
    bool fits = feed_http_is_url(api_root)
                    ? copy_url(url, sizeof url, api_root)
                    : (size_t)snprintf(url, sizeof url, "%.*s%s%s%s", (int)host, browsing->first,
                                       api_root[0] == '/' ? "" : "/", api_root,
                                       api_root[strlen(api_root) - (api_root[0] != '\0')] == '/'
                                           ? ""
                                           : "/") < sizeof url;
    if (!fits || strlen(url) + sizeof "collections/" > sizeof url)
        return PICKET_OK;
    strcat(url, "collections/");
    return browse(browsing, url);
}

static int browse(struct browsing *browsing, const char *url)
{
    struct feed_http_answer answer = {.body.max_bytes = PAGE_BYTES_MAX};
    bool is_root = false;
    if (++browsing->depth > 200)
        return picket_fail(browsing->error, PICKET_INVALID, "%s: leads nowhere", browsing->first);
    int status = get(browsing->http, url, &answer, browsing->error);
    snprintf(browsing->collections, sizeof browsing->collections, "%s", url);
    if (status == PICKET_OK) {
        status = taxii_directory_parse(answer.body.text, answer.body.size_bytes, browse_root,
                                       tell_collection, browsing, &is_root, browsing->error);
        if (status == PICKET_INVALID)
            picket_fail_in(browsing->error, "%s", url);
    }
    feed_bytes_free(&answer.body);
    return status == PICKET_OK && is_root ? browse_root(browsing, url) : status;
}

int feed_taxii_collections(const char *url, const struct picket_feed_access *access,
                           const atomic_int *cancel, picket_collection_visit visit, void *context,
                           struct picket_error *error)
{
    struct picket_error own;
    struct browsing browsing = {
        .visit = visit, .context = context, .error = error != NULL ? error : &own};
    const char *location = feed_location(url);
    if (!feed_http_is_url(location) || !copy_url(browsing.first, sizeof browsing.first, location))
        return picket_fail(error, PICKET_INVALID, "%s: expected the https:// address of a server",
                           url);
    size_t host = strcspn(browsing.first, ":") + 3;
    if (strcmp(browsing.first + host + strcspn(browsing.first + host, "/"), "/") == 0 &&
        strlen(browsing.first) + sizeof "taxii2/" < sizeof browsing.first)
        strcat(browsing.first, "taxii2/"); /* where discovery is (TAXII 2.1, 4.1) */
    int status = feed_http_open(&browsing.http, browsing.first, access, cancel, error);
    if (status != PICKET_OK)
        return status;
    status = browse(&browsing, browsing.first);
    feed_http_close(browsing.http);
    return status;
}
