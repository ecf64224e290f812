#include "outcome.h"

const char *picket_outcome_name(enum picket_outcome outcome)
{
    static const char *const names[] = {"alert",   "allows",          "shared",
                                        "allowed", "special-purpose", "own-network",
                                        "expired", "other-traffic"};
    return names[outcome];
}

const struct picket_prefix *own_network_of(const struct own_networks *own,
                                           const struct picket_address *address)
{
    const struct picket_prefix *narrowest = NULL;
    for (size_t i = 0; i < own->count; i++)
        if (picket_prefix_covers(&own->prefixes[i], address) &&
            (narrowest == NULL || own->prefixes[i].length > narrowest->length))
            narrowest = &own->prefixes[i];
    return narrowest;
}

struct traffic traffic_of_flow(const struct picket_flow *flow, int64_t at_ms,
                               const struct own_networks *own)
{
    return (struct traffic){.port = flow->remote_port,
                            .protocol = (uint8_t)(flow->protocol + 1),
                            .at_ms = at_ms,
                            .is_special_purpose =
                                picket_address_special_purpose(&flow->remote) != NULL,
                            .is_own = own_network_of(own, &flow->remote) != NULL};
}

static bool is_about(const struct traffic *traffic, const struct table_match *match)
{
    return (match->port == 0 || traffic->any_port || match->port == traffic->port) &&
           (match->protocol == 0 || traffic->protocol == 0 || match->protocol == traffic->protocol);
}

static enum picket_outcome outcome_of_threat(const struct traffic *traffic,
                                             const struct table_feed *feed)
{
    if (traffic->is_special_purpose && !feed->match_special_purpose)
        return PICKET_OUTCOME_SPECIAL_PURPOSE;
    if (traffic->is_own && !feed->match_own_networks)
        return PICKET_OUTCOME_OWN_NETWORK;
    return PICKET_OUTCOME_ALERT;
}

enum picket_outcome outcome_of(const struct traffic *traffic, const struct table_match *match)
{
    if (!is_about(traffic, match))
        return PICKET_OUTCOME_OTHER_TRAFFIC;
    if (match->valid_until_ms != 0 && match->valid_until_ms <= traffic->at_ms)
        return PICKET_OUTCOME_EXPIRED;
    if (match->feed->role == PICKET_FEED_ALLOW)
        return PICKET_OUTCOME_ALLOWS;
    if (match->feed->role == PICKET_FEED_SHARED)
        return PICKET_OUTCOME_SHARED;
    return outcome_of_threat(traffic, match->feed);
}

bool outcome_is_allowed(const struct traffic *traffic, const struct table_match *threat,
                        const struct table_match *allow)
{
    bool port = allow->port == 0 || !traffic->any_port || allow->port == threat->port;
    bool protocol =
        allow->protocol == 0 || traffic->protocol != 0 || allow->protocol == threat->protocol;
    return port && protocol;
}
