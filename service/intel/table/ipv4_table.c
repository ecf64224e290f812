#include "ipv4_table.h"

#include <string.h>

#include "address_space.h"
#include "slot.h"

enum {
    HALVES = 2 * IPV4_SLOTS,
    SLOTS_IN_WORD = 32, /* of present */
    WIDE_SLOTS = 1 << 16,
    TOGETHER = 64
};

static const uint32_t buckets_max = 1u << 27;
static const size_t wide_bytes = WIDE_SLOTS * sizeof(uint64_t);

bool ipv4_table_open(struct ipv4_table *table, struct table_sources *sources,
                     struct retired *retired)
{
    *table = (struct ipv4_table){.sources = sources, .retired = retired};
    table->present = address_space_reserve(HALVES / 8);
    if (table->present != NULL) /* it is asked for every address */
        address_space_prefer_huge_pages(table->present, HALVES / 8);
    table->wide = address_space_reserve(wide_bytes);
    table->wide_present = address_space_reserve(WIDE_SLOTS / 8);
    return table->present != NULL && table->wide != NULL && table->wide_present != NULL &&
           ipv4_slots_open(&table->slots, retired) && cells_open(&table->buckets, buckets_max);
}

void ipv4_table_close(struct ipv4_table *table)
{
    address_space_release(table->present, HALVES / 8);
    ipv4_slots_close(&table->slots);
    address_space_release(table->wide, wide_bytes);
    address_space_release(table->wide_present, WIDE_SLOTS / 8);
    cells_close(&table->buckets);
}

/* ---- looking up ---- */

/* Of what is not soon asked for again: it is to push out nothing that is. */
static void fetch(const void *at)
{
    __builtin_prefetch(at, 0, 0);
}

static const void *bucket_at(const struct ipv4_table *table, uint32_t number)
{
    return cells_at(&table->buckets, number);
}

static uint32_t bit_of(const uint64_t *bits, uint32_t index)
{
    return __atomic_load_n(&bits[index >> 6], __ATOMIC_RELAXED) >> (index & 63) & 1;
}

static struct table_cover find_in_bucket(const struct ipv4_table *table, uint64_t slot,
                                         uint8_t octet)
{
    struct table_cover cover = {0, 0};
    cover.sources = bucket_find(bucket_at(table, slot_bucket(slot)), octet, &cover.length);
    return cover;
}

static struct table_cover find_wide(const struct ipv4_table *table, uint32_t address)
{
    if (!bit_of(table->wide_present, address >> 16))
        return (struct table_cover){0, 0};
    uint64_t slot = __atomic_load_n(&table->wide[address >> 16], __ATOMIC_ACQUIRE);
    return slot != 0 ? find_in_bucket(table, slot, 0) : (struct table_cover){0, 0};
}

struct table_cover ipv4_table_find(const struct ipv4_table *table, uint32_t address)
{
    /* Where much is listed, it is fetched while `present` is being asked: who waits for one lookup
     * waits for one access. */
    const uint64_t *array = ipv4_slots_array(&table->slots);
    if (array != NULL)
        fetch(&array[address >> 8]);
    if (!bit_of(table->present, address >> 7))
        return (struct table_cover){0, 0};
    uint8_t octet = (uint8_t)address;
    uint64_t slot = ipv4_slots_at(&table->slots, address >> 8);
    struct table_cover cover = entry_cover(slot_find(slot, octet));
    if (slot_bucket_may_hold(slot, octet))
        cover = find_in_bucket(table, slot, octet);
    return cover.sources != 0 ? cover : find_wide(table, address);
}

/* ---- looking up many ---- */

/* Each step is made for all before the next, and what the next needs of memory is fetched
 * meanwhile. Whom a step tells no is left out without a branch, for a wrong guess at what memory
 * will say holds up all that follow. */
struct group {
    struct table_cover covers[TOGETHER];
    uint8_t left[TOGETHER + 1]; /* whom the last step did not tell no */
    size_t left_count;
    uint64_t slots[TOGETHER + 1]; /* of those left */
};

/* Of whom `present` tells no, slot 0 is fetched: it is there already. */
static void fetch_slots(struct group *group, const struct ipv4_table *table,
                        const uint32_t *addresses, size_t count)
{
    const uint64_t *present_bits = table->present;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t present = bit_of(present_bits, addresses[i] >> 7);
        fetch(ipv4_slots_start(&table->slots, addresses[i] >> 8 & -present));
        group->covers[i] = (struct table_cover){0, 0};
        group->left[left] = (uint8_t)i;
        left += present;
    }
    group->left_count = left;
}

/* Slots that are packed are one access further. */
static void fetch_packed(const struct group *group, const struct ipv4_table *table,
                         const uint32_t *addresses)
{
    for (size_t k = 0; k < group->left_count; k++)
        fetch(ipv4_slots_packed_place(&table->slots, addresses[group->left[k]] >> 8));
}

static void ask_slots(struct group *group, const struct ipv4_table *table,
                      const uint32_t *addresses)
{
    size_t left = 0;
    for (size_t k = 0; k < group->left_count; k++) {
        uint8_t i = group->left[k], octet = (uint8_t)addresses[i];
        uint64_t slot = ipv4_slots_at(&table->slots, addresses[i] >> 8);
        uint32_t asks = slot_bucket_may_hold(slot, octet);
        fetch(bucket_at(table, slot_bucket(slot) & -asks));
        group->covers[i] = entry_cover(slot_find(slot, octet));
        group->left[left] = i;
        group->slots[left] = slot;
        left += asks;
    }
    group->left_count = left;
}

static void ask_buckets(struct group *group, const struct ipv4_table *table,
                        const uint32_t *addresses)
{
    for (size_t k = 0; k < group->left_count; k++) {
        uint8_t i = group->left[k];
        group->covers[i] = find_in_bucket(table, group->slots[k], (uint8_t)addresses[i]);
    }
}

static void answer(const struct group *group, const struct ipv4_table *table,
                   const uint32_t *addresses, size_t count, struct table_cover *covers)
{
    for (size_t i = 0; i < count; i++) {
        covers[i] = group->covers[i];
        if (bit_of(table->wide_present, addresses[i] >> 16) && covers[i].sources == 0)
            covers[i] = find_wide(table, addresses[i]);
    }
}

void ipv4_table_find_all(const struct ipv4_table *table, const uint32_t *addresses, size_t count,
                         struct table_cover *covers)
{
    for (size_t at = 0; at < count; at += TOGETHER) {
        size_t some = count - at < TOGETHER ? count - at : TOGETHER;
        struct group group;
        fetch_slots(&group, table, addresses + at, some);
        if (ipv4_slots_array(&table->slots) == NULL)
            fetch_packed(&group, table, addresses + at);
        ask_slots(&group, table, addresses + at);
        ask_buckets(&group, table, addresses + at);
        answer(&group, table, addresses + at, some, covers + at);
    }
}

static size_t cover_by_slot(const struct ipv4_table *table, uint64_t slot, uint8_t octet,
                            struct bucket_item *items)
{
    if (slot_bucket_may_hold(slot, octet))
        return bucket_cover(bucket_at(table, slot_bucket(slot)), octet, items);
    size_t count = 0;
    uint32_t first = slot_first(slot), second = slot_second(slot);
    if (entry_covers(first, octet))
        items[count++] = entry_item(first);
    if (entry_is(first) && entry_covers(second, octet))
        items[count++] = entry_item(second);
    return count;
}

size_t ipv4_table_cover(const struct ipv4_table *table, uint32_t address, struct bucket_item *items)
{
    uint64_t slot = ipv4_slots_at(&table->slots, address >> 8);
    uint64_t wide = __atomic_load_n(&table->wide[address >> 16], __ATOMIC_ACQUIRE);
    size_t count = cover_by_slot(table, slot, (uint8_t)address, items);
    return count + cover_by_slot(table, wide, 0, items + count);
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

static uint32_t spread_of_draft(const struct draft *draft)
{
    uint32_t spread = 0;
    for (size_t i = 0; i < draft->count; i++)
        spread |= spread_of(&draft->items[i]);
    return spread;
}

static void read_slot(struct draft *draft, uint64_t slot)
{
    uint32_t bucket = slot_bucket(slot);
    draft->count = bucket != 0 ? bucket_unpack(bucket_at(draft->table, bucket), draft->items)
                               : slot_entries(slot, draft->items);
}

/* 0: the items need a bucket. */
static uint64_t slot_without_bucket(const struct draft *draft)
{
    uint32_t entries[SLOT_ENTRIES_MAX] = {0};
    if (draft->count > SLOT_ENTRIES_MAX)
        return 0;
    for (size_t i = 0; i < draft->count; i++)
        if ((entries[i] = entry_of(&draft->items[i])) == 0)
            return 0;
    return slot_of(entries[0], entries[1]);
}

/* 0: no memory. */
static uint64_t slot_with_bucket(const struct draft *draft)
{
    uint64_t packed[BUCKET_BYTES_MAX / sizeof(uint64_t) + 1];
    struct ipv4_table *table = draft->table;
    size_t bytes = bucket_pack(draft->items, draft->count, packed);
    uint32_t number = cells_take(&table->buckets, bytes);
    if (number == 0)
        return 0;
    memcpy(cells_at(&table->buckets, number), packed, bytes);
    return slot_of(number, spread_of_draft(draft));
}

/* Of prefixes up to /16 `wide`, of others `slots`. */
static uint64_t slot_at(const struct ipv4_table *table, bool is_wide, uint32_t index)
{
    return is_wide ? table->wide[index] : ipv4_slots_at(&table->slots, index);
}

static bool put_slot(struct ipv4_table *table, bool is_wide, uint32_t index, uint64_t slot)
{
    if (!is_wide)
        return ipv4_slots_put(&table->slots, index, slot);
    __atomic_store_n(&table->wide[index], slot, __ATOMIC_RELEASE);
    return true;
}

/* One that no reader has seen; 0: none. */
static void give_back_bucket(struct ipv4_table *table, uint32_t number)
{
    if (number != 0)
        cells_give_back(&table->buckets, number, bucket_bytes(bucket_at(table, number)));
}

/* Publishes the draft in the place of what is in the slot. */
static bool write_slot(struct draft *draft, bool is_wide, uint32_t index)
{
    struct ipv4_table *table = draft->table;
    uint32_t old = slot_bucket(slot_at(table, is_wide, index));
    uint64_t fresh = slot_without_bucket(draft);
    if (fresh == 0 && draft->count > 0 && (fresh = slot_with_bucket(draft)) == 0)
        return false;
    if (!put_slot(table, is_wide, index, fresh)) {
        give_back_bucket(table, slot_bucket(fresh));
        return false;
    }
    if (old != 0)
        retire(table->retired, &table->buckets, old, bucket_bytes(bucket_at(table, old)));
    return true;
}

static void publish_word(uint64_t *word, uint64_t fresh)
{
    if (*word != fresh)
        __atomic_store_n(word, fresh, __ATOMIC_RELEASE);
}

static uint64_t halves_of(const struct ipv4_table *table, uint32_t index)
{
    uint64_t slot = ipv4_slots_at(&table->slots, index);
    uint32_t spread = slot != 0 ? slot_spread(slot) : 0;
    return ((spread & 0xffff) != 0) | (uint64_t)(spread >> 16 != 0) << 1;
}

/* What `present` says of a /24, by its slot and what is around. */
static void tell_present(struct ipv4_table *table, uint32_t index)
{
    uint64_t *word = &table->present[index / SLOTS_IN_WORD];
    unsigned shift = 2 * (index % SLOTS_IN_WORD);
    uint64_t halves = table->wide[index >> 8] != 0 ? 3 : halves_of(table, index);
    publish_word(word, (*word & ~((uint64_t)3 << shift)) | halves << shift);
}

/* Of a /16. */
static void tell_wide_present(struct ipv4_table *table, uint32_t index)
{
    uint64_t *wide = &table->wide_present[index / 64], bit = (uint64_t)1 << index % 64;
    bool is_there = table->wide[index] != 0;
    publish_word(wide, is_there ? *wide | bit : *wide & ~bit);
    for (uint32_t slot = index << 8; slot < (index + 1) << 8; slot += SLOTS_IN_WORD) {
        uint64_t halves = is_there ? UINT64_MAX : 0;
        for (uint32_t i = 0; i < SLOTS_IN_WORD && !is_there; i++)
            halves |= halves_of(table, slot + i) << 2 * i;
        publish_word(&table->present[slot / SLOTS_IN_WORD], halves);
    }
}

/* Changes of up to a /24, all in the same one. */
static bool change_slot(struct draft *draft, uint32_t index, const struct ipv4_change *changes,
                        size_t count)
{
    bool ok = true;
    read_slot(draft, slot_at(draft->table, false, index));
    for (size_t i = 0; i < count && ok; i++)
        ok = apply(draft, &changes[i]);
    ok = write_slot(draft, false, index) && ok;
    tell_present(draft->table, index);
    return ok;
}

/* One change that touches many slots of its kind; counted once. */
static bool change_wide(struct draft *draft, const struct ipv4_change *change)
{
    struct ipv4_table *table = draft->table;
    bool is_wide = change->length < ENTRY_WIDEST, ok = true;
    void (*tell)(struct ipv4_table *, uint32_t) = is_wide ? tell_wide_present : tell_present;
    unsigned bits = is_wide ? 16 : 24;
    uint32_t first = (uint32_t)((uint64_t)change->start >> (32 - bits));
    uint32_t touched = 1u << (bits - change->length);
    int64_t before = draft->count_change, difference = 0;
    for (uint32_t i = first; i < first + touched && ok; i++) {
        draft->count_change = 0;
        read_slot(draft, slot_at(table, is_wide, i));
        ok = apply(draft, change) && write_slot(draft, is_wide, i);
        tell(table, i);
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

/* That many changes are to come, most of which may need a slot: huge pages are worth it; and from
 * an eighth of all /24s on, so is the array. Who changes one indicator does not wait for it to be
 * laid out. If there is no room for it, what is there goes on to serve. */
static void expect(struct ipv4_table *table, size_t changes)
{
    static const size_t many = 100000;
    if (changes < many)
        return;
    if (table->slots.used + changes > IPV4_SLOTS / 8)
        ipv4_slots_spread(&table->slots);
    ipv4_slots_prefer_huge_pages(&table->slots);
    address_space_prefer_huge_pages(table->buckets.base, (size_t)buckets_max * CELL_GRANULE);
}

bool ipv4_table_change(struct ipv4_table *table, const struct ipv4_change *changes, size_t count,
                       int64_t *count_change)
{
    struct draft draft = {.table = table};
    bool ok = true;
    expect(table, count);
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
    return HALVES / 8 + ipv4_slots_bytes(&table->slots) + wide_bytes + WIDE_SLOTS / 8 +
           cells_bytes(&table->buckets);
}
