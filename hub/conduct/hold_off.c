#include "hold_off.h"

enum { STEPS_MAX = 16, LEFT_AFTER = 6 };

int64_t hold_off_left_ms(const struct hold_off *hold_off, int64_t now_ms)
{
    return hold_off->until_ms > now_ms ? hold_off->until_ms - now_ms : 0;
}

static void settle(struct hold_off *hold_off, const struct hold_off_rule *rule, int64_t now_ms)
{
    rate_fill(&hold_off->allowance, &rule->rate, now_ms);
    while (hold_off->step > 0 && now_ms - hold_off->until_ms >= rule->longest_ms) {
        hold_off->step--;
        hold_off->until_ms += rule->longest_ms;
    }
}

static int64_t length_ms(const struct hold_off *hold_off, const struct hold_off_rule *rule)
{
    int64_t length = rule->first_ms << hold_off->step;
    return length < rule->longest_ms ? length : rule->longest_ms;
}

bool hold_off_count(struct hold_off *hold_off, const struct hold_off_rule *rule, int64_t now_ms)
{
    settle(hold_off, rule, now_ms);
    if (rate_admits(&hold_off->allowance, &rule->rate)) {
        rate_take(&hold_off->allowance, &rule->rate, 1);
        return true;
    }
    hold_off->until_ms = now_ms + length_ms(hold_off, rule);
    if (hold_off->step < STEPS_MAX)
        hold_off->step++;
    hold_off->allowance = (struct rate_bucket){0, now_ms};
    rate_take(&hold_off->allowance, &rule->rate, rule->rate.burst - rule->rate.burst / LEFT_AFTER);
    return false;
}

bool hold_off_is_forgotten(struct hold_off *hold_off, const struct hold_off_rule *rule,
                           int64_t now_ms)
{
    settle(hold_off, rule, now_ms);
    return hold_off->step == 0 && hold_off_left_ms(hold_off, now_ms) == 0 &&
           rate_is_full(&hold_off->allowance);
}
