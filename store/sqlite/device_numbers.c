#include "device_numbers.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 65536 };

struct device_number {
    int64_t number;
    char id[];
};

/* FNV-1a. Whoever could choose ids that meet in one place would only make us ask the file. */
static uint32_t place_of(const char *id)
{
    uint32_t hash = 2166136261u;
    for (; *id != '\0'; id++)
        hash = (hash ^ (uint8_t)*id) * 16777619u;
    return (hash ^ hash >> 16) % PLACES;
}

int64_t device_numbers_find(const struct device_numbers *numbers, const char *id)
{
    if (numbers->by_id == NULL)
        return 0;
    const struct device_number *known = numbers->by_id[place_of(id)];
    return known != NULL && strcmp(known->id, id) == 0 ? known->number : 0;
}

const char *device_numbers_id(const struct device_numbers *numbers, int64_t number)
{
    if (numbers->by_number == NULL)
        return NULL;
    const struct device_number *known = numbers->by_number[(uint64_t)number % PLACES];
    return known != NULL && known->number == number ? known->id : NULL;
}

static void put(struct device_number ***places, size_t place, const char *id, int64_t number)
{
    size_t size = strlen(id) + 1;
    if (*places == NULL)
        *places = calloc(PLACES, sizeof **places);
    struct device_number *known = malloc(sizeof *known + size);
    if (*places == NULL || known == NULL) {
        free(known);
        return;
    }
    known->number = number;
    memcpy(known->id, id, size);
    free((*places)[place]);
    (*places)[place] = known;
}

void device_numbers_put(struct device_numbers *numbers, const char *id, int64_t number)
{
    put(&numbers->by_id, place_of(id), id, number);
}

void device_numbers_put_id(struct device_numbers *numbers, int64_t number, const char *id)
{
    put(&numbers->by_number, (uint64_t)number % PLACES, id, number);
}

static void forget(struct device_number ***places)
{
    for (size_t i = 0; *places != NULL && i < PLACES; i++)
        free((*places)[i]);
    free(*places);
    *places = NULL;
}

void device_numbers_forget(struct device_numbers *numbers)
{
    forget(&numbers->by_id);
    forget(&numbers->by_number);
}
