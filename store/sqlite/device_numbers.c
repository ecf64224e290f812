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
    if (numbers->places == NULL)
        return 0;
    const struct device_number *known = numbers->places[place_of(id)];
    return known != NULL && strcmp(known->id, id) == 0 ? known->number : 0;
}

void device_numbers_put(struct device_numbers *numbers, const char *id, int64_t number)
{
    size_t size = strlen(id) + 1;
    if (numbers->places == NULL)
        numbers->places = calloc(PLACES, sizeof *numbers->places);
    struct device_number *known = malloc(sizeof *known + size);
    if (numbers->places == NULL || known == NULL) {
        free(known);
        return;
    }
    known->number = number;
    memcpy(known->id, id, size);
    struct device_number **place = &numbers->places[place_of(id)];
    free(*place);
    *place = known;
}

void device_numbers_forget(struct device_numbers *numbers)
{
    for (size_t i = 0; numbers->places != NULL && i < PLACES; i++)
        free(numbers->places[i]);
    free(numbers->places);
    numbers->places = NULL;
}
