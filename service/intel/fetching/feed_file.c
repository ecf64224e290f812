#include "feed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feed_inflate.h"

static int look_at(int descriptor, const char *path, struct stat *status,
                   char stamp[FEED_STAMP_BYTES], struct picket_error *error)
{
    if (fstat(descriptor, status) != 0)
        return picket_fail(error, PICKET_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status->st_mode))
        return picket_fail(error, PICKET_INVALID, "%s: not a regular file", path);
    snprintf(stamp, FEED_STAMP_BYTES, "%lld.%09ld %lld %llu", (long long)status->st_mtim.tv_sec,
             status->st_mtim.tv_nsec, (long long)status->st_size,
             (unsigned long long)status->st_ino);
    return PICKET_OK;
}

static int read_bytes(int descriptor, const char *path, size_t size, struct feed_bytes *bytes,
                      struct picket_error *error)
{
    int status = feed_bytes_reserve(bytes, size, error);
    if (status != PICKET_OK) {
        picket_fail_in(error, "%s", path);
        return status;
    }
    while (bytes->size_bytes < size) {
        ssize_t got = read(descriptor, bytes->text + bytes->size_bytes, size - bytes->size_bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return picket_fail(error, PICKET_IO, "%s: %s", path, strerror(errno));
        if (got == 0)
            break;
        bytes->size_bytes += (size_t)got;
    }
    bytes->text[bytes->size_bytes] = '\0';
    return PICKET_OK;
}

static int check_unchanged(int descriptor, const char *path, const char *stamp,
                           struct picket_error *error)
{
    struct stat status;
    char now[FEED_STAMP_BYTES];
    int result = look_at(descriptor, path, &status, now, error);
    if (result == PICKET_OK && strcmp(now, stamp) != 0)
        return picket_fail(error, PICKET_BUSY, "%s: is being written; try again later", path);
    return result;
}

static int read_open(int descriptor, const char *path, const char *known, struct feed_bytes *bytes,
                     char stamp[FEED_STAMP_BYTES], bool *is_known, struct picket_error *error)
{
    struct stat status;
    int result = look_at(descriptor, path, &status, stamp, error);
    if (result != PICKET_OK)
        return result;
    *is_known = known != NULL && strcmp(known, stamp) == 0;
    if (*is_known)
        return PICKET_OK;
    result = read_bytes(descriptor, path, (size_t)status.st_size, bytes, error);
    if (result == PICKET_OK)
        result = check_unchanged(descriptor, path, stamp, error);
    if (result == PICKET_OK && feed_is_gzip(bytes)) {
        result = feed_inflate(bytes, error);
        if (result != PICKET_OK)
            picket_fail_in(error, "%s", path);
    }
    return result;
}

int feed_file_read(const char *path, const char *known, struct feed_bytes *bytes,
                   char stamp[FEED_STAMP_BYTES], bool *is_known, struct picket_error *error)
{
    /* Not blocking: a pipe without a writer must not hold the feeds up. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return picket_fail(error, errno == ENOENT ? PICKET_NOT_FOUND : PICKET_IO, "%s: %s", path,
                           strerror(errno));
    int result = read_open(descriptor, path, known, bytes, stamp, is_known, error);
    close(descriptor);
    return result;
}
