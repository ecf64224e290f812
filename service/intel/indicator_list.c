#include "indicator_list.h"

#include <stdlib.h>
#include <string.h>

#include "../text.h"

enum { BLOCK_BYTES = 64 * 1024 };

struct tag_block {
    struct tag_block *next;
    size_t used;
    char text[BLOCK_BYTES];
};

void indicator_list_free(struct indicator_list *list)
{
    while (list->blocks != NULL) {
        struct tag_block *next = list->blocks->next;
        free(list->blocks);
        list->blocks = next;
    }
    free(list->items);
    memset(list, 0, sizeof *list);
}

/* Lines that follow each other often carry the same tags: those are kept once. */
static const char *keep_tags(struct indicator_list *list, const char *tags, size_t tags_bytes)
{
    char clean[INDICATOR_TAGS_BYTES];
    if (tags_bytes == 0)
        return "";
    size_t size = strlen(text_clean(tags, tags_bytes, clean, sizeof clean)) + 1;
    if (list->last_tags != NULL && strcmp(list->last_tags, clean) == 0)
        return list->last_tags;
    if (list->blocks == NULL || BLOCK_BYTES - list->blocks->used < size) {
        struct tag_block *block = malloc(sizeof *block);
        if (block == NULL)
            return NULL;
        block->next = list->blocks;
        block->used = 0;
        list->blocks = block;
    }
    char *kept = list->blocks->text + list->blocks->used;
    memcpy(kept, clean, size);
    list->blocks->used += size;
    list->last_tags = kept;
    return kept;
}

static bool make_room(struct indicator_list *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity == 0 ? 256 : list->capacity * 2;
    struct picket_indicator *items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    list->items = items;
    list->capacity = capacity;
    return true;
}

bool indicator_list_add(struct indicator_list *list, const struct picket_indicator *indicator,
                        const char *tags, size_t tags_bytes)
{
    const char *kept = keep_tags(list, tags, tags_bytes);
    if (kept == NULL || !make_room(list))
        return false;
    list->items[list->count] = *indicator;
    list->items[list->count].tags = kept;
    list->count++;
    return true;
}
