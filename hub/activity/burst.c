#include "burst.h"

const struct burst_rule burst_of_refusals = {
    .window_ms = 10000, .many = 50, .few = 10, .windows_to_begin = 3, .windows_to_end = 5};

const struct burst_rule burst_of_trespasses = {
    .window_ms = 60000, .many = 3, .few = 1, .windows_to_begin = 3, .windows_to_end = 5};

void burst_count(struct burst *burst)
{
    burst->count++;
}

/* Whether the burst begins or ends with this window. */
static bool end_window(struct burst *burst, const struct burst_rule *rule)
{
    bool speaks = burst->lasts ? burst->count <= rule->few : burst->count >= rule->many;
    uint32_t needed = burst->lasts ? rule->windows_to_end : rule->windows_to_begin;
    burst->in_a_row = speaks ? burst->in_a_row + 1 : 0;
    burst->total = speaks ? burst->total + burst->count : 0;
    burst->count = 0;
    if (burst->in_a_row < needed)
        return false;
    burst->lasts = !burst->lasts;
    burst->in_a_row = 0;
    return true;
}

bool burst_look(struct burst *burst, const struct burst_rule *rule, int64_t now_ms, uint64_t *total)
{
    if (burst->window_ends_ms == 0)
        burst->window_ends_ms = now_ms + rule->window_ms;
    if (now_ms < burst->window_ends_ms)
        return false;
    burst->window_ends_ms = now_ms + rule->window_ms;
    bool changed = end_window(burst, rule);
    *total = burst->total;
    if (changed)
        burst->total = 0;
    return changed && burst->lasts;
}

bool burst_is_over(const struct burst *burst)
{
    return burst->count == 0 && burst->in_a_row == 0 && !burst->lasts;
}
