/* Real feeds, each read with the format found out, against a reading of them that was made by
 * others: the prefixes, how many addresses and prefixes of each kind, and how many lines were of no
 * use. Where Picket decides otherwise, the table says why; so does docs/feeds.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"
#include "shared_data.h"

/* ---- the index ---- */

struct indexed {
    char file[100], format[40], observed[200];
    int ipv4_addresses, ipv4_cidrs, ranges, ipv6_addresses, ipv6_cidrs, rejected;
};

enum { COLUMNS = 19 };

/* Splits a line of CSV in place; returns the number of fields. */
static int split(char *line, char **fields)
{
    int count = 0;
    while (count < COLUMNS) {
        char *end = line, *out = line;
        bool quoted = *line == '"';
        end += quoted;
        fields[count++] = out;
        for (; *end != '\0' && (quoted || *end != ','); end++) {
            if (quoted && *end == '"' && *++end != '"')
                quoted = false;
            if (!quoted && *end != '"' && (*end == ',' || *end == '\0'))
                break;
            *out++ = *end;
        }
        bool last = *end == '\0';
        *out = '\0';
        if (last)
            break;
        line = end + 1;
    }
    return count;
}

static bool take_index_line(char *line, struct indexed *feed)
{
    char *fields[COLUMNS];
    if (split(line, fields) != COLUMNS || strcmp(fields[0], "open") != 0)
        return false;
    snprintf(feed->file, sizeof feed->file, "%s", fields[1]);
    snprintf(feed->format, sizeof feed->format, "%s", fields[3]);
    snprintf(feed->observed, sizeof feed->observed, "%s", fields[17]);
    feed->ipv4_addresses = atoi(fields[8]);
    feed->ipv4_cidrs = atoi(fields[9]);
    feed->ranges = atoi(fields[10]);
    feed->ipv6_addresses = atoi(fields[11]);
    feed->ipv6_cidrs = atoi(fields[12]);
    feed->rejected = atoi(fields[14]);
    return true;
}

/* ---- where Picket decides otherwise ---- */

enum { AS_INDEXED = -1 };

struct otherwise {
    const char *file;
    int prefixes; /* AS_INDEXED, as are those below: as many skipped as rejected, none passed over
                   */
    int skipped, passed_over;
    const char *why;
};

static const struct otherwise otherwise[] = {
    {"feodo_ipblocklist.csv", AS_INDEXED, 0, 0, "the header is no line that is not understood"},
    {"shadowwhisperer_threats.csv", AS_INDEXED, 0, 0, "the same"},
    {"abuseipdb_bulk_2025-06-19.csv", AS_INDEXED, 0, 0, "the same"},
    {"sekoia_pikabot_valid_until.csv", AS_INDEXED, 0, 0, "the same"},
    {"sophos_citrix_bom.csv", AS_INDEXED, 9, 10,
     "the header; hashes and a host name are passed over"},
    {"spamhaus_drop_v4.json", AS_INDEXED, 0, 1, "the metadata is passed over"},
    {"unit42_urlfiltering_bom.txt", AS_INDEXED, 6, 39,
     "headings are not understood; hashes, host names and URLs are passed over"},
    {"stix_elastic_lobshot.json", AS_INDEXED, 0, 498, "indicators of other kinds are passed over"},
    {"stix_elastic_ref6138.json", AS_INDEXED, 0, 44, "the same"},
    {"stix_unit42_midnighteclipse.json", AS_INDEXED, 0, 7, "the same"},
    {"stix_unit42_mirai2020.json", AS_INDEXED, 0, 16, "the same"},
    {"stix20_talos_xorddos.json", AS_INDEXED, 0, 5, "the same"},
    {"stix_sekoia_apt31.jsonl", AS_INDEXED, 0, 51, "the same"},
    {"misp_eset_glupteba.json", AS_INDEXED, 0, 277, "attributes of other types are passed over"},
    {"misp_eset_candiru.json", 0, 0, 100,
     "no address is for detection (to_ids is false): the 29 indexed are passed over too"},
};

static const struct otherwise *otherwise_for(const char *file)
{
    for (size_t i = 0; i < sizeof otherwise / sizeof *otherwise; i++)
        if (strcmp(otherwise[i].file, file) == 0)
            return &otherwise[i];
    return NULL;
}

/* ---- comparing ---- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Distinct prefixes as text, sorted. */
static size_t sorted_prefixes(char **lines)
{
    size_t count = reading.indicators.count, distinct = 0;
    for (size_t i = 0; i < count; i++) {
        char text[PICKET_PREFIX_TEXT_BYTES];
        lines[i] = strdup(picket_prefix_format(&reading.indicators.items[i].prefix, text));
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (distinct > 0 && strcmp(lines[distinct - 1], lines[i]) == 0)
            free(lines[i]);
        else
            lines[distinct++] = lines[i];
    }
    return distinct;
}

static size_t split_lines(char *text, char **lines)
{
    size_t count = 0;
    char *saved;
    for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved))
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare_lines);
    return count;
}

static void check(const char *file, const char *what, long ours, long expected)
{
    if (ours != expected)
        fail_msg("%s: %s: %ld, expected %ld", file, what, ours, expected);
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* A range is many prefixes, so a file with ranges is counted by lines. */
static void check_counts(const struct indexed *feed, char **prefixes, size_t count)
{
    int single4 = 0, wide4 = 0, single6 = 0, wide6 = 0, lines = 0;
    uint32_t last_line = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_ipv6 = strchr(prefixes[i], ':') != NULL;
        single4 += !is_ipv6 && ends_with(prefixes[i], "/32");
        wide4 += !is_ipv6 && !ends_with(prefixes[i], "/32");
        single6 += is_ipv6 && ends_with(prefixes[i], "/128");
        wide6 += is_ipv6 && !ends_with(prefixes[i], "/128");
    }
    for (size_t i = 0; i < reading.indicators.count; i++) {
        lines += reading.indicators.items[i].line != last_line;
        last_line = reading.indicators.items[i].line;
    }
    if (feed->ranges > 0) {
        check(feed->file, "lines", lines,
              feed->ipv4_addresses + feed->ipv4_cidrs + feed->ranges + feed->ipv6_addresses +
                  feed->ipv6_cidrs);
        return;
    }
    check(feed->file, "IPv4 addresses", single4, feed->ipv4_addresses);
    check(feed->file, "IPv4 prefixes", wide4, feed->ipv4_cidrs);
    check(feed->file, "IPv6 addresses", single6, feed->ipv6_addresses);
    check(feed->file, "IPv6 prefixes", wide6, feed->ipv6_cidrs);
}

static void check_prefixes(const struct indexed *feed, char **ours, size_t count)
{
    char path[300];
    size_t size;
    snprintf(path, sizeof path, "data/feeds-expected/%s.prefixes", feed->file);
    char *text = shared_file(path, &size);
    char **expected = calloc(size + 1, sizeof *expected);
    size_t expected_count = split_lines(text, expected);
    for (size_t i = 0; i < count && i < expected_count; i++)
        if (strcmp(ours[i], expected[i]) != 0)
            fail_msg("%s: read %s, expected %s", feed->file, ours[i], expected[i]);
    check(feed->file, "prefixes", (long)count, (long)expected_count);
    free(expected);
    free(text);
}

static void read_feed(const char *folder, const char *file)
{
    char path[300];
    size_t size;
    const struct feed_options options = {.confidence = 50};
    snprintf(path, sizeof path, "data/%s/%s", folder, file);
    char *text = shared_file(path, &size);
    feed_reading_free(&reading);
    if (feed_read(&reading, text, size, &options, &reading_error) != PICKET_OK)
        fail_msg("%s: %s", file, reading_error.text);
    free(text);
}

static void check_feed(const struct indexed *feed)
{
    const struct otherwise *other = otherwise_for(feed->file);
    read_feed("feeds", feed->file);
    char **ours = calloc(reading.indicators.count + 1, sizeof *ours);
    size_t count = sorted_prefixes(ours);
    if (other != NULL && other->prefixes >= 0) {
        check(feed->file, "prefixes", (long)count, other->prefixes);
    } else {
        check_prefixes(feed, ours, count);
        check_counts(feed, ours, count);
    }
    check(feed->file, "skipped", (long)reading.skipped,
          other != NULL && other->skipped >= 0 ? other->skipped : feed->rejected);
    check(feed->file, "passed over", (long)reading.passed_over,
          other != NULL && other->passed_over >= 0 ? other->passed_over : 0);
    for (size_t i = 0; i < count; i++)
        free(ours[i]);
    free(ours);
}

static void real_feeds_are_read_as_others_read_them(void **state)
{
    size_t size, feeds = 0;
    char *saved;
    (void)state;
    if (!shared_data_is_here())
        skip();
    char *index = shared_file("data/feeds/INDEX.csv", &size);
    for (char *line = strtok_r(index, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        struct indexed feed;
        if (!take_index_line(line, &feed))
            continue;
        check_feed(&feed);
        feeds++;
    }
    free(index);
    print_message("%zu feeds\n", feeds);
    assert_int_equal(feeds, 48);
}

/* Made up for what no stored feed has: IPv6, IN, ISSUBSET, ports, what must be refused. */
static void odd_stix_is_read_as_far_as_a_flow_can_show_it(void **state)
{
    static const char *const expected[] = {
        "2001:db8:bad::1/128", "2001:db8:bad:100::/56", "198.51.100.0/24", "198.51.100.1/32",
        "198.51.100.2/32",     "203.0.113.1/32",        "203.0.113.2/32",  "203.0.113.3/32",
        "2001:db8:bad::2/128", "203.0.113.4/32",        "203.0.113.5/32",  "203.0.113.7/32"};
    (void)state;
    if (!shared_data_is_here())
        skip();
    read_feed("feeds-handmade", "odd_stix21.json");
    check("odd_stix21.json", "indicators", (long)reading.indicators.count, 12);
    for (size_t i = 0; i < 12; i++) {
        char text[PICKET_PREFIX_TEXT_BYTES];
        picket_prefix_format(&reading.indicators.items[i].prefix, text);
        assert_string_equal(text, expected[i]);
    }
    assert_int_equal(reading.indicators.items[8].port, 1883);
    assert_int_equal(reading.indicators.items[9].port, 23);
    assert_int_equal(reading.indicators.items[10].valid_until_ms, 1767312000000);
    assert_int_equal(reading.passed_over, 1); /* revoked */
    assert_int_equal(reading.skipped, 4);     /* NOT IN, FOLLOWEDBY, two strings with odd escapes */
}

static void a_json_array_of_objects_is_read_like_its_csv(void **state)
{
    (void)state;
    if (!shared_data_is_here())
        skip();
    read_feed("feeds-handmade", "feodo_ipblocklist_derived.json");
    check("feodo_ipblocklist_derived.json", "indicators", (long)reading.indicators.count, 28);
    assert_int_equal(reading.indicators.items[0].port, 1194);
    assert_int_equal(reading.indicators.items[0].line, 2);
    assert_string_equal(reading.indicators.items[0].malware, "Pikabot");
    assert_int_equal(reading.skipped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_feeds_are_read_as_others_read_them),
        cmocka_unit_test(odd_stix_is_read_as_far_as_a_flow_can_show_it),
        cmocka_unit_test(a_json_array_of_objects_is_read_like_its_csv),
    };
    return cmocka_run_group_tests(tests, NULL, free_reading);
}
