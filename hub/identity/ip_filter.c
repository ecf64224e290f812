#include "ip_filter.h"

#include <stdio.h>
#include <stdlib.h>

bool ip_filter_append(struct ip_filter *filter, const struct picket_prefix *prefix, bool allow)
{
    struct ip_rule *rules = realloc(filter->rules, (filter->count + 1) * sizeof *rules);
    if (rules == NULL)
        return false;
    rules[filter->count++] = (struct ip_rule){.prefix = *prefix, .allow = allow};
    filter->rules = rules;
    return true;
}

void ip_filter_free(struct ip_filter *filter)
{
    free(filter->rules);
    filter->rules = NULL;
    filter->count = 0;
}

/* filter->count: none. */
static size_t deciding_rule(const struct ip_filter *filter, const struct picket_address *address)
{
    size_t i = 0;
    while (i < filter->count && !picket_prefix_covers(&filter->rules[i].prefix, address))
        i++;
    return i;
}

bool ip_filter_admits(const struct ip_filter *filter, const struct picket_address *address)
{
    size_t rule = deciding_rule(filter, address);
    return rule < filter->count ? filter->rules[rule].allow : !filter->deny_by_default;
}

char *ip_filter_reason(const struct ip_filter *filter, const struct picket_address *address,
                       char *out)
{
    char prefix[PICKET_PREFIX_TEXT_BYTES];
    size_t rule = deciding_rule(filter, address);
    if (rule < filter->count)
        snprintf(out, IP_FILTER_REASON_BYTES, "rule %zu (%s %s)", rule + 1,
                 filter->rules[rule].allow ? "allow" : "deny",
                 picket_prefix_format(&filter->rules[rule].prefix, prefix));
    else
        snprintf(out, IP_FILTER_REASON_BYTES, "its default");
    return out;
}
