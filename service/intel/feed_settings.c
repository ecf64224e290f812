#include "feed_settings.h"

#include <string.h>
#include <strings.h>

#include "intel/fetching/feed_bytes.h"
#include "intel/fetching/feed_http.h"
#include "intel/formats/feed_columns.h"
#include "intel/formats/feed_reader.h"

static bool starts(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

enum feed_kind feed_kind_of(const char *source)
{
    if (source[0] == '\0')
        return FEED_KEPT;
    if (starts(source, "taxii+"))
        return FEED_TAXII;
    if (starts(source, "misp+"))
        return FEED_MISP;
    return feed_http_is_url(source) ? FEED_AT_URL : FEED_ON_DISK;
}

const char *feed_location(const char *source)
{
    if (starts(source, "misp+file://"))
        return source + strlen("misp+file://");
    if (starts(source, "misp+"))
        return source + strlen("misp+");
    return starts(source, "taxii+") ? source + strlen("taxii+") : source;
}

/* ---- one setting each ---- */

static int check_name(const char *name, size_t name_bytes, struct picket_error *error)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strnlen(name, name_bytes);
    if (size == 0 || size == name_bytes || strspn(name, allowed) != size)
        return picket_fail(error, PICKET_INVALID,
                           "a feed's name has 1 to 64 letters, digits, and . _ -");
    return PICKET_OK;
}

static bool says_how_to_reach(const struct picket_feed_access *access)
{
    const char *const settings[] = {access->user,    access->password_file,    access->token_file,
                                    access->header,  access->header_file,      access->proxy,
                                    access->ca_file, access->certificate_file, access->key_file};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (settings[i][0] != '\0')
            return true;
    return false;
}

static int check_source(const struct picket_feed *feed, struct picket_error *error)
{
    const char *location = feed_location(feed->source);
    if (feed_http_is_url(location))
        return feed_http_check(location, &feed->access, error);
    if (feed_kind_of(feed->source) == FEED_TAXII)
        return picket_fail(error, PICKET_INVALID,
                           "%s: expected taxii+https:// and the address of a collection",
                           feed->source);
    if (strstr(location, "://") != NULL)
        return picket_fail(error, PICKET_INVALID,
                           "%s: expected a path, http://, https://, taxii+https://, misp+https:// "
                           "or misp+file://",
                           feed->source);
    if (says_how_to_reach(&feed->access))
        return picket_fail(error, PICKET_INVALID,
                           "credentials, proxy, CA and certificate are for feeds of servers, and "
                           "this one is none");
    return PICKET_OK;
}

static int check_format(const struct picket_feed *feed, struct picket_error *error)
{
    if (feed->format[0] != '\0' && feed_format_named(feed->format) < 0)
        return picket_fail(error, PICKET_INVALID,
                           "format %s is none of auto, plain, csv, ndjson, stix, misp",
                           feed->format);
    return PICKET_OK;
}

static int check_numbers(const struct picket_feed *feed, struct picket_error *error)
{
    if (feed->confidence < 0 || feed->confidence > 100)
        return picket_fail(error, PICKET_INVALID, "confidence %d is not within 0 to 100",
                           feed->confidence);
    if (feed->role < PICKET_FEED_THREAT || feed->role > PICKET_FEED_SHARED)
        return picket_fail(error, PICKET_INVALID, "role %d is none", feed->role);
    if (feed->max_bytes < 0 || feed->max_bytes > FEED_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "max_bytes %lld is not within 1 to %d",
                           (long long)feed->max_bytes, FEED_BYTES_MAX);
    return PICKET_OK;
}

/* What comes by TAXII and of MISP has its format. */
static int check_kind(const struct picket_feed *feed, struct picket_error *error)
{
    enum feed_kind kind = feed_kind_of(feed->source);
    const char *own = kind == FEED_TAXII ? "stix" : kind == FEED_MISP ? "misp" : NULL;
    if (own == NULL)
        return PICKET_OK;
    if (feed->format[0] != '\0' && strcmp(feed->format, "auto") != 0 &&
        strcmp(feed->format, own) != 0)
        return picket_fail(error, PICKET_INVALID, "format %s: what comes from %.5s... is %s",
                           feed->format, feed->source, own);
    if (feed->columns[0] != '\0')
        return picket_fail(error, PICKET_INVALID,
                           "columns are for lists in CSV and JSON, and this is %s", own);
    return PICKET_OK;
}

static int check_reading(const struct picket_feed *feed, struct picket_error *error)
{
    struct feed_column_names columns;
    int status = check_format(feed, error);
    if (status == PICKET_OK)
        status = check_kind(feed, error);
    if (status == PICKET_OK)
        status = feed_columns_parse(feed->columns, &columns, error);
    if (status == PICKET_OK && feed->pattern[0] != '\0' && strchr(feed->pattern, '/') != NULL)
        status = picket_fail(error, PICKET_INVALID,
                             "pattern \"%s\": expected the names of files in one folder, such as "
                             "*.txt",
                             feed->pattern);
    if (status == PICKET_OK && feed->pattern[0] != '\0' &&
        feed_kind_of(feed->source) != FEED_ON_DISK)
        status = picket_fail(error, PICKET_INVALID, "a pattern is for folders");
    return status;
}

int feed_settings_check(const struct picket_feed *feed, struct picket_error *error)
{
    int status = check_name(feed->name, sizeof feed->name, error);
    if (status != PICKET_OK)
        return status;
    status = check_numbers(feed, error);
    if (status == PICKET_OK)
        status = check_reading(feed, error);
    if (status == PICKET_OK)
        status = check_source(feed, error);
    if (status != PICKET_OK)
        picket_fail_in(error, "feed %s", feed->name);
    return status;
}

bool feed_settings_read_otherwise(const struct picket_feed *a, const struct picket_feed *b)
{
    return strcmp(a->source, b->source) != 0 || strcmp(a->format, b->format) != 0 ||
           strcmp(a->columns, b->columns) != 0 || strcmp(a->pattern, b->pattern) != 0 ||
           a->confidence != b->confidence;
}
