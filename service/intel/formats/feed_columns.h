/* Which column of a CSV feed, or member of a JSON one, holds what: as its owner says, where the
 * names are none that are known by themselves.
 *
 *     address=ioc,port=dst_port,confidence=score,malware=family,tags=kind,tags=country
 *     address=data.ip                      a member within a member
 *     address=#3                           the third column of a CSV without header
 *     address="IP, defanged"               a name with a comma
 *
 * Thread: pure functions.
 */
#ifndef INTEL_FEED_COLUMNS_H
#define INTEL_FEED_COLUMNS_H

#include "picket/base/error.h"

enum feed_member {
    FEED_ADDRESS,
    FEED_PORT,
    FEED_PROTOCOL,
    FEED_CONFIDENCE,
    FEED_SEVERITY,
    FEED_MALWARE,
    FEED_REFERENCE,
    FEED_LISTED,
    FEED_VALID_UNTIL,
    FEED_TLP,
    FEED_TAGS, /* the only one that may be given more than once */
    FEED_MEMBERS
};

enum { FEED_COLUMN_BYTES = 64, FEED_TAG_COLUMNS = 4 };

/* Zeroed: nothing given. An empty name: not given. */
struct feed_column_names {
    char of[FEED_TAGS][FEED_COLUMN_BYTES];
    char tags[FEED_TAG_COLUMNS][FEED_COLUMN_BYTES];
};

/* "address", "port", "protocol", "confidence", "severity", "malware", "reference", "first_seen",
 * "valid_until", "tlp", "tags". */
const char *feed_member_name(enum feed_member member);

/* text: MEMBER=COLUMN, separated by commas. "" is nothing given. PICKET_INVALID: says which part,
 * and what was expected; *names is zeroed then. An address must be among them if anything is. */
int feed_columns_parse(const char *text, struct feed_column_names *names,
                       struct picket_error *error);

#endif
