/* What one core does in memory: read a feed, build the table, look addresses up, and the whole of
 * decode, key, match and rules; no disk. bench/service/README.md says how to read it.
 *
 *     bench_service [INDICATORS]      1,000,000 unless told
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decode.h"
#include "intel/feed_reader.h"
#include "intel/matcher.h"
#include "messages.h"
#include "picket/base/properties.h"
#include "picket/wire/message.h"

enum { LOOKUPS = 1 << 22, MESSAGES = 512, HIT_PERCENT = 5 };

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_service: %s\n", what);
    exit(1);
}

/* ---- a feed: 85 % single addresses, the rest prefixes /22 to /31, spread over IPv4 ---- */

static char *feed_text(size_t indicators, size_t *size, uint32_t *random)
{
    char *text = malloc(indicators * 20 + 1);
    if (text == NULL)
        fail("no memory");
    *size = 0;
    for (size_t i = 0; i < indicators; i++) {
        uint32_t address = bench_random(random);
        int length = bench_random(random) % 100 < 85 ? 32 : 22 + (int)(bench_random(random) % 10);
        *size += (size_t)sprintf(text + *size, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
                                 address >> 8 & 255, address & 255);
        *size += (size_t)sprintf(text + *size, length < 32 ? "/%d\n" : "\n", length);
    }
    return text;
}

static struct table *load(size_t indicators, uint32_t *random)
{
    size_t size;
    char *text = feed_text(indicators, &size, random);
    struct feed_reading reading;
    double start = now_s();
    if (feed_read(&reading, text, size, FEED_AUTO, 80, NULL) != PICKET_OK)
        fail("the feed cannot be read");
    double read = now_s();
    struct table_builder *builder = table_builder_new();
    struct table *table;
    int feed = table_add_feed(builder, "bench", false);
    for (size_t i = 0; i < reading.indicators.count; i++)
        if (!table_add(builder, feed, &reading.indicators.items[i]))
            fail("no memory");
    if (table_build(builder, &table, NULL) != PICKET_OK)
        fail("no memory");
    double built = now_s();
    printf("feed of %zu lines (%.1f MB): read in %.2f s, table built in %.2f s\n", indicators,
           (double)size / 1e6, read - start, built - read);
    printf("table: %zu indicators, %.1f bytes each\n", table_indicators(table),
           (double)table_size_bytes(table) / (double)table_indicators(table));
    feed_reading_free(&reading);
    free(text);
    return table;
}

/* ---- lookups ---- */

/* The reference: boundaries of the flattened prefixes, sorted; a plain binary search finds the span
 * of an address, and with it which entry matched. */
struct reference {
    uint32_t *starts, *entries;
    size_t count;
};

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static struct picket_address address_of(uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    return picket_address_ipv4(bytes);
}

static struct reference reference_of(const struct table *table, const uint32_t *firsts,
                                     const uint32_t *afters, size_t prefixes)
{
    struct reference reference = {malloc((2 * prefixes + 1) * sizeof(uint32_t)), NULL, 0};
    for (size_t i = 0; i < prefixes; i++) {
        reference.starts[reference.count++] = firsts[i];
        if (afters[i] != 0)
            reference.starts[reference.count++] = afters[i];
    }
    reference.starts[reference.count++] = 0;
    qsort(reference.starts, reference.count, sizeof(uint32_t), compare_numbers);
    size_t distinct = 1;
    for (size_t i = 1; i < reference.count; i++)
        if (reference.starts[i] != reference.starts[distinct - 1])
            reference.starts[distinct++] = reference.starts[i];
    reference.count = distinct;
    reference.entries = malloc(distinct * sizeof(uint32_t));
    for (size_t i = 0; i < distinct; i++) {
        struct picket_address address = address_of(reference.starts[i]);
        reference.entries[i] = table_find(table, &address);
    }
    return reference;
}

static uint32_t reference_find(const struct reference *reference, uint32_t address)
{
    size_t low = 0, high = reference->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (reference->starts[middle] <= address)
            low = middle;
        else
            high = middle;
    }
    return reference->entries[low];
}

/* The prefixes of the table as first address and the one after the last. */
static size_t table_spans(const struct table *table, uint32_t *firsts, uint32_t *afters)
{
    size_t count = 0;
    for (uint32_t entry = 0, end = 0; end < table_indicators(table); entry++) {
        struct table_match match;
        uint32_t first;
        end = table_records(table, 4, entry, &first);
        table_record(table, 4, entry, first, &match);
        const uint8_t *bytes = match.prefix.address.bytes;
        uint32_t start = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                         (uint32_t)bytes[2] << 8 | bytes[3];
        firsts[count] = start;
        afters[count++] = start + (uint32_t)((uint64_t)1 << (32 - match.prefix.length));
    }
    return count;
}

static uint32_t *addresses(const uint32_t *firsts, size_t count, uint32_t hit_percent,
                           uint32_t *random)
{
    uint32_t *list = malloc(LOOKUPS * sizeof *list);
    for (size_t i = 0; i < LOOKUPS; i++)
        list[i] = bench_random(random) % 100 < hit_percent ? firsts[bench_random(random) % count]
                                                           : bench_random(random);
    return list;
}

/* Each lookup waits for the one before: its address depends on that one's result, though it never
 * changes. */
static double dependent(const struct table *table, const struct reference *reference,
                        const uint32_t *list, uint64_t *sum)
{
    uint32_t carried = 0;
    double start = now_s();
    for (size_t i = 0; i < LOOKUPS; i++) {
        uint32_t address = list[i] + (carried == UINT32_MAX - 1);
        if (reference != NULL) {
            carried = reference_find(reference, address);
        } else {
            struct picket_address looked_up = address_of(address);
            carried = table_find(table, &looked_up);
        }
        *sum += carried;
    }
    return LOOKUPS / (now_s() - start) / 1e6;
}

static double batched(const struct table *table, const uint32_t *list, uint64_t *sum)
{
    uint32_t entries[16];
    double start = now_s();
    for (size_t i = 0; i < LOOKUPS; i += 16) {
        table_find_ipv4(table, list + i, 16, entries);
        for (int k = 0; k < 16; k++)
            *sum += entries[k];
    }
    return LOOKUPS / (now_s() - start) / 1e6;
}

static void lookups(const struct table *table, const struct reference *reference,
                    const uint32_t *firsts, size_t prefixes, uint32_t hit_percent, uint32_t *random)
{
    uint32_t *list = addresses(firsts, prefixes, hit_percent, random);
    uint64_t sums[3] = {0, 0, 0};
    double plain = dependent(table, reference, list, &sums[0]);
    double one = dependent(table, NULL, list, &sums[1]);
    double sixteen = batched(table, list, &sums[2]);
    if (sums[0] != sums[1] || sums[1] != sums[2])
        fail("the lookups do not agree");
    printf("lookups, %u %% hits: plain binary search %.1f M/s; table %.1f M/s (× %.1f), by sixteen "
           "%.1f M/s (× %.1f)\n",
           hit_percent, plain, one, one / plain, sixteen, sixteen / plain);
    free(list);
}

/* ---- decode, key, match and rules ---- */

static int count_finding(void *context, const struct picket_finding *finding)
{
    (void)finding;
    ++*(uint64_t *)context;
    return PICKET_OK;
}

static uint64_t take_message(struct arena *arena, const struct table *table,
                             const struct bench_message *message, uint64_t *findings)
{
    struct picket_wire_message_view view;
    struct picket_wire_error problem;
    uint64_t flows = 0;
    arena->used = 0;
    if (!picket_properties_tell_security_message(PICKET_WIRE_TOPIC_PROPERTIES) ||
        !picket_wire_open(&view, message->bytes, message->size, &problem))
        fail("a message cannot be read");
    for (uint32_t i = 0; i < view.event_count; i++) {
        struct decoded_event decoded;
        if (decode_event(arena, &view, i, 1700000001000, &decoded) != PICKET_OK)
            fail("no memory");
        struct picket_event event = {.device = "device",
                                     .group = "",
                                     .received_ms = 1700000001000,
                                     .seen_ms = decoded.seen_ms,
                                     .flows = decoded.flows,
                                     .flow_count = decoded.flow_count};
        matcher_inspect(table, &event, count_finding, findings);
        flows += decoded.flow_count;
    }
    return flows;
}

static void pipeline(const struct table *table, uint32_t flows, uint32_t *random)
{
    struct bench_message messages[MESSAGES];
    struct arena arena = {.bytes = NULL};
    uint64_t findings = 0, taken = 0, flows_taken = 0;
    for (int i = 0; i < MESSAGES; i++)
        messages[i] = bench_message_make(flows, random);
    if (!arena_resize(&arena, 1 << 20))
        fail("no memory");
    double start = now_s(), end;
    do {
        for (int i = 0; i < MESSAGES; i++)
            flows_taken += take_message(&arena, table, &messages[i], &findings);
        taken += MESSAGES;
        end = now_s();
    } while (end - start < 2);
    printf(
        "decode + key + match, %2u flows a message (%zu bytes): %.0f messages/s, %.2f M flows/s, "
        "%.2f findings a message\n",
        flows, messages[0].size, (double)taken / (end - start),
        (double)flows_taken / (end - start) / 1e6, (double)findings / (double)taken);
    for (int i = 0; i < MESSAGES; i++)
        free(messages[i].bytes);
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    uint32_t random = 2463534242u;
    size_t indicators = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    if (indicators == 0 || indicators > FEED_INDICATORS_MAX)
        fail("the number of indicators is out of range");
    struct table *table = load(indicators, &random);
    uint32_t *firsts = malloc(indicators * sizeof *firsts);
    uint32_t *afters = malloc(indicators * sizeof *afters);
    size_t prefixes = table_spans(table, firsts, afters);
    struct reference reference = reference_of(table, firsts, afters, prefixes);
    lookups(table, &reference, firsts, prefixes, HIT_PERCENT, &random);
    lookups(table, &reference, firsts, prefixes, 100, &random);
    static const uint32_t sizes[] = {64, 8, 1, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        pipeline(table, sizes[i], &random);
    free(firsts);
    free(afters);
    free(reference.starts);
    free(reference.entries);
    table_free(table);
    return 0;
}
