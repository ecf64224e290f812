/* Counters that `picket status` shows: whatever is dropped, refused or lost has one, and so has what
 * is done.
 *
 *     static struct picket_counter refused = {"hub_connections_refused", "connections refused, all reasons"};
 *     picket_count(&refused, 1);
 *
 * A counter registers itself at its first use and lives for ever. Thread: any.
 */
#ifndef PICKET_BASE_COUNTER_H
#define PICKET_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct picket_counter {
    const char *name; /* part_what_unit, as OpenMetrics has it, without _total */
    const char *help;
    bool is_work; /* counts what went as it should; shown apart from all others */
    _Atomic uint64_t value;
    _Atomic int registered;
    struct picket_counter *next;
};

/* Registers without counting, so that a counter shows as 0 from the start. */
void picket_counter_register(struct picket_counter *counter);
void picket_count(struct picket_counter *counter, uint64_t by);

/* Calls visit for each counter registered, in the order of their names. visit must not register one. */
void picket_counters_each(void (*visit)(const struct picket_counter *counter, void *context),
                          void *context);

#endif
