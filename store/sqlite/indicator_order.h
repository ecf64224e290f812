/* The order in which indicators are kept: family, address, prefix length, port, protocol. */
#ifndef PICKET_STORE_SQLITE_INDICATOR_ORDER_H
#define PICKET_STORE_SQLITE_INDICATOR_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picket/store/store.h"

/* What is sorted instead of the indicators themselves, which are three times as large. */
struct indicator_key {
    uint64_t high, low; /* the address as a number */
    uint32_t index;
    uint16_t port;
    uint8_t length;
    uint8_t protocol : 6;
    uint8_t is_ipv6 : 1;
};

/* Like memcmp. */
int indicator_compare(const struct picket_indicator *a, const struct picket_indicator *b);

/* All that is said of them is the same, but for line and first_seen_ms. */
bool indicator_same_content(const struct picket_indicator *a, const struct picket_indicator *b);

/* The keys of up to UINT32_MAX indicators in order, equal ones as given; to be freed. NULL: no
 * memory, or too many. */
struct indicator_key *indicators_sort(const struct picket_indicator *indicators, size_t count);

#endif
