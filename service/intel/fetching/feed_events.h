/* Fetches and reads a MISP feed: manifest.json, and a file for each event, of which only those are
 * fetched again whose timestamp in the manifest has changed. From a server or a folder.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_EVENTS_H
#define INTEL_FEED_EVENTS_H

#include "feed_fetch.h"

/* All events or an error: what feed_http_get(), feed_file_read() and feed_read() say;
 * PICKET_INVALID for a manifest that is none. */
int feed_events_fetch(struct fetched *fetched, const struct picket_feed *feed,
                      const struct feed_how *how, struct picket_error *error);

#endif
