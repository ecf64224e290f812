#include "table_sources.h"

#include <string.h>
#include <xxhash.h>

enum { DETAILS_MAX = (1u << 31) - 1, SETS_MAX = 1 << 28 };

struct set {
    uint32_t uses;
    uint32_t count; /* > 1 */
    uint32_t details[];
};

bool table_sources_open(struct table_sources *sources, struct retired *retired)
{
    memset(sources, 0, sizeof *sources);
    sources->retired = retired;
    return cells_open(&sources->details, DETAILS_MAX) && cells_open(&sources->sets, SETS_MAX);
}

void table_sources_close(struct table_sources *sources)
{
    cells_close(&sources->details);
    cells_close(&sources->sets);
    number_set_free(&sources->detail_set);
    number_set_free(&sources->set_set);
}

static uint32_t hash_of(const void *bytes, size_t size)
{
    return (uint32_t)XXH3_64bits(bytes, size);
}

/* ---- details ---- */

static const size_t said_from = offsetof(struct detail, valid_until_s);

static uint32_t hash_of_detail(const struct detail *detail)
{
    return hash_of((const char *)detail + said_from, sizeof *detail - said_from);
}

static bool is_detail(const void *context, uint32_t number, const void *looked_for)
{
    const char *detail = cells_at(context, number);
    return memcmp(detail + said_from, (const char *)looked_for + said_from,
                  sizeof(struct detail) - said_from) == 0;
}

static uint32_t seconds(int64_t unix_ms)
{
    int64_t s = unix_ms / 1000;
    return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static uint32_t add_detail(struct table_sources *sources, const struct detail *detail,
                           uint32_t hash)
{
    uint32_t number = cells_take(&sources->details, sizeof *detail);
    if (number == 0)
        return 0;
    if (!number_set_add(&sources->detail_set, hash, number)) {
        cells_give_back(&sources->details, number, sizeof *detail);
        return 0;
    }
    memcpy(cells_at(&sources->details, number), detail, sizeof *detail);
    return number;
}

static uint32_t find_or_add_detail(struct table_sources *sources, const struct detail *detail)
{
    uint32_t hash = hash_of_detail(detail);
    uint32_t number =
        number_set_find(&sources->detail_set, hash, is_detail, &sources->details, detail);
    return number != 0 ? number : add_detail(sources, detail, hash);
}

uint32_t table_sources_keep(struct table_sources *sources, uint16_t feed,
                            const struct picket_indicator *indicator)
{
    struct detail detail = {
        .valid_until_s = seconds(indicator->valid_until_ms),
        .feed = feed,
        .port = indicator->port,
        .protocol = indicator->protocol,
        .confidence = indicator->confidence,
    };
    if (indicator->valid_until_ms != 0 && detail.valid_until_s == 0)
        detail.valid_until_s = 1; /* long past, and not for ever */
    if (sources->last_detail == 0 || !is_detail(&sources->details, sources->last_detail, &detail))
        sources->last_detail = find_or_add_detail(sources, &detail);
    if (sources->last_detail != 0)
        table_sources_keep_again(sources, sources->last_detail);
    return sources->last_detail;
}

static void let_go_of_detail(struct table_sources *sources, uint32_t number)
{
    struct detail *detail = cells_at(&sources->details, number);
    if (--detail->uses > 0)
        return;
    if (sources->last_detail == number)
        sources->last_detail = 0;
    number_set_remove(&sources->detail_set, hash_of_detail(detail), number);
    retire(sources->retired, &sources->details, number, sizeof *detail);
}

/* ---- sets ---- */

static struct set *set_at(const struct table_sources *sources, uint32_t number)
{
    return cells_at(&sources->sets, number & ~SOURCES_SET);
}

static size_t set_bytes(size_t count)
{
    return sizeof(struct set) + count * sizeof(uint32_t);
}

struct members {
    size_t count;
    uint32_t details[SOURCES_OF_ONE_MAX];
};

static bool is_set_of(const void *context, uint32_t number, const void *looked_for)
{
    const struct set *set = cells_at(context, number & ~SOURCES_SET);
    const struct members *members = looked_for;
    return set->count == members->count &&
           memcmp(set->details, members->details, set->count * sizeof *set->details) == 0;
}

static uint32_t hash_of_members(const uint32_t *details, size_t count)
{
    return hash_of(details, count * sizeof *details);
}

static uint32_t add_set(struct table_sources *sources, const struct members *members, uint32_t hash)
{
    size_t bytes = set_bytes(members->count);
    uint32_t cell = cells_take(&sources->sets, bytes);
    if (cell == 0)
        return 0;
    if (!number_set_add(&sources->set_set, hash, cell | SOURCES_SET)) {
        cells_give_back(&sources->sets, cell, bytes);
        return 0;
    }
    struct set *set = cells_at(&sources->sets, cell);
    set->uses = 0;
    set->count = (uint32_t)members->count;
    memcpy(set->details, members->details, members->count * sizeof *set->details);
    for (size_t i = 0; i < members->count; i++)
        table_sources_keep_again(sources, members->details[i]);
    return cell | SOURCES_SET;
}

static uint32_t keep_members(struct table_sources *sources, const struct members *members)
{
    uint32_t number = members->details[0];
    if (members->count > 1) {
        uint32_t hash = hash_of_members(members->details, members->count);
        number = number_set_find(&sources->set_set, hash, is_set_of, &sources->sets, members);
        if (number == 0)
            number = add_set(sources, members, hash);
    }
    if (number != 0)
        table_sources_keep_again(sources, number);
    return number;
}

static void let_go_of_set(struct table_sources *sources, uint32_t number)
{
    struct set *set = set_at(sources, number);
    if (--set->uses > 0)
        return;
    number_set_remove(&sources->set_set, hash_of_members(set->details, set->count), number);
    for (uint32_t i = 0; i < set->count; i++)
        let_go_of_detail(sources, set->details[i]);
    retire(sources->retired, &sources->sets, number & ~SOURCES_SET, set_bytes(set->count));
}

/* ---- both ---- */

void table_sources_keep_again(struct table_sources *sources, uint32_t number)
{
    if (number & SOURCES_SET)
        set_at(sources, number)->uses++;
    else
        ((struct detail *)cells_at(&sources->details, number))->uses++;
}

void table_sources_let_go(struct table_sources *sources, uint32_t number)
{
    if (number & SOURCES_SET)
        let_go_of_set(sources, number);
    else
        let_go_of_detail(sources, number);
}

static struct source source_of(const struct table_sources *sources, uint32_t detail)
{
    const struct detail *said = cells_at(&sources->details, detail);
    return (struct source){said->feed, said->port, said->protocol};
}

static int compare_sources(struct source a, struct source b)
{
    if (a.feed != b.feed)
        return a.feed < b.feed ? -1 : 1;
    if (a.port != b.port)
        return a.port < b.port ? -1 : 1;
    return a.protocol - b.protocol;
}

static const uint32_t *details_of(const struct table_sources *sources, const uint32_t *number,
                                  size_t *count)
{
    if ((*number & SOURCES_SET) == 0) {
        *count = *number != 0;
        return number;
    }
    *count = set_at(sources, *number)->count;
    return set_at(sources, *number)->details;
}

/* Members stand in the order of their sources, so that equal sets are found equal. */
uint32_t table_sources_with(struct table_sources *sources, uint32_t old, uint32_t detail)
{
    struct members members; /* large: not to be cleared each time */
    struct source added = source_of(sources, detail);
    size_t count;
    const uint32_t *details = details_of(sources, &old, &count);
    bool placed = false;
    if (count == SOURCES_OF_ONE_MAX)
        return 0;
    members.count = 0;
    for (size_t i = 0; i < count; i++) {
        int order = compare_sources(source_of(sources, details[i]), added);
        if (!placed && order >= 0) {
            members.details[members.count++] = detail;
            placed = true;
        }
        if (order != 0)
            members.details[members.count++] = details[i];
    }
    if (!placed)
        members.details[members.count++] = detail;
    return keep_members(sources, &members);
}

bool table_sources_without(struct table_sources *sources, uint32_t old, struct source source,
                           uint32_t *left, bool *found)
{
    struct members members; /* large: not to be cleared each time */
    size_t count;
    const uint32_t *details = details_of(sources, &old, &count);
    members.count = 0;
    for (size_t i = 0; i < count; i++)
        if (compare_sources(source_of(sources, details[i]), source) != 0)
            members.details[members.count++] = details[i];
    *left = 0;
    *found = members.count < count;
    if (!*found || members.count == 0)
        return true;
    *left = keep_members(sources, &members);
    return *left != 0;
}

size_t table_sources_count(const struct table_sources *sources, uint32_t number)
{
    return number & SOURCES_SET ? set_at(sources, number)->count : 1;
}

const struct detail *table_sources_detail(const struct table_sources *sources, uint32_t number,
                                          size_t index)
{
    if (number & SOURCES_SET)
        number = set_at(sources, number)->details[index];
    return cells_at(&sources->details, number);
}

size_t table_sources_bytes(const struct table_sources *sources)
{
    return cells_bytes(&sources->details) + cells_bytes(&sources->sets) +
           (sources->detail_set.size + sources->set_set.size) * sizeof(struct number_cell);
}
