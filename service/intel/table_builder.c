/* Collects indicators in any order and lays the table out: sort, number the distinct prefixes, link
 * each to the one around it, index by the first 16 bits. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "table.h"
#include "table_layout.h"

struct staged_ipv4 {
    uint32_t start;
    uint32_t detail;
    uint32_t line;
    uint8_t length;
};

struct staged_ipv6 {
    wide_address start;
    uint32_t detail;
    uint32_t line;
    uint8_t length;
};

/* An array of items that grows. */
struct growing {
    void *items;
    size_t count, capacity, item_bytes;
};

/* An open-addressed set of numbers of things kept elsewhere; 0 is free, n means thing n − 1. */
struct number_set {
    uint32_t *cells;
    size_t size; /* a power of two */
    size_t used;
};

struct table_builder {
    struct growing ipv4, ipv6;
    struct growing details, text, feeds;
    struct number_set detail_set, tag_set;
    uint32_t last_detail;
    bool failed; /* memory ran short */
};

static void *grow(struct growing *array, size_t by)
{
    if (array->count + by > array->capacity) {
        size_t capacity = array->capacity == 0 ? 1024 : array->capacity;
        while (capacity < array->count + by)
            capacity += capacity / 2;
        void *items = realloc(array->items, capacity * array->item_bytes);
        if (items == NULL)
            return NULL;
        array->items = items;
        array->capacity = capacity;
    }
    void *item = (char *)array->items + array->count * array->item_bytes;
    array->count += by;
    return item;
}

struct table_builder *table_builder_new(void)
{
    struct table_builder *builder = calloc(1, sizeof *builder);
    if (builder == NULL)
        return NULL;
    builder->ipv4.item_bytes = sizeof(struct staged_ipv4);
    builder->ipv6.item_bytes = sizeof(struct staged_ipv6);
    builder->details.item_bytes = sizeof(struct table_detail);
    builder->feeds.item_bytes = sizeof(struct table_feed);
    builder->text.item_bytes = 1;
    char *empty = grow(&builder->text, 1); /* offset 0: no tags */
    if (empty == NULL) {
        free(builder);
        return NULL;
    }
    *empty = '\0';
    return builder;
}

void table_builder_free(struct table_builder *builder)
{
    if (builder == NULL)
        return;
    const struct table_feed *feeds = builder->feeds.items;
    for (size_t i = 0; i < builder->feeds.count; i++)
        free((void *)(uintptr_t)feeds[i].name);
    free(builder->ipv4.items);
    free(builder->ipv6.items);
    free(builder->details.items);
    free(builder->text.items);
    free(builder->feeds.items);
    free(builder->detail_set.cells);
    free(builder->tag_set.cells);
    free(builder);
}

int table_add_feed(struct table_builder *builder, const char *name, bool match_special_purpose)
{
    if (builder->feeds.count == TABLE_FEEDS_MAX)
        return -1;
    char *copy = strdup(name);
    struct table_feed *feed = copy != NULL ? grow(&builder->feeds, 1) : NULL;
    if (feed == NULL) {
        free(copy);
        builder->failed = true;
        return -1;
    }
    *feed = (struct table_feed){copy, match_special_purpose};
    return (int)builder->feeds.count - 1;
}

/* ---- sharing details and tags ---- */

/* Makes room for one more; rehash tells each thing's hash anew. */
static bool set_reserve(struct number_set *set,
                        uint64_t (*rehash)(const void *things, uint32_t number), const void *things)
{
    if (set->used * 2 < set->size)
        return true;
    size_t size = set->size == 0 ? 1024 : set->size * 2;
    uint32_t *cells = calloc(size, sizeof *cells);
    if (cells == NULL)
        return false;
    for (size_t i = 0; i < set->size; i++) {
        if (set->cells[i] == 0)
            continue;
        size_t at = rehash(things, set->cells[i] - 1) & (size - 1);
        while (cells[at] != 0)
            at = (at + 1) & (size - 1);
        cells[at] = set->cells[i];
    }
    free(set->cells);
    set->cells = cells;
    set->size = size;
    return true;
}

static uint64_t tag_hash(const void *text, uint32_t offset)
{
    const char *tag = (const char *)text + offset;
    return XXH3_64bits(tag, strlen(tag));
}

static uint64_t detail_hash(const void *details, uint32_t number)
{
    return XXH3_64bits((const struct table_detail *)details + number, sizeof(struct table_detail));
}

static bool keep_tags(struct table_builder *builder, const char *tags, uint32_t *offset)
{
    *offset = 0;
    if (tags == NULL || tags[0] == '\0')
        return true;
    struct number_set *set = &builder->tag_set;
    if (!set_reserve(set, tag_hash, builder->text.items))
        return false;
    size_t size = strlen(tags) + 1;
    size_t at = XXH3_64bits(tags, size - 1) & (set->size - 1);
    for (; set->cells[at] != 0; at = (at + 1) & (set->size - 1)) {
        *offset = set->cells[at] - 1;
        if (strcmp((const char *)builder->text.items + *offset, tags) == 0)
            return true;
    }
    *offset = (uint32_t)builder->text.count;
    char *kept = builder->text.count + size < UINT32_MAX ? grow(&builder->text, size) : NULL;
    if (kept == NULL)
        return false;
    memcpy(kept, tags, size);
    set->cells[at] = *offset + 1;
    set->used++;
    return true;
}

static bool keep_detail(struct table_builder *builder, const struct table_detail *detail,
                        uint32_t *number)
{
    const struct table_detail *kept = builder->details.items;
    if (builder->details.count > 0 &&
        memcmp(&kept[builder->last_detail], detail, sizeof *detail) == 0) {
        *number = builder->last_detail;
        return true;
    }
    struct number_set *set = &builder->detail_set;
    if (!set_reserve(set, detail_hash, kept))
        return false;
    size_t at = XXH3_64bits(detail, sizeof *detail) & (set->size - 1);
    for (; set->cells[at] != 0; at = (at + 1) & (set->size - 1))
        if (memcmp(&kept[set->cells[at] - 1], detail, sizeof *detail) == 0) {
            *number = builder->last_detail = set->cells[at] - 1;
            return true;
        }
    struct table_detail *added = grow(&builder->details, 1);
    if (added == NULL)
        return false;
    *added = *detail;
    *number = builder->last_detail = (uint32_t)builder->details.count - 1;
    set->cells[at] = *number + 1;
    set->used++;
    return true;
}

static uint32_t seconds(int64_t unix_ms)
{
    int64_t s = unix_ms / 1000;
    return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static bool stage(struct table_builder *builder, const struct picket_prefix *prefix,
                  uint32_t detail, uint32_t line)
{
    const uint8_t *bytes = prefix->address.bytes;
    if (prefix->address.family == 4) {
        struct staged_ipv4 *staged = grow(&builder->ipv4, 1);
        if (staged == NULL)
            return false;
        uint32_t start = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                         (uint32_t)bytes[2] << 8 | bytes[3];
        *staged = (struct staged_ipv4){start, detail, line, prefix->length};
    } else {
        struct staged_ipv6 *staged = grow(&builder->ipv6, 1);
        if (staged == NULL)
            return false;
        *staged = (struct staged_ipv6){table_wide(bytes), detail, line, prefix->length};
    }
    return true;
}

bool table_add(struct table_builder *builder, int feed, const struct picket_indicator *indicator)
{
    uint32_t number;
    struct table_detail detail = {
        .first_seen_s = seconds(indicator->first_seen_ms),
        .valid_until_s = seconds(indicator->valid_until_ms),
        .feed = (uint16_t)feed,
        .port = indicator->port,
        .confidence = indicator->confidence,
    };
    if (indicator->valid_until_ms != 0 && detail.valid_until_s == 0)
        detail.valid_until_s = 1; /* long past, and not for ever */
    if (!keep_tags(builder, indicator->tags, &detail.tags) ||
        !keep_detail(builder, &detail, &number) ||
        !stage(builder, &indicator->prefix, number, indicator->line))
        builder->failed = true;
    return !builder->failed;
}

/* ---- laying out ---- */

/* Wider before narrower, so that a parent stands before its children. */
static int compare_ipv4(const void *a, const void *b)
{
    const struct staged_ipv4 *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->detail < y->detail ? -1 : x->detail > y->detail;
}

static int compare_ipv6(const void *a, const void *b)
{
    const struct staged_ipv6 *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->detail < y->detail ? -1 : x->detail > y->detail;
}

/* A staged indicator's place, whatever its family. */
struct place {
    wide_address start;
    uint8_t length;
    struct table_source source;
};

static struct place place_of(const struct table_builder *builder, uint8_t family, size_t i)
{
    if (family == 4) {
        const struct staged_ipv4 *staged = (const struct staged_ipv4 *)builder->ipv4.items + i;
        return (struct place){staged->start, staged->length, {staged->detail, staged->line}};
    }
    const struct staged_ipv6 *staged = (const struct staged_ipv6 *)builder->ipv6.items + i;
    return (struct place){staged->start, staged->length, {staged->detail, staged->line}};
}

static size_t count_prefixes(const struct table_builder *builder, uint8_t family, size_t records)
{
    size_t count = 0;
    struct place last = {.length = UINT8_MAX};
    for (size_t i = 0; i < records; i++) {
        struct place place = place_of(builder, family, i);
        count += place.start != last.start || place.length != last.length;
        last = place;
    }
    return count;
}

static bool allocate_family(struct table_family *family, size_t entries, size_t records)
{
    family->record_count = (uint32_t)records;
    family->links = malloc((entries + 1) * sizeof *family->links);
    family->lengths = malloc(entries + 1);
    family->records = malloc((records + 1) * sizeof *family->records);
    return family->links != NULL && family->lengths != NULL && family->records != NULL;
}

static bool allocate(const struct table_builder *builder, struct table *table)
{
    size_t ipv4 = count_prefixes(builder, 4, builder->ipv4.count);
    size_t ipv6 = count_prefixes(builder, 6, builder->ipv6.count);
    table->ipv4_starts = malloc((ipv4 + 1) * sizeof *table->ipv4_starts);
    table->ipv6_starts = malloc((ipv6 + 1) * sizeof *table->ipv6_starts);
    table->ipv4_slots = malloc((TABLE_SLOTS + 1) * sizeof *table->ipv4_slots);
    return table->ipv4_starts != NULL && table->ipv6_starts != NULL && table->ipv4_slots != NULL &&
           allocate_family(&table->ipv4, ipv4, builder->ipv4.count) &&
           allocate_family(&table->ipv6, ipv6, builder->ipv6.count);
}

static bool covers(wide_address start, unsigned length, unsigned bits, wide_address address)
{
    return length == 0 || (start ^ address) >> (bits - length) == 0;
}

static wide_address start_of(const struct table *table, uint8_t family, uint32_t entry)
{
    return family == 4 ? table->ipv4_starts[entry] : table->ipv6_starts[entry];
}

static void set_start(struct table *table, uint8_t family, uint32_t entry, wide_address start)
{
    if (family == 4)
        table->ipv4_starts[entry] = (uint32_t)start;
    else
        table->ipv6_starts[entry] = start;
}

/* The sorted indicators of a family become entries, one for each distinct prefix, and records. An
 * entry's parent is the one before it, or one of that one's ancestors. */
static void lay_out(const struct table_builder *builder, struct table *table, uint8_t family,
                    struct table_family *entries)
{
    const unsigned bits = family == 4 ? 32 : 128;
    struct place last = {.length = UINT8_MAX};
    entries->count = 0;
    for (uint32_t i = 0; i < entries->record_count; i++) {
        struct place place = place_of(builder, family, i);
        entries->records[i] = place.source;
        if (place.start == last.start && place.length == last.length)
            continue;
        uint32_t entry = entries->count++, parent = entry - 1; /* of the first: TABLE_NONE */
        while (parent != TABLE_NONE &&
               !covers(start_of(table, family, parent), table_length(entries, family, parent), bits,
                       place.start))
            parent = entries->links[parent].parent;
        set_start(table, family, entry, place.start);
        entries->links[entry] = (struct table_links){parent, i};
        entries->lengths[entry] = place.length;
        if (family == 4 && parent != TABLE_NONE)
            entries->lengths[entry] |= TABLE_HAS_PARENT;
        last = place;
    }
}

static void index_slots(struct table *table)
{
    uint32_t entry = 0;
    for (uint32_t slot = 0; slot <= TABLE_SLOTS; slot++) {
        while (entry < table->ipv4.count && table->ipv4_starts[entry] >> 16 < slot)
            entry++;
        table->ipv4_slots[slot] = entry;
    }
}

static void sort(const struct growing *staged, int (*compare)(const void *a, const void *b))
{
    if (staged->count > 0)
        qsort(staged->items, staged->count, staged->item_bytes, compare);
}

/* Gives an array's memory over to the table, cut to its size. */
static void *hand_over(struct growing *array)
{
    void *items = array->items;
    if (array->count > 0 && array->count < array->capacity) {
        void *shrunk = realloc(items, array->count * array->item_bytes);
        if (shrunk != NULL)
            items = shrunk;
    }
    memset(array, 0, sizeof *array);
    return items;
}

static void hand_over_shared(struct table_builder *builder, struct table *table)
{
    table->detail_count = (uint32_t)builder->details.count;
    table->text_bytes = builder->text.count;
    table->feed_count = (uint32_t)builder->feeds.count;
    table->details = hand_over(&builder->details);
    table->text = hand_over(&builder->text);
    table->feeds = hand_over(&builder->feeds);
}

int table_build(struct table_builder *builder, struct table **table, struct picket_error *error)
{
    struct table *built = calloc(1, sizeof *built);
    bool ok = built != NULL && !builder->failed;
    if (ok) {
        sort(&builder->ipv4, compare_ipv4);
        sort(&builder->ipv6, compare_ipv6);
        ok = allocate(builder, built);
    }
    if (ok) {
        lay_out(builder, built, 4, &built->ipv4);
        lay_out(builder, built, 6, &built->ipv6);
        index_slots(built);
        hand_over_shared(builder, built);
    }
    table_builder_free(builder);
    if (!ok) {
        table_free(built);
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    }
    *table = built;
    return PICKET_OK;
}
