/* The special-purpose address registries of IANA (RFC 6890, RFC 8190 and the documents each row
 * names), and multicast. Rows that the registries call globally reachable have no word; they are
 * here because they lie within a block that has one. 6to4 and Teredo, where the registries leave it
 * open, count as reachable: packets to them do leave the network. */
#include <string.h>

#include "picket/base/address.h"

struct block {
    uint8_t bytes[16];
    uint8_t length;
    const char *word;
};

/* The most specific of overlapping blocks first. */
static const struct block ipv4_blocks[] = {
    {{0, 0, 0, 0}, 8, "this-network"},            /* RFC 791 */
    {{10}, 8, "private-use"},                     /* RFC 1918 */
    {{100, 64}, 10, "shared-address-space"},      /* RFC 6598 */
    {{127}, 8, "loopback"},                       /* RFC 1122 */
    {{169, 254}, 16, "link-local"},               /* RFC 3927 */
    {{172, 16}, 12, "private-use"},               /* RFC 1918 */
    {{192, 0, 0, 9}, 32, NULL},                   /* RFC 7723, PCP anycast */
    {{192, 0, 0, 10}, 32, NULL},                  /* RFC 8155, TURN anycast */
    {{192, 0, 0, 0}, 24, "protocol-assignments"}, /* RFC 6890 */
    {{192, 0, 2, 0}, 24, "documentation"},        /* RFC 5737 */
    {{192, 168}, 16, "private-use"},              /* RFC 1918 */
    {{198, 18}, 15, "benchmarking"},              /* RFC 2544 */
    {{198, 51, 100}, 24, "documentation"},        /* RFC 5737 */
    {{203, 0, 113}, 24, "documentation"},         /* RFC 5737 */
    {{224}, 4, "multicast"},                      /* RFC 5771 */
    {{255, 255, 255, 255}, 32, "broadcast"},      /* RFC 919 */
    {{240}, 4, "reserved"},                       /* RFC 1112 */
};

static const struct block ipv6_blocks[] = {
    {{0}, 128, "unspecified"},                                           /* RFC 4291 */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"}, /* RFC 4291 */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, "ipv4-mapped"},     /* RFC 4291 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "local-translation"},     /* RFC 8215 */
    {{0x01, 0x00, 0, 0, 0, 0, 0, 0}, 64, "discard-only"},                /* RFC 6666 */
    {{0x01, 0x00, 0, 0, 0, 0, 0, 1}, 64, "dummy"},                       /* RFC 9780 */
    {{0x20, 0x01, 0, 0}, 32, NULL},                                      /* RFC 4380, Teredo */
    {{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, NULL}, /* RFC 7723 */
    {{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, 128, NULL}, /* RFC 8155 */
    {{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}, 128, NULL}, /* RFC 9665 */
    {{0x20, 0x01, 0, 2, 0, 0}, 48, "benchmarking"},                      /* RFC 5180 */
    {{0x20, 0x01, 0, 3}, 32, NULL},                                      /* RFC 7450, AMT */
    {{0x20, 0x01, 0, 4, 0x01, 0x12}, 48, NULL},                          /* RFC 7535, AS112 */
    {{0x20, 0x01, 0, 0x20}, 28, NULL},                                   /* RFC 7343, ORCHIDv2 */
    {{0x20, 0x01, 0, 0x30}, 28, NULL},                                   /* RFC 9374, DRIP */
    {{0x20, 0x01, 0, 0}, 23, "protocol-assignments"},                    /* RFC 2928 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},                     /* RFC 3849 */
    {{0x3f, 0xff, 0x00}, 20, "documentation"},                           /* RFC 9637 */
    {{0x5f, 0x00}, 16, "segment-routing"},                               /* RFC 9602 */
    {{0xfc}, 7, "unique-local"},                                         /* RFC 4193 */
    {{0xfe, 0x80}, 10, "link-local"},                                    /* RFC 4291 */
    {{0xff}, 8, "multicast"},                                            /* RFC 4291 */
};

static const char *find(const struct block *blocks, size_t count,
                        const struct picket_address *address)
{
    for (size_t i = 0; i < count; i++) {
        struct picket_prefix prefix = {.address.family = address->family,
                                       .length = blocks[i].length};
        memcpy(prefix.address.bytes, blocks[i].bytes, sizeof blocks[i].bytes);
        if (picket_prefix_covers(&prefix, address))
            return blocks[i].word;
    }
    return NULL;
}

const char *picket_address_special_purpose(const struct picket_address *address)
{
    if (address->family == 4)
        return find(ipv4_blocks, sizeof ipv4_blocks / sizeof ipv4_blocks[0], address);
    return find(ipv6_blocks, sizeof ipv6_blocks / sizeof ipv6_blocks[0], address);
}
