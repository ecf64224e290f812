#include "stix_graph.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "feed_json.h"

void stix_graph_begin(struct stix_graph *graph, struct indicator_list *list)
{
    memset(graph, 0, sizeof *graph);
    graph->list = list;
}

void stix_graph_free(struct stix_graph *graph)
{
    free(graph->objects);
    free(graph->numbers);
    free(graph->runs);
    free(graph->links);
    memset(graph, 0, sizeof *graph);
}

/* ---- objects by id ---- */

/* Where the id's number is, or would be. The seed differs from run to run. */
static uint32_t *number_of(const struct stix_graph *graph, const char *id)
{
    size_t mask = graph->numbers_size - 1;
    size_t at = XXH3_64bits_withSeed(id, strlen(id), (uintptr_t)graph->list) & mask;
    while (graph->numbers[at] != 0 && strcmp(graph->objects[graph->numbers[at] - 1].id, id) != 0)
        at = (at + 1) & mask;
    return &graph->numbers[at];
}

/* At most half of the numbers are taken. */
static bool make_room(struct stix_graph *graph)
{
    if (graph->count < graph->capacity)
        return true;
    size_t capacity = graph->capacity == 0 ? 64 : graph->capacity * 2;
    struct stix_object *objects = realloc(graph->objects, capacity * sizeof *objects);
    if (objects == NULL)
        return false;
    graph->objects = objects;
    uint32_t *numbers = calloc(capacity * 2, sizeof *numbers);
    if (numbers == NULL)
        return false;
    free(graph->numbers);
    graph->numbers = numbers;
    graph->numbers_size = capacity * 2;
    graph->capacity = capacity;
    for (size_t i = 0; i < graph->count; i++)
        *number_of(graph, graph->objects[i].id) = (uint32_t)i + 1;
    return true;
}

struct stix_object *stix_graph_object(struct stix_graph *graph, struct feed_text id)
{
    const char *kept = indicator_list_reference(graph->list, id);
    if (kept == NULL || !make_room(graph))
        return NULL;
    uint32_t *number = number_of(graph, kept);
    if (*number == 0) {
        graph->objects[graph->count++] = (struct stix_object){.id = kept};
        *number = (uint32_t)graph->count;
    }
    return &graph->objects[*number - 1];
}

/* Room for one more item of an array; false: no memory, it is as it was. */
static bool grow(void **items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = realloc(*items, more * item_bytes);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = more;
    return true;
}

bool stix_graph_add_run(struct stix_graph *graph, struct stix_object *object, size_t first)
{
    void *runs = graph->runs;
    bool has_room = grow(&runs, graph->run_count, &graph->run_capacity, sizeof *graph->runs);
    graph->runs = runs;
    if (!has_room)
        return false;
    graph->runs[graph->run_count++] =
        (struct stix_run){first, graph->list->count - first, object->runs};
    object->runs = (uint32_t)graph->run_count;
    return true;
}

bool stix_graph_link(struct stix_graph *graph, struct feed_text from, struct feed_text to)
{
    void *links = graph->links;
    bool has_room = grow(&links, graph->link_count, &graph->link_capacity, sizeof *graph->links);
    graph->links = links;
    if (!has_room)
        return false;
    struct stix_object *object = stix_graph_object(graph, from);
    if (object == NULL)
        return false;
    uint32_t from_number = (uint32_t)(object - graph->objects);
    object = stix_graph_object(graph, to);
    if (object == NULL)
        return false;
    uint32_t to_number = (uint32_t)(object - graph->objects);
    graph->links[graph->link_count++] = (struct stix_link){from_number, to_number};
    return true;
}

/* ---- in the end ---- */

/* An address without a family is none. */
void stix_graph_take_back(struct stix_graph *graph, struct stix_object *object)
{
    for (uint32_t run = object->runs; run != 0; run = graph->runs[run - 1].before)
        for (size_t i = 0; i < graph->runs[run - 1].count; i++)
            graph->list->items[graph->runs[run - 1].first + i].prefix.address.family = 0;
    object->runs = 0;
}

static void remove_taken_back(struct indicator_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].prefix.address.family != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static bool join_name(struct stix_graph *graph, struct stix_object *object, const char *name)
{
    struct feed_joined joined = {.bytes = 0};
    if (object->linked_name != NULL)
        feed_join(&joined, object->linked_name, strlen(object->linked_name));
    feed_join_new(&joined, name, strlen(name));
    object->linked_name =
        indicator_list_malware(graph->list, (struct feed_text){joined.text, joined.bytes});
    return object->linked_name != NULL;
}

static bool follow(struct stix_graph *graph, struct stix_link link)
{
    struct stix_object *from = &graph->objects[link.from];
    const struct stix_object *to = &graph->objects[link.to];
    if (from->runs == 0)
        return true;
    if (from->linked_tlp < to->tlp)
        from->linked_tlp = to->tlp;
    return to->name == NULL || join_name(graph, from, to->name);
}

static void apply(struct stix_graph *graph, const struct stix_object *object)
{
    for (uint32_t run = object->runs; run != 0; run = graph->runs[run - 1].before) {
        struct picket_indicator *items = graph->list->items + graph->runs[run - 1].first;
        for (size_t i = 0; i < graph->runs[run - 1].count; i++) {
            if (object->linked_name != NULL)
                items[i].malware = object->linked_name;
            if (items[i].tlp < object->linked_tlp)
                items[i].tlp = object->linked_tlp;
        }
    }
}

bool stix_graph_finish(struct stix_graph *graph)
{
    for (size_t i = 0; i < graph->link_count; i++)
        if (!follow(graph, graph->links[i]))
            return false;
    for (size_t i = 0; i < graph->count; i++)
        apply(graph, &graph->objects[i]);
    remove_taken_back(graph->list);
    return true;
}
