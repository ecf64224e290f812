/* One indicator as feeds write it → the addresses it means.
 *
 *     203.0.113.9   203.0.113.0/24   203.0.113.0/255.255.255.0   203.0.113.9-203.0.113.20
 * 203.0.113.9:8080 2001:db8::1   2001:db8::/32    [2001:db8::1]:443           http://203.0.113.9/x
 * 203[.]0[.]113[.]9
 *
 * Never wider than written; what is ambiguous is refused with a reason. docs/feeds.md has
 * the table of decisions. Sources: RFC 4632 (CIDR), RFC 4291 and RFC 5952 (IPv6 text), RFC 3986
 * (brackets).
 *
 * Thread: pure functions.
 */
#ifndef INTEL_INDICATOR_TEXT_H
#define INTEL_INDICATOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/base/address.h"

__extension__ typedef unsigned __int128 wide_address; /* IPv4 in the lowest 32 bits */

/* From first to last, both included. */
struct address_range {
    uint8_t family; /* 4 or 6 */
    uint16_t port;  /* 0: any */
    wide_address first, last;
};

/* text: without surrounding blanks. NULL, or the reason (a constant) why it is no indicator. */
const char *indicator_text_parse(const char *text, size_t size_bytes, struct address_range *range);

/* True of what is an indicator of another kind, and no mistake: a host name, a URL with one, a mail
 * address, a file's hash; defanged ones too. */
bool indicator_text_is_something_else(const char *text, size_t size_bytes);

/* Takes the largest prefix from the front of the range; false when nothing was left. A range yields
 * at most 2 × 32 − 2 prefixes, of IPv6 2 × 128 − 2. */
bool address_range_next_prefix(struct address_range *range, struct picket_prefix *prefix);

#endif
