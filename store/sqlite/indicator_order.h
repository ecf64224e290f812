/* The order in which indicators are kept: family, address, prefix length, port, protocol. */
#ifndef PICKET_STORE_SQLITE_INDICATOR_ORDER_H
#define PICKET_STORE_SQLITE_INDICATOR_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/store/store.h"

/* Like memcmp. */
int indicator_compare(const struct picket_indicator *a, const struct picket_indicator *b);

/* All that is said of them is the same, but for line and first_seen_ms. */
bool indicator_same_content(const struct picket_indicator *a, const struct picket_indicator *b);

/* The places of up to UINT32_MAX indicators, in their order, of equal ones as given; to be freed.
 * NULL: no memory, or too many. */
uint32_t *indicators_sort(const struct picket_indicator *indicators, size_t count);

#endif
