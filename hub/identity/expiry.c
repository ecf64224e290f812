#include "expiry.h"

#include "activity/activity_entry.h"
#include "internal.h"
#include "picket/base/time.h"

/* False: the log has no room. */
static bool tell(struct picket_hub *hub, const char *of, const char *name, int64_t until_s)
{
    struct activity_json json;
    int64_t now_s = picket_unix_ms() / 1000;
    if (until_s == 0 || until_s > now_s + hub->config.certificate_warning_s)
        return true;
    activity_write_certificate(&json, of, name, until_s, until_s <= now_s);
    return hub_activity_append(hub, "", "", &json);
}

static bool tell_all(struct picket_hub *hub)
{
    const struct admission *admission = hub->admission;
    bool told = tell(hub, "hub", hub->host_name, hub->certificate_until_s);
    for (size_t i = 0; i < admission->anchor_count && told; i++)
        told = tell(hub, "ca", admission->ends[i].name, admission->ends[i].until_s);
    return told;
}

void expiry_check(struct picket_hub *hub, int64_t now_ms)
{
    if (now_ms >= hub->expiry_due_ms)
        hub->expiry_due_ms = now_ms + (tell_all(hub) ? EXPIRY_INTERVAL_MS : EXPIRY_RETRY_MS);
}
