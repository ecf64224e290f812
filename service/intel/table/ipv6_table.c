#include "ipv6_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    PLACE_BITS = 16, /* of near and of far */
    PLACES = 1 << PLACE_BITS,
    TOUCHED_BITS = 21,
    TOUCHED_BYTES = 1 << (TOUCHED_BITS - 3),
    NEAR_FROM = 32, /* the shortest prefix there */
    ITEMS_MAX = 1 << PREFIX_NUMBER_BITS,
    TOGETHER = 64,
    ASKED_TOGETHER = 16,
    ASKED_MAX = 128
};

static uint64_t hash_of_item(const void *context, uint32_t number);

bool ipv6_table_open(struct ipv6_table *table, struct table_sources *sources,
                     struct retired *retired)
{
    *table = (struct ipv6_table){.sources = sources, .retired = retired};
    table->index.retired = retired;
    table->index.hash_of = hash_of_item;
    table->index.context = table;
    table->touched = calloc(1, TOUCHED_BYTES);
    table->near = calloc(PLACES, sizeof *table->near);
    table->far = calloc(PLACES, sizeof *table->far);
    return table->touched != NULL && table->near != NULL && table->far != NULL &&
           cells_open(&table->items, ITEMS_MAX) &&
           getrandom(&table->seed, sizeof table->seed, 0) == sizeof table->seed;
}

void ipv6_table_close(struct ipv6_table *table)
{
    prefix_index_close(&table->index);
    cells_close(&table->items);
    free(table->touched);
    free(table->near);
    free(table->far);
}

/* ---- prefixes ---- */

/* The first bits of an address, as two numbers. */
struct bits {
    uint64_t high, low;
};

static struct bits bits_of(const uint8_t address[16])
{
    struct bits bits;
    memcpy(&bits.high, address, 8);
    memcpy(&bits.low, address + 8, 8);
    return (struct bits){be64toh(bits.high), be64toh(bits.low)};
}

static uint64_t top(unsigned count)
{
    return count == 0 ? 0 : UINT64_MAX << (64 - count);
}

static struct bits cut(struct bits bits, unsigned length)
{
    if (length >= 64)
        return (struct bits){bits.high, bits.low & top(length - 64)};
    return (struct bits){bits.high & top(length), 0};
}

static uint64_t hash_of(const struct ipv6_table *table, struct bits prefix, unsigned length)
{
    return XXH3_64bits_withSeed(&prefix, sizeof prefix, table->seed + length);
}

static struct ipv6_item *item_at(const struct ipv6_table *table, uint32_t number)
{
    return cells_at(&table->items, number);
}

static uint64_t hash_of_item(const void *context, uint32_t number)
{
    const struct ipv6_table *table = context;
    const struct ipv6_item *item = item_at(table, number);
    return hash_of(table, bits_of(item->address), item->length);
}

static bool is_item(const struct ipv6_item *item, struct bits prefix, unsigned length)
{
    struct bits bits = bits_of(item->address);
    return item->length == length && bits.high == prefix.high && bits.low == prefix.low;
}

/* ---- which lengths ---- */

/* Of the first 32 bits; its first bits say where they belong. */
static uint64_t mix(struct bits bits)
{
    return (bits.high >> 32) * 0x9e3779b97f4a7c15;
}

static struct ipv6_near *near_of(const struct ipv6_table *table, struct bits bits)
{
    return &table->near[mix(bits) >> (64 - PLACE_BITS)];
}

static uint64_t *touched_of(const struct ipv6_table *table, struct bits bits)
{
    return &table->touched[mix(bits) >> (64 - TOUCHED_BITS + 6)];
}

static unsigned touched_bit(struct bits bits)
{
    return mix(bits) >> (64 - TOUCHED_BITS) & 63;
}

/* Whether a prefix from NEAR_FROM on may be there: 1 or 0. */
static uint32_t is_touched(const struct ipv6_table *table, struct bits bits)
{
    return __atomic_load_n(touched_of(table, bits), __ATOMIC_ACQUIRE) >> touched_bit(bits) & 1;
}

/* The lengths that may be there, longest first. */
struct lengths {
    uint64_t near[2], far;
};

static uint32_t far_lengths(const struct ipv6_table *table, struct bits bits)
{
    uint32_t any = __atomic_load_n(&table->far_any, __ATOMIC_RELAXED);
    return any == 0 ? 0 : any & __atomic_load_n(&table->far[bits.high >> 48], __ATOMIC_ACQUIRE);
}

static struct lengths lengths_of(const struct ipv6_table *table, struct bits bits)
{
    struct lengths lengths = {.far = far_lengths(table, bits)};
    if (!is_touched(table, bits))
        return lengths;
    const struct ipv6_near *near = near_of(table, bits);
    for (int i = 0; i < 2; i++)
        lengths.near[i] = __atomic_load_n(&near->lengths[i], __ATOMIC_ACQUIRE) &
                          __atomic_load_n(&table->near_any.lengths[i], __ATOMIC_RELAXED);
    return lengths;
}

static int take_longest(uint64_t *set)
{
    int bit = 63 - __builtin_clzll(*set);
    *set ^= (uint64_t)1 << bit;
    return bit;
}

/* False: no more. */
static bool next_length(struct lengths *lengths, unsigned *length)
{
    if (lengths->near[1] != 0)
        *length = (unsigned)take_longest(&lengths->near[1]) + NEAR_FROM + 64;
    else if (lengths->near[0] != 0)
        *length = (unsigned)take_longest(&lengths->near[0]) + NEAR_FROM;
    else if (lengths->far != 0)
        *length = (unsigned)take_longest(&lengths->far);
    else
        return false;
    return true;
}

static void add_bit(uint64_t *set, unsigned bit)
{
    __atomic_store_n(set, *set | (uint64_t)1 << bit, __ATOMIC_RELEASE);
}

static void add_far_bit(uint32_t *set, unsigned bit)
{
    __atomic_store_n(set, *set | (uint32_t)1 << bit, __ATOMIC_RELEASE);
}

static void tell_near_length(struct ipv6_table *table, struct bits prefix, unsigned bit)
{
    add_bit(&near_of(table, prefix)->lengths[bit / 64], bit % 64);
    add_bit(&table->near_any.lengths[bit / 64], bit % 64);
    add_bit(touched_of(table, prefix), touched_bit(prefix));
    table->near_count++;
}

static void tell_length(struct ipv6_table *table, struct bits prefix, unsigned length)
{
    table->counts[length]++;
    if (length >= NEAR_FROM) {
        tell_near_length(table, prefix, length - NEAR_FROM);
        return;
    }
    uint32_t first = (uint32_t)(prefix.high >> 48);
    uint32_t count = length >= 16 ? 1 : 1u << (16 - length);
    for (uint32_t i = 0; i < count; i++)
        add_far_bit(&table->far[first + i], length);
    add_far_bit(&table->far_any, length);
}

static void forget_near_length(struct ipv6_table *table, unsigned bit)
{
    uint64_t mask = ~((uint64_t)1 << bit % 64);
    uint64_t *any = &table->near_any.lengths[bit / 64];
    __atomic_store_n(any, *any & mask, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < PLACES; i++) {
        uint64_t *set = &table->near[i].lengths[bit / 64];
        __atomic_store_n(set, *set & mask, __ATOMIC_RELAXED);
    }
}

static void forget_far_length(struct ipv6_table *table, unsigned length)
{
    uint32_t mask = ~((uint32_t)1 << length);
    __atomic_store_n(&table->far_any, table->far_any & mask, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < PLACES; i++)
        __atomic_store_n(&table->far[i], table->far[i] & mask, __ATOMIC_RELAXED);
}

static void forget_touched(struct ipv6_table *table)
{
    for (size_t i = 0; i < TOUCHED_BYTES / sizeof *table->touched; i++)
        __atomic_store_n(&table->touched[i], 0, __ATOMIC_RELAXED);
}

/* A prefix of the length has gone. */
static void forget_prefix(struct ipv6_table *table, unsigned length)
{
    bool was_last = --table->counts[length] == 0;
    if (length >= NEAR_FROM && --table->near_count == 0)
        forget_touched(table);
    if (was_last && length >= NEAR_FROM)
        forget_near_length(table, length - NEAR_FROM);
    else if (was_last)
        forget_far_length(table, length);
}

/* ---- looking up ---- */

/* The prefix's cell, or NULL. *number: its number. */
static struct ipv6_item *find_in(const struct ipv6_table *table,
                                 const struct prefix_segment *segment, uint64_t hash,
                                 struct bits prefix, unsigned length, uint32_t *number)
{
    uint32_t cursor = 0;
    while ((*number = prefix_segment_next(segment, hash, &cursor)) != 0)
        if (is_item(item_at(table, *number), prefix, length))
            return item_at(table, *number);
    return NULL;
}

static uint32_t sources_of(const struct ipv6_item *item)
{
    return __atomic_load_n(&item->sources, __ATOMIC_ACQUIRE);
}

static uint32_t find_prefix(const struct ipv6_table *table, struct bits prefix, unsigned length)
{
    uint32_t number;
    uint64_t hash = hash_of(table, prefix, length);
    const struct prefix_segment *segment = prefix_index_segment(&table->index, hash);
    if (segment == NULL || !prefix_segment_may_hold(segment, hash))
        return 0;
    const struct ipv6_item *item = find_in(table, segment, hash, prefix, length, &number);
    return item != NULL ? sources_of(item) : 0;
}

size_t ipv6_table_cover(const struct ipv6_table *table, const uint8_t address[16],
                        struct table_cover *covers)
{
    struct bits bits = bits_of(address);
    struct lengths candidates = lengths_of(table, bits);
    unsigned length;
    size_t count = 0;
    while (next_length(&candidates, &length)) {
        uint32_t sources = find_prefix(table, cut(bits, length), length);
        covers[count] = (struct table_cover){sources, (uint8_t)length};
        count += sources != 0;
    }
    return count;
}

struct table_cover ipv6_table_find(const struct ipv6_table *table, const uint8_t address[16])
{
    struct bits bits = bits_of(address);
    struct lengths candidates = lengths_of(table, bits);
    unsigned length;
    while (next_length(&candidates, &length)) {
        uint32_t sources = find_prefix(table, cut(bits, length), length);
        if (sources != 0)
            return (struct table_cover){sources, (uint8_t)length};
    }
    return (struct table_cover){0, 0};
}

/* ---- looking up many ---- */

/* One prefix that may be there. */
struct asked {
    uint64_t hash;
    const struct prefix_segment *segment;
    uint8_t address; /* which of the group */
    uint8_t length;
};

struct group {
    const struct ipv6_table *table;
    struct bits bits[ASKED_TOGETHER];
    struct asked asked[ASKED_MAX];
    size_t count;
};

/* Notes all that has to be asked for an address, or false if there is no room for all. */
static bool ask(struct group *group, uint8_t address)
{
    struct lengths candidates = lengths_of(group->table, group->bits[address]);
    size_t before = group->count;
    unsigned length;
    while (next_length(&candidates, &length)) {
        if (group->count == ASKED_MAX) {
            group->count = before;
            return false;
        }
        struct bits prefix = cut(group->bits[address], length);
        uint64_t hash = hash_of(group->table, prefix, length);
        const struct prefix_segment *segment = prefix_index_segment(&group->table->index, hash);
        if (segment == NULL)
            continue;
        __builtin_prefetch(prefix_segment_filter(segment, hash));
        group->asked[group->count++] = (struct asked){hash, segment, address, (uint8_t)length};
    }
    return true;
}

/* Drops what the filters deny. */
static void filter(struct group *group)
{
    size_t left = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct asked *asked = &group->asked[i];
        group->asked[left] = *asked;
        bool may = prefix_segment_may_hold(asked->segment, asked->hash);
        if (may)
            __builtin_prefetch(prefix_segment_start(asked->segment, asked->hash));
        left += may;
    }
    group->count = left;
}

static void fetch_items(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        uint32_t cursor = 0;
        uint32_t number =
            prefix_segment_next(group->asked[i].segment, group->asked[i].hash, &cursor);
        if (number != 0)
            __builtin_prefetch(item_at(group->table, number));
    }
}

/* Longest first, so the first that is found of an address is the narrowest. */
static void answer(const struct group *group, struct table_cover *covers)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct asked *asked = &group->asked[i];
        uint32_t number;
        if (covers[asked->address].sources != 0)
            continue;
        const struct ipv6_item *item =
            find_in(group->table, asked->segment, asked->hash,
                    cut(group->bits[asked->address], asked->length), asked->length, &number);
        if (item != NULL)
            covers[asked->address] = (struct table_cover){sources_of(item), asked->length};
    }
}

/* Of those that are left: up to ASKED_TOGETHER. */
static void find_group(const struct ipv6_table *table, const uint8_t (*addresses)[16],
                       const uint8_t *left, size_t count, struct table_cover *covers)
{
    struct group group;
    struct table_cover found[ASKED_TOGETHER];
    bool fits[ASKED_TOGETHER];
    group.table = table;
    group.count = 0;
    for (size_t i = 0; i < count; i++) {
        group.bits[i] = bits_of(addresses[left[i]]);
        __builtin_prefetch(near_of(table, group.bits[i]));
    }
    for (size_t i = 0; i < count; i++) {
        found[i] = (struct table_cover){0, 0};
        fits[i] = ask(&group, (uint8_t)i);
    }
    filter(&group);
    fetch_items(&group);
    answer(&group, found);
    for (size_t i = 0; i < count; i++)
        covers[left[i]] = fits[i] ? found[i] : ipv6_table_find(table, addresses[left[i]]);
}

/* Most are told no at once, without a branch. */
static size_t keep_touched(const struct ipv6_table *table, const uint8_t (*addresses)[16],
                           size_t count, uint8_t *left, struct table_cover *covers)
{
    size_t left_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct bits bits = bits_of(addresses[i]);
        covers[i] = (struct table_cover){0, 0};
        left[left_count] = (uint8_t)i;
        left_count += is_touched(table, bits) | (far_lengths(table, bits) != 0);
    }
    return left_count;
}

void ipv6_table_find_all(const struct ipv6_table *table, const uint8_t (*addresses)[16],
                         size_t count, struct table_cover *covers)
{
    uint8_t left[TOGETHER + 1];
    for (size_t at = 0; at < count; at += TOGETHER) {
        size_t some = count - at < TOGETHER ? count - at : TOGETHER;
        size_t left_count = keep_touched(table, addresses + at, some, left, covers + at);
        for (size_t i = 0; i < left_count; i += ASKED_TOGETHER)
            find_group(table, addresses + at, left + i,
                       left_count - i < ASKED_TOGETHER ? left_count - i : ASKED_TOGETHER,
                       covers + at);
    }
}

/* ---- changing ---- */

static bool add(struct ipv6_table *table, const struct ipv6_change *change, uint64_t hash)
{
    uint32_t number = cells_take(&table->items, sizeof(struct ipv6_item));
    uint32_t sources = number != 0 ? table_sources_with(table->sources, 0, change->detail) : 0;
    if (sources == 0)
        return false;
    struct ipv6_item *item = item_at(table, number);
    memcpy(item->address, change->address, sizeof item->address);
    item->length = change->length;
    item->sources = sources;
    if (!prefix_index_add(&table->index, hash, number))
        return false;
    tell_length(table, bits_of(change->address), change->length);
    return true;
}

static void put_sources(struct ipv6_table *table, struct ipv6_item *item, uint32_t sources)
{
    uint32_t old = item->sources;
    __atomic_store_n(&item->sources, sources, __ATOMIC_RELEASE);
    table_sources_let_go(table->sources, old);
}

static void remove_item(struct ipv6_table *table, struct ipv6_item *item, uint32_t number,
                        uint64_t hash)
{
    unsigned length = item->length;
    prefix_index_remove(&table->index, hash, number);
    table_sources_let_go(table->sources, item->sources);
    retire(table->retired, &table->items, number, sizeof *item);
    forget_prefix(table, length);
}

static bool put(struct ipv6_table *table, struct ipv6_item *item, const struct ipv6_change *change,
                uint64_t hash, int64_t *count_change)
{
    if (item == NULL) {
        ++*count_change;
        return add(table, change, hash);
    }
    uint32_t fresh = table_sources_with(table->sources, item->sources, change->detail);
    if (fresh == 0)
        return false;
    *count_change += (int64_t)table_sources_count(table->sources, fresh) -
                     (int64_t)table_sources_count(table->sources, item->sources);
    put_sources(table, item, fresh);
    return true;
}

static bool take_out(struct ipv6_table *table, struct ipv6_item *item, uint32_t number,
                     const struct ipv6_change *change, uint64_t hash, int64_t *count_change)
{
    uint32_t left;
    bool found;
    if (!table_sources_without(table->sources, item->sources, change->source, &left, &found))
        return false;
    if (!found)
        return true;
    --*count_change;
    if (left != 0)
        put_sources(table, item, left);
    else
        remove_item(table, item, number, hash);
    return true;
}

static bool make_change(struct ipv6_table *table, const struct ipv6_change *change,
                        int64_t *count_change)
{
    uint32_t number = 0;
    struct bits prefix = bits_of(change->address);
    uint64_t hash = hash_of(table, prefix, change->length);
    const struct prefix_segment *segment = prefix_index_segment(&table->index, hash);
    struct ipv6_item *item =
        segment != NULL ? find_in(table, segment, hash, prefix, change->length, &number) : NULL;
    if (change->detail != 0)
        return put(table, item, change, hash, count_change);
    return item == NULL || take_out(table, item, number, change, hash, count_change);
}

bool ipv6_table_change(struct ipv6_table *table, const struct ipv6_change *changes, size_t count,
                       int64_t *count_change)
{
    *count_change = 0;
    for (size_t i = 0; i < count; i++)
        if (!make_change(table, &changes[i], count_change))
            return false;
    return true;
}

size_t ipv6_table_bytes(const struct ipv6_table *table)
{
    return cells_bytes(&table->items) + prefix_index_bytes(&table->index) +
           PLACES * (sizeof *table->near + sizeof *table->far) + TOUCHED_BYTES;
}
