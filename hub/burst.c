#include "burst.h"

void burst_count(struct burst *burst)
{
    burst->refusals++;
}

/* Whether the burst begins or ends with this window. */
static bool end_window(struct burst *burst)
{
    bool speaks = burst->lasts ? burst->refusals <= BURST_FEW : burst->refusals >= BURST_MANY;
    uint32_t needed = burst->lasts ? BURST_WINDOWS_TO_END : BURST_WINDOWS_TO_BEGIN;
    burst->in_a_row = speaks ? burst->in_a_row + 1 : 0;
    burst->total = speaks ? burst->total + burst->refusals : 0;
    burst->refusals = 0;
    if (burst->in_a_row < needed)
        return false;
    burst->lasts = !burst->lasts;
    burst->in_a_row = 0;
    return true;
}

bool burst_look(struct burst *burst, int64_t now_ms, uint64_t *total)
{
    if (burst->window_ends_ms == 0)
        burst->window_ends_ms = now_ms + BURST_WINDOW_MS;
    if (now_ms < burst->window_ends_ms)
        return false;
    burst->window_ends_ms = now_ms + BURST_WINDOW_MS;
    bool changed = end_window(burst);
    *total = burst->total;
    if (changed)
        burst->total = 0;
    return changed && burst->lasts;
}
