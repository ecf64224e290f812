/* What the hub saw of devices, in words: events of type HubActivity, docs/api.md has their members.
 */
#ifndef PICKET_CLI_ACTIVITY_H
#define PICKET_CLI_ACTIVITY_H

#include <jansson.h>
#include <stdbool.h>

enum { ACTIVITY_WORDS_BYTES = 2000 };

/* "connected 2 times (SAS token, TLSv1.3, from 10.0.0.7); REFUSED 3 times (signature 3; last from
 * 10.0.0.9); 60 messages (58 security), 148 kB" of an event's content. received: when it was, as
 * the API tells it, or "". Returns out. */
const char *activity_words(const json_t *content, const char *received,
                           char out[ACTIVITY_WORDS_BYTES]);

/* Events, one under the other: since when, of which device, what happened. Long ones go on in
 * further lines. */
void activity_print(const json_t *events, bool with_device);

#endif
