/* Feeds that are JSON: one document, several one after the other, or one a line.
 *
 *     text ─▶ feed_each_json ─▶ feed_ndjson │ feed_stix │ feed_misp
 *
 * Thread: as feed_reader.h.
 */
#ifndef INTEL_FEED_JSON_H
#define INTEL_FEED_JSON_H

#include "feed_reader.h"
#include "json_scan.h"

/* True if it starts like a JSON document; "[2001:db8::1]:443" does not. */
bool feed_is_json(const char *text, size_t size_bytes);

/* Of JSON: FEED_STIX, FEED_MISP_JSON, or FEED_NDJSON for objects of any other kind. */
enum feed_format feed_json_format(const char *text, size_t size_bytes);

typedef void (*feed_json_visit)(void *context, struct json_slice value);

/* Visits each value. If the first is not JSON the feed is refused, for it may have been cut off; of
 * those behind it a line that is not is skipped and counted. */
void feed_each_json(struct feed_reading *reading, const char *text, size_t size_bytes,
                    feed_json_visit visit, void *context);
/* The elements of an array, or the value itself. */
void feed_each_element(struct feed_reading *reading, struct json_slice value, feed_json_visit visit,
                       void *context);

/* Texts joined with ", ", as many as fit into an indicator's. */
struct feed_joined {
    char text[INDICATOR_TEXT_BYTES];
    size_t bytes;
};
void feed_join(struct feed_joined *joined, const char *text, size_t size_bytes);
/* A string, a number, or an array of such. */
void feed_join_json(struct feed_joined *joined, const json_t *value);
/* As feed_join(), but not what is there already. */
void feed_join_new(struct feed_joined *joined, const char *text, size_t size_bytes);

#endif
