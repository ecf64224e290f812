/* The detector of what is the matter with feeds (intel/feed_health.h tells of it): one that waits
 * for a person's yes, one that has not been read for long. Of no device; the alert's subject is the
 * feed's name.
 */
#ifndef SERVICE_FEED_DETECTOR_H
#define SERVICE_FEED_DETECTOR_H

#include "picket/service/detector.h"

struct picket_detector feed_detector(void);

#endif
