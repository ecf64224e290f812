#include "feed_bytes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static atomic_size_t held_bytes;
static atomic_size_t held_bytes_max = FEED_BYTES_OF_ALL;

void feed_bytes_bound(size_t bytes)
{
    atomic_store(&held_bytes_max, bytes);
}

static bool hold(size_t bytes)
{
    if (atomic_fetch_add(&held_bytes, bytes) + bytes <= atomic_load(&held_bytes_max))
        return true;
    atomic_fetch_sub(&held_bytes, bytes);
    return false;
}

static int fail_too_large(const struct feed_bytes *bytes, struct picket_error *error)
{
    if (bytes->max_bytes % MIB == 0)
        return picket_fail(error, PICKET_FULL, "larger than %zu MiB", bytes->max_bytes / MIB);
    return picket_fail(error, PICKET_FULL, "larger than %zu bytes", bytes->max_bytes);
}

static int grow(struct feed_bytes *bytes, size_t capacity, struct picket_error *error)
{
    size_t more = capacity - bytes->capacity;
    if (!hold(more))
        return picket_fail(error, PICKET_BUSY,
                           "the feeds that are being read would hold more than %zu MiB together; "
                           "try again later",
                           atomic_load(&held_bytes_max) / MIB);
    char *text = realloc(bytes->text, capacity);
    if (text == NULL) {
        atomic_fetch_sub(&held_bytes, more);
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for %zu bytes", capacity);
    }
    bytes->text = text;
    bytes->capacity = capacity;
    text[bytes->size_bytes] = '\0';
    return PICKET_OK;
}

int feed_bytes_reserve(struct feed_bytes *bytes, size_t size_bytes, struct picket_error *error)
{
    if (size_bytes > bytes->max_bytes)
        return fail_too_large(bytes, error);
    return size_bytes + 1 > bytes->capacity ? grow(bytes, size_bytes + 1, error) : PICKET_OK;
}

/* Twice what is needed, but no more than it may have. */
int feed_bytes_append(struct feed_bytes *bytes, const void *more, size_t more_bytes,
                      struct picket_error *error)
{
    if (more_bytes > bytes->max_bytes - bytes->size_bytes)
        return fail_too_large(bytes, error);
    size_t needed = bytes->size_bytes + more_bytes + 1;
    size_t capacity = needed * 2 < bytes->max_bytes + 1 ? needed * 2 : bytes->max_bytes + 1;
    if (needed > bytes->capacity) {
        int status = grow(bytes, capacity, error);
        if (status != PICKET_OK)
            return status;
    }
    memcpy(bytes->text + bytes->size_bytes, more, more_bytes);
    bytes->size_bytes += more_bytes;
    bytes->text[bytes->size_bytes] = '\0';
    return PICKET_OK;
}

void feed_bytes_free(struct feed_bytes *bytes)
{
    free(bytes->text);
    atomic_fetch_sub(&held_bytes, bytes->capacity);
    memset(bytes, 0, sizeof *bytes);
}
