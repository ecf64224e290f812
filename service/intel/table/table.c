#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "ipv4_table.h"
#include "ipv6_table.h"
#include "picket/base/sort.h"
#include "readers.h"

struct table {
    struct ipv4_table ipv4;
    struct ipv6_table ipv6;
    struct table_sources sources;
    struct retired retired;
    struct table_feed **feeds; /* by number; NULL: none */
    uint16_t feeds_used;       /* numbers 1 to this were given out */
    size_t indicators;
};

/* ---- a table ---- */

struct table *table_new(void)
{
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->feeds = calloc(TABLE_FEEDS_MAX + 1, sizeof *table->feeds);
    bool ok = table->feeds != NULL && table_sources_open(&table->sources, &table->retired) &&
              ipv4_table_open(&table->ipv4, &table->sources, &table->retired) &&
              ipv6_table_open(&table->ipv6, &table->sources, &table->retired);
    if (ok)
        return table;
    table_free(table);
    return NULL;
}

static void free_feed(struct table_feed *feed)
{
    if (feed != NULL)
        free((void *)(uintptr_t)feed->name);
    free(feed);
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    retired_collect(&table->retired);
    retired_free(&table->retired);
    ipv4_table_close(&table->ipv4);
    ipv6_table_close(&table->ipv6);
    table_sources_close(&table->sources);
    for (uint32_t i = 1; i <= table->feeds_used; i++)
        free_feed(table->feeds[i]);
    free(table->feeds);
    free(table);
}

/* ---- feeds ---- */

static uint16_t free_number(const struct table *table)
{
    for (uint32_t i = 1; i <= table->feeds_used; i++)
        if (table->feeds[i] == NULL)
            return (uint16_t)i;
    return table->feeds_used < TABLE_FEEDS_MAX ? table->feeds_used + 1 : 0;
}

uint16_t table_add_feed(struct table *table, const struct table_feed *feed)
{
    uint16_t number = free_number(table);
    struct table_feed *added = number != 0 ? malloc(sizeof *added) : NULL;
    if (added == NULL)
        return 0;
    *added = *feed;
    added->name = strdup(feed->name);
    if (added->name == NULL) {
        free(added);
        return 0;
    }
    __atomic_store_n(&table->feeds[number], added, __ATOMIC_RELEASE);
    if (number > table->feeds_used)
        table->feeds_used = number;
    return number;
}

uint16_t table_feed_number(const struct table *table, const char *name)
{
    for (uint32_t i = 1; i <= table->feeds_used; i++)
        if (table->feeds[i] != NULL && strcmp(table->feeds[i]->name, name) == 0)
            return (uint16_t)i;
    return 0;
}

void table_remove_feed(struct table *table, uint16_t feed)
{
    struct table_feed *removed = table->feeds[feed];
    readers_wait(); /* who still sees what it listed, asks for it */
    __atomic_store_n(&table->feeds[feed], NULL, __ATOMIC_RELEASE);
    readers_wait();
    free_feed(removed);
}

/* ---- a batch ---- */

/* An array of changes that grows. */
struct growing {
    void *items;
    size_t count, capacity, item_bytes;
};

struct table_batch {
    struct table *table;
    struct growing ipv4, ipv6;
    bool failed; /* memory ran short */
};

static void *grow(struct growing *array)
{
    if (array->count == array->capacity) {
        size_t capacity = array->capacity == 0 ? 16 : array->capacity + array->capacity / 2;
        void *items = realloc(array->items, capacity * array->item_bytes);
        if (items == NULL)
            return NULL;
        array->items = items;
        array->capacity = capacity;
    }
    return (char *)array->items + array->count++ * array->item_bytes;
}

struct table_batch *table_batch_new(struct table *table)
{
    struct table_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->table = table;
    batch->ipv4.item_bytes = sizeof(struct ipv4_change);
    batch->ipv6.item_bytes = sizeof(struct ipv6_change);
    return batch;
}

static void let_go(struct table_batch *batch, uint32_t detail)
{
    if (detail != 0)
        table_sources_let_go(&batch->table->sources, detail);
}

void table_batch_free(struct table_batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->ipv4.count; i++)
        let_go(batch, ((struct ipv4_change *)batch->ipv4.items)[i].detail);
    for (size_t i = 0; i < batch->ipv6.count; i++)
        let_go(batch, ((struct ipv6_change *)batch->ipv6.items)[i].detail);
    free(batch->ipv4.items);
    free(batch->ipv6.items);
    free(batch);
}

static struct source source_of(uint16_t feed, const struct picket_indicator *indicator)
{
    return (struct source){feed, indicator->port, indicator->protocol};
}

static bool note_ipv4(struct table_batch *batch, uint16_t feed,
                      const struct picket_indicator *indicator, uint32_t detail)
{
    struct ipv4_change *change = grow(&batch->ipv4);
    if (change == NULL)
        return false;
    *change = (struct ipv4_change){.start = picket_address_ipv4_number(&indicator->prefix.address),
                                   .detail = detail,
                                   .source = source_of(feed, indicator),
                                   .length = indicator->prefix.length};
    return true;
}

static bool note_ipv6(struct table_batch *batch, uint16_t feed,
                      const struct picket_indicator *indicator, uint32_t detail)
{
    struct ipv6_change *change = grow(&batch->ipv6);
    if (change == NULL)
        return false;
    *change = (struct ipv6_change){
        .detail = detail, .source = source_of(feed, indicator), .length = indicator->prefix.length};
    memcpy(change->address, indicator->prefix.address.bytes, sizeof change->address);
    return true;
}

static bool note(struct table_batch *batch, uint16_t feed, const struct picket_indicator *indicator,
                 uint32_t detail)
{
    bool noted = indicator->prefix.address.family == 4 ? note_ipv4(batch, feed, indicator, detail)
                                                       : note_ipv6(batch, feed, indicator, detail);
    if (!noted) {
        let_go(batch, detail);
        batch->failed = true;
    }
    return noted;
}

bool table_put(struct table_batch *batch, uint16_t feed, const struct picket_indicator *indicator)
{
    uint32_t detail = table_sources_keep(&batch->table->sources, feed, indicator);
    if (detail == 0) {
        batch->failed = true;
        return false;
    }
    return note(batch, feed, indicator, detail);
}

bool table_take_out(struct table_batch *batch, uint16_t feed,
                    const struct picket_indicator *indicator)
{
    return note(batch, feed, indicator, 0);
}

/* By address, so that what lies in one /24 is changed at once; then wider before narrower. */
static uint64_t ipv4_key(const struct ipv4_change *change)
{
    return (uint64_t)change->start << 8 | change->length;
}

static bool is_sorted(const struct ipv4_change *changes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (ipv4_key(&changes[i - 1]) > ipv4_key(&changes[i]))
            return false;
    return true;
}

static void put_in_order(struct ipv4_change *sorted, const struct ipv4_change *changes,
                         const struct picket_sort_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = changes[items[i].index];
}

/* Of one prefix those that were noted first come first. False: no memory. */
static bool sort_ipv4(struct table_batch *batch)
{
    struct ipv4_change *changes = batch->ipv4.items, *sorted = NULL;
    size_t count = batch->ipv4.count;
    if (is_sorted(changes, count))
        return true;
    struct picket_sort_item *items = malloc(count * sizeof *items);
    for (size_t i = 0; items != NULL && i < count; i++)
        items[i] = (struct picket_sort_item){ipv4_key(&changes[i]), (uint32_t)i};
    if (items != NULL && picket_sort(items, count))
        sorted = malloc(count * sizeof *sorted);
    if (sorted != NULL) {
        put_in_order(sorted, changes, items, count);
        free(changes);
        batch->ipv4.items = sorted;
        batch->ipv4.capacity = count;
    }
    free(items);
    return sorted != NULL;
}

int table_apply(struct table_batch *batch, struct picket_error *error)
{
    struct table *table = batch->table;
    int64_t ipv4 = 0, ipv6 = 0;
    bool ok = !batch->failed && sort_ipv4(batch);
    if (ok)
        ok = ipv4_table_change(&table->ipv4, batch->ipv4.items, batch->ipv4.count, &ipv4) &&
             ipv6_table_change(&table->ipv6, batch->ipv6.items, batch->ipv6.count, &ipv6);
    size_t indicators = table->indicators + (size_t)(ipv4 + ipv6);
    __atomic_store_n(&table->indicators, indicators, __ATOMIC_RELAXED);
    table_batch_free(batch);
    retired_collect_many(&table->retired);
    if (!ok)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for the table of indicators");
    return PICKET_OK;
}

/* ---- reading ---- */

struct table_cover table_find(const struct table *table, const struct picket_address *address)
{
    return address->family == 4 ? ipv4_table_find(&table->ipv4, picket_address_ipv4_number(address))
                                : ipv6_table_find(&table->ipv6, address->bytes);
}

void table_find_ipv4(const struct table *table, const uint32_t *addresses, size_t count,
                     struct table_cover *covers)
{
    ipv4_table_find_all(&table->ipv4, addresses, count, covers);
}

void table_find_ipv6(const struct table *table, const uint8_t (*addresses)[16], size_t count,
                     struct table_cover *covers)
{
    ipv6_table_find_all(&table->ipv6, addresses, count, covers);
}

enum { TOGETHER = 64 };

/* Some of the addresses that are asked for together, of one family. */
struct asked {
    size_t count;
    uint8_t indices[TOGETHER]; /* whose they are */
    struct table_cover covers[TOGETHER];
};

static void answer(const struct asked *asked, struct table_cover *covers)
{
    for (size_t i = 0; i < asked->count; i++)
        covers[asked->indices[i]] = asked->covers[i];
}

static void find_those_of_ipv4(const struct table *table,
                               const struct picket_address *const *addresses, size_t count,
                               struct table_cover *covers)
{
    struct asked asked = {.count = 0};
    uint32_t numbers[TOGETHER];
    for (size_t i = 0; i < count; i++) {
        if (addresses[i]->family != 4)
            continue;
        numbers[asked.count] = picket_address_ipv4_number(addresses[i]);
        asked.indices[asked.count++] = (uint8_t)i;
    }
    table_find_ipv4(table, numbers, asked.count, asked.covers);
    answer(&asked, covers);
}

static void find_those_of_ipv6(const struct table *table,
                               const struct picket_address *const *addresses, size_t count,
                               struct table_cover *covers)
{
    struct asked asked = {.count = 0};
    uint8_t copies[TOGETHER][16];
    for (size_t i = 0; i < count; i++) {
        if (addresses[i]->family != 6)
            continue;
        memcpy(copies[asked.count], addresses[i]->bytes, sizeof *copies);
        asked.indices[asked.count++] = (uint8_t)i;
    }
    table_find_ipv6(table, copies, asked.count, asked.covers);
    answer(&asked, covers);
}

void table_find_many(const struct table *table, const struct picket_address *const *addresses,
                     size_t count, struct table_cover *covers)
{
    for (size_t at = 0; at < count; at += TOGETHER) {
        size_t some = count - at < TOGETHER ? count - at : TOGETHER;
        find_those_of_ipv4(table, addresses + at, some, covers + at);
        find_those_of_ipv6(table, addresses + at, some, covers + at);
    }
}

static size_t covers_of_ipv4(const struct table *table, const struct picket_address *address,
                             struct table_cover *covers)
{
    struct bucket_item items[33];
    size_t count = ipv4_table_cover(&table->ipv4, picket_address_ipv4_number(address), items);
    for (size_t i = 0; i < count; i++)
        covers[i] = (struct table_cover){items[i].sources, items[i].length};
    return count;
}

size_t table_covers(const struct table *table, const struct picket_address *address,
                    struct table_cover covers[TABLE_COVERS_MAX])
{
    return address->family == 4 ? covers_of_ipv4(table, address, covers)
                                : ipv6_table_cover(&table->ipv6, address->bytes, covers);
}

size_t table_source_count(const struct table *table, const struct table_cover *cover)
{
    return table_sources_count(&table->sources, cover->sources);
}

void table_source(const struct table *table, const struct picket_address *address,
                  const struct table_cover *cover, size_t index, struct table_match *match)
{
    const struct detail *detail = table_sources_detail(&table->sources, cover->sources, index);
    match->feed = __atomic_load_n(&table->feeds[detail->feed], __ATOMIC_ACQUIRE);
    match->prefix = (struct picket_prefix){*address, cover->length};
    picket_prefix_mask(&match->prefix);
    match->port = detail->port;
    match->protocol = detail->protocol;
    match->confidence = detail->confidence;
    match->valid_until_ms = (int64_t)detail->valid_until_s * 1000;
}

void table_walk(struct table_walk *walk, const struct table *table,
                const struct picket_address *address)
{
    walk->table = table;
    walk->address = address;
    walk->cover_count = table_covers(table, address, walk->covers);
    walk->cover = walk->source = 0;
}

bool table_walk_next(struct table_walk *walk, struct table_match *match)
{
    while (walk->cover < walk->cover_count &&
           walk->source == table_source_count(walk->table, &walk->covers[walk->cover])) {
        walk->cover++;
        walk->source = 0;
    }
    if (walk->cover == walk->cover_count)
        return false;
    table_source(walk->table, walk->address, &walk->covers[walk->cover], walk->source++, match);
    return true;
}

size_t table_indicators(const struct table *table)
{
    return __atomic_load_n(&table->indicators, __ATOMIC_RELAXED);
}

size_t table_bytes(const struct table *table)
{
    return sizeof *table + ipv4_table_bytes(&table->ipv4) + ipv6_table_bytes(&table->ipv6) +
           table_sources_bytes(&table->sources);
}
