/* How long a feed of each format takes to read, and what the reading holds beside the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../measure.h"
#include "indicators.h"
#include "intel/formats/feed_reader.h"

enum { INDICATORS = 1000000, LINE_BYTES = 1024, ROUNDS = 3 };

struct layout {
    const char *name;
    const char *start, *between, *end;
    const char *item; /* %s is the prefix, %zu its number */
};

static const struct layout layouts[] = {
    {"plain", "", "", "", "%s\n"},
    {"CSV", "ip,port,malware,confidence\n", "", "", "%s,443,Mirai,80\n"},
    {"Zeek", "#fields\tindicator\tindicator_type\tmeta.source\n", "", "",
     "%s\tIntel::ADDR\tours\n"},
    {"NDJSON", "", "", "", "{\"cidr\":\"%s\",\"sblid\":\"SBL%zu\",\"rir\":\"apnic\"}\n"},
    {"STIX", "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[", ",", "]}",
     "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"pattern\":\"[ipv4-addr:value = '%s']\","
     "\"id\":\"indicator--00000000-0000-4000-8000-%012zu\",\"created\":\"2026-01-01T00:00:00."
     "000Z\","
     "\"modified\":\"2026-01-01T00:00:00.000Z\",\"pattern_type\":\"stix\",\"valid_from\":"
     "\"2026-01-01T00:00:00Z\",\"labels\":[\"malicious-activity\"],\"confidence\":85}"},
    {"MISP", "{\"Event\":{\"uuid\":\"e\",\"info\":\"i\",\"Attribute\":[", ",", "]}}",
     "{\"type\":\"ip-dst\",\"category\":\"Network activity\",\"to_ids\":true,\"value\":\"%s\","
     "\"uuid\":\"00000000-0000-4000-8000-%012zu\",\"timestamp\":\"1520624226\",\"comment\":\"\","
     "\"deleted\":false}"},
};

static char *feed_text(const struct layout *layout, const struct picket_prefix *prefixes,
                       size_t *size)
{
    size_t item_bytes = strlen(layout->item) + PICKET_PREFIX_TEXT_BYTES + 16;
    char *text = bench_memory(LINE_BYTES + INDICATORS * item_bytes);
    *size = (size_t)sprintf(text, "%s", layout->start);
    for (size_t i = 0; i < INDICATORS; i++) {
        char prefix[PICKET_PREFIX_TEXT_BYTES], item[LINE_BYTES];
        picket_prefix_format(&prefixes[i], prefix);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(item, sizeof item, layout->item, prefix, i);
#pragma GCC diagnostic pop
        *size += (size_t)sprintf(text + *size, "%s%s", i > 0 ? layout->between : "", item);
    }
    *size += (size_t)sprintf(text + *size, "%s", layout->end);
    return text;
}

/* The best of some rounds, in processor time. */
static void measure(const struct layout *layout, const struct picket_prefix *prefixes)
{
    size_t size;
    char *text = feed_text(layout, prefixes, &size);
    double best_s = 0, held_mb = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct feed_reading reading;
        double before_mb = bench_resident_mb(), start_s = bench_cpu_s();
        if (feed_read(&reading, text, size, &(struct feed_options){.confidence = 50}, NULL) !=
                PICKET_OK ||
            reading.indicators.count != INDICATORS) {
            fprintf(stderr, "%s: not read whole\n", layout->name);
            exit(1);
        }
        double took_s = bench_cpu_s() - start_s;
        if (round == 0)
            held_mb = bench_resident_mb() - before_mb;
        best_s = round == 0 || took_s < best_s ? took_s : best_s;
        feed_reading_free(&reading);
    }
    printf("%-7s %6.1f MB: %.2f s (%.0f MB/s), %.0f MB held beside the text\n", layout->name,
           (double)size / 1e6, best_s, (double)size / 1e6 / best_s, held_mb);
    free(text);
}

int main(void)
{
    struct picket_prefix *prefixes = bench_ipv4_prefixes(INDICATORS);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        measure(&layouts[i], prefixes);
    free(prefixes);
    return 0;
}
