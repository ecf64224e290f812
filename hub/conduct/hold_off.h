/* Who does something too often is held off for a time: a device that connects again and again, an
 * address whose CONNECTs are refused again and again.
 *
 *     allowance   used up ─▶ held off for first_ms ─▶ a sixth of it again ─▶ used up ─▶ twice as
 * long …
 *
 * The time doubles up to longest_ms, and halves again for each longest_ms without. Who tries while
 * he is held off makes it no longer.
 *
 * Thread: none of its own; no state but the struct's.
 */
#ifndef PICKET_HUB_HOLD_OFF_H
#define PICKET_HUB_HOLD_OFF_H

#include <stdbool.h>
#include <stdint.h>

#include "rate.h"

struct hold_off_rule {
    struct rate rate; /* count 0: nobody is ever held off */
    int64_t first_ms;
    int64_t longest_ms;
};

/* Zero: nothing has happened yet. */
struct hold_off {
    struct rate_bucket allowance;
    int64_t until_ms; /* monotonic: held off until then */
    uint8_t step;     /* the next one lasts first_ms << step */
};

/* For how long from now on, in ms; 0: not. */
int64_t hold_off_left_ms(const struct hold_off *hold_off, int64_t now_ms);

/* Counts one. False: that was one too many, and the hold-off begins. Not while it is held off. */
bool hold_off_count(struct hold_off *hold_off, const struct hold_off_rule *rule, int64_t now_ms);

/* Nothing of it is worth remembering. */
bool hold_off_is_forgotten(struct hold_off *hold_off, const struct hold_off_rule *rule,
                           int64_t now_ms);

#endif
