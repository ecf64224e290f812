/* What one core does with messages in memory: decode, key, match and rules; no disk. README.md says
 * how to read it.
 *
 *     bench_service [INDICATORS]      1,000,000 unless told
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "intel/formats/feed_reader.h"
#include "intel/matching/matcher.h"
#include "measure.h"
#include "messages.h"
#include "picket/base/properties.h"
#include "picket/wire/message.h"

enum { MESSAGES = 512 };

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
    if (feed_read(&reading, text, size, &(struct feed_options){.confidence = 80}, NULL) !=
        PICKET_OK)
        fail("the feed cannot be read");
    struct table *table = table_new();
    uint16_t feed = table_add_feed(table, &(struct table_feed){.name = "bench"});
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < reading.indicators.count; i++)
        if (!table_put(batch, feed, &reading.indicators.items[i]))
            fail("no memory");
    if (table_apply(batch, NULL) != PICKET_OK)
        fail("no memory");
    feed_reading_free(&reading);
    free(text);
    return table;
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
        struct matching matching = {.table = table};
        struct picket_event event = {.device = "device",
                                     .group = "",
                                     .received_ms = 1700000001000,
                                     .seen_ms = decoded.seen_ms,
                                     .flows = decoded.flows,
                                     .flow_count = decoded.flow_count};
        matcher_inspect(&matching, &event, count_finding, findings);
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
    double start = bench_now_s(), end;
    do {
        for (int i = 0; i < MESSAGES; i++)
            flows_taken += take_message(&arena, table, &messages[i], &findings);
        taken += MESSAGES;
        end = bench_now_s();
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
    static const uint32_t sizes[] = {64, 8, 1, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        pipeline(table, sizes[i], &random);
    table_free(table);
    return 0;
}
