/* manifest.json of a MISP feed: which events it has, and as of when.
 *
 *     {"5c6d21e5-…": {"timestamp": "1591775600", "info": …}, …}
 *
 * Thread: pure functions.
 */
#ifndef INTEL_MISP_MANIFEST_H
#define INTEL_MISP_MANIFEST_H

#include "feed_parts.h"

enum { MISP_EVENTS_MAX = 100000 };

/* Adds a part without text for each event: its UUID, and its timestamp in Unix seconds; settled.
 * PICKET_INVALID: no manifest, or an event whose key is no UUID (it becomes a file's name) or that
 * has no timestamp; and what feed_parts_add() says. */
int misp_manifest_parse(const char *text, size_t size_bytes, struct feed_parts *events,
                        struct picket_error *error);

#endif
