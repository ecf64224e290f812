/* A STIX pattern (STIX 2.1, section 9; 2.0's is the same for us) → the flows that it means.
 *
 *     [ipv4-addr:value = '203.0.113.9' OR ipv4-addr:value ISSUBSET '203.0.113.0/24']
 *     [network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port IN (23, 2323)]
 *
 * A term is an address or prefix, with a port and a protocol if the pattern asks for them: one flow
 * with it makes the pattern true. Nothing is taken as wider than written: what one flow cannot show
 * (two observations, repetition, both ends, a domain name beside the address, negations, LIKE)
 * gives no term but a reason. Of a pattern whose parts are joined by OR, those that are understood
 * are taken.
 *
 * Thread: pure functions.
 */
#ifndef INTEL_STIX_PATTERN_H
#define INTEL_STIX_PATTERN_H

#include "indicator_text.h"

struct stix_term {
    struct address_range range; /* its port is the remote end's, 0: any */
    uint8_t protocol;           /* 0: any; otherwise enum picket_protocol + 1 */
};

/* Without terms and reason it is about other things than addresses. */
struct stix_pattern {
    struct stix_term *terms;
    size_t count;
    const char *reason; /* why not all that concerns addresses could be read; NULL: it could */
};

/* False: no memory. stix_pattern_free() in any case. */
bool stix_pattern_read(struct stix_pattern *pattern, const char *text, size_t size_bytes);
void stix_pattern_free(struct stix_pattern *pattern);

#endif
