/* What table.c reads and table_builder.c lays out; table.h draws it. */
#ifndef INTEL_TABLE_LAYOUT_H
#define INTEL_TABLE_LAYOUT_H

#include "indicator_text.h"
#include "table.h"

enum {
    TABLE_SLOTS = 1 << 16,
    TABLE_LENGTH_MASK = 0x3f, /* of an IPv4 entry's length */
    TABLE_HAS_PARENT = 0x80   /* in an IPv4 entry's length: links need be looked at */
};

struct table_detail {
    uint32_t first_seen_s;  /* Unix seconds; 32 bits, unsigned, reach to 2106 */
    uint32_t valid_until_s; /* 0: for ever */
    uint32_t tags;          /* offset in text */
    uint16_t feed;
    uint16_t port;
    uint8_t confidence;
    uint8_t zero[3]; /* no padding: details are compared and hashed as bytes */
};

struct table_source {
    uint32_t detail;
    uint32_t line;
};

struct table_links {
    uint32_t parent;
    uint32_t first;
};

struct table_family {
    uint32_t count;
    uint32_t record_count;
    struct table_links *links;
    uint8_t *lengths;
    struct table_source *records;
};

struct table {
    struct table_family ipv4, ipv6;
    uint32_t *ipv4_starts;
    wide_address *ipv6_starts;
    uint32_t *ipv4_slots;
    struct table_detail *details;
    uint32_t detail_count;
    struct table_feed *feeds; /* their names are the table's to free */
    uint32_t feed_count;
    char *text;
    size_t text_bytes;
};

static inline uint8_t table_length(const struct table_family *entries, uint8_t family,
                                   uint32_t entry)
{
    return family == 4 ? entries->lengths[entry] & TABLE_LENGTH_MASK : entries->lengths[entry];
}

static inline wide_address table_wide(const uint8_t bytes[16])
{
    wide_address value = 0;
    for (int i = 0; i < 16; i++)
        value = value << 8 | bytes[i];
    return value;
}

#endif
