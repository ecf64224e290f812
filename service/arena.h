/* Memory taken piece by piece and given back all at once, within a bound.
 *
 * Thread: one at a time.
 */
#ifndef SERVICE_ARENA_H
#define SERVICE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed is one of no capacity. */
struct arena {
    uint8_t *bytes;
    size_t used;
    size_t capacity;
};

/* Empty, and of so many bytes; what was there before is gone. False: no memory, and no capacity. */
bool arena_resize(struct arena *arena, size_t capacity);
void arena_free(struct arena *arena);

/* Aligned for any type; NULL: there is no room. Setting used to 0, or to what it was before, gives
 * back what was taken since. */
void *arena_take(struct arena *arena, size_t size_bytes);

#endif
