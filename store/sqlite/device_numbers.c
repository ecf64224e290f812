#include "device_numbers.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 65536, ID_BYTES = 129 };

struct device_number {
    int64_t number; /* 0: free */
    char id[ID_BYTES];
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
    if (numbers->places == NULL)
        return 0;
    const struct device_number *place = &numbers->places[place_of(id)];
    return place->number != 0 && strcmp(place->id, id) == 0 ? place->number : 0;
}

void device_numbers_put(struct device_numbers *numbers, const char *id, int64_t number)
{
    size_t size = strlen(id) + 1;
    if (numbers->places == NULL)
        numbers->places = calloc(PLACES, sizeof *numbers->places);
    if (numbers->places == NULL || size > ID_BYTES)
        return;
    struct device_number *place = &numbers->places[place_of(id)];
    place->number = number;
    memcpy(place->id, id, size);
}

void device_numbers_forget(struct device_numbers *numbers)
{
    free(numbers->places);
    numbers->places = NULL;
}
