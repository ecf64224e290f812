/* Notices at once when files of feeds change (inotify), and has those feeds refreshed.
 *
 *     close after writing, moved in or out, removed ──▶ refresher_ask()
 *     written and not closed yet ──▶ the feed is not read: there may be half a file
 *
 * A folder is watched by its name: one that was moved there, or made anew, is within a second.
 * A file that is kept open is taken to be whole when nothing was written to it for ten seconds.
 * What inotify does not tell of (network file systems, changes behind a symbolic link) is found at
 * the feed's interval; a feed that is read only on request is not watched.
 */
#ifndef INTEL_FEED_WATCH_H
#define INTEL_FEED_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct picket_intel;
struct feed_watch;

/* NULL, after saying why: files are looked at when their feeds are due. */
struct feed_watch *feed_watch_start(struct picket_intel *intel);
/* All take NULL, too. */
void feed_watch_stop(struct feed_watch *watch);
/* Feeds have changed: look again which to watch. Thread: any. */
void feed_watch_look_again(struct feed_watch *watch);
/* True: a file of the feed is being written; file gets its name. Thread: any. */
bool feed_watch_is_written(struct feed_watch *watch, const char *feed, char *file,
                           size_t file_bytes);

#endif
