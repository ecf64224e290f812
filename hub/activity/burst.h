/* Is it going on? What is to be rare is counted in windows; a burst begins when enough windows in a
 * row have many, and ends when enough in a row have few, so that it is told once and not at every
 * ebb.
 *
 *     windows   . . X X X x x . X . . . . . X X X        X: many, x: some, .: few
 *     burst             |-------------------|   |--
 *
 * Thread: the hub's; no state but the struct's.
 */
#ifndef PICKET_HUB_BURST_H
#define PICKET_HUB_BURST_H

#include <stdbool.h>
#include <stdint.h>

struct burst_rule {
    int64_t window_ms;
    uint32_t many; /* in a window, at least */
    uint32_t few;  /* at most */
    uint32_t windows_to_begin;
    uint32_t windows_to_end;
};

/* Refused CONNECTs and failed handshakes, whoever it was. */
extern const struct burst_rule burst_of_refusals;
/* What one device reached for that is not its own. */
extern const struct burst_rule burst_of_trespasses;

struct burst {
    int64_t window_ends_ms; /* monotonic; 0: none has begun */
    uint32_t count;         /* in the window at hand */
    uint32_t in_a_row;      /* windows that speak for a change */
    uint64_t total;         /* of these */
    bool lasts;
};

void burst_count(struct burst *burst);

/* Ends windows whose time has come. True: a burst has just begun; *total: so many so far. */
bool burst_look(struct burst *burst, const struct burst_rule *rule, int64_t now_ms,
                uint64_t *total);

/* Nothing to remember: the next thing counted would be the first. */
bool burst_is_over(const struct burst *burst);

#endif
