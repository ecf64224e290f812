#include "listed.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static void check(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "bench_intel: no memory\n");
    exit(1);
}

void listed_open(struct listed *listed)
{
    listed->table = table_new();
    check(listed->table != NULL);
    listed->feed = table_add_feed(listed->table, &(struct table_feed){.name = "bench"});
    check(listed->feed != 0);
}

void listed_close(struct listed *listed)
{
    table_free(listed->table);
}

void listed_change(const struct listed *listed, const struct picket_prefix *prefixes, size_t count,
                   bool in)
{
    struct table_batch *batch = table_batch_new(listed->table);
    for (size_t i = 0; i < count; i++) {
        struct picket_indicator indicator = {.prefix = prefixes[i], .confidence = 80, .tags = ""};
        check(in ? table_put(batch, listed->feed, &indicator)
                 : table_take_out(batch, listed->feed, &indicator));
    }
    check(table_apply(batch, NULL) == PICKET_OK);
}

/* ---- as a structure ---- */

static uint32_t result(struct table_cover cover)
{
    return (cover.length + 1u) & -(uint32_t)(cover.sources != 0);
}

static uint32_t one_ipv4(const void *self, const void *address)
{
    const struct listed *listed = self;
    uint32_t number = *(const uint32_t *)address;
    uint8_t octets[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                         (uint8_t)number};
    struct picket_address asked = picket_address_ipv4(octets);
    return result(table_find(listed->table, &asked));
}

static uint32_t one_ipv6(const void *self, const void *address)
{
    const struct listed *listed = self;
    struct picket_address asked = picket_address_ipv6(address);
    return result(table_find(listed->table, &asked));
}

static void results(const struct table_cover *covers, size_t count, uint32_t *found)
{
    for (size_t i = 0; i < count; i++)
        found[i] = result(covers[i]);
}

static void many_ipv4(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    const struct listed *listed = self;
    struct table_cover covers[64];
    table_find_ipv4(listed->table, addresses, count, covers);
    results(covers, count, found);
}

static void many_ipv6(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    const struct listed *listed = self;
    struct table_cover covers[64];
    table_find_ipv6(listed->table, addresses, count, covers);
    results(covers, count, found);
}

struct structure listed_make(struct listed *listed, const struct picket_prefix *prefixes,
                             size_t count)
{
    bool is_ipv4 = prefixes[0].address.family == 4;
    malloc_trim(0); /* so that what was freed before does not count */
    double resident = bench_resident_mb(), start = bench_now_s();
    listed_open(listed);
    listed_change(listed, prefixes, count, true);
    double seconds = bench_now_s() - start;
    malloc_trim(0); /* as Picket does: what building took is given back */
    return (struct structure){.name = "Picket",
                              .self = listed,
                              .one = is_ipv4 ? one_ipv4 : one_ipv6,
                              .many = is_ipv4 ? many_ipv4 : many_ipv6,
                              .seconds = seconds,
                              .bytes = (bench_resident_mb() - resident) * 1e6};
}
