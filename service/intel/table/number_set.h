/* A set of numbers that stand for things kept elsewhere: open addressing, with the hash beside each
 * number, so that growing looks at no thing.
 *
 * Thread: the owner's.
 */
#ifndef INTEL_NUMBER_SET_H
#define INTEL_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_cell {
    uint32_t number; /* 0: free */
    uint32_t hash;
};

struct number_set {
    struct number_cell *cells;
    size_t size; /* a power of two, or 0 */
    size_t used;
};

/* Whether the number stands for what is looked for. */
typedef bool (*number_is)(const void *context, uint32_t number, const void *looked_for);

/* 0: it is not there. */
uint32_t number_set_find(const struct number_set *set, uint32_t hash, number_is is,
                         const void *context, const void *looked_for);
/* Of a thing that is not there yet. False: no memory. */
bool number_set_add(struct number_set *set, uint32_t hash, uint32_t number);
/* The number is there. */
void number_set_remove(struct number_set *set, uint32_t hash, uint32_t number);
void number_set_free(struct number_set *set);

#endif
