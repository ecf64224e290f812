/* Devices' activity, as the writer has it in memory: what a batch changes is gathered here and
 * written once at its end, however many messages a device has in it.
 *
 *     places: device number ─▶ index ─▶ entries[index]      open addressing, at most half full
 *     changed: the indices of those that are to be written
 *
 * Entries stay for the next batch, unless it finds that another connection has written meanwhile.
 */
#ifndef PICKET_STORE_SQLITE_ACTIVITY_H
#define PICKET_STORE_SQLITE_ACTIVITY_H

#include <stdbool.h>
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
    bool is_changed;
};

struct activity_table {
    struct activity *entries;
    uint32_t *changed;
    uint32_t *places; /* 1 + index into entries; 0: free */
    size_t count;
    size_t changed_count;
    size_t capacity; /* of places, a power of two; entries and changed have half of it */
};

/* NULL if the device is not there. Valid until the next add. */
struct activity *activity_find(const struct activity_table *table, int64_t device);
/* A zeroed entry for a device that is not there; NULL: no memory. */
struct activity *activity_add(struct activity_table *table, int64_t device);
/* It is to be written. */
void activity_change(struct activity_table *table, struct activity *entry);
void activity_clear(struct activity_table *table);
void activity_free(struct activity_table *table);

#endif
