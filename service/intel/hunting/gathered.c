#include "gathered.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_ITEMS = 16, SLOTS_FOR_ONE = 4 };

void gathering_free(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->count; i++) {
        free(gathering->items[i].device);
        free(gathering->items[i].examples);
    }
    free(gathering->items);
    free(gathering->slots);
    *gathering = (struct gathering){.items = NULL};
}

static uint64_t hash_of(const char *device, const struct picket_prefix *prefix)
{
    uint64_t of_device = XXH3_64bits(device, strlen(device));
    uint64_t of_address = XXH3_64bits(&prefix->address, sizeof prefix->address);
    return (of_device * 31 + of_address) * 31 + prefix->length;
}

static bool is_of(const struct gathered *item, const char *device,
                  const struct picket_prefix *prefix)
{
    return item->prefix.length == prefix->length &&
           memcmp(&item->prefix.address, &prefix->address, sizeof prefix->address) == 0 &&
           strcmp(item->device, device) == 0;
}

/* Where it is, or would be. */
static uint32_t *slot_of(const struct gathering *gathering, const char *device,
                         const struct picket_prefix *prefix)
{
    size_t mask = gathering->slot_count - 1, at = hash_of(device, prefix) & mask;
    while (gathering->slots[at] != 0 &&
           !is_of(&gathering->items[gathering->slots[at] - 1], device, prefix))
        at = (at + 1) & mask;
    return &gathering->slots[at];
}

static bool enlarge(struct gathering *gathering)
{
    size_t capacity = gathering->capacity > 0 ? gathering->capacity * 2 : FIRST_ITEMS;
    uint32_t *slots = calloc(capacity * SLOTS_FOR_ONE, sizeof *slots);
    struct gathered *items = realloc(gathering->items, capacity * sizeof *items);
    if (items != NULL)
        gathering->items = items;
    if (slots == NULL || items == NULL) {
        free(slots);
        return false;
    }
    free(gathering->slots);
    gathering->slots = slots;
    gathering->slot_count = capacity * SLOTS_FOR_ONE;
    gathering->capacity = capacity;
    for (uint32_t i = 0; i < gathering->count; i++)
        *slot_of(gathering, items[i].device, &items[i].prefix) = i + 1;
    return true;
}

static struct gathered *new_item(struct gathering *gathering, const char *device,
                                 const struct picket_prefix *prefix)
{
    struct gathered item = {.device = strdup(device), .prefix = *prefix};
    if (item.device == NULL)
        return NULL;
    *slot_of(gathering, device, prefix) = (uint32_t)gathering->count + 1;
    gathering->items[gathering->count] = item;
    return &gathering->items[gathering->count++];
}

/* Their number doubles: few have many. */
static bool add_example(struct gathered *item, const struct gathered_example *example)
{
    size_t count = item->example_count;
    if (count >= FINDING_FLOWS_SHOWN)
        return true;
    if ((count & (count - 1)) == 0) {
        size_t capacity = count > 0 ? 2 * count : 1;
        struct gathered_example *examples =
            realloc(item->examples, capacity * sizeof *item->examples);
        if (examples == NULL)
            return false;
        item->examples = examples;
    }
    item->examples[item->example_count++] = *example;
    return true;
}

static void add_times(struct gathered *item, const struct gathered_example *example,
                      int64_t received_ms)
{
    if (item->events == 0 || example->seen_ms < item->first_ms)
        item->first_ms = example->seen_ms;
    if (item->events == 0 || example->seen_ms > item->last_ms)
        item->last_ms = example->seen_ms;
    item->events += item->events == 0 || example->event_id != item->last_event;
    item->last_event = example->event_id;
    item->received_ms = received_ms;
}

static void add_flow(struct gathered *item, const struct picket_flow *flow)
{
    enum severity_contact contact = severity_contact_of(flow);
    if (item->flows++ == 0)
        item->remote = flow->remote;
    else if (memcmp(&item->remote, &flow->remote, sizeof flow->remote) != 0)
        item->several_remotes = true;
    if (contact > item->contact)
        item->contact = contact;
    item->bytes_in += flow->bytes_in;
    item->bytes_out += flow->bytes_out;
}

bool gathering_add(struct gathering *gathering, const char *device,
                   const struct picket_prefix *prefix, const struct gathered_example *example,
                   int64_t received_ms)
{
    if (gathering->count == gathering->capacity && !enlarge(gathering))
        return false;
    uint32_t number = *slot_of(gathering, device, prefix);
    if (number == 0 && gathering->count == GATHERED_MAX) {
        gathering->left_out++;
        return true;
    }
    struct gathered *item =
        number != 0 ? &gathering->items[number - 1] : new_item(gathering, device, prefix);
    if (item == NULL)
        return false;
    add_times(item, example, received_ms);
    add_flow(item, &example->flow);
    return add_example(item, example);
}

static int compare(const void *a, const void *b)
{
    const struct gathered *x = a, *y = b;
    int order = strcmp(x->device, y->device);
    if (order == 0)
        order = memcmp(&x->prefix.address, &y->prefix.address, sizeof x->prefix.address);
    return order != 0 ? order : x->prefix.length - y->prefix.length;
}

void gathering_sort(struct gathering *gathering)
{
    if (gathering->count > 1)
        qsort(gathering->items, gathering->count, sizeof *gathering->items, compare);
    free(gathering->slots);
    gathering->slots = NULL;
}
