#include "detectors.h"

#include "feed_detector.h"
#include "hub_detector.h"

size_t detectors_table(struct picket_detector *detectors, struct picket_intel *intel)
{
    size_t count = 0;
    detectors[count++] = picket_intel_detector(intel);
    detectors[count++] = hub_detector();
    detectors[count++] = feed_detector();
    return count;
}
