#include "feed_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "feed_pieces.h"
#include "feed_source.h"

enum { PATH_BYTES = 2048 };

bool feed_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool feed_folder_takes(const char *pattern, const char *name)
{
    static const char *const left_behind[] = {"*~", "*.tmp", "*.part", "*.swp", "*.bak"};
    if (pattern[0] != '\0')
        return fnmatch(pattern, name, FNM_PERIOD) == 0;
    for (size_t i = 0; i < sizeof left_behind / sizeof left_behind[0]; i++)
        if (fnmatch(left_behind[i], name, 0) == 0)
            return false;
    return name[0] != '.';
}

/* ---- which files there are ---- */

struct names {
    char **items;
    size_t count, capacity;
};

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    memset(names, 0, sizeof *names);
}

static bool add_name(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 16 : names->capacity * 2;
        char **items = realloc(names->items, capacity * sizeof *items);
        if (items == NULL)
            return false;
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count] = strdup(name);
    return names->items[names->count] != NULL && ++names->count > 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* False: there is no such file, or not any more. PICKET_IO: what is there cannot be looked at. */
static int look_at_file(const char *folder, const char *name, struct stat *status, bool *is_file,
                        struct picket_error *error)
{
    char path[PATH_BYTES];
    *is_file = false;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
        return picket_fail(error, PICKET_INVALID, "%s: the path of a file is too long", folder);
    if (stat(path, status) != 0)
        return errno == ENOENT ? PICKET_OK
                               : picket_fail(error, PICKET_IO, "%s: %s", path, strerror(errno));
    *is_file = S_ISREG(status->st_mode);
    return PICKET_OK;
}

static int take_names(DIR *directory, const struct picket_feed *feed, struct names *names,
                      struct picket_error *error)
{
    struct stat file;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        bool is_file = false;
        int status = feed_folder_takes(feed->pattern, entry->d_name)
                         ? look_at_file(feed->source, entry->d_name, &file, &is_file, error)
                         : PICKET_OK;
        if (status != PICKET_OK)
            return status;
        if (!is_file)
            continue;
        if (names->count == FEED_FOLDER_FILES_MAX)
            return picket_fail(error, PICKET_FULL, "%s: more than %d files", feed->source,
                               FEED_FOLDER_FILES_MAX);
        if (!add_name(names, entry->d_name))
            return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", feed->source);
    }
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    return PICKET_OK;
}

static void make_stamp(const char *folder, const struct names *names, char stamp[FEED_STAMP_BYTES])
{
    XXH64_hash_t hash = 0;
    for (size_t i = 0; i < names->count; i++) {
        char line[400];
        struct stat status = {0};
        bool is_file;
        look_at_file(folder, names->items[i], &status, &is_file, NULL);
        int size = snprintf(line, sizeof line, "%s/%lld.%09ld/%lld/%llu", names->items[i],
                            (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                            (long long)status.st_size, (unsigned long long)status.st_ino);
        hash = XXH3_64bits_withSeed(line, (size_t)size < sizeof line ? (size_t)size : sizeof line,
                                    hash);
    }
    snprintf(stamp, FEED_STAMP_BYTES, "%zu files %016llx", names->count, (unsigned long long)hash);
}

static int look(const struct picket_feed *feed, struct names *names, char stamp[FEED_STAMP_BYTES],
                struct picket_error *error)
{
    memset(names, 0, sizeof *names);
    DIR *directory = opendir(feed->source);
    if (directory == NULL)
        return picket_fail(error, errno == ENOENT ? PICKET_NOT_FOUND : PICKET_IO, "%s: %s",
                           feed->source, strerror(errno));
    int status = take_names(directory, feed, names, error);
    closedir(directory);
    make_stamp(feed->source, names, stamp);
    return status;
}

/* ---- reading them ---- */

static int read_file(const struct picket_feed *feed, const char *name, size_t *left,
                     const struct feed_options *options, struct feed_reading *reading,
                     struct picket_error *error)
{
    char path[PATH_BYTES], stamp[FEED_STAMP_BYTES];
    bool is_known;
    struct feed_bytes bytes = {.max_bytes = *left};
    snprintf(path, sizeof path, "%s/%s", feed->source, name);
    int status = feed_file_read(path, NULL, &bytes, stamp, &is_known, error);
    if (status == PICKET_OK) {
        const struct feed_piece piece = {name, bytes.text, bytes.size_bytes, true};
        *left -= bytes.size_bytes;
        status = feed_read_piece(reading, &piece, options, error);
        if (status != PICKET_OK)
            picket_fail_in(error, "%s", feed->source);
    }
    feed_bytes_free(&bytes);
    return status;
}

static int read_files(const struct picket_feed *feed, const struct names *names,
                      const struct feed_options *options, const atomic_int *cancel,
                      struct feed_reading *reading, struct picket_error *error)
{
    size_t left = feed_max_bytes(feed);
    int status = PICKET_OK;
    for (size_t i = 0; i < names->count && status == PICKET_OK; i++) {
        if (atomic_load(cancel) != 0)
            return picket_fail(error, PICKET_CLOSED, "%s: given up, for Picket is stopping",
                               feed->source);
        status = read_file(feed, names->items[i], &left, options, reading, error);
    }
    return status;
}

static int check_unchanged(const struct picket_feed *feed, const char *stamp,
                           struct picket_error *error)
{
    struct names names;
    char now[FEED_STAMP_BYTES];
    int status = look(feed, &names, now, error);
    free_names(&names);
    if (status == PICKET_OK && strcmp(now, stamp) != 0)
        return picket_fail(error, PICKET_BUSY, "%s: is being written; try again later",
                           feed->source);
    return status;
}

int feed_folder_read(const struct picket_feed *feed, const struct feed_options *options,
                     const char *known, const atomic_int *cancel, struct feed_reading *reading,
                     char stamp[FEED_STAMP_BYTES], bool *is_known, struct picket_error *error)
{
    struct names names;
    int status = look(feed, &names, stamp, error);
    *is_known = status == PICKET_OK && strcmp(stamp, known) == 0;
    if (status == PICKET_OK && !*is_known) {
        status = read_files(feed, &names, options, cancel, reading, error);
        if (status == PICKET_OK)
            status = check_unchanged(feed, stamp, error);
    }
    free_names(&names);
    return status;
}
