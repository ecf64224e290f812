/* Is somebody at the door? Refused CONNECTs and failed handshakes are counted in windows; a burst
 * begins when enough windows in a row have many, and ends when enough in a row have few, so that it
 * is told once and not at every ebb.
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

enum {
    BURST_WINDOW_MS = 10000,
    BURST_MANY = 50, /* refusals in a window */
    BURST_FEW = 10,  /* at most */
    BURST_WINDOWS_TO_BEGIN = 3,
    BURST_WINDOWS_TO_END = 5
};

struct burst {
    int64_t window_ends_ms; /* monotonic; 0: none has begun */
    uint32_t refusals;      /* in the window at hand */
    uint32_t in_a_row;      /* windows that speak for a change */
    uint64_t total;         /* refusals in these */
    bool lasts;
};

void burst_count(struct burst *burst);

/* Ends windows whose time has come. True: a burst has just begun; *total: its refusals so far. */
bool burst_look(struct burst *burst, int64_t now_ms, uint64_t *total);

#endif
