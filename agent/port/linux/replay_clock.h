/* The clock of a device whose packets come from a file: it runs in capture time.
 *
 * Packets of a capture may be out of order, years apart or stamped with nonsense, but a device's
 * uptime only goes forward. The clock follows the stamps; a step back is no time at all; a gap of
 * more than an hour lasts an hour on the uptime, so that a stamp far off does not make the agent
 * send heartbeats for decades. The wall clock is the capture's.
 *
 * Thread: pure functions on the caller's structure.
 */
#ifndef PICKET_AGENT_LINUX_REPLAY_CLOCK_H
#define PICKET_AGENT_LINUX_REPLAY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_GAP_MAX_S = 3600 };

struct replay_clock {
    bool started;
    int64_t base_s; /* the wall clock when uptime was 0, as seen from the last packet */
    uint32_t uptime_s;
};

/* The uptime that a packet of this stamp has; not before the clock's own. Rebases the clock where
 * the stamps jump, and does not advance it. */
uint32_t replay_clock_target(struct replay_clock *clock, int64_t time_s);

/* False before the first packet, or when the stamp is no time of 1970 to 2106. */
bool replay_clock_unix_time(const struct replay_clock *clock, uint32_t *seconds);

#endif
