/* Memory of which only what is touched costs anything, so that it may be reserved for the largest
 * case.
 *
 * Thread: any.
 */
#ifndef INTEL_ADDRESS_SPACE_H
#define INTEL_ADDRESS_SPACE_H

#include <stddef.h>

/* Zeros, which begin where a huge page may. NULL: there is no room. */
void *address_space_reserve(size_t bytes);
/* What was reserved, or NULL. */
void address_space_release(void *at, size_t bytes);

/* Asks the system for huge pages; a wish, which it may not have. */
void address_space_prefer_huge_pages(void *at, size_t bytes);

#endif
