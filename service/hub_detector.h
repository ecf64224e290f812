/* The detector of what the hub sees: credentials that are wrong or have expired, one credential
 * used from several addresses, devices that reach for others' topics, CAs that come and go. The
 * types' names are those that users of Defender for IoT know, so that playbooks keep working; those
 * without such a name are ours.
 *
 * It keeps nothing of what it has seen: each event holds what there was in its interval.
 */
#ifndef SERVICE_HUB_DETECTOR_H
#define SERVICE_HUB_DETECTOR_H

#include "picket/service/detector.h"

struct picket_detector hub_detector(void);

#endif
