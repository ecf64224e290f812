#include "indicator_list.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { BLOCK_BYTES = 64 * 1024 };

struct text_block {
    struct text_block *next;
    size_t used;
    char text[BLOCK_BYTES];
};

void indicator_list_free(struct indicator_list *list)
{
    while (list->blocks != NULL) {
        struct text_block *next = list->blocks->next;
        free(list->blocks);
        list->blocks = next;
    }
    free(list->items);
    memset(list, 0, sizeof *list);
}

static char *room_for(struct indicator_list *list, size_t size)
{
    if (list->blocks == NULL || BLOCK_BYTES - list->blocks->used < size) {
        struct text_block *block = malloc(sizeof *block);
        if (block == NULL)
            return NULL;
        block->next = list->blocks;
        block->used = 0;
        list->blocks = block;
    }
    char *room = list->blocks->text + list->blocks->used;
    list->blocks->used += size;
    return room;
}

/* Lines that follow each other often carry the same text: that is kept once. */
static const char *keep(struct indicator_list *list, struct feed_text given, const char **last)
{
    char clean[INDICATOR_TEXT_BYTES];
    if (given.bytes == 0)
        return "";
    size_t size = strlen(text_clean(given.text, given.bytes, clean, sizeof clean)) + 1;
    if (*last != NULL && strcmp(*last, clean) == 0)
        return *last;
    char *kept = room_for(list, size);
    if (kept == NULL)
        return NULL;
    memcpy(kept, clean, size);
    *last = kept;
    return kept;
}

const char *indicator_list_reference(struct indicator_list *list, struct feed_text reference)
{
    return keep(list, reference, &list->last_reference);
}

const char *indicator_list_malware(struct indicator_list *list, struct feed_text malware)
{
    return keep(list, malware, &list->last_malware);
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
                        const struct feed_texts *texts)
{
    const char *tags = keep(list, texts->tags, &list->last_tags);
    const char *malware = keep(list, texts->malware, &list->last_malware);
    const char *reference = keep(list, texts->reference, &list->last_reference);
    if (tags == NULL || malware == NULL || reference == NULL || !make_room(list))
        return false;
    struct picket_indicator *added = &list->items[list->count++];
    *added = *indicator;
    added->tags = tags;
    added->malware = malware;
    added->reference = reference;
    return true;
}
