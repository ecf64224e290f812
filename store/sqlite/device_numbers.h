/* Which number has this device, and which device this number? What one handle has learnt, so that
 * it need not ask the file.
 *
 * A table each, with one place per hash, or per the number's low bits: a newcomer takes the place
 * of whoever was there, so it is bounded and nothing is ever wrong, only forgotten. Numbers never
 * change; those given within a batch that is rolled back never were, so all is forgotten then.
 */
#ifndef PICKET_STORE_SQLITE_DEVICE_NUMBERS_H
#define PICKET_STORE_SQLITE_DEVICE_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct device_number;

struct device_numbers {
    /* Allocated at the first use: most readers have none. */
    struct device_number **by_id, **by_number;
};

/* 0: not known here. */
int64_t device_numbers_find(const struct device_numbers *numbers, const char *id);
/* NULL: not known here. Valid until the next that is put under its number. */
const char *device_numbers_id(const struct device_numbers *numbers, int64_t number);
/* For the one question, and for the other. Without memory it forgets at once. */
void device_numbers_put(struct device_numbers *numbers, const char *id, int64_t number);
void device_numbers_put_id(struct device_numbers *numbers, int64_t number, const char *id);
void device_numbers_forget(struct device_numbers *numbers);

#endif
