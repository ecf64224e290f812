#include "dpdk.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_hash.h>
#include <rte_log.h>
#include <rte_lpm.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "indicators.h"
#include "measure.h"

enum { GROUP = 256, TOGETHER_MAX = 64 }; /* entries of a tbl8 */

/* ---- its memory ---- */

/* DPDK asks for a file in memory, which has no huge pages unless the machine is set up for it; told
 * that there are none, it takes memory as any other program, which may have them. */
int memfd_create(const char *name, unsigned flags);
int memfd_create(const char *name, unsigned flags)
{
    (void)name, (void)flags;
    errno = ENOSYS;
    return -1;
}

static int prefer_huge_pages(const struct rte_memseg_list *list, const struct rte_memseg *segment,
                             size_t length, void *context)
{
    (void)list, (void)context;
    madvise(segment->addr, length, MADV_HUGEPAGE);
    return 0;
}

static size_t available_mb(void)
{
    char line[100];
    size_t kb = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %zu", &kb) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kb / 1024;
}

/* Once; with address space for all that is available, of which only what is used is taken. */
static bool start(void)
{
    static int started; /* 1: yes, -1: no */
    char megabytes[20];
    static const char *const arguments[] = {
        "bench_intel", "--no-huge",      "--no-shconf",
        "--no-pci",    "--no-telemetry", "-l",
        "0",           "--log-level=3",  "--force-max-simd-bitwidth=512",
        "-m"};
    enum { GIVEN = sizeof arguments / sizeof *arguments };
    char *all[GIVEN + 1];
    if (started != 0)
        return started > 0;
    snprintf(megabytes, sizeof megabytes, "%zu", available_mb());
    for (size_t i = 0; i < GIVEN; i++)
        all[i] = (char *)(uintptr_t)arguments[i];
    all[GIVEN] = megabytes;
    started = rte_eal_init(GIVEN + 1, all) >= 0 ? 1 : -1;
    if (started > 0)
        rte_memseg_contig_walk(prefer_huge_pages, NULL);
    else
        printf("(DPDK does not start: %s)\n", rte_strerror(rte_errno));
    return started > 0;
}

static double allocated(void)
{
    struct rte_malloc_socket_stats stats;
    return rte_malloc_get_socket_stats(0, &stats) == 0 ? (double)stats.heap_allocsz_bytes : 0;
}

/* With a reserve for the rest of the machine. */
static bool has_room(const char *name, double bytes)
{
    double room = (double)available_mb() * 1048576 - 2e9;
    if (bytes <= room)
        return true;
    printf("%-22s would take %.1f GB, of which %.1f are free: left out\n", name, bytes / 1e9,
           room > 0 ? room / 1e9 : 0);
    return false;
}

/* ---- prefixes, wider before narrower ---- */

static int compare_lengths(const void *a, const void *b)
{
    const struct picket_prefix *x = a, *y = b;
    return x->length - y->length;
}

static struct picket_prefix *widest_first(const struct picket_prefix *prefixes, size_t count)
{
    struct picket_prefix *sorted = bench_memory(count * sizeof *sorted);
    memcpy(sorted, prefixes, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_lengths);
    return sorted;
}

/* The /24s with something longer in them: each takes a tbl8. */
static uint32_t count_groups(const struct picket_prefix *prefixes, size_t count)
{
    uint8_t *seen = calloc(1, 1 << 21);
    uint32_t groups = 0;
    for (size_t i = 0; seen != NULL && i < count; i++) {
        uint32_t index = picket_address_ipv4_number(&prefixes[i].address) >> 8;
        bool is_new = prefixes[i].length > 24 && (seen[index / 8] >> index % 8 & 1) == 0;
        seen[index / 8] |= (uint8_t)(is_new << index % 8);
        groups += is_new;
    }
    free(seen);
    return groups;
}

/* ---- rte_fib ---- */

static void fib_many(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    uint64_t hops[TOGETHER_MAX];
    rte_fib_lookup_bulk((struct rte_fib *)(uintptr_t)self, (uint32_t *)(uintptr_t)addresses, hops,
                        (int)count);
    for (size_t i = 0; i < count; i++)
        found[i] = (uint32_t)hops[i];
}

static uint32_t fib_one(const void *self, const void *address)
{
    uint32_t found;
    fib_many(self, address, 1, &found);
    return found;
}

static void measure_fib(struct lookups *lookups, const struct picket_prefix *sorted, size_t count,
                        uint32_t groups)
{
    if (!has_room("rte_fib", groups * 1024.0 + (double)count * 160 + 1e8))
        return;
    struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8, .max_routes = (int)count};
    conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
    conf.dir24_8.num_tbl8 = groups + 1000;
    double before = allocated(), started = bench_now_s();
    struct rte_fib *fib = rte_fib_create("fib", 0, &conf);
    if (fib == NULL) {
        printf("%-22s cannot be made: %s\n", "rte_fib", rte_strerror(rte_errno));
        return;
    }
    size_t missing = 0;
    for (size_t i = 0; i < count; i++)
        missing += rte_fib_add(fib, picket_address_ipv4_number(&sorted[i].address),
                               sorted[i].length, sorted[i].length + 1u) != 0;
    struct structure structure = {.name = "rte_fib",
                                  .self = fib,
                                  .one = fib_one,
                                  .many = fib_many,
                                  .seconds = bench_now_s() - started,
                                  .bytes = allocated() - before};
    lookups_measure(lookups, &structure, count);
    rte_fib_select_lookup(fib, RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO);
    structure.name = "rte_fib, no AVX-512";
    lookups_measure(lookups, &structure, count);
    if (missing > 0)
        printf("rte_fib took %zu fewer\n", missing);
    rte_fib_free(fib);
}

/* ---- rte_lpm, whose tables are written directly: adding by its API takes time that grows as the
 * square of their number, hours for ten million; and rte_lpm_create() has 32 bits for the size of
 * the tbl8s, of which ten million prefixes take more ---- */

static uint32_t lpm_one(const void *self, const void *address)
{
    uint32_t hop;
    int status =
        rte_lpm_lookup((struct rte_lpm *)(uintptr_t)self, *(const uint32_t *)address, &hop);
    return status == 0 ? hop : 0;
}

static void lpm_many(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    uint32_t hops[TOGETHER_MAX];
    rte_lpm_lookup_bulk((const struct rte_lpm *)self, addresses, hops, (unsigned)count);
    for (size_t i = 0; i < count; i++)
        found[i] = hops[i] & RTE_LPM_LOOKUP_SUCCESS ? hops[i] & 0xffffff : 0;
}

static void write_entries(struct rte_lpm_tbl_entry *entries, size_t count, uint8_t length)
{
    struct rte_lpm_tbl_entry entry = {.next_hop = length + 1u, .valid = 1, .depth = length};
    for (size_t i = 0; i < count; i++)
        entries[i] = entry;
}

static void write_prefix(struct rte_lpm *lpm, uint32_t *groups, const struct picket_prefix *prefix)
{
    uint32_t start = picket_address_ipv4_number(&prefix->address);
    struct rte_lpm_tbl_entry *entry = &lpm->tbl24[start >> 8];
    if (prefix->length <= 24) {
        write_entries(entry, (size_t)1 << (24 - prefix->length), prefix->length);
        return;
    }
    if (!entry->valid_group) {
        struct rte_lpm_tbl_entry group = {.next_hop = *groups, .valid = 1, .valid_group = 1};
        for (size_t i = 0; i < GROUP; i++)
            lpm->tbl8[(size_t)*groups * GROUP + i] = *entry;
        *entry = group;
        ++*groups;
    }
    write_entries(&lpm->tbl8[(size_t)entry->next_hop * GROUP + (start & 255)],
                  (size_t)1 << (32 - prefix->length), prefix->length);
}

static void measure_lpm(struct lookups *lookups, const struct picket_prefix *sorted, size_t count,
                        uint32_t groups)
{
    if (!has_room("rte_lpm", groups * 1024.0 + 1e8))
        return;
    struct rte_lpm_config config = {.max_rules = 1, .number_tbl8s = 1};
    size_t bytes = (size_t)groups * GROUP * sizeof(struct rte_lpm_tbl_entry);
    double before = allocated(), started = bench_now_s();
    struct rte_lpm *lpm = rte_lpm_create("lpm", 0, &config);
    void *tbl8 = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lpm == NULL || tbl8 == MAP_FAILED) {
        printf("%-22s cannot be made: %s\n", "rte_lpm", rte_strerror(rte_errno));
        return;
    }
    madvise(tbl8, bytes, MADV_HUGEPAGE);
    struct rte_lpm_tbl_entry *its_own = lpm->tbl8;
    uint32_t used = 0;
    lpm->tbl8 = tbl8;
    for (size_t i = 0; i < count; i++)
        write_prefix(lpm, &used, &sorted[i]);
    struct structure structure = {.name = "rte_lpm, its tables",
                                  .self = lpm,
                                  .one = lpm_one,
                                  .many = lpm_many,
                                  .seconds = bench_now_s() - started,
                                  .bytes = allocated() - before + (double)bytes};
    lookups_measure(lookups, &structure, count);
    lpm->tbl8 = its_own;
    rte_lpm_free(lpm);
    munmap(tbl8, bytes);
}

/* ---- rte_hash, of single addresses alone ---- */

static uint32_t hash_one(const void *self, const void *address)
{
    void *data = NULL;
    int status = rte_hash_lookup_data(self, address, &data);
    return status >= 0 ? (uint32_t)(uintptr_t)data : 0;
}

static void hash_many(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    const void *keys[TOGETHER_MAX];
    void *data[TOGETHER_MAX] = {NULL};
    uint64_t hits;
    for (size_t i = 0; i < count; i++)
        keys[i] = (const uint32_t *)addresses + i;
    rte_hash_lookup_bulk_data(self, keys, (uint32_t)count, &hits, data);
    for (size_t i = 0; i < count; i++)
        found[i] = hits >> i & 1 ? (uint32_t)(uintptr_t)data[i] : 0;
}

static void measure_hash(struct lookups *lookups, const struct picket_prefix *prefixes,
                         size_t count)
{
    uint32_t entries = 0;
    for (size_t i = 0; i < count; i++)
        entries += prefixes[i].length == 32;
    if (!has_room("rte_hash", entries * 64.0))
        return;
    struct rte_hash_parameters parameters = {
        .name = "hash",
        .entries = entries + entries / 8 + 64,
        .key_len = sizeof(uint32_t),
        .extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
    };
    double before = allocated(), started = bench_now_s();
    struct rte_hash *hash = rte_hash_create(&parameters);
    if (hash == NULL) {
        printf("%-22s cannot be made: %s\n", "rte_hash", rte_strerror(rte_errno));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t address = picket_address_ipv4_number(&prefixes[i].address);
        if (prefixes[i].length == 32)
            rte_hash_add_key_data(hash, &address, (void *)(uintptr_t)33);
    }
    struct structure structure = {.name = "rte_hash, /32 alone",
                                  .self = hash,
                                  .one = hash_one,
                                  .many = hash_many,
                                  .seconds = bench_now_s() - started,
                                  .bytes = allocated() - before,
                                  .partial = true};
    lookups_measure(lookups, &structure, entries);
    rte_hash_free(hash);
}

void dpdk_measure_ipv4(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count)
{
    if (!start())
        return;
    struct picket_prefix *sorted = widest_first(prefixes, count);
    uint32_t groups = count_groups(prefixes, count);
    measure_hash(lookups, prefixes, count);
    measure_lpm(lookups, sorted, count, groups);
    measure_fib(lookups, sorted, count, groups);
    free(sorted);
}

/* ---- rte_fib6 ---- */

static void fib6_many(const void *self, const void *addresses, size_t count, uint32_t *found)
{
    uint64_t hops[TOGETHER_MAX];
    rte_fib6_lookup_bulk((struct rte_fib6 *)(uintptr_t)self,
                         (uint8_t(*)[RTE_FIB6_IPV6_ADDR_SIZE])(uintptr_t)addresses, hops,
                         (int)count);
    for (size_t i = 0; i < count; i++)
        found[i] = (uint32_t)hops[i];
}

static uint32_t fib6_one(const void *self, const void *address)
{
    uint32_t found;
    fib6_many(self, address, 1, &found);
    return found;
}

void dpdk_measure_ipv6(struct lookups *lookups, const struct picket_prefix *prefixes, size_t count)
{
    static const double groups_each = 8; /* measured: below 7 some prefixes find no room */
    double groups = (double)count * groups_each;
    if (!start() || !has_room("rte_fib6", groups * 1024 + (double)count * 200))
        return;
    struct rte_fib6_conf conf = {.type = RTE_FIB6_TRIE, .max_routes = (int)count};
    conf.trie.nh_sz = RTE_FIB6_TRIE_4B;
    conf.trie.num_tbl8 = (uint32_t)groups;
    struct picket_prefix *sorted = widest_first(prefixes, count);
    double before = allocated(), started = bench_now_s();
    struct rte_fib6 *fib = rte_fib6_create("fib6", 0, &conf);
    if (fib == NULL) {
        printf("%-22s cannot be made: %s\n", "rte_fib6", rte_strerror(rte_errno));
        free(sorted);
        return;
    }
    size_t missing = 0;
    for (size_t i = 0; i < count; i++)
        missing += rte_fib6_add(fib, sorted[i].address.bytes, sorted[i].length,
                                sorted[i].length + 1u) != 0;
    struct structure structure = {.name = "rte_fib6",
                                  .self = fib,
                                  .one = fib6_one,
                                  .many = fib6_many,
                                  .seconds = bench_now_s() - started,
                                  .bytes = allocated() - before};
    lookups_measure(lookups, &structure, count);
    if (missing > 0)
        printf("rte_fib6 took %zu fewer\n", missing);
    rte_fib6_free(fib);
    free(sorted);
}
