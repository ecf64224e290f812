/* What is said otherwise of the past.
 *
 * Thread: one at a time per struct finding.
 */
#ifndef INTEL_FINDING_PAST_H
#define INTEL_FINDING_PAST_H

#include "finding.h"

enum { FINDING_TITLE_BYTES = 256, FINDING_DESCRIPTION_BYTES = 1900 };

/* peer: whom the device talked to. */
void finding_past_title(const struct finding *finding, const char *peer, char *out);
/* rest: what is said of a listing and the flows in any case. */
void finding_past_description(const struct finding *finding, const char *peer, const char *rest,
                              char *out);
/* Adds the member `retrospective`. */
void finding_past_evidence(const struct finding *finding, json_t *evidence);

#endif
