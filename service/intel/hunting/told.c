#include "told.h"

struct alert_look {
    int64_t seen_ms, before_ms;
    bool is_covered;
};

static void look_at_alert(void *context, const struct picket_alert *alert)
{
    struct alert_look *look = context;
    look->is_covered |= alert->raised_ms < look->before_ms &&
                        alert->first_seen_ms <= look->seen_ms &&
                        look->seen_ms <= alert->last_seen_ms;
}

bool told_live(struct picket_store *store, const struct hunt_hit *hit, int64_t before_ms)
{
    char subject[PICKET_PREFIX_TEXT_BYTES];
    struct alert_look look = {.seen_ms = hit->seen_ms, .before_ms = before_ms};
    const struct picket_alert_query query = {
        .device = hit->device,
        .type = PICKET_ALERT_LISTED,
        .subject = picket_prefix_format(hit->prefix, subject),
        .since_ms = hit->seen_ms,
    };
    picket_store_alerts(store, &query, look_at_alert, &look, NULL);
    return look.is_covered;
}
