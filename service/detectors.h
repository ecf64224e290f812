/* The detectors that see each event, in order. */
#ifndef SERVICE_DETECTORS_H
#define SERVICE_DETECTORS_H

#include <stddef.h>

#include "picket/service/detector.h"
#include "picket/service/intel.h"

enum { DETECTORS_MAX = 8 };

/* Fills the table and returns how many there are. */
size_t detectors_table(struct picket_detector *detectors, struct picket_intel *intel);

#endif
