/* What an owner says of a feed: where it comes from and how it is reached and read.
 *
 *     SOURCE                                   is
 *     /path/of/a/file, /path/of/a/folder       read by this machine
 *     http://…, https://…                      one list
 *     taxii+https://…/collections/ID/          the objects of a TAXII 2.1 collection
 *     misp+https://…/, misp+file:///path/      a MISP feed: manifest.json, and a file for each
 * event
 *     ""                                       a list kept here
 *
 * Thread: pure functions.
 */
#ifndef INTEL_FEED_SETTINGS_H
#define INTEL_FEED_SETTINGS_H

#include "picket/base/error.h"
#include "picket/store/store.h"

enum feed_kind { FEED_KEPT, FEED_ON_DISK, FEED_AT_URL, FEED_TAXII, FEED_MISP };

enum feed_kind feed_kind_of(const char *source);

/* The URL or, of MISP on this machine, the path in a source of any kind. */
const char *feed_location(const char *source);

/* PICKET_INVALID: says which setting, what was wrong and what was expected. */
int feed_settings_check(const struct picket_feed *feed, struct picket_error *error);

/* True: with the one the feed says something else than with the other, so that it has to be read
 * again from its beginning. */
bool feed_settings_read_otherwise(const struct picket_feed *a, const struct picket_feed *b);

#endif
