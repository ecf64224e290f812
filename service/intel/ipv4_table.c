#include "ipv4_table.h"

#include <string.h>
#include <sys/mman.h>

enum {
    SLOTS = 1 << 24,
    WIDE_SLOTS = 1 << 16,
    WIDEST_IN_SLOTS = 17,
    BUCKET_BITS = 26,
    BUCKETS_MAX = 1 << BUCKET_BITS,
    PARTS = 6, /* of a /24 that a slot says of whether anything lies in it */
    TOGETHER = 16
};

static const uint32_t bucket_mask = BUCKETS_MAX - 1;

static void *reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void release(void *at, size_t bytes)
{
    if (at != NULL)
        munmap(at, bytes);
}

bool ipv4_table_open(struct ipv4_table *table, struct table_sources *sources,
                     struct retired *retired)
{
    *table = (struct ipv4_table){.sources = sources, .retired = retired};
    table->present = reserve(SLOTS / 8);
    table->slots = reserve(SLOTS * sizeof *table->slots);
    table->wide = reserve(WIDE_SLOTS * sizeof *table->wide);
    table->wide_present = reserve(WIDE_SLOTS / 8);
    return table->present != NULL && table->slots != NULL && table->wide != NULL &&
           table->wide_present != NULL && cells_open(&table->buckets, BUCKETS_MAX);
}

void ipv4_table_close(struct ipv4_table *table)
{
    release(table->present, SLOTS / 8);
    release(table->slots, SLOTS * sizeof *table->slots);
    release(table->wide, WIDE_SLOTS * sizeof *table->wide);
    release(table->wide_present, WIDE_SLOTS / 8);
    cells_close(&table->buckets);
}

/* ---- looking up ---- */

static const void *bucket_at(const struct ipv4_table *table, uint32_t slot)
{
    return cells_at(&table->buckets, slot & bucket_mask);
}

static unsigned part_of(uint8_t octet)
{
    return octet * PARTS >> 8;
}

static bool has_bit(const uint64_t *bits, uint32_t index)
{
    return __atomic_load_n(&bits[index >> 6], __ATOMIC_RELAXED) >> (index & 63) & 1;
}

static bool may_hold(uint32_t slot, uint8_t octet)
{
    return slot >> BUCKET_BITS >> part_of(octet) & 1;
}

static uint32_t find_wide(const struct ipv4_table *table, uint32_t address, uint8_t *length)
{
    if (!has_bit(table->wide_present, address >> 16))
        return 0;
    uint32_t slot = __atomic_load_n(&table->wide[address >> 16], __ATOMIC_ACQUIRE);
    return slot != 0 ? bucket_find(bucket_at(table, slot), 0, length) : 0;
}

uint32_t ipv4_table_find(const struct ipv4_table *table, uint32_t address, uint8_t *length)
{
    uint8_t octet = (uint8_t)address;
    /* Fetched while `present` is being asked: who waits for one lookup waits for one access. */
    __builtin_prefetch(&table->slots[address >> 8]);
    if (has_bit(table->present, address >> 8)) {
        uint32_t slot = __atomic_load_n(&table->slots[address >> 8], __ATOMIC_ACQUIRE);
        uint32_t sources =
            may_hold(slot, octet) ? bucket_find(bucket_at(table, slot), octet, length) : 0;
        if (sources != 0)
            return sources;
    }
    return find_wide(table, address, length);
}

/* Up to TOGETHER: what is not told no by one step goes to the next. */
static void find_group(const struct ipv4_table *table, const uint32_t *addresses, size_t count,
                       uint32_t *sources, uint8_t *lengths)
{
    uint8_t left[TOGETHER], held[TOGETHER];
    uint32_t slots[TOGETHER];
    size_t left_count = 0, held_count = 0;
    for (size_t i = 0; i < count; i++) {
        left[left_count] = (uint8_t)i;
        left_count += has_bit(table->present, addresses[i] >> 8);
    }
    for (size_t k = 0; k < left_count; k++)
        __builtin_prefetch(&table->slots[addresses[left[k]] >> 8]);
    for (size_t i = 0; i < count; i++)
        sources[i] = find_wide(table, addresses[i], &lengths[i]);
    for (size_t k = 0; k < left_count; k++) {
        uint32_t address = addresses[left[k]];
        uint32_t slot = __atomic_load_n(&table->slots[address >> 8], __ATOMIC_ACQUIRE);
        held[held_count] = left[k];
        slots[held_count] = slot;
        __builtin_prefetch(bucket_at(table, slot));
        held_count += may_hold(slot, (uint8_t)address);
    }
    for (size_t k = 0; k < held_count; k++) {
        uint8_t length;
        uint32_t found =
            bucket_find(bucket_at(table, slots[k]), (uint8_t)addresses[held[k]], &length);
        if (found == 0)
            continue;
        sources[held[k]] = found;
        lengths[held[k]] = length;
    }
}

void ipv4_table_find_all(const struct ipv4_table *table, const uint32_t *addresses, size_t count,
                         uint32_t *sources, uint8_t *lengths)
{
    for (size_t at = 0; at < count; at += TOGETHER)
        find_group(table, addresses + at, count - at < TOGETHER ? count - at : TOGETHER,
                   sources + at, lengths + at);
}

size_t ipv4_table_cover(const struct ipv4_table *table, uint32_t address, struct bucket_item *items)
{
    size_t count = 0;
    uint32_t slot = __atomic_load_n(&table->slots[address >> 8], __ATOMIC_ACQUIRE);
    if (may_hold(slot, (uint8_t)address))
        count = bucket_cover(bucket_at(table, slot), (uint8_t)address, items);
    slot = __atomic_load_n(&table->wide[address >> 16], __ATOMIC_ACQUIRE);
    if (slot != 0)
        count += bucket_cover(bucket_at(table, slot), 0, items + count);
    return count;
}

/* ---- changing ---- */

/* A bucket being written anew. */
struct draft {
    struct ipv4_table *table;
    size_t count;
    int64_t count_change;
    struct bucket_item items[BUCKET_ITEMS_MAX];
};

/* The place of the item, or the one it would take. */
static size_t place_of(const struct draft *draft, uint8_t start, uint8_t length)
{
    uint32_t order = bucket_order(start, length);
    size_t low = 0, high = draft->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bucket_order(draft->items[middle].start, draft->items[middle].length) < order)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_item(const struct draft *draft, size_t at, uint8_t start, uint8_t length)
{
    return at < draft->count && draft->items[at].start == start &&
           draft->items[at].length == length;
}

static bool put(struct draft *draft, size_t at, bool is_there, uint8_t start,
                const struct ipv4_change *change)
{
    struct table_sources *sources = draft->table->sources;
    uint32_t old = is_there ? draft->items[at].sources : 0;
    uint32_t fresh = table_sources_with(sources, old, change->detail);
    if (fresh == 0)
        return false;
    draft->count_change += (int64_t)table_sources_count(sources, fresh);
    if (is_there) {
        draft->count_change -= (int64_t)table_sources_count(sources, old);
        table_sources_let_go(sources, old);
        draft->items[at].sources = fresh;
        return true;
    }
    memmove(&draft->items[at + 1], &draft->items[at], (draft->count - at) * sizeof *draft->items);
    draft->items[at] = (struct bucket_item){fresh, start, change->length};
    draft->count++;
    return true;
}

static bool take_out(struct draft *draft, size_t at, const struct ipv4_change *change)
{
    struct table_sources *sources = draft->table->sources;
    uint32_t old = draft->items[at].sources, left;
    bool found;
    if (!table_sources_without(sources, old, change->source, &left, &found))
        return false;
    if (!found)
        return true;
    draft->count_change--;
    table_sources_let_go(sources, old);
    draft->items[at].sources = left;
    if (left != 0)
        return true;
    draft->count--;
    memmove(&draft->items[at], &draft->items[at + 1], (draft->count - at) * sizeof *draft->items);
    return true;
}

static bool apply(struct draft *draft, const struct ipv4_change *change)
{
    uint8_t start = change->length <= 24 ? 0 : (uint8_t)change->start;
    size_t at = place_of(draft, start, change->length);
    bool is_there = is_item(draft, at, start, change->length);
    if (change->detail != 0)
        return put(draft, at, is_there, start, change);
    return !is_there || take_out(draft, at, change);
}

static uint32_t parts_of(const struct draft *draft)
{
    uint32_t parts = 0;
    for (size_t i = 0; i < draft->count; i++) {
        const struct bucket_item *item = &draft->items[i];
        unsigned last = item->length <= 24 ? 255u : item->start + (0xffu >> (item->length - 24));
        for (unsigned part = part_of(item->start); part <= part_of((uint8_t)last); part++)
            parts |= 1u << part;
    }
    return parts;
}

static void read_bucket(struct draft *draft, uint32_t slot)
{
    draft->count = slot != 0 ? bucket_unpack(bucket_at(draft->table, slot), draft->items) : 0;
}

/* Publishes the draft in the place of what is in the slot. */
static bool write_bucket(struct draft *draft, uint32_t *slot)
{
    uint64_t packed[BUCKET_BYTES_MAX / sizeof(uint64_t) + 1];
    struct ipv4_table *table = draft->table;
    uint32_t old = *slot, fresh = 0;
    if (draft->count > 0) {
        size_t bytes = bucket_pack(draft->items, draft->count, packed);
        fresh = cells_take(&table->buckets, bytes);
        if (fresh == 0)
            return false;
        memcpy(cells_at(&table->buckets, fresh), packed, bytes);
        fresh |= parts_of(draft) << BUCKET_BITS;
    }
    __atomic_store_n(slot, fresh, __ATOMIC_RELEASE);
    if (old != 0)
        retire(table->retired, &table->buckets, old & bucket_mask,
               bucket_bytes(bucket_at(table, old)));
    return true;
}

static void set_bit(uint64_t *bits, uint32_t index, bool is)
{
    uint64_t bit = (uint64_t)1 << (index & 63), word = bits[index >> 6];
    if (((word & bit) != 0) != is)
        __atomic_store_n(&bits[index >> 6], word ^ bit, __ATOMIC_RELEASE);
}

/* Changes of up to a /24, all in the same one. */
static bool change_slot(struct draft *draft, uint32_t index, const struct ipv4_change *changes,
                        size_t count)
{
    uint32_t *slot = &draft->table->slots[index];
    bool ok = true;
    read_bucket(draft, *slot);
    for (size_t i = 0; i < count && ok; i++)
        ok = apply(draft, &changes[i]);
    ok = write_bucket(draft, slot) && ok;
    set_bit(draft->table->present, index, *slot != 0);
    return ok;
}

/* One change that touches many slots of its kind; counted once. */
static bool change_wide(struct draft *draft, const struct ipv4_change *change)
{
    struct ipv4_table *table = draft->table;
    bool in_slots = change->length >= WIDEST_IN_SLOTS, ok = true;
    uint32_t *slots = in_slots ? table->slots : table->wide;
    uint64_t *present = in_slots ? table->present : table->wide_present;
    unsigned bits = in_slots ? 24 : 16;
    uint32_t first = (uint32_t)((uint64_t)change->start >> (32 - bits));
    uint32_t touched = 1u << (bits - change->length);
    int64_t before = draft->count_change, difference = 0;
    for (uint32_t i = first; i < first + touched && ok; i++) {
        draft->count_change = 0;
        read_bucket(draft, slots[i]);
        ok = apply(draft, change) && write_bucket(draft, &slots[i]);
        set_bit(present, i, slots[i] != 0);
        difference = draft->count_change;
    }
    draft->count_change = before + difference;
    return ok;
}

static size_t same_slot(const struct ipv4_change *changes, size_t count)
{
    size_t same = 1;
    while (same < count && changes[same].length >= 24 &&
           changes[same].start >> 8 == changes[0].start >> 8)
        same++;
    return same;
}

/* Many are to come: huge pages are worth it. */
static void expect_many(struct ipv4_table *table)
{
    if (table->huge)
        return;
    table->huge = true;
    madvise(table->present, SLOTS / 8, MADV_HUGEPAGE);
    madvise(table->slots, SLOTS * sizeof *table->slots, MADV_HUGEPAGE);
    madvise(table->buckets.base, (size_t)BUCKETS_MAX * CELL_GRANULE, MADV_HUGEPAGE);
}

bool ipv4_table_change(struct ipv4_table *table, const struct ipv4_change *changes, size_t count,
                       int64_t *count_change)
{
    static const size_t many = 500000;
    struct draft draft = {.table = table};
    bool ok = true;
    if (count >= many)
        expect_many(table);
    for (size_t at = 0, same; at < count && ok; at += same) {
        bool narrow = changes[at].length >= 24;
        same = narrow ? same_slot(changes + at, count - at) : 1;
        ok = narrow ? change_slot(&draft, changes[at].start >> 8, changes + at, same)
                    : change_wide(&draft, &changes[at]);
    }
    *count_change = draft.count_change;
    return ok;
}

size_t ipv4_table_bytes(const struct ipv4_table *table)
{
    return SLOTS / 8 + SLOTS * sizeof *table->slots + WIDE_SLOTS * sizeof *table->wide +
           WIDE_SLOTS / 8 + cells_bytes(&table->buckets);
}
