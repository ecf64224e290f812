#include "replay_clock.h"

uint32_t replay_clock_target(struct replay_clock *clock, int64_t time_s)
{
    if (!clock->started) {
        clock->started = true;
        clock->base_s = time_s - clock->uptime_s;
    }
    int64_t ahead = time_s - clock->base_s - clock->uptime_s;
    if (ahead > REPLAY_GAP_MAX_S) {
        clock->base_s += ahead - REPLAY_GAP_MAX_S;
        ahead = REPLAY_GAP_MAX_S;
    } else if (ahead < -REPLAY_GAP_MAX_S) {
        clock->base_s += ahead;
        ahead = 0;
    } else if (ahead < 0) {
        ahead = 0;
    }
    if (ahead > UINT32_MAX - clock->uptime_s)
        ahead = 0; /* 136 years of uptime: it stands still */
    return clock->uptime_s + (uint32_t)ahead;
}

bool replay_clock_unix_time(const struct replay_clock *clock, uint32_t *seconds)
{
    int64_t now_s = clock->base_s + clock->uptime_s;
    if (!clock->started || now_s < 0 || now_s >= UINT32_MAX)
        return false;
    *seconds = (uint32_t)now_s;
    return true;
}
