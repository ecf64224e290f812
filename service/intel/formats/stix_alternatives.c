#include "stix_alternatives.h"

#include <stdlib.h>
#include <string.h>

void stix_alternatives_free(struct stix_alternatives *list)
{
    free(list->items);
    memset(list, 0, sizeof *list);
}

static bool make_room(struct stix_alternatives *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
    struct stix_alternative *items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    list->items = items;
    list->capacity = capacity;
    return true;
}

/* All that have nothing to do with flows are alike. */
static bool is_other(const struct stix_alternative *one)
{
    return one->asks_more && !one->is_about_address;
}

bool stix_alternatives_add(struct stix_alternatives *list, const struct stix_alternative *one)
{
    if (one->reason != NULL ? list->has_refused[one->is_about_address]
                            : is_other(one) && list->has_other)
        return true;
    if (!make_room(list))
        return false;
    if (one->reason != NULL)
        list->has_refused[one->is_about_address] = true;
    else
        list->has_other |= is_other(one);
    list->items[list->count++] = *one;
    return true;
}

bool stix_alternatives_or(struct stix_alternatives *list, struct stix_alternatives *other)
{
    bool added = true;
    for (size_t i = 0; i < other->count && added; i++)
        added = stix_alternatives_add(list, &other->items[i]);
    stix_alternatives_free(other);
    return added;
}

static const char *merge_addresses(struct stix_alternative *both, const struct stix_alternative *b)
{
    if (b->range.family == 0)
        return NULL;
    if (both->range.family != 0)
        return "asks for two addresses at once";
    both->range = b->range;
    both->range_end = b->range_end;
    return NULL;
}

static const char *merge_ports(struct stix_alternative *both, const struct stix_alternative *b)
{
    if (b->port == 0)
        return NULL;
    if (both->port != 0 && (both->port != b->port || both->port_end != b->port_end))
        return "asks for two ports at once";
    both->port = b->port;
    both->port_end = b->port_end;
    return NULL;
}

static const char *merge_kinds(struct stix_alternative *both, const struct stix_alternative *b)
{
    bool families_differ = both->family != 0 && b->family != 0 && both->family != b->family;
    bool protocols_differ =
        both->protocol != 0 && b->protocol != 0 && both->protocol != b->protocol;
    if (families_differ || protocols_differ)
        return "contradicts itself";
    both->family |= b->family;
    both->protocol |= b->protocol;
    return NULL;
}

static void merge(const struct stix_alternative *a, const struct stix_alternative *b,
                  struct stix_alternative *both)
{
    const char *(*const merges[])(struct stix_alternative *, const struct stix_alternative *) = {
        merge_addresses, merge_ports, merge_kinds};
    *both = *a;
    both->is_about_address |= b->is_about_address;
    both->asks_more |= b->asks_more;
    if (both->reason == NULL)
        both->reason = b->reason;
    for (size_t i = 0; i < sizeof merges / sizeof *merges && both->reason == NULL; i++)
        both->reason = merges[i](both, b);
}

bool stix_alternatives_and(struct stix_alternatives *list, struct stix_alternatives *other)
{
    struct stix_alternatives both = {0};
    struct stix_alternative one;
    bool added = true;
    for (size_t i = 0; i < list->count && added; i++)
        for (size_t k = 0; k < other->count && added; k++) {
            merge(&list->items[i], &other->items[k], &one);
            added = stix_alternatives_add(&both, &one);
        }
    stix_alternatives_free(list);
    stix_alternatives_free(other);
    *list = both;
    return added;
}

bool stix_alternatives_are_about_addresses(const struct stix_alternatives *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].is_about_address)
            return true;
    return false;
}

bool stix_alternatives_refuse(struct stix_alternatives *list, const char *reason)
{
    struct stix_alternative refused = {.is_about_address = true, .reason = reason};
    if (!stix_alternatives_are_about_addresses(list))
        return true;
    stix_alternatives_free(list);
    return stix_alternatives_add(list, &refused);
}
