/* A message from a device: a byte that says how long the properties are, the properties, the
 * payload. What the pipeline does with it before it writes: is it a security message, decode,
 * match. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "intel/matching/matcher.h"
#include "picket/base/properties.h"

enum { ARENA_BYTES = 128 << 20 }; /* more than any message says, twice */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct table *wide_table(void)
{
    static const struct picket_indicator indicators[] = {
        {.prefix = {{.family = 4, .bytes = {0}}, 2}, .confidence = 90, .tags = "low"},
        {.prefix = {{.family = 4, .bytes = {198, 51, 100, 7}}, 32}, .port = 443, .tags = "one"},
        {.prefix = {{.family = 6, .bytes = {0x20}}, 4}, .valid_until_ms = 1, .tags = ""},
        {.prefix = {{.family = 6, .bytes = {0x20, 1}}, 16}, .tags = "six"}};
    struct table *table = table_new();
    uint16_t feed =
        table_add_feed(table, &(struct table_feed){.name = "feed", .match_special_purpose = true});
    struct table_batch *batch = table_batch_new(table);
    for (size_t i = 0; i < sizeof indicators / sizeof *indicators; i++)
        table_put(batch, feed, &indicators[i]);
    if (table_apply(batch, NULL) != PICKET_OK)
        abort();
    return table;
}

static int check_finding(void *context, const struct picket_finding *finding)
{
    (void)context;
    if (finding->evidence[0] != '{' || strlen(finding->subject) < 4 ||
        finding->description[0] == '\0')
        abort();
    return PICKET_OK;
}

static void take_message(const uint8_t *payload, size_t size)
{
    static struct table *table;
    static struct arena arena;
    struct picket_wire_message_view view;
    struct picket_wire_error problem;
    if (table == NULL) {
        table = wide_table();
        if (!arena_resize(&arena, ARENA_BYTES))
            abort();
    }
    if (!picket_wire_open(&view, payload, size, &problem))
        return;
    for (uint32_t i = 0; i < view.event_count; i++) {
        struct decoded_event decoded, again;
        arena.used = 0;
        if (decode_event(&arena, &view, i, 1700000000000, &decoded) != PICKET_OK)
            return;
        struct matching matching = {.table = table};
        struct picket_event event = {.device = "device",
                                     .group = "",
                                     .event_id = 1,
                                     .received_ms = 1700000000000,
                                     .seen_ms = decoded.seen_ms,
                                     .flows = decoded.flows,
                                     .flow_count = decoded.flow_count};
        if (decoded.seen_ms > event.received_ms ||
            matcher_inspect(&matching, &event, check_finding, NULL) != PICKET_OK ||
            decode_event(&arena, &view, i, 1700000000000, &again) != PICKET_OK ||
            memcmp(decoded.key, again.key, sizeof again.key) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t properties_size = data[0] < size ? data[0] : size - 1;
    char properties[256];
    memcpy(properties, data + 1, properties_size);
    properties[properties_size] = '\0';
    picket_properties_tell_security_message(properties);
    take_message(data + 1 + properties_size, size - 1 - properties_size);
    return 0;
}
