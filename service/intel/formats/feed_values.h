/* What feeds call the members of an indicator, in CSV's headers and in JSON, and how they write
 * their values. docs/feeds.md has both tables.
 *
 * Thread: pure functions.
 */
#ifndef INTEL_FEED_VALUES_H
#define INTEL_FEED_VALUES_H

#include "feed_reader.h"

/* The member that a column or JSON member of that name holds; case, blanks, '_', '-' and quotes do
 * not matter. FEED_MEMBERS: none that is known. */
enum feed_member feed_member_called(const char *name, size_t size_bytes);

/* Sets a member of the item, all but address and tags, from text without surrounding blanks, of
 * which malware and reference keep the pointer. Empty text sets nothing. NULL, or the reason why
 * the indicator must not be taken; what says nothing of use without narrowing it (a confidence
 * "?") is left out silently. */
const char *feed_item_set(struct feed_item *item, enum feed_member member, const char *text,
                          size_t size_bytes);

/* RFC 3339 or its date, "2024-04-07 00:00:00" (UTC), Unix seconds. */
bool feed_time_parse(const char *text, size_t size_bytes, int64_t *unix_ms);
/* "TLP:AMBER+STRICT", "amber", "tlp:white" → enum picket_tlp; PICKET_TLP_NONE for all else. */
uint8_t feed_tlp_parse(const char *text, size_t size_bytes);
/* "low", "medium", "high" and what others call these → enum picket_severity; 0 for all else. */
uint8_t feed_severity_parse(const char *text, size_t size_bytes);

#endif
