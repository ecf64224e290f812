#include "tally.h"

static const struct {
    const char *group;
    const char *name;
    bool notable; /* something was lost, or reached for that is not the device's */
} kinds[TALLY_KINDS] = {
    [TALLY_MESSAGES] = {"d2c", "messages", false},
    [TALLY_SECURITY] = {"d2c", "security", false},
    [TALLY_BYTES] = {"d2c", "bytes", false},
    [TALLY_REPEATED] = {"d2c", "repeated", false},
    [TALLY_DROPPED] = {"d2c", "dropped", true},
    [TALLY_WILLS] = {"d2c", "wills", false},
    [TALLY_QUEUED] = {"c2d", "queued", false},
    [TALLY_SENT] = {"c2d", "sent", false},
    [TALLY_COMPLETED] = {"c2d", "completed", false},
    [TALLY_PURGED] = {"c2d", "purged", true},
    [TALLY_EXPIRED] = {"c2d", "expired", false},
    [TALLY_UNDELIVERABLE] = {"c2d", "undeliverable", true},
    [TALLY_REFUSED_FULL] = {"c2d", "refused_full", true},
    [TALLY_REFUSED_LARGE] = {"c2d", "refused_large", true},
    [TALLY_INVOKED] = {"methods", "invoked", false},
    [TALLY_ANSWERED_2XX] = {"methods", "answered_2xx", false},
    [TALLY_ANSWERED_4XX] = {"methods", "answered_4xx", false},
    [TALLY_ANSWERED_5XX] = {"methods", "answered_5xx", false},
    [TALLY_ANSWERED_OTHER] = {"methods", "answered_other", false},
    [TALLY_TIMED_OUT] = {"methods", "timed_out", false},
    [TALLY_UNCONNECTED] = {"methods", "unconnected", false},
    [TALLY_NOT_SENT] = {"methods", "not_sent", false},
    [TALLY_LATE] = {"methods", "late", false},
    [TALLY_GETS] = {"twin", "gets", false},
    [TALLY_REPORTS] = {"twin", "reports", false},
    [TALLY_TWIN_REFUSED] = {"twin", "refused", false},
    [TALLY_TWIN_THROTTLED] = {"twin", "throttled", false},
    [TALLY_TWIN_FAILED] = {"twin", "failed", false},
    [TALLY_DESIRED] = {"twin", "desired", false},
    [TALLY_DESIRED_SENT] = {"twin", "desired_sent", false},
    [TALLY_FOREIGN_PUBLISH] = {"unauthorized", "publish", true},
    [TALLY_FOREIGN_SUBSCRIBE] = {"unauthorized", "subscribe", true},
    [TALLY_FOREIGN_WILDCARD] = {"unauthorized", "wildcard", true},
    [TALLY_FOREIGN_WILL] = {"unauthorized", "will", true},
};

const char *tally_group(enum tally_kind kind)
{
    return kinds[kind].group;
}

const char *tally_name(enum tally_kind kind)
{
    return kinds[kind].name;
}

bool tally_is_notable(enum tally_kind kind)
{
    return kinds[kind].notable;
}

bool tally_has_notable(const struct tally *tally)
{
    for (int i = 0; i < TALLY_KINDS; i++)
        if (kinds[i].notable && tally->counts[i] > 0)
            return true;
    return false;
}

uint64_t tally_unauthorized(const struct tally *tally)
{
    return tally->counts[TALLY_FOREIGN_PUBLISH] + tally->counts[TALLY_FOREIGN_SUBSCRIBE] +
           tally->counts[TALLY_FOREIGN_WILDCARD] + tally->counts[TALLY_FOREIGN_WILL];
}

enum tally_kind tally_of_status(int status)
{
    switch (status / 100) {
    case 2:
        return TALLY_ANSWERED_2XX;
    case 4:
        return TALLY_ANSWERED_4XX;
    case 5:
        return TALLY_ANSWERED_5XX;
    default:
        return TALLY_ANSWERED_OTHER;
    }
}

bool tally_is_empty(const struct tally *tally)
{
    for (int i = 0; i < TALLY_KINDS; i++)
        if (tally->counts[i] > 0)
            return false;
    return true;
}

void tally_add(struct tally *tally, const struct tally *more)
{
    for (int i = 0; i < TALLY_KINDS; i++)
        tally->counts[i] += more->counts[i];
}
