#include "feed_parts.h"

#include <stdlib.h>
#include <string.h>

#include "intel/formats/feed_values.h"

void feed_parts_free(struct feed_parts *parts)
{
    feed_bytes_free(&parts->bytes);
    free(parts->places);
    memset(parts, 0, sizeof *parts);
}

static bool make_room(struct feed_parts *parts)
{
    if (parts->count < parts->capacity)
        return true;
    size_t capacity = parts->capacity == 0 ? 64 : parts->capacity * 2;
    struct feed_part_place *places = realloc(parts->places, capacity * sizeof *places);
    if (places == NULL)
        return false;
    parts->places = places;
    parts->capacity = capacity;
    return true;
}

/* With a NUL behind it. */
static int put(struct feed_parts *parts, const void *bytes, size_t size, size_t *at,
               struct picket_error *error)
{
    *at = parts->bytes.size_bytes;
    int status = feed_bytes_append(&parts->bytes, bytes, size, error);
    return status == PICKET_OK ? feed_bytes_append(&parts->bytes, "", 1, error) : status;
}

int feed_parts_add(struct feed_parts *parts, const struct picket_feed_part *part,
                   struct picket_error *error)
{
    struct feed_part_place place = {.body_bytes = part->body_bytes, .is_gone = part->body == NULL};
    if (parts->count == FEED_PARTS_MAX)
        return picket_fail(error, PICKET_FULL, "has more than %d parts", FEED_PARTS_MAX);
    if (!make_room(parts))
        return picket_fail(error, PICKET_NO_MEMORY, "no memory");
    int status = put(parts, part->key, strlen(part->key), &place.key, error);
    if (status == PICKET_OK)
        status = put(parts, part->stamp, strlen(part->stamp), &place.stamp, error);
    if (status == PICKET_OK && !place.is_gone)
        status = put(parts, part->body, part->body_bytes, &place.body, error);
    if (status == PICKET_OK)
        parts->places[parts->count++] = place;
    return status;
}

struct picket_feed_part feed_parts_at(const struct feed_parts *parts, size_t index)
{
    const struct feed_part_place *place = &parts->places[index];
    const char *text = parts->bytes.text;
    return (struct picket_feed_part){.key = text + place->key,
                                     .stamp = text + place->stamp,
                                     .body = place->is_gone ? NULL : text + place->body,
                                     .body_bytes = place->body_bytes};
}

/* ---- in order ---- */

static int64_t time_of(const char *stamp)
{
    int64_t unix_ms = 0;
    return feed_time_parse(stamp, strlen(stamp), &unix_ms) ? unix_ms : 0;
}

static int compare_places(const void *a, const void *b, void *context)
{
    const char *text = context;
    const struct feed_part_place *x = a, *y = b;
    int order = strcmp(text + x->key, text + y->key);
    if (order != 0)
        return order;
    int64_t x_ms = time_of(text + x->stamp), y_ms = time_of(text + y->stamp);
    if (x_ms != y_ms)
        return x_ms < y_ms ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

void feed_parts_settle(struct feed_parts *parts)
{
    size_t kept = 0;
    if (parts->count == 0)
        return;
    qsort_r(parts->places, parts->count, sizeof *parts->places, compare_places, parts->bytes.text);
    for (size_t i = 0; i < parts->count; i++) {
        bool is_older = i + 1 < parts->count &&
                        strcmp(feed_parts_at(parts, i).key, feed_parts_at(parts, i + 1).key) == 0;
        if (!is_older)
            parts->places[kept++] = parts->places[i];
    }
    parts->count = kept;
}

size_t feed_parts_find(const struct feed_parts *parts, const char *key)
{
    size_t low = 0, high = parts->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(feed_parts_at(parts, middle).key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < parts->count && strcmp(feed_parts_at(parts, low).key, key) == 0;
    return found ? low : parts->count;
}
