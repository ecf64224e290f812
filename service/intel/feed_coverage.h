/* How much of the internet a feed covers: a list that covers most of it is no list of threats.
 *
 * Thread: pure function.
 */
#ifndef INTEL_FEED_COVERAGE_H
#define INTEL_FEED_COVERAGE_H

#include "intel/formats/indicator_list.h"

/* The share of all IPv4 addresses that the list's indicators without a port cover together, 0 to 1.
 * Shares below one half may be overestimated. */
double feed_ipv4_share(const struct indicator_list *list);

#endif
