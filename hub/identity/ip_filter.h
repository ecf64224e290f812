/* From which addresses may clients come? Rules in the owner's order: the first that covers an
 * address decides, and the default does when none covers it.
 *
 * Thread: pure functions; nobody changes a filter that is in use.
 */
#ifndef PICKET_HUB_IP_FILTER_H
#define PICKET_HUB_IP_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "picket/base/address.h"

enum { IP_FILTER_REASON_BYTES = 100 };

struct ip_rule {
    struct picket_prefix prefix;
    bool allow;
};

struct ip_filter {
    struct ip_rule *rules;
    size_t count;
    bool deny_by_default;
};

/* Appends a rule. False: no memory. */
bool ip_filter_append(struct ip_filter *filter, const struct picket_prefix *prefix, bool allow);
void ip_filter_free(struct ip_filter *filter);

bool ip_filter_admits(const struct ip_filter *filter, const struct picket_address *address);

/* What decides on the address, for people: "rule 3 (deny 203.0.113.0/24)", "its default", into out,
 * of IP_FILTER_REASON_BYTES; returns out. */
char *ip_filter_reason(const struct ip_filter *filter, const struct picket_address *address,
                       char *out);

#endif
