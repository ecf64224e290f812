/* What a batch changes of its devices' activity, gathered in memory and written once at its end,
 * however many messages a device has in it.
 *
 *     table: device number ─▶ place ─▶ entries[place]      open addressing, at most half full
 */
#ifndef PICKET_STORE_SQLITE_ACTIVITY_H
#define PICKET_STORE_SQLITE_ACTIVITY_H

#include <stddef.h>
#include <stdint.h>

struct activity {
    int64_t device;
    int64_t last_event;
    int64_t last_seen_ms;
    int64_t events;
    int64_t flows_lost;
    int64_t bytes_lost;
    uint64_t inventory_hash; /* of what was last found to be in the inventory; 0: not looked yet */
};

struct activity_table {
    struct activity *entries;
    uint32_t *places; /* 1 + index into entries; 0: free */
    size_t count;
    size_t capacity; /* of places, a power of two; entries have half of it */
};

/* NULL if the device is not there. Valid until the next add. */
struct activity *activity_find(const struct activity_table *table, int64_t device);
/* A zeroed entry for a device that is not there; NULL: no memory. */
struct activity *activity_add(struct activity_table *table, int64_t device);
void activity_clear(struct activity_table *table);
void activity_free(struct activity_table *table);

#endif
