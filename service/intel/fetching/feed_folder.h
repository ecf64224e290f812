/* A feed that is a folder: all files in it that match are one list.
 *
 * Thread: any.
 */
#ifndef INTEL_FEED_FOLDER_H
#define INTEL_FEED_FOLDER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "feed_file.h"
#include "intel/formats/feed_reader.h"
#include "picket/store/store.h"

enum { FEED_FOLDER_FILES_MAX = 10000 };

bool feed_is_folder(const char *path);

/* True: a file of that name belongs to the feed. pattern "": all but hidden files and those that
 * editors and copying leave behind (~, .tmp, .part, .swp, .bak); otherwise as shells match names.
 */
bool feed_folder_takes(const char *pattern, const char *name);

/* Reads all files that match, in the order of their names; together they have the feed's bound.
 * stamp: of names, times, sizes and inodes; when it is that of `known`, nothing is read and
 * *is_known is true. Each indicator's reference begins with the name of its file. PICKET_BUSY:
 * files changed meanwhile; PICKET_FULL: too many files; PICKET_CLOSED once *cancel is not 0; what
 * feed_file_read() and feed_read() say. */
int feed_folder_read(const struct picket_feed *feed, const struct feed_options *options,
                     const char *known, const atomic_int *cancel, struct feed_reading *reading,
                     char stamp[FEED_STAMP_BYTES], bool *is_known, struct picket_error *error);

#endif
