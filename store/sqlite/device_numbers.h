/* Which number has this device? What one handle has learnt, so that it need not ask the file.
 *
 * A table with one place per hash: a newcomer takes the place of whoever was there, so it is
 * bounded and nothing is ever wrong, only forgotten. Numbers never change; those given within a
 * batch that is rolled back never were, so all is forgotten then.
 */
#ifndef PICKET_STORE_SQLITE_DEVICE_NUMBERS_H
#define PICKET_STORE_SQLITE_DEVICE_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct device_number;

struct device_numbers {
    struct device_number **places; /* allocated at the first use: readers have none */
};

/* 0: not known here. */
int64_t device_numbers_find(const struct device_numbers *numbers, const char *id);
/* Without memory it forgets at once. */
void device_numbers_put(struct device_numbers *numbers, const char *id, int64_t number);
void device_numbers_forget(struct device_numbers *numbers);

#endif
