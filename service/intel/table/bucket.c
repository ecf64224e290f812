#include "bucket.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

enum { MAPPED = 255, LIST_HOSTS_MAX = 254, LIST_RANGES_MAX = 64 };

struct range {
    uint8_t start, length;
};

struct entry {
    uint32_t sources;
    uint16_t parent; /* + 1; 0: none */
    uint8_t length;
    uint8_t zero;
};

struct map {
    uint8_t form, zero;
    uint16_t count;
    uint16_t narrowest[256]; /* + 1; 0: none */
    struct entry entries[];
};

static uint8_t first_octet(uint8_t octet, uint8_t length)
{
    return length <= 24 ? 0 : (uint8_t)(octet & 0xff << (32 - length));
}

static bool covers(struct range range, uint8_t octet)
{
    return first_octet(octet, range.length) == range.start;
}

/* ---- the list ---- */

static const struct range *list_ranges(const uint8_t *list)
{
    return (const struct range *)(list + 2 + list[0]);
}

static size_t list_head_bytes(size_t hosts, size_t ranges)
{
    return (2 + hosts + 2 * ranges + 3) & ~(size_t)3;
}

static const uint32_t *list_sources(const uint8_t *list)
{
    return (const uint32_t *)(const void *)(list + list_head_bytes(list[0], list[1]));
}

static size_t list_bytes(size_t hosts, size_t ranges)
{
    return list_head_bytes(hosts, ranges) + 4 * (hosts + ranges);
}

/* Where the octet stands among the hosts, or -1. Most buckets have few: those that lie in the first
 * word are compared at once, for a loop's end is hard to foretell. */
static int find_host(const uint8_t *list, uint8_t octet)
{
    enum { IN_WORD = 6 };
    size_t hosts = list[0];
    if (hosts > IN_WORD) {
        const uint8_t *at = memchr(list + 2, octet, hosts);
        return at != NULL ? (int)(at - (list + 2)) : -1;
    }
    static const uint64_t ones = 0x0101010101010101;
    uint64_t word;
    memcpy(&word, list, sizeof word);
    uint64_t difference = (le64toh(word) >> 16 ^ ones * octet) | UINT64_MAX << 8 * hosts;
    uint64_t zeros = (difference - ones) & ~difference & ones << 7;
    return zeros != 0 ? __builtin_ctzll(zeros) / 8 : -1;
}

static uint32_t find_in_list(const uint8_t *list, uint8_t octet, uint8_t *length)
{
    int host = find_host(list, octet);
    const uint32_t *sources = list_sources(list);
    *length = 32;
    if (host >= 0)
        return sources[host];
    const struct range *ranges = list_ranges(list);
    for (size_t i = 0; i < list[1]; i++)
        if (covers(ranges[i], octet)) {
            *length = ranges[i].length;
            return sources[list[0] + i];
        }
    return 0;
}

static size_t cover_by_list(const uint8_t *list, uint8_t octet, struct bucket_item *items)
{
    size_t count = 0;
    int host = find_host(list, octet);
    const uint32_t *sources = list_sources(list);
    if (host >= 0)
        items[count++] = (struct bucket_item){sources[host], octet, 32};
    const struct range *ranges = list_ranges(list);
    for (size_t i = 0; i < list[1]; i++)
        if (covers(ranges[i], octet))
            items[count++] =
                (struct bucket_item){sources[list[0] + i], ranges[i].start, ranges[i].length};
    return count;
}

static size_t unpack_list(const uint8_t *list, struct bucket_item *items)
{
    const uint32_t *sources = list_sources(list);
    const struct range *ranges = list_ranges(list);
    size_t count = 0;
    for (; count < list[0]; count++)
        items[count] = (struct bucket_item){sources[count], list[2 + count], 32};
    for (size_t i = 0; i < list[1]; i++, count++)
        items[count] = (struct bucket_item){sources[count], ranges[i].start, ranges[i].length};
    return count;
}

static size_t pack_list(const struct bucket_item *items, size_t hosts, size_t ranges, uint8_t *out)
{
    size_t head = list_head_bytes(hosts, ranges);
    out[0] = (uint8_t)hosts;
    out[1] = (uint8_t)ranges;
    for (size_t i = 0; i < hosts; i++)
        out[2 + i] = items[i].start;
    for (size_t i = hosts; i < hosts + ranges; i++)
        memcpy(out + 2 + hosts + 2 * (i - hosts), &(struct range){items[i].start, items[i].length},
               sizeof(struct range));
    for (size_t i = 0; i < hosts + ranges; i++)
        memcpy(out + head + 4 * i, &items[i].sources, 4);
    return list_bytes(hosts, ranges);
}

/* ---- the map ---- */

static uint32_t find_in_map(const struct map *map, uint8_t octet, uint8_t *length)
{
    uint16_t at = map->narrowest[octet];
    if (at == 0)
        return 0;
    *length = map->entries[at - 1].length;
    return map->entries[at - 1].sources;
}

static size_t cover_by_map(const struct map *map, uint8_t octet, struct bucket_item *items)
{
    size_t count = 0;
    for (uint16_t at = map->narrowest[octet]; at != 0; at = map->entries[at - 1].parent) {
        const struct entry *entry = &map->entries[at - 1];
        items[count++] =
            (struct bucket_item){entry->sources, first_octet(octet, entry->length), entry->length};
    }
    return count;
}

/* Of a prefix with that length that begins with the octet. */
static uint32_t sources_of(const struct map *map, uint8_t octet, uint8_t length)
{
    for (uint16_t at = map->narrowest[octet]; at != 0; at = map->entries[at - 1].parent)
        if (map->entries[at - 1].length == length)
            return map->entries[at - 1].sources;
    return 0;
}

static size_t unpack_map(const struct map *map, struct bucket_item *items)
{
    size_t count = 0;
    for (int length = 32; length >= 0; length--) {
        int step = length <= 24 ? 256 : 1 << (32 - length);
        for (int start = 0; start < 256; start += step) {
            uint32_t sources = sources_of(map, (uint8_t)start, (uint8_t)length);
            if (sources != 0)
                items[count++] = (struct bucket_item){sources, (uint8_t)start, (uint8_t)length};
        }
    }
    return count;
}

/* Entries that agree are one: which prefix is meant follows from the address. */
static uint16_t keep_entry(struct map *map, struct entry entry)
{
    for (uint16_t at = map->count; at > 0; at--)
        if (memcmp(&map->entries[at - 1], &entry, sizeof entry) == 0)
            return at;
    map->entries[map->count++] = entry;
    return map->count;
}

/* From the widest on, so that what is narrower finds its parent in the map. */
static size_t pack_map(const struct bucket_item *items, size_t count, struct map *map)
{
    memset(map, 0, sizeof *map);
    map->form = MAPPED;
    for (size_t i = count; i-- > 0;) {
        int size = items[i].length <= 24 ? 256 : 1 << (32 - items[i].length);
        uint16_t *first = &map->narrowest[items[i].start];
        uint16_t at = keep_entry(map, (struct entry){items[i].sources, *first, items[i].length, 0});
        for (int k = 0; k < size; k++)
            first[k] = at;
    }
    return sizeof *map + map->count * sizeof *map->entries;
}

/* ---- both ---- */

size_t bucket_unpack(const void *bucket, struct bucket_item items[BUCKET_ITEMS_MAX])
{
    const uint8_t *form = bucket;
    return *form == MAPPED ? unpack_map(bucket, items) : unpack_list(bucket, items);
}

size_t bucket_pack(const struct bucket_item *items, size_t count, void *out)
{
    size_t hosts = 0;
    while (hosts < count && items[hosts].length == 32)
        hosts++;
    size_t ranges = count - hosts;
    bool fits = hosts <= LIST_HOSTS_MAX && ranges <= LIST_RANGES_MAX;
    if (fits && list_bytes(hosts, ranges) <= sizeof(struct map))
        return pack_list(items, hosts, ranges, out);
    size_t mapped = pack_map(items, count, out);
    return fits && list_bytes(hosts, ranges) < mapped ? pack_list(items, hosts, ranges, out)
                                                      : mapped;
}

size_t bucket_bytes(const void *bucket)
{
    const uint8_t *list = bucket;
    const struct map *map = bucket;
    return *list == MAPPED ? sizeof *map + map->count * sizeof *map->entries
                           : list_bytes(list[0], list[1]);
}

uint32_t bucket_find(const void *bucket, uint8_t octet, uint8_t *length)
{
    const uint8_t *form = bucket;
    return *form == MAPPED ? find_in_map(bucket, octet, length)
                           : find_in_list(bucket, octet, length);
}

size_t bucket_cover(const void *bucket, uint8_t octet, struct bucket_item *items)
{
    const uint8_t *form = bucket;
    return *form == MAPPED ? cover_by_map(bucket, octet, items)
                           : cover_by_list(bucket, octet, items);
}
